"""Why terms were missed, as far as the ledger knows: one reason for each miss, the first that holds."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.letters import LetterKind
from models.obligations import A_SECOND, ObligationKind
from models.tables import EventRow, ObligationRow
from records.figures import Window, missed


class Reason(StrEnum):
    """Why a promise was missed, in the order in which they are looked for."""

    FOUND_LATE = "found late"
    """Its due date had passed when the inquiry became known here."""
    NO_ADDRESS = "no address"
    """A letter had nowhere to go when the term ended."""
    CHANNEL_FAILED = "channel failed"
    """The channel refused the letter for good before the term ended."""
    SENDING_DELAYED = "sending delayed"
    """The letter was written in time, and no channel took it in time."""
    EXTENSION_VOID = "extension void"
    """The term was to be extended, and the extension did not take effect."""
    APPROVAL = "approval"
    """A proposal waited for a second pair of eyes when the term ended."""
    INSTITUTION = "institution"
    """An external institution had the matter when the term ended."""
    AREA = "area"
    """A specialised area had the matter when the term ended."""
    DELAY = "delay"
    """None of these: nobody wrote the letter in time."""


class Miss(NamedTuple):
    """So many promises of one kind missed for one reason."""

    kind: str
    reason: str
    number: int


MEETING: dict[str, frozenset[str]] = {
    ObligationKind.ACKNOWLEDGEMENT: frozenset({LetterKind.ACKNOWLEDGEMENT, LetterKind.REOPENED}),
    ObligationKind.FINAL: frozenset(kind for kind in LetterKind if kind.startswith("final_")),
    ObligationKind.EXTERNAL: frozenset({LetterKind.EXTERNAL, LetterKind.RE_ESTIMATE}),
    ObligationKind.REFERRAL: frozenset({LetterKind.REFERRAL}),
    ObligationKind.MISSED: frozenset({LetterKind.MISSED, LetterKind.ACKNOWLEDGEMENT_LATE}),
    ObligationKind.CHANNEL_CHANGE: frozenset({LetterKind.CHANNEL_CHANGE}),
    ObligationKind.WITHDRAWAL: frozenset({LetterKind.WITHDRAWN}),
    ObligationKind.AUTHORITY_REPLY: frozenset({LetterKind.AUTHORITY_REPLY}),
    ObligationKind.REMEDY: frozenset({LetterKind.REMEDY_DONE}),
}
"""The letters that can meet a promise in time. What is not listed, such as sending again, any letter can meet."""

SPANS = {
    Reason.APPROVAL: ({"command.proposed"}, {"command.approved", "command.sent-back", "command.lapsed"}),
    Reason.INSTITUTION: ({"case.escalated"}, {"institution.answered", "case.answered"}),
    Reason.AREA: ({"case.referred"}, {"referral.answered", "referral.withdrawn"}),
}
"""What began and had not ended when the term of a final answer did. No other letter waits for these."""

LETTER_ENDS = {"letter.accepted", "letter.failed", "letter.void"}
LETTER_FACTS = LETTER_ENDS | {"letter.owed", "letter.undeliverable"}
REOPENED = "case.reopened"
TOLD = frozenset({*LETTER_FACTS, "extension.void", REOPENED}).union(*(begin | end for begin, end in SPANS.values()))

Told = Sequence[tuple[datetime, str, str]]
"""What the ledger tells of one inquiry, in its order: when, what, and of which letter or area."""


def misses(session: Session, window: Window) -> list[Miss]:
    """Count the promises missed whose due date lies in the period, by kind and reason."""
    row = ObligationRow
    lost = (window.holds(row.due), missed(window.at))
    name = func.coalesce(col(EventRow.data)["key"].as_string(), col(EventRow.data)["area"].as_string(), "")
    events = (
        select(EventRow.reference, EventRow.at, EventRow.type, name)
        .where(col(EventRow.reference).in_(select(row.reference).where(*lost)), col(EventRow.type).in_(TOLD))
        .order_by(col(EventRow.reference), col(EventRow.seq))
    )
    told: dict[str, list[tuple[datetime, str, str]]] = defaultdict(list)
    for reference, *fact in session.connection().execute(events).all():
        told[reference].append(tuple(fact))
    promises = select(row.reference, row.kind, row.created_at, row.due).where(*lost)
    counts = Counter(
        (kind, reason(kind, made, due, told.get(reference, ())).value)
        for reference, kind, made, due in session.connection().execute(promises).all()
    )
    order = list(Reason)
    return [
        Miss(kind, why, count)
        for (kind, why), count in sorted(counts.items(), key=lambda one: (one[0][0], order.index(Reason(one[0][1]))))
    ]


def reason(kind: str, made: datetime, due: datetime, told: Told) -> Reason:
    """Say why a promise made at `made` was missed at `due` (aware UTC)."""
    ends = due + A_SECOND
    if made >= ends:
        return Reason.FOUND_LATE
    before = _since_reopened([fact for fact in told if fact[0] < ends])
    letters = [fact for fact in before if fact[1] in LETTER_FACTS]
    wanted = MEETING.get(kind)
    own = [fact for fact in letters if fact[0] >= made and (wanted is None or _kind(fact) in wanted)]
    waiting = _standing(own, {"letter.owed"}, LETTER_ENDS)
    nowhere = {name for _, what, name in own if what == "letter.undeliverable"}
    if waiting & nowhere or (waiting and _only_invited(letters)):
        return Reason.NO_ADDRESS
    if any(what == "letter.failed" for _, what, _ in own):
        return Reason.CHANNEL_FAILED
    if waiting:
        return Reason.SENDING_DELAYED
    return _unwritten(before) if kind == ObligationKind.FINAL else Reason.DELAY


def _unwritten(before: Told) -> Reason:
    """Why nobody had written the final answer."""
    if any(what == "extension.void" for _, what, _ in before):
        return Reason.EXTENSION_VOID
    return next((one for one, span in SPANS.items() if _standing(before, *span)), Reason.DELAY)


def _since_reopened(facts: Told) -> Told:
    """What was under way before an inquiry was reopened is not any more."""
    last = max((place for place, (_, what, _) in enumerate(facts) if what == REOPENED), default=-1)
    return facts[last + 1 :]


def _kind(fact: tuple[datetime, str, str]) -> str:
    """The kind of a letter from its key, `<reference>/<kind>/<n>`."""
    return fact[2].split("/")[1]


def _only_invited(letters: Told) -> bool:
    """Whether the person was reached where everybody can read, and nowhere else (M2.1)."""
    accepted = {_kind(fact) for fact in letters if fact[1] == "letter.accepted"}
    return accepted == {LetterKind.INVITATION}


def _standing(facts: Told, begins: set[str], ends: set[str]) -> set[str]:
    """The names of what began and did not end."""
    found: set[str] = set()
    for _, what, name in facts:
        if what in begins:
            found.add(name)
        elif what in ends:
            found.discard(name)
    return found
