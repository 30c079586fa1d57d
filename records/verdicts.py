"""Verdicts on final answers: written once, the newest counts, the former ones stay."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from models.inquiry import ActorId
from models.quality import Verdict
from models.tables import VerdictRow
from records.answers import Answered
from records.figures import Window


class Judged(NamedTuple):
    """So many answers of one area judged by one criterion, `good` of them with yes. `month` counts from 0."""

    month: int
    area: str
    criterion: str
    number: int
    good: int


def note(
    session: Session,
    answer: Answered,
    verdicts: Mapping[str, Verdict],
    *,
    by: ActorId,
    at: datetime,
    version: str,
) -> VerdictRow:
    """Write down what somebody said of an answer, by which version of the policy. `at` is aware UTC."""
    row = VerdictRow(
        reference=answer.reference,
        letter=answer.letter,
        area=answer.area,
        answered_at=answer.at,
        judged_by=by,
        at=at,
        version=version,
        criteria={name: one.good for name, one in verdicts.items()},
        remarks={name: one.remark for name, one in verdicts.items() if one.remark},
    )
    session.add(row)
    session.flush()
    return row


def given(session: Session, window: Window) -> dict[tuple[str, str], list[VerdictRow]]:
    """Return the verdicts on the answers of the period, by reference and letter, the newest last."""
    found: dict[tuple[str, str], list[VerdictRow]] = {}
    query = select(VerdictRow).where(window.saw(VerdictRow.answered_at)).order_by(col(VerdictRow.id))
    for row in session.exec(query):
        found.setdefault((row.reference, row.letter), []).append(row)
    return found


def judged(session: Session, window: Window) -> list[Judged]:
    """Count the newest verdict on each answer that a channel took within the period."""
    counts: dict[tuple[int, str, str], list[bool]] = {}
    for rows in given(session, window).values():
        newest = rows[-1]
        month = sum(edge <= newest.answered_at for edge in window.edges) - 1
        for criterion, good in newest.criteria.items():
            counts.setdefault((month, newest.area, criterion), []).append(good)
    return [Judged(*group, len(some), sum(some)) for group, some in sorted(counts.items())]
