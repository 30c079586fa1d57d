"""The final answers of a period as the ledger tells them: who gave each, with which outcome and cause."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from models.tables import CaseRow, EventRow
from records.figures import Window

ANSWERED = "case.answered"
TOLD = (ANSWERED, "case.resolved", "cause.corrected", "command.approved")


class Answered(NamedTuple):
    """A final answer that a channel took at `at` (aware UTC).

    `by` gave it, `approved_by` approved it, or nobody had to. `cause` is the one it is counted under now, empty without
    one. `area` and `inquiry` (its kind) are those it was given in; `hash` is the link of the chain that tells of it.
    """

    reference: str
    letter: str
    at: datetime
    outcome: str
    cause: str
    by: str
    approved_by: str
    area: str
    inquiry: str
    hash: str


class _Link(NamedTuple):
    reference: str
    at: datetime
    type: str
    actor: str
    data: dict[str, Any]
    hash: str


def answered(session: Session, window: Window) -> list[Answered]:
    """Return the answers that a channel took within the period, by reference and in their order."""
    row = EventRow
    references = select(row.reference).where(col(row.type) == ANSWERED, window.saw(row.at))
    events = (
        select(row.reference, row.at, row.type, row.actor, row.data, row.hash)  # type: ignore[call-overload]
        .where(col(row.reference).in_(references), col(row.type).in_(TOLD))
        .order_by(col(row.reference), col(row.seq))
    )
    links = [_Link(*found) for found in session.connection().execute(events).all()]
    # Answers of old do not say in which area and as what they were given: there the case as it is now does.
    now = select(CaseRow.reference, CaseRow.area, CaseRow.kind).where(col(CaseRow.reference).in_(references))
    stands = {reference: (area, kind) for reference, area, kind in session.connection().execute(now).all()}
    return [
        one
        for reference, chain in groupby(links, key=lambda link: link.reference)
        for one in _answers(chain, *stands[reference])
        if window.start <= one.at < window.cut
    ]


def _answers(chain: Iterable[_Link], area: str, kind: str) -> Iterator[Answered]:
    """The answers of one chain, each under its cause as corrected since."""
    causes: dict[str, str] = {}
    found: list[Answered] = []
    given, approver = None, ""
    for link in chain:
        match link.type:
            case "command.approved":
                approver = link.actor if link.data["command"] == "resolve" else ""
            case "case.resolved":
                given, approver = _given(link, approver, area, kind), ""
                causes[given.letter] = link.data.get("cause", "")
            case "cause.corrected":
                causes[link.data["letter"]] = link.data["cause"]
            case _ if given:
                found.append(given._replace(at=link.at, hash=link.hash))
    return (one._replace(cause=causes[one.letter]) for one in found)


def _given(link: _Link, approver: str, area: str, kind: str) -> Answered:
    data = link.data
    return Answered(
        reference=link.reference,
        letter=data["letter"],
        at=link.at,
        outcome=data["outcome"],
        cause="",
        by=link.actor,
        approved_by=approver,
        area=data.get("area", area),
        inquiry=data.get("kind", kind),
        hash=link.hash,
    )
