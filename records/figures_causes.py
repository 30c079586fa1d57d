"""What users came for, counted by cause (M3.11): the answers of a period, how long they took, and the remedies kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from models.tables import EventRow, ObligationRow
from records.answers import Answered
from records.figures import Window, final
from records.figures_days import Clocks

DONE = "remedy.done"
TOLD = (DONE, "remedy.promised", "case.resolved", "cause.corrected")


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


def causes(session: Session, answers: Sequence[Answered], clocks: Clocks) -> list[CauseCount]:
    """Count the answers by cause, in the order of codes; an answer that met no promise has no days."""
    took = _took(session, answers, clocks)
    by_cause: dict[str, list[Answered]] = defaultdict(list)
    for one in answers:
        by_cause[one.cause].append(one)
    return [
        CauseCount(
            cause,
            {name: sum(one.outcome == name for one in some) for name in sorted({one.outcome for one in some})},
            tuple(sorted(took[one.reference, one.letter] for one in some if (one.reference, one.letter) in took)),
        )
        for cause, some in sorted(by_cause.items())
    ]


def _took(session: Session, answers: Sequence[Answered], clocks: Clocks) -> dict[tuple[str, str], int]:
    row, wanted = ObligationRow, {(one.reference, one.letter) for one in answers}
    if not wanted:
        return {}
    first, last = min(one.at for one in answers), max(one.at for one in answers)
    query = select(row.reference, row.met_by, row.created_at, row.met_at).where(
        final(), col(row.met_at) >= first, col(row.met_at) <= last
    )
    return {
        (reference, letter): clocks.between(reference, clocks.begun(reference, made), met)
        for reference, letter, made, met in session.connection().execute(query).all()
        if (reference, letter) in wanted
    }


def kept(session: Session, window: Window) -> list[Kept]:
    """Count the remedies done within the period, by the cause that the inquiry's last answer names now, and kind."""
    row = EventRow
    references = select(row.reference).where(col(row.type) == DONE, window.saw(row.at))
    events = (
        select(row.reference, row.at, row.type, row.data)
        .where(col(row.reference).in_(references), col(row.type).in_(TOLD))
        .order_by(col(row.reference), col(row.seq))
    )
    found: dict[tuple[str, str, str], list[Decimal]] = defaultdict(list)
    for _, chain in groupby(session.connection().execute(events).all(), key=lambda event: event[0]):
        for group, amount in _remedies(chain, window):
            found[group].append(amount)
    return [Kept(*group, len(amounts), sum(amounts, Decimal())) for group, amounts in sorted(found.items())]


def _remedies(chain: Iterable[Any], window: Window) -> Iterator[tuple[tuple[str, str, str], Decimal]]:
    """The remedies of one chain that were done: cause, kind and currency, and how much."""
    cause, promised, done = "", {}, []
    for _, at, what, data in chain:
        if what == "remedy.promised":
            promised[data["remedy"]] = data
        elif what != DONE:
            cause = data.get("cause", "")
        elif window.start <= at < window.cut:
            done.append(promised[data["remedy"]])
    for one in done:
        currency, _, amount = one.get("amount", "").partition(" ")
        yield (cause, one.get("kind", ""), currency), Decimal(amount or 0)
