"""What decides a case beside its letters: calendar and terms; who approves, verifies, confirms; what is erased."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from models.causes import CodeWord
from models.inquiry import Area, Outcome
from models.letters import LetterKind
from models.policy_file import Bilingual, Section, Text, Url
from models.terms import Currency, Days, TermSettings, Warnings

APPROVABLE = (
    *("extend", "escalate", "re_estimate", "resolve", "appeal_decided", "change_channel", "withdraw", "reopen"),
    *("reclassify", "erase", "promise_remedy"),
    *(f"resolve.{outcome.value}" for outcome in Outcome),
)
"""The commands that may want a second pair of eyes: none that changes two inquiries, which one approval cannot."""


class CalendarSettings(Section):
    """Which days count, and how many days ahead of its reception a case knows them (reading 3)."""

    zone: Text
    territory: Text
    city_days: bool
    horizon_days: Annotated[int, Field(ge=200, le=1500)]


class TermsSection(TermSettings):
    """`[terms]`, read strictly."""

    model_config = ConfigDict(extra="forbid", strict=True)


Fewest = Annotated[int, Field(ge=1, le=500)]


class LeastCharacters(Section):
    """How many characters each part of a final answer has at least, and the reason for which a point is put aside."""

    answer: Fewest
    facts_verified: Fewest
    source: Fewest
    rule: Fewest
    why: Fewest
    reasons: Fewest
    dropped: Fewest


class Gate(Section):
    """What a final answer is held against beside the parts it must have (M3.8, M3.9).

    With `messages_considered` every point that the user's messages seem to raise is answered, kept or put aside.
    """

    messages_considered: bool
    least_characters: LeastCharacters


class Approval(Section):
    """The commands that want a second pair of eyes (M3.9, M5.3), and whether a newer message forbids the approval."""

    required: tuple[str, ...]
    stale_after_message: bool


class Erasure(Section):
    """Within how many business days a request for erasure is answered once the case is closed, and what stays.

    `warnings` are the business days before that date when the owner is reminded; `keeps` the letters whose words stay.
    """

    business_days: Days
    warnings: Warnings
    keeps: tuple[LetterKind, ...]


class Identity(Section):
    """Where a person shows who they are: a page behind the operator's own sign-in, and how long its link holds."""

    link: Url
    link_hours: Annotated[int, Field(ge=1, le=720)]


class Information(Section):
    """How many business days before the day given the user is reminded of what was asked for; 0: never (M3.8)."""

    reminder_business_days: Annotated[int, Field(ge=0, le=30)]


class Referral(Section):
    """By when an area answers a question inside the house, in business days, and what precedes and follows (M5.4)."""

    answer_business_days: Days
    reminder_business_days: Annotated[int, Field(ge=0, le=400)]
    escalate_to_deputy: bool


class Verification(Section):
    """The final answers that want an area's verification, and whether Customer Experience can give it (M5.3)."""

    finals: tuple[Outcome, ...]
    cx_counts: bool


class Remedies(Section):
    """Promised remedies (M3.8): above which amounts another person approves (M5.3), and the area that confirms them.

    `warnings` are business days before the date promised; `kinds` what a remedy may be, to count by.
    """

    kinds: dict[CodeWord, Bilingual]
    approval_above: dict[Currency, Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}(\.[0-9]{1,18})?$")]]
    confirmed_by: Area
    warnings: Warnings
