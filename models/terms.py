"""Terms: the policy's numbers that a case carries as data.

Every number is a reading of the manual (docs/manual.md) and stands in the policy file; the defaults here are the
manual's. A case keeps the terms it was opened under (reading 13).
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.inquiry import EMAIL, Area, Channel, Kind, Outcome, Role, Wire
from models.letters import LetterKind

Days = Annotated[int, Field(ge=1, le=400)]
Count = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=0, le=30 * 86_400)]
Minutes = Annotated[int, Field(ge=1, le=10_080)]
Warnings = Annotated[tuple[Days, ...], Field(max_length=10)]

Place = Literal["owner", "representative", "deputy", "supervisor", "compliance", "shift"]
"""Where a colleague stands who may be told: the case's owner, its area's people, policy's own, whoever is on shift."""

Matter = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
"""What an incident or an alarm is about, by its name in the policy: nobody's words ever stand in a title."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,5}$")]
"""A currency by its code, such as `USD` or `BTC`."""

COPIED = (
    LetterKind.ACKNOWLEDGEMENT,
    LetterKind.ACKNOWLEDGEMENT_LATE,
    LetterKind.EXTENSION,
    LetterKind.EXTERNAL,
    LetterKind.RE_ESTIMATE,
    LetterKind.MISSED,
    LetterKind.FINAL_UPHELD,
    LetterKind.FINAL_PARTIAL,
    LetterKind.FINAL_UNFOUNDED,
    LetterKind.FINAL_INADMISSIBLE,
    LetterKind.FINAL_INQUIRY,
    LetterKind.WITHDRAWN,
    LetterKind.REOPENED,
    LetterKind.REMEDY_DONE,
    LetterKind.REVIEW_NOTED,
    LetterKind.REVIEW_RESULT,
)
"""The letters that also go to the registered e-mail (reading 7)."""


class TermSettings(Wire):
    """The section `[terms]` of a policy: each name says its unit, each comment there its reading and rule."""

    acknowledgement_business_days: Days = 5
    final_business_days: Days = 30
    counted_from: Literal["earlier", "reception", "submission"] = "earlier"
    receipt_on_closed_day: Literal["does_not_push_start", "pushes_start"] = "does_not_push_start"
    decree_moves_told_date: bool = False
    extension_max_business_days: Days = 30
    extensions_by_agent: Count = 1
    extension_kinds: tuple[Kind, ...] = (Kind.COMPLAINT,)
    further_extension_role: Role = Role.SUPERVISOR
    external_notice_business_days: Days = 1
    external_notice_calendar_days: Days = 15
    institution_answered_business_days: Days = 5
    channel_change_business_days: Days = 1
    missed_notice_business_days: Days = 1
    missed_repeat_business_days: Days = 5
    missed_estimate_business_days: Days = 5
    resend_business_days: Days = 1
    attempts_exhausted_role: Role = Role.SUPERVISOR
    appeal_window_days: Count = 90
    authority_reply_business_days: Days = 5
    referral_notice_business_days: Days = 1
    withdrawal_notice_business_days: Days = 1
    policy_change: Literal["favours_user", "never"] = "favours_user"
    working_hour: Annotated[int, Field(ge=0, le=23)] = 9
    acknowledgement_warnings: Warnings = (2, 1)
    final_warnings: Warnings = (10, 5, 2, 1)
    other_warnings: Warnings = ()


class Terms(TermSettings):
    """All that a case carries of its policy: `[terms]`, and the numbers and names of other sections that decide a case.

    `approvals` are the commands that want a second pair of eyes, `stale_after_message` says that a message of the user
    which came after a proposal forbids its approval, `undo_seconds` how long letters that a person ordered wait and
    can be taken back, `areas` the specialised areas (M5.4), `channel_order`
    the channels tried when one fails, `copied` the letters of reading 7,
    `information_reminder_business_days` when a user who was asked for something is reminded (0: nothing is watched),
    `unknown_wait_seconds` how long an unknown sending waits for the provider's event, but never past the due date minus
    `unknown_wait_margin_seconds`.
    `reminders` are the colleagues reminded in turn (none: nobody is), `approvers_before` the business days before a due
    date when approvers are told again, `quiet_hour` the local hour from which nobody is. `urgent_minutes` pass between
    the alarms about what is urgent, the last of them again and again. `erasure_keeps` are the letters whose words stay
    where all else of a case is erased, `erasure_warnings` the business days before that answer is due.

    `representatives` are the ids of each area's representative and deputy, who alone speak for it; anyone does for an
    area that is not named. `referral_...`: by when an area answers inside the house, 0 for no date, and what precedes
    and follows that date. `verified_outcomes` are the final answers that want an area's verification (M5.3), which
    `unverifying_areas` cannot give; `cause_outcomes` those that must name their cause (M3.11).

    With `authority_writes_again` its further letters during a review are answered by their own dates (M3.10); with
    `incidents_by_area` an incident is ended by the people of its area, a supervisor or its tracker alone (M5.4); with
    `dates_bounded` the user is asked for nothing after the answer is due, and no date of the authority lies before its
    letter; with `messages_considered` a final answer waits for every point that the user's messages seem to raise to be
    answered, kept or put aside (M3.8), and `least_characters` is what each part of an answer must have at least; with
    `agenda_reminders` colleagues are told of follow-ups that have come and of information that has not; with
    `proposals_lapse` one falls away, with a fact that says so, where another replaces it or the case ends; with
    `copies_follow` the copy of a letter that leaves elsewhere is the copy of the one that leaves in its place.

    `remedy_...`: above which amount by currency a promised remedy wants a second pair of eyes, as in any currency that
    is not named; the area that confirms one as done; the business days before its date that warn of it.
    """

    approvals: tuple[str, ...] = ("resolve.unfounded",)
    stale_after_message: bool = False
    undo_seconds: Seconds = 0
    areas: tuple[Area, ...] = ("cx",)
    representatives: dict[Area, tuple[str, ...]] = Field(default_factory=dict)
    referral_answer_business_days: Count = 0
    referral_reminder_business_days: Count = 0
    referral_escalates: bool = False
    verified_outcomes: tuple[Outcome, ...] = ()
    unverifying_areas: tuple[Area, ...] = ()
    cause_outcomes: tuple[Outcome, ...] = ()
    remedy_approval_above: dict[Currency, str] = Field(default_factory=dict)
    remedy_area: Area = ""
    remedy_warnings: Warnings = ()
    authority_writes_again: bool = False
    incidents_by_area: bool = False
    dates_bounded: bool = False
    proposals_lapse: bool = False
    copies_follow: bool = False
    messages_considered: bool = False
    least_characters: dict[str, int] = Field(default_factory=dict)
    channel_order: tuple[Channel, ...] = (EMAIL,)
    copied: tuple[str, ...] = COPIED
    information_reminder_business_days: Count = 0
    unknown_wait_seconds: Seconds = 300
    unknown_wait_margin_seconds: Seconds = 3600
    reminders: tuple[Place, ...] = ()
    agenda_reminders: bool = False
    approvers_before: Days = 2
    quiet_hour: Annotated[int, Field(ge=1, le=23)] = 18
    urgent_matters: tuple[Matter, ...] = ()
    urgent_order: tuple[Place, ...] = ()
    urgent_minutes: tuple[Minutes, ...] = ()
    erasure_business_days: Days = 10
    erasure_warnings: Warnings = ()
    erasure_keeps: tuple[LetterKind, ...] = ()
    policy_version: str = ""
