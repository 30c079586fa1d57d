"""The staff over HTTP: who represents which area, who is there, who has what; kept by supervisors and compliance."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from sqlmodel import Session

from models.errors import Malformed
from models.inquiry import Actor, Area
from models.rights import may
from models.sight import Eyes
from models.tables import AbsenceRow, StaffRow
from records import audit, staff, workload
from records.audit import Outcome
from starter.admin.api import COMMANDING, ONE, READING, Here, private
from starter.admin.desk import Desk
from starter.admin.handover import Ask, Lost, hand_over, hand_over_lost
from starter.admin.losing import Loss, put, train
from starter.admin.rights import Caller, Sight
from starter.admin.staff_views import (
    AbsenceBody,
    HandOverAskBody,
    HandOverView,
    LeaveBody,
    LoadView,
    PersonBody,
    PersonView,
    ShiftsBody,
    StaffId,
    StaffView,
    TrainingBody,
    WholePersonView,
    WorkloadView,
    shift_rows,
)
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

router = APIRouter(prefix="/api", tags=["staff"], route_class=PlainJsonRoute, dependencies=[private])


Changed = tuple[WholePersonView, Loss | None]
"""Somebody as they are known from now on, and what they lost by it."""

Who = Annotated[StaffId, Path(description="Their opaque id.", examples=["cx-lead"])]


@router.get("/staff", responses=READING)
def everybody(desk: Here, actor: Caller) -> StaffView:
    """All who have not left: their areas, whom they represent, whether they are there today."""
    whole, today = may(actor.role, "staff.change"), _day(desk, desk.clock())
    with desk.database.read() as session:
        away = staff.absent(session, today)
        rows = staff.everybody(session)
    return StaffView(items=tuple(PersonView.of(row, desk.policy, absent=row.id in away, whole=whole) for row in rows))


@router.get("/staff/{who}", responses=ONE)
def person(desk: Here, actor: Caller, who: Who) -> WholePersonView:
    """One of the staff: absences, trainings, shifts; also somebody who has left."""
    now = desk.clock()
    with desk.database.read() as session:
        return _whole(session, desk, now, who, whole=may(actor.role, "staff.change"))


@router.get("/workload", responses=READING)
def who_has_what(desk: Here, _actor: Caller, eyes: Sight) -> WorkloadView:
    """Every owner's open work: how much, what is overdue, what is due next."""
    now = desk.clock()
    with desk.database.read() as session:
        return workload_view(session, now, _day(desk, now), eyes)


@router.post("/staff", responses=COMMANDING)
async def set_person(desk: Here, actor: Caller, eyes: Sight, body: PersonBody) -> WholePersonView:
    """Add somebody, or change what is known of them. Open cases of an area that they lose go to somebody else."""
    unknown = set(body.areas) - set(desk.policy.areas)
    if unknown:
        raise _unknown_area(min(unknown), desk, "areas")
    of_another(actor, body.id)
    return await _and_hand_over(desk, actor, eyes, body.reasons, partial(_set, desk, actor, body))


@router.post("/staff/{who}/absences", responses=COMMANDING)
def set_absence(desk: Here, actor: Caller, who: Who, body: AbsenceBody) -> WholePersonView:
    """Somebody is away for some days: new inquiries pass them over."""
    if body.last < body.first:
        raise Malformed("absence.backwards", "the last day lies before the first", field="last")
    now = desk.clock()
    with desk.database.write() as session:
        known(session, who)
        staff.set_absence(session, AbsenceRow(staff=who, by=actor.id, **body.model_dump()))
        return noted(session, desk, now, actor, "staff.absence", who)


@router.delete("/staff/{who}/absences/{first}", responses=COMMANDING)
def end_absence(desk: Here, actor: Caller, who: Who, first: date) -> WholePersonView:
    """Take an absence back that was to begin on that day."""
    now = desk.clock()
    with desk.database.write() as session:
        if not staff.end_absence(session, who, first):
            raise Problem(HTTPStatus.NOT_FOUND, "absence.unknown", "no absence of theirs begins on that day")
        return noted(session, desk, now, actor, "staff.absence", who)


@router.post("/staff/{who}/trainings", responses=COMMANDING)
async def set_training(desk: Here, actor: Caller, eyes: Sight, who: Who, body: TrainingBody) -> WholePersonView:
    """Somebody is trained for an area and a language, up to a day; one that is past ends it, and hands cases over."""
    if body.area not in desk.policy.areas:
        raise _unknown_area(body.area, desk, "area")
    of_another(actor, who)
    return await _and_hand_over(desk, actor, eyes, body.reasons, partial(_train, desk, actor, who, body))


@router.post("/staff/{who}/shifts", responses=COMMANDING)
def set_shifts(desk: Here, actor: Caller, who: Who, body: ShiftsBody) -> WholePersonView:
    """Set somebody's week."""
    now = desk.clock()
    with desk.database.write() as session:
        known(session, who)
        staff.set_shifts(session, who, shift_rows(who, body))
        return noted(session, desk, now, actor, "staff.shifts", who)


