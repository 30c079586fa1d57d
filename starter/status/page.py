"""What a user sees of their inquiry: what happened, what is promised by when, and every letter in full.

Only what is real is told: a new date counts once its letter was accepted, exactly as the case itself counts it. All
times are aware UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from models.case import Case
from models.inquiry import AUTHORITY
from models.letters import FINALS, Letter, LetterKind
from models.obligations import ObligationKind
from models.policy import Policy
from models.tables import Notice
from records.bindings import masked

ACKNOWLEDGED = (LetterKind.ACKNOWLEDGEMENT, LetterKind.ACKNOWLEDGEMENT_LATE)
TOLD = {
    **dict.fromkeys(ACKNOWLEDGED, "acknowledged"),
    **dict.fromkeys(FINALS.values(), "answered"),
    LetterKind.MISSED: "missed",
    LetterKind.INFORMATION_REQUEST: "information",
    LetterKind.INFORMATION_REMINDER: "information",
    LetterKind.IDENTITY_REQUEST: "information",
    LetterKind.REOPENED: "reopened",
}
"""Letters whose acceptance is a step of its own."""

UNTOLD = frozenset({ObligationKind.AUTHORITY_REPLY, ObligationKind.REMEDY})
"""What is owed to others than the user, or told by a letter first."""


@dataclass(frozen=True)
class Step:
    """Something that happened; `old` and `new` are dates that moved, `name` an area, an institution or a reference."""

    at: datetime
    what: str
    name: str = ""
    reasons: str = ""
    old: datetime | None = None
    new: datetime | None = None


@dataclass(frozen=True)
class Promise:
    """Something that is owed by `at`."""

    what: str
    at: datetime
    late: bool


@dataclass(frozen=True)
class SentLetter:
    """A letter as the user may read it, in full."""

    at: datetime
    subject: str
    text: str


@dataclass(frozen=True)
class StatusPage:
    """One inquiry as its user sees it."""

    reference: str
    kind: str
    status: str
    steps: tuple[Step, ...]
    promises: tuple[Promise, ...]
    letters: tuple[SentLetter, ...]


def status_page(case: Case, letters: list[Notice], policy: Policy, language: str) -> StatusPage:
    """Tell an inquiry to its user; `language` is `es` or `en`."""
    return StatusPage(
        reference=case.reference,
        kind=case.kind.value,
        status=case.status.value,
        steps=tuple(sorted(_steps(case, policy, language), key=lambda step: step.at)),
        promises=tuple(
            Promise(owed.kind.value, owed.due, owed.missed_at is not None)
            for owed in case.owed()
            if owed.kind not in UNTOLD
        ),
        letters=tuple(
            SentLetter(letter.accepted_at, letter.subject, masked(letter.full_text or letter.text))
            for letter in letters
            if letter.accepted_at and letter.address_id != AUTHORITY.id and not letter.key.endswith("/copy")
        ),
    )


def _steps(case: Case, policy: Policy, language: str) -> Iterator[Step]:
    yield Step(case.received_at, "received")
    yield from _letter_steps(case)
    for referral in case.referrals:
        if referral.withdrawn_at:
            continue
        area = policy.areas.get(referral.area)
        yield Step(referral.opened_at, "referred", getattr(area.label, language) if area else referral.area)
    for extension in case.extensions:
        if extension.effective_at and not extension.void_at:
            reasons = _reasons(case.letter(extension.letter))
            yield Step(extension.effective_at, "extended", reasons=reasons, old=extension.replaces, new=extension.until)
    if case.escalation:
        institution = case.escalation.institution
        yield Step(case.escalation.opened_at, "external", institution, new=case.escalation.told)
        if case.escalation.ended_at:
            yield Step(case.escalation.ended_at, "external answered", institution)
    if case.withdrawn_at:
        yield Step(case.withdrawn_at, "withdrawn")
    for appeal in case.appeals:
        yield Step(appeal.opened_at, "review")
        if appeal.decided_at:
            yield Step(appeal.decided_at, "review decided")


def _letter_steps(case: Case) -> Iterator[Step]:
    for letter in case.letters:
        if letter.accepted_at is None or letter.copy_of:
            continue
        if letter.kind in TOLD:
            yield Step(letter.accepted_at, TOLD[letter.kind])
        elif letter.kind is LetterKind.MERGED and case.merged_into:
            yield Step(letter.accepted_at, "merged", case.merged_into)


def _reasons(letter: Letter | None) -> str:
    return letter.texts.get("reasons", "") if letter else ""
