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
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr, StringConstraints

from models.calendar import BusinessCalendar
from models.calendar_data import NATIONAL, CalendarData
from models.errors import CalendarError, PolicyError
from models.inquiry import Area, Channel, Kind, Language, Outcome
from models.letters import LetterKind
from models.policy_file import Bilingual, PolicyFile, Section, Text
from models.terms import Seconds, Terms, TermSettings

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^\s/]$", max_length=300)]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}$")]
Email = Annotated[str, StringConstraints(pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", max_length=254)]
Positive = Annotated[int, Field(ge=1)]

APPROVABLE = (
    *("extend", "escalate", "re_estimate", "resolve", "appeal_decided", "change_channel", "withdraw", "reopen"),
    *("merge", "split", "reclassify"),
    *(f"resolve.{outcome.value}" for outcome in Outcome),
)
"""The commands that may want a second pair of eyes."""

SNAPSHOT_BEFORE = timedelta(days=60)
"""A case's snapshot begins this long before its reception, so that warnings and late discoveries can be counted."""


class Licence(Section):
    """A licence of the operator, as the letters print it."""

    number: Text
    name: Bilingual


class Operator(Section):
    """Who answers."""

    name: Text
    legal_name: Text
    address: Text
    reference_prefix: Prefix
    website: Url
    manual_url: Url
    status_base_url: Url
    licences: tuple[Licence, ...]
    warning: Bilingual


class ManualVersion(Section):
    """A language's version of the manual (M7.1)."""

    version: Text
    date: date


class Manual(Section):
    """The manual's versions by language."""

    es: ManualVersion
    en: ManualVersion


class Authority(Section):
    """Where a review may be asked for (M3.10); an empty `email` means that the authority's own order names it."""

    name: Bilingual
    phone: Text
    web: Url
    email: Email


class ChannelSettings(Section):
    """An established channel (M2.1): its public address, and the channel that carries its letters (M4.1)."""

    label: Bilingual
    address: Text
    answered_by: Channel
    enabled: bool


class Channels(Section):
    """All channels, each a section of its own; `fallback` is the order they are tried in when one fails (reading 8)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Channel, ChannelSettings]

    fallback: tuple[Channel, ...]

    @property
    def named(self) -> dict[Channel, ChannelSettings]:
        """The channels by name, in the file's order."""
        return self.__pydantic_extra__


class AreaSettings(Section):
    """A specialised area: its name, its designated representative's role and the deputy's (M3.3, M5.4)."""

    label: Bilingual
    representative: Bilingual
    deputy: Bilingual


class Signing(Section):
    """Who signs the letters: a role and an area, never a person."""

    role: Bilingual
    area: Area


class CalendarSettings(Section):
    """Which days count, and how many days ahead of its reception a case knows them (reading 3)."""

    zone: Text
    territory: Text
    city_days: bool
    horizon_days: Annotated[int, Field(ge=200, le=1500)]


class TermsSection(TermSettings):
    """`[terms]`, read strictly."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Approval(Section):
    """The commands that want a second pair of eyes (M3.9, M5.3)."""

    required: tuple[str, ...]


class Letters(Section):
    """The letters copied to the registered e-mail (reading 7), and the language that prevails (reading 12)."""

    copied: tuple[LetterKind, ...]
    prevailing_language: Literal[Language.ES, Language.EN]


class Notices(Section):
    """How long a sending with an unknown end waits, in seconds."""

    unknown_wait_seconds: Seconds
    before_due_seconds: Seconds


class Intake(Section):
    """How an inquiry is taken in (readings 2 and 12), and the sizes beyond which parts are left out."""

    reception: Literal["provider", "stored"]
    unclear_kind: Kind
    unclear_language: Language
    area: Area
    max_mail_bytes: Positive
    max_mail_parts: Positive
    max_attachments: Positive
    max_web_form_bytes: Positive
    max_text_characters: Positive


class Mail(Section):
    """Limits against backscatter and loops."""

    acknowledgements_per_address_per_day: Positive
    messages_per_address_per_hour: Positive


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
    signing: Signing
    calendar_settings: CalendarSettings = Field(alias="calendar")
    term_settings: TermsSection = Field(alias="terms")
    approval: Approval
    letters: Letters
    notices: Notices
    intake: Intake
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
            areas=tuple(self.areas),
            channel_order=self.channels.fallback,
            copied=self.letters.copied,
            unknown_wait_seconds=self.notices.unknown_wait_seconds,
            unknown_wait_margin_seconds=self.notices.before_due_seconds,
            policy_version=self.full_version,
        )

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
    for mistake in chain(_unset(policy, file), _unknown_names(policy, file), _unusable_calendar(policy, file, days)):
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
    for section, area in (("signing", policy.signing.area), ("intake", policy.intake.area)):
        if area not in policy.areas:
            yield file.mistake([section, "area"], f"unknown area {area!r}; name one of {', '.join(policy.areas)}")
    for position, command in enumerate(policy.approval.required):
        if command not in APPROVABLE:
            yield file.mistake(
                ["approval", "required", position], f"unknown {command!r}; name one of {', '.join(APPROVABLE)}"
            )


def _unusable_calendar(policy: Policy, file: PolicyFile, days: CalendarData) -> Iterator[PolicyError]:
    territories = (NATIONAL, *days.holidays.territories)
    if policy.calendar_settings.territory not in territories:
        yield file.mistake(["calendar", "territory"], f"unknown territory; name one of {', '.join(territories)}")
    try:
        policy.whole_calendar().local_date(datetime(2000, 1, 1, tzinfo=UTC))
    except CalendarError as error:
        yield file.mistake(["calendar", "zone"], str(error))
