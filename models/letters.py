"""A letter as the case sees it: its kind, where it goes, what it meets, and what became of it.

The words are rendered outside from versioned templates; a case holds only what decides them.
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from models.inquiry import Address, Outcome, Wire


class LetterKind(StrEnum):
    """The kinds of `policies/<operator>/letters/`."""

    ACKNOWLEDGEMENT = "acknowledgement"
    ACKNOWLEDGEMENT_LATE = "acknowledgement_late"
    REPLY = "reply"
    REFERRAL = "referral"
    INFORMATION_REQUEST = "information_request"
    INFORMATION_REMINDER = "information_reminder"
    IDENTITY_REQUEST = "identity_request"
    EXTENSION = "extension"
    EXTERNAL = "external"
    RE_ESTIMATE = "re_estimate"
    CHANNEL_CHANGE = "channel_change"
    INVITATION = "invitation"
    UNREADABLE = "unreadable"
    MISSED = "missed"
    FINAL_UPHELD = "final_upheld"
    FINAL_PARTIAL = "final_partial"
    FINAL_UNFOUNDED = "final_unfounded"
    FINAL_INADMISSIBLE = "final_inadmissible"
    FINAL_INQUIRY = "final_inquiry"
    WITHDRAWN = "withdrawn"
    REOPENED = "reopened"
    MERGED = "merged"
    SPLIT = "split"
    REMEDY_DONE = "remedy_done"
    REVIEW_NOTED = "review_noted"
    REVIEW_RESULT = "review_result"
    AUTHORITY_REPLY = "authority_reply"
    ERASURE_DONE = "erasure_done"


URGENT = {LetterKind.CHANNEL_CHANGE: 0, LetterKind.ACKNOWLEDGEMENT_LATE: 1, LetterKind.MISSED: 2}
"""Letters that leave before all others: a new channel is told before its first use (reading 8), lateness at once."""

FINALS = {outcome: LetterKind(f"final_{outcome.value}") for outcome in Outcome}

ONE_PLACE = frozenset({LetterKind.AUTHORITY_REPLY, LetterKind.INVITATION})
"""Letters that have one place to go, whatever the person's addresses are: the authority, and where the user posted."""


class LetterState(StrEnum):
    """What became of a letter, as far as the case knows."""

    OWED = "owed"
    ACCEPTED = "accepted"
    FAILED = "failed"
    VOID = "void"


class Letter(Wire):
    """One letter. All times are aware UTC.

    `meets` names the obligations it meets once accepted; `tells` is the answer date it tells the user, if it tells one;
    `facts` are dates (ISO 8601, UTC), codes and numbers for the template and `texts` short reasons; `draft` is the
    document with what a person wrote; `replaces` names the letter in whose place this one leaves; `address` is None
    while no address works (reading 10); `not_before` holds it back until then; `undoable` lets it be
    taken back meanwhile.
    """

    key: str
    kind: LetterKind
    address: Address | None
    created_at: AwareDatetime
    meets: tuple[int, ...] = ()
    tells: AwareDatetime | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    texts: dict[str, str] = Field(default_factory=dict)
    draft: str = ""
    copy_of: str = ""
    replaces: str = ""
    not_before: AwareDatetime | None = None
    undoable: bool = False
    due: AwareDatetime | None = None
    state: LetterState = LetterState.OWED
    accepted_at: AwareDatetime | None = None
    provider_id: str = ""
    duplicate: bool = False
    delivered_at: AwareDatetime | None = None
    bounced_at: AwareDatetime | None = None


def letter_key(reference: str, kind: LetterKind, n: int) -> str:
    """Name a letter for ever: `<reference>/<kind>/<n>`; the same on every try."""
    return f"{reference}/{kind.value}/{n}"
