"""Policy: everything of one operator, parsed from `policies/<operator>/`.

`load_policy` reads `policy.toml`, `calendar.toml` and `decrees.toml` once, strictly: a missing file, an unknown or
missing key, a wrong type, a number out of bounds, an unknown channel or area is a PolicyError that names file, dotted
key and line. A case never sees the policy: it carries `terms()` and `calendar()` as data.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr

from models.assignment import Assignment, Call
from models.calendar import BusinessCalendar
from models.calendar_data import NATIONAL, CalendarData
from models.errors import CalendarError, PolicyError
from models.inquiry import Area, Language
from models.policy_file import PolicyFile, Section, Text
from models.policy_sections import (
    APPROVABLE,
    Approval,
    AreaSettings,
    Authority,
    CalendarSettings,
    Channels,
    Digest,
    Erasure,
    Identity,
    Information,
    Intake,
    Letters,
    Mail,
    Manual,
    Notices,
    Operator,
    Referral,
    Registration,
    Remedies,
    Reminders,
    Rights,
    Signing,
    Staff,
    TermsSection,
    Tracker,
    Urgent,
    Verification,
)
from models.terms import Terms

__all__ = ["Authority", "Manual", "Operator", "Policy", "load_policy"]

SNAPSHOT_BEFORE = timedelta(days=60)
"""A case's snapshot begins this long before its reception, so that warnings and late discoveries can be counted."""


@dataclass(frozen=True)
class _Read:
    """What the other files say, handed to the policy while it is made."""

    days: CalendarData
    fingerprint: str


class Policy(Section):
    """One operator's policy. The sections are its fields; `terms()` and `calendar()` are what a case carries of it."""

    version: Text
    operator: Operator
    manual: Manual
    authority: Authority
    channels: Channels
    areas: dict[Area, AreaSettings]
    staff: Staff
    assignment: Assignment
    rights: Rights
    signing: Signing
    calendar_settings: CalendarSettings = Field(alias="calendar")
    term_settings: TermsSection = Field(alias="terms")
    approval: Approval
    erasure: Erasure
    reminders: Reminders
    digest: Digest
    urgent: Urgent
    referral: Referral
    verification: Verification
    remedies: Remedies
    tracker: Tracker
    identity: Identity
    information: Information
    letters: Letters
    notices: Notices
    intake: Intake
    registration: Registration
    mail: Mail

    _read: _Read = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Keep what the calendar files say."""
        self._read = context

    @property
    def full_version(self) -> str:
        """The version with a hash of the file, so that no change goes unnoticed."""
        return f"{self.version}+{self._read.fingerprint}"

    def terms(self) -> Terms:
        """Return the numbers that a case opened now carries."""
        return Terms(
            **self.term_settings.model_dump(),
            approvals=self.approval.required,
            stale_after_message=self.approval.stale_after_message,
            undo_seconds=self.letters.undo_seconds,
            areas=tuple(self.areas),
            representatives={name: (area.representative, area.deputy) for name, area in self.areas.items()},
            referral_answer_business_days=self.referral.answer_business_days,
            referral_reminder_business_days=self.referral.reminder_business_days,
            referral_escalates=self.referral.escalate_to_deputy,
            verified_outcomes=self.verification.finals,
            unverifying_areas=() if self.verification.cx_counts else (self.intake.area,),
            remedy_approval_above=self.remedies.approval_above,
            remedy_area=self.remedies.confirmed_by,
            remedy_warnings=self.remedies.warnings,
            authority_writes_again=True,
            incidents_by_area=True,
            channel_order=self.channels.fallback,
            copied=self.letters.copied,
            information_reminder_business_days=self.information.reminder_business_days,
            unknown_wait_seconds=self.notices.unknown_wait_seconds,
            unknown_wait_margin_seconds=self.notices.before_due_seconds,
            reminders=self.reminders.order,
            agenda_reminders=self.reminders.agenda,
            approvers_before=self.reminders.approvers_before_business_days,
            quiet_hour=self.reminders.quiet_from_hour,
            urgent_matters=tuple(self.urgent.matters),
            urgent_order=self.urgent.order,
            urgent_minutes=self.urgent.minutes,
            erasure_business_days=self.erasure.business_days,
            erasure_warnings=self.erasure.warnings,
            erasure_keeps=self.erasure.keeps,
            policy_version=self.full_version,
        )

    def call(self, area: Area, language: Language, rule: str) -> Call:
        """Return whom an inquiry of an area looks for, and who stands in when nobody of the area is there (M5.4)."""
        named = self.areas[area]
        supervisors = (("supervisor", staff) for staff in self.staff.supervisors)
        standins = (("representative", named.representative), ("deputy", named.deputy), *supervisors)
        return Call(area, language, rule, self.assignment.version, standins, self.assignment.shifts)

    def whole_calendar(self, *, city_days: bool | None = None) -> BusinessCalendar:
        """Return all that is known of closed days; `city_days` overrides the policy's setting."""
        wanted = self.calendar_settings
        city = wanted.city_days if city_days is None else city_days
        return self._read.days.calendar(wanted.territory, city_days=city, zone=wanted.zone)

    def calendar(self, first: date, last: date) -> BusinessCalendar:
        """Return what is known of closed days between two local dates, as far as it is known."""
        return self.whole_calendar().between(first, last)

    def snapshot(self, received: datetime) -> BusinessCalendar:
        """Return the calendar that a case carries: from 60 days before its reception to `horizon_days` after."""
        whole = self.whole_calendar()
        day = whole.local_date(received)
        return whole.between(day - SNAPSHOT_BEFORE, day + timedelta(days=self.calendar_settings.horizon_days))

    def received_at(self, provider: datetime | None, stored: datetime) -> datetime:
        """Return the reception: the provider's time unless the policy wants ours, never later than ours (reading 2)."""
        if provider is None or self.intake.reception == "stored":
            return stored
        return min(provider, stored)


def load_policy(folder: Path) -> Policy:
    """Read an operator's policy; PolicyError names file, key and line of the first mistake."""
    days = CalendarData.read(folder)
    file = PolicyFile.read(folder / "policy.toml")
    fingerprint = hashlib.sha256(file.text.encode()).hexdigest()[:12]
    policy = file.parse(Policy, _Read(days, fingerprint))
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
