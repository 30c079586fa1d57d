"""The points that a user raised, as the case keeps them (M3.8): by id; the words stay in the records database."""

from datetime import datetime

from pydantic import Field

from models.answering import unanswered
from models.case import Case
from models.episodes import RaisedPoint
from models.erasing import remembered
from models.errors import Refused
from models.inquiry import Actor, Wire
from models.messages import Draft, Id, Order, Reasons

MOST_POINTS = 100


class PointKept(Wire):
    """One point: its id, the message that raised it, and whether it is put aside, and why."""

    id: Id
    message: Id | None = None
    dropped: bool = False
    why: Reasons | None = None


class SetPoints(Order):
    """Keep points, word them anew or put them aside; the words, and why, are the draft's (M3.8)."""

    draft: Draft
    points: tuple[PointKept, ...] = Field(min_length=1, max_length=MOST_POINTS)


def set_points(case: Case, order: SetPoints, actor: Actor, now: datetime) -> None:
    """What the final answer must speak of: whoever is named takes the place of the point with that id."""
    unanswered(case)
    kept = {one.id: one for one in remembered(case)}
    for one in order.points:
        kept[one.id] = RaisedPoint(
            id=one.id, draft=order.draft.id, message=one.message or "", dropped=one.dropped, at=now
        )
    if len(kept) > MOST_POINTS:
        raise Refused(
            "points.too-many",
            f"a case keeps {MOST_POINTS}; what is more is a case of its own",
            field="points",
            rule="M3.8",
        )
    case.points = list(kept.values())
    aside = [one for one in order.points if one.dropped]
    case.record(
        now,
        "points.set",
        actor=actor,
        rule="M3.8",
        kept=[one.id for one in order.points if not one.dropped],
        dropped=[one.id for one in aside],
        draft=order.draft.id,
        draft_digest=order.draft.digest,
        texts={f"dropped_{n}": one.why for n, one in enumerate(aside, 1) if one.why},
    )
