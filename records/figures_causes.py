"""What users came for, counted by cause (M3.11): the answers of a period, how long they took, and the remedies kept."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import case, literal
from sqlmodel import Session, col, select

from models.tables import EventRow
from records.figures import Window

ANSWERED, RESOLVED, CORRECTED = "case.answered", "case.resolved", "cause.corrected"
PROMISED, DONE = "remedy.promised", "remedy.done"


class CauseCount(NamedTuple):
    """So many final answers under one cause, by outcome; `days` are the business days that they took, ascending."""

    cause: str
    outcomes: dict[str, int]
    days: tuple[int, ...]


class Kept(NamedTuple):
    """So many remedies of one kind that were done, under one cause and in one currency; none where it is no money."""

    cause: str
    kind: str
    currency: str
    number: int
    amount: Decimal


class Causes(NamedTuple):
    """The answers by cause, and the remedies, each in the order of their codes."""

    answers: list[CauseCount]
    remedies: list[Kept]


def causes(session: Session, window: Window, took: Mapping[str, int]) -> Causes:
    """Count answers and remedies in one walk through the ledger, under the causes that they have now.

    `took` are the business days by letter, of the answers whose term ended in the period.
    """
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    days: dict[str, list[int]] = defaultdict(list)
    amounts: dict[tuple[str, str, str], list[Decimal]] = defaultdict(list)
    for _, chain in groupby(_told(session, window), key=lambda event: event[0]):
        told = _Chain(chain)
        for letter, outcome in told.answers:
            cause = told.causes[letter]
            outcomes[cause][outcome] += 1
            if letter in took:
                days[cause].append(took[letter])
        for kind, amount in told.done:
            currency, _, number = amount.partition(" ")
            amounts[told.last, kind, currency].append(Decimal(number or 0))
    return Causes(
        [CauseCount(cause, dict(some), tuple(sorted(days[cause]))) for cause, some in sorted(outcomes.items())],
        [Kept(*group, len(some), sum(some, Decimal())) for group, some in sorted(amounts.items())],
    )


class _Chain:
    """What one inquiry's chain tells: the answers and remedies of the period, and the cause by letter as it is now."""

    def __init__(self, events: Iterable[tuple[Any, ...]]) -> None:
        self.causes: dict[str, str] = {}
        self.answers: list[tuple[str, str]] = []
        self.done: list[tuple[str, str]] = []
        self.last = letter = ""
        promised: dict[str, tuple[str, str]] = {}
        for _, what, inside, name, code, amount in events:
            if what == RESOLVED:
                letter = name
            if what in {RESOLVED, CORRECTED}:
                self.causes[name] = self.last = code or ""
            elif what == PROMISED:
                promised[name] = code or "", amount or ""
            elif inside and what == ANSWERED:
                self.answers.append((letter, name))
            elif inside:
                self.done.append(promised[name])


def _told(session: Session, window: Window) -> Iterator[tuple[Any, ...]]:
    """The events in order: inquiry, type, whether within the period; letter, outcome or number; cause or kind; amount.

    Each row reads no more of its data than it needs: that is what takes time.
    """
    row, data, what = EventRow, col(EventRow.data), col(EventRow.type)
    by_letter = what.in_((RESOLVED, CORRECTED))
    name = case(
        (what == ANSWERED, data["outcome"].as_string()),
        (by_letter, data["letter"].as_string()),
        else_=data["remedy"].as_string(),
    )
    code = case((by_letter, data["cause"].as_string()), (what == PROMISED, data["kind"].as_string()))
    amount = case((what == PROMISED, data["amount"].as_string()))
    inside = case((window.saw(row.at), literal(1)), else_=literal(0))
    query = (
        select(row.reference, row.type, inside, name, code, amount)  # type: ignore[call-overload]
        .where(what.in_((ANSWERED, RESOLVED, CORRECTED, PROMISED, DONE)))
        .order_by(col(row.reference), col(row.seq))
    )
    return (tuple(found) for found in session.connection().execute(query))
