"""Reading an operator's policy, once and strictly: what is wrong is a PolicyError with file, dotted key and line."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from models.calendar_data import NATIONAL, CalendarData
from models.errors import CalendarError, PolicyError
from models.inquiry import Area
from models.policy import OtherFiles, Policy
from models.policy_file import PolicyFile
from models.sections.case import APPROVABLE, TermsSection


def load_policy(folder: Path) -> Policy:
    """Read an operator's policy; PolicyError names file, key and line of the first mistake."""
    days = CalendarData.read(folder)
    file = PolicyFile.read(folder / "policy.toml")
    fingerprint = hashlib.sha256(file.text.encode()).hexdigest()[:12]
    policy = file.parse(Policy, OtherFiles(days, fingerprint))
    mistakes = (
        _unset(policy, file),
        _unknown_names(policy, file),
        _one_for_two(policy, file),
        _taken_places(policy, file),
        _reminded_before_it_is_asked(policy, file),
        _unknown_tracker(policy, file),
    )
    for mistake in chain(*mistakes, _unusable_calendar(policy, file, days)):
        raise mistake
    return policy


def _unset(policy: Policy, file: PolicyFile) -> Iterator[PolicyError]:
    for name in TermsSection.model_fields:
        if name not in policy.term_settings.model_fields_set:
            yield file.mistake(["terms", name], "is missing; every setting stands in the file, so add it")


def _unknown_names(policy: Policy, file: PolicyFile) -> Iterator[PolicyError]:
    named = policy.channels.named
    for position, name in enumerate(policy.channels.fallback):
        if name not in named or not named[name].enabled:
            yield file.mistake(
                ["channels", "fallback", position], f"{name!r} is no enabled channel; add or enable [channels.{name}]"
            )
    for name, channel in named.items():
        if channel.answered_by not in named or (channel.enabled and not named[channel.answered_by].enabled):
            path = ["channels", name, "answered_by"]
            yield file.mistake(
                path, f"{channel.answered_by!r} is no enabled channel; add or enable [channels.{channel.answered_by}]"
            )
    places: dict[tuple[str | int, ...], Area] = {
        ("signing", "area"): policy.signing.area,
        ("intake", "area"): policy.intake.area,
        ("remedies", "confirmed_by"): policy.remedies.confirmed_by,
    }
    places |= {("rights", "closed_areas", n): area for n, area in enumerate(policy.rights.closed_areas)}
    for place, area in places.items():
        if area not in policy.areas:
            yield file.mistake(list(place), f"unknown area {area!r}; name one of {', '.join(policy.areas)}")
    for position, rule in enumerate(policy.assignment.rules):
        if rule.area not in policy.areas:
            yield file.mistake(["assignment", "rules", position, "area"], f"unknown area {rule.area!r}")
    for position, command in enumerate(policy.approval.required):
        if command not in APPROVABLE:
            yield file.mistake(
                ["approval", "required", position], f"unknown {command!r}; name one of {', '.join(APPROVABLE)}"
            )


def _taken_places(policy: Policy, file: PolicyFile) -> Iterator[PolicyError]:
    for name in policy.registration.places:
        if name in policy.channels.named:
            yield file.mistake(["registration", "places", name], "is a channel; a place needs a name of its own")


def _one_for_two(policy: Policy, file: PolicyFile) -> Iterator[PolicyError]:
    for name, area in policy.areas.items():
        if area.representative == area.deputy:
            yield file.mistake(["areas", name, "deputy"], "is the representative too; name somebody who can stand in")


def _reminded_before_it_is_asked(policy: Policy, file: PolicyFile) -> Iterator[PolicyError]:
    if policy.referral.reminder_business_days >= policy.referral.answer_business_days:
        yield file.mistake(
            ["referral", "reminder_business_days"], "comes before the question; give less than answer_business_days"
        )


def _unknown_tracker(policy: Policy, file: PolicyFile) -> Iterator[PolicyError]:
    if policy.tracker.use not in policy.tracker.enabled:
        yield file.mistake(
            ["tracker", "use"], f"{policy.tracker.use!r} is switched off; enable [tracker.{policy.tracker.use}]"
        )


def _unusable_calendar(policy: Policy, file: PolicyFile, days: CalendarData) -> Iterator[PolicyError]:
    territories = (NATIONAL, *days.holidays.territories)
    if policy.calendar_settings.territory not in territories:
        yield file.mistake(["calendar", "territory"], f"unknown territory; name one of {', '.join(territories)}")
    try:
        policy.whole_calendar().local_date(datetime(2000, 1, 1, tzinfo=UTC))
    except CalendarError as error:
        yield file.mistake(["calendar", "zone"], str(error))
