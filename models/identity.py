"""Who stands behind an address, as far as anybody has shown it, and what a letter may therefore say there ([C])."""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from models.inquiry import Address, Wire
from models.letters import FINALS, LetterKind
from models.obligations import A_SECOND


class Level(StrEnum):
    """What is known of whoever reads a letter."""

    UNVERIFIED = "unverified"
    BOUND = "bound"
    REPRESENTATIVE = "representative"


class Says(StrEnum):
    """What of a letter leaves: all of it, all but the words of the user and of whoever wrote it, or a pointer."""

    WHOLE = "whole"
    WITHOUT_WORDS = "without words"
    POINTER = "pointer"


HELD_BACK = frozenset(
    {
        *FINALS.values(),
        LetterKind.REPLY,
        LetterKind.INFORMATION_REQUEST,
        LetterKind.INFORMATION_REMINDER,
        LetterKind.SPLIT,
        LetterKind.REMEDY_DONE,
        LetterKind.REVIEW_RESULT,
    }
)
"""Letters made of account content."""

WORDLESS = frozenset(
    {
        LetterKind.ACKNOWLEDGEMENT,
        LetterKind.ACKNOWLEDGEMENT_LATE,
        LetterKind.WITHDRAWN,
        LetterKind.REOPENED,
        LetterKind.EXTENSION,
        LetterKind.EXTERNAL,
        LetterKind.RE_ESTIMATE,
    }
)
"""Letters that repeat what the user wrote, or give reasons beside a date that must be told in time (M3.5, M3.6)."""

UNVERIFIED_SAYS: dict[LetterKind, Says] = {
    **dict.fromkeys(HELD_BACK, Says.POINTER),
    **dict.fromkeys(WORDLESS, Says.WITHOUT_WORDS),
}


def says(level: Level, kind: LetterKind) -> Says:
    """Return what of a letter leaves for somebody of that level. Whoever holds a power of attorney reads all."""
    return UNVERIFIED_SAYS.get(kind, Says.WHOLE) if level is Level.UNVERIFIED else Says.WHOLE


class Representative(Wire):
    """Somebody with a power of attorney, who gets the user's letters at `address` until `until` (aware UTC, inclusive).

    `document` is the SHA-256 of the power, a file of the inquiry; `accepted_by` has checked it.
    """

    address: Address
    document: str
    until: AwareDatetime
    accepted_at: AwareDatetime
    accepted_by: str
    ended_at: AwareDatetime | None = None

    def next_alarm(self) -> datetime | None:
        """When the power ends by itself."""
        return None if self.ended_at else self.until + A_SECOND
