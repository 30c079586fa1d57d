"""The points of an inquiry (M3.8): those that people keep with it, and those that its messages seem to raise besides.

A proposal is made anew from the messages at each look, so it costs nothing to keep; its id names the message and its
place there, and is the point's own once somebody keeps it or puts it aside. Of what was merged into the inquiry the
messages count too, and the points that people kept with it are proposed here.
"""

from sqlmodel import Session

from models.case import Case
from models.errors import Refused
from models.gate import too_short
from models.points import folded, propose
from records import documents, messages
from records.erasing import is_erased
from records.ids import new_id
from starter.admin.answer_bodies import RaisedBody
from starter.admin.answer_views import PointsView, PointView, ProposedPoint
from starter.admin.gathering import gathered, messages_of

RAISED = "points"
"""The kind of draft that holds the words of points."""


def points_of(session: Session, case: Case) -> PointsView:
    """Show what is kept, in order, and what else the messages seem to raise."""
    kept = tuple(_kept(session, case))
    known = {folded(one.point) for one in kept} | {one.id for one in kept}
    proposed = []
    for one in _proposed(session, case):
        if known.isdisjoint({one.id, folded(one.point)}):
            known |= {one.id, folded(one.point)}
            proposed.append(one)
    return PointsView(points=kept, proposed=tuple(proposed))


def words_of(session: Session, case: Case) -> dict[str, str]:
    """The words of the points that want an answer, by id."""
    return {one.id: one.point for one in _kept(session, case) if not one.dropped}


def worded(session: Session, case: Case, bodies: tuple[RaisedBody, ...]) -> list[dict[str, str]]:
    """Each point with its id and words. Raises Refused for an id that is neither kept nor proposed."""
    known: dict[str, PointView | ProposedPoint] = {}
    for one in (*_kept(session, case), *_proposed(session, case)):
        known.setdefault(one.id, one)
    of_case = {row.id for row in messages_of(session, case)}
    found = []
    for n, body in enumerate(bodies):
        before = known.get(body.id) if body.id else None
        if body.id and before is None:
            raise _unknown(f"points.{n}.id", "no such point is kept or proposed here; GET .../points lists them")
        if body.message and body.message not in of_case:
            raise _unknown(f"points.{n}.message", "this inquiry has no such message")
        if short := too_short({"dropped": body.dropped}, case.terms.least_characters, "M3.8"):
            raise Refused("gate.too-short", short[0].detail, field=f"points.{n}.dropped", rule="M3.8")
        words = body.point or (before.point if before else "")
        if not words:
            raise _unknown(f"points.{n}.point", "say what was raised, or give the id of a point")
        message = body.message or (before.message if before else "")
        point = {"id": body.id or new_id("pt"), "point": words, "message": message, "dropped": body.dropped or ""}
        found.append({name: text for name, text in point.items() if text})
    return found


def _kept(session: Session, case: Case) -> list[PointView]:
    views = []
    for one in case.points:
        written = documents.draft(session, one.draft).content.get(RAISED)
        if written is None:
            # Erased, with all that was written.
            continue
        words = next(entry for entry in written if entry["id"] == one.id)
        dropped = words.get("dropped", "")
        views.append(PointView(id=one.id, point=words["point"], message=one.message, dropped=dropped, at=one.at))
    return views


def _proposed(session: Session, case: Case) -> list[ProposedPoint]:
    """What the user's own messages seem to raise, an edit only what it words anew; first what was kept elsewhere."""
    ways = gathered(session, case)
    elsewhere = [
        ProposedPoint(id=one.id, point=one.point, message=one.message)
        for merged in ways[1:]
        for one in _kept(session, merged)
        if not one.dropped
    ]
    raised = [
        ProposedPoint(id=f"{row.id}.{n}", point=point, message=row.id)
        for one in ways
        for row in messages.of_case(session, one.reference)
        if not row.third_party and not is_erased(row)
        for n, point in enumerate(propose(row.text), 1)
    ]
    return [*elsewhere, *raised]


def _unknown(field: str, detail: str) -> Refused:
    return Refused("points.unknown", detail, field=field, rule="M3.8")
