"""Policy: everything of one operator, parsed from `policies/<operator>/`.

`load_policy` reads `policy.toml`, `calendar.toml` and `decrees.toml` once, strictly: a missing file, an unknown or
missing key, a wrong type, a number out of bounds, an unknown channel or area is a PolicyError that names file, dotted
key and line. A case never sees the policy: it carries `terms()` and `calendar()` as data.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field, PrivateAttr

from models.assignment import Assignment, Call
from models.calendar import BusinessCalendar
from models.calendar_data import CalendarData
from models.inquiry import ActorId, Area, Language
from models.policy_file import Section, Text
from models.quality import Quality
from models.sections.case import (
    Approval,
    CalendarSettings,
    Erasure,
    Gate,
    Identity,
    Information,
    Referral,
    Remedies,
    TermsSection,
    Verification,
)
from models.sections.channels import Channels, Intake, Letters, Mail, Notices, Registration
from models.sections.operator import Authority, Manual, Operator, Signing
from models.sections.staff import AreaSettings, Digest, Reminders, Rights, Staff, Urgent
from models.sections.tracker import Tracker
from models.taxonomy import Taxonomy
from models.terms import Terms

SNAPSHOT_BEFORE = timedelta(days=60)
"""A case's snapshot begins this long before its reception, so that warnings and late discoveries can be counted."""


@dataclass(frozen=True)
class OtherFiles:
    """What the other files say, handed to the policy while it is made."""

    days: CalendarData
    fingerprint: str
    known: dict[tuple[str, bool, str], BusinessCalendar] = field(default_factory=dict, compare=False)

    def calendar(self, territory: str, *, city_days: bool, zone: str) -> BusinessCalendar:
        """Return all that is known of closed days, put together once: every case asks for it."""
        key = territory, city_days, zone
        if key not in self.known:
            self.known[key] = self.days.calendar(territory, city_days=city_days, zone=zone)
        return self.known[key]


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
    gate: Gate
    approval: Approval
    erasure: Erasure
    reminders: Reminders
    digest: Digest
    urgent: Urgent
    referral: Referral
    verification: Verification
    remedies: Remedies
    taxonomy: Taxonomy
    quality: Quality
    tracker: Tracker
    identity: Identity
    information: Information
    letters: Letters
    notices: Notices
    intake: Intake
    registration: Registration
    mail: Mail

    _read: OtherFiles = PrivateAttr()

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
            cause_outcomes=self.taxonomy.required,
            remedy_approval_above=self.remedies.approval_above,
            remedy_area=self.remedies.confirmed_by,
            remedy_warnings=self.remedies.warnings,
            authority_writes_again=True,
            incidents_by_area=True,
            dates_bounded=True,
            proposals_lapse=True,
            copies_follow=True,
            messages_considered=self.gate.messages_considered,
            least_characters=self.gate.least_characters.model_dump(),
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

    def spoken_for(self, who: ActorId) -> frozenset[Area]:
        """Return the areas whose representative or deputy somebody is (M5.4)."""
        return frozenset(name for name, area in self.areas.items() if who in (area.representative, area.deputy))

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
        return self._read.calendar(wanted.territory, city_days=city, zone=wanted.zone)

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