@router.post("/staff/{who}/leave", responses=COMMANDING)
async def leave(desk: Here, actor: Caller, eyes: Sight, who: Who, body: LeaveBody) -> HandOverView:
    """Somebody leaves for good: every open case of theirs goes to somebody else. Ask again while some remain."""
    of_another(actor, who)
    await asyncio.to_thread(_begin, desk, who, actor, leaves=True)
    return await hand_over(desk, Ask(who, actor, body.reasons, eyes))


@router.post("/staff/{who}/return", responses=COMMANDING)
def come_back(desk: Here, actor: Caller, who: Who) -> WholePersonView:
    """Somebody who had left is back, as they were known; their keys stay worthless."""
    now = desk.clock()
    with desk.database.write() as session:
        if not known(session, who).left_at:
            raise Problem(HTTPStatus.CONFLICT, "staff.there", "they have not left")
        staff.come_back(session, who)
        return noted(session, desk, now, actor, "staff.return", who)


@router.post("/staff/{who}/handover", responses=COMMANDING)
async def handover(desk: Here, actor: Caller, eyes: Sight, who: Who, body: HandOverAskBody) -> HandOverView:
    """Give somebody's open cases to others, as before a long absence. Ask again while some remain."""
    if unknown := set(body.areas) - set(desk.policy.areas):
        raise _unknown_area(min(unknown), desk, "areas")
    await asyncio.to_thread(_begin, desk, who, actor, leaves=False)
    lost = Lost(frozenset(body.areas), body.untrained)
    return await hand_over(desk, Ask(who, actor, body.reasons, eyes, lost))


def _begin(desk: Desk, who: str, actor: Actor, *, leaves: bool) -> None:
    now = desk.clock()
    with desk.database.write() as session:
        known(session, who)
        if leaves:
            staff.leave(session, who, now)
        noted(session, desk, now, actor, "staff.leave" if leaves else "staff.handover", who)


def _set(desk: Desk, actor: Actor, body: PersonBody) -> Changed:
    now = desk.clock()
    with desk.database.write() as session:
        change = put(session, body, now, by=actor.id)
        return noted(session, desk, now, actor, "staff.set", body.id), change


def _train(desk: Desk, actor: Actor, who: str, body: TrainingBody) -> Changed:
    now = desk.clock()
    with desk.database.write() as session:
        known(session, who)
        change = train(session, who, body, _day(desk, now))
        return noted(session, desk, now, actor, "staff.training", who), change


async def _and_hand_over(
    desk: Desk, actor: Actor, eyes: Eyes, reasons: str | None, change: Callable[[], Changed]
) -> WholePersonView:
    """Make a change, and give others the cases that its person may have no longer."""
    whole, loss = await asyncio.to_thread(change)
    if loss is None:
        return whole
    told = await hand_over_lost(desk, Ask(whole.person.id, actor, reasons or loss.why, eyes, loss.lost))
    return whole.model_copy(update={"handover": told})


def workload_view(session: Session, now: datetime, today: date, eyes: Eyes) -> WorkloadView:
    """Who has what, as far as `eyes` see; also who of the staff has nothing, and owners who are not of the staff."""
    loads = {load.owner: load for load in workload.workload(session, now, eyes)}
    away = staff.absent(session, today)
    there = {row.id for row in staff.everybody(session)}
    items = []
    for owner in sorted(there | set(loads)):
        load = loads.get(owner)
        items.append(
            LoadView(
                owner=owner,
                present=owner in there and owner not in away,
                owing=load.owing if load else 0,
                overdue=load.overdue if load else 0,
                next_due_at=load.next_due_at if load else None,
                next_reference=load.next_reference if load else "",
            )
        )
    return WorkloadView(items=tuple(items))


def _day(desk: Desk, at: datetime) -> date:
    return at.astimezone(ZoneInfo(desk.policy.calendar_settings.zone)).date()


def of_another(actor: Actor, who: str) -> None:
    """Raises a 409 problem for whoever says it of themselves."""
    if who == actor.id:
        raise Problem(HTTPStatus.CONFLICT, "staff.oneself", "nobody says of themselves who they are; ask another")


def known(session: Session, who: str) -> StaffRow:
    """Return somebody of the staff. Raises a 404 problem."""
    row = staff.person(session, who)
    if row is None:
        raise Problem(HTTPStatus.NOT_FOUND, "staff.unknown", "nobody of the staff has that id")
    return row


def _whole(session: Session, desk: Desk, now: datetime, who: str, *, whole: bool) -> WholePersonView:
    row = known(session, who)
    absent = who in staff.absent(session, _day(desk, now))
    return WholePersonView.of(session, row, desk.policy, absent=absent, whole=whole)


def noted(  # noqa: PLR0917  in the order of a line
    session: Session, desk: Desk, now: datetime, actor: Actor, action: str, who: str
) -> WholePersonView:
    """Leave a line in the audit log, and return how somebody is known from now on."""
    audit.note(session, now, actor.id, action, who, Outcome.DONE)
    return _whole(session, desk, now, who, whole=True)


def _unknown_area(area: Area, desk: Desk, field: str) -> Malformed:
    return Malformed("staff.unknown-area", f"{area!r} is none of {', '.join(desk.policy.areas)}", field=field)
