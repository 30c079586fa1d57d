"""What `plazo staff` gives to others: the open cases of whoever leaves, or loses an area or a training."""

import asyncio

from engine import connect
from models.inquiry import Actor, Role
from models.policy_reading import load_policy
from models.sight import Eyes
from records.database import Database
from settings import Settings
from starter.admin.desk import Desk
from starter.admin.handover import ALL, Ask, Lost, hand_over
from starter.admin.losing import Loss
from starter.admin.staff_views import HandedView, HandOverView
from starter.commands.console import now, print_rows
from starter.reception.intake import make_intake

UNTOLD = "(hidden)"
"""What stands for the reference of a case that whoever asks may not see."""

PROJECTED = 0.5
"""Seconds in which the records learn of what cases have decided."""

IN_VAIN = 60
"""Goes in a row in which nothing went, after which the rest is left for another time."""


async def hand_over_all(
    settings: Settings, database: Database, who: str, actor: Actor, why: str, *, lost: Lost = ALL
) -> HandOverView:
    """Hand over all that somebody may have no longer, and say what went to whom, and what stays.

    It takes as long as there are cases that go; what remains when none went for a while is told as `remaining`.

    Raises EngineUnavailable.
    """
    policy = load_policy(settings.policy)
    client = await connect(settings, lazy=True)
    intake = make_intake(settings, policy, database, now)
    desk = Desk(settings, policy, database, client, intake, now, lambda: None)
    handed: list[HandedView] = []
    in_vain = 0
    while True:
        view = await hand_over(desk, Ask(who, actor, why, Eyes(actor.id), lost))
        handed += view.handed
        in_vain = 0 if view.handed else in_vain + 1
        if not view.remaining or in_vain == IN_VAIN:
            return view.model_copy(update={"handed": tuple(handed)})
        if not view.handed:
            await asyncio.sleep(PROJECTED)


def pass_on(settings: Settings, database: Database, who: str, loss: Loss | None, *, by: str, why: str | None) -> None:
    """Hand over what a change took from somebody, and print it; nothing where it took nothing.

    Raises EngineUnavailable: the change stands then, and `POST /api/staff/{who}/handover` hands over.
    """
    if loss is None:
        return
    boss = Actor(id=by, role=Role.SUPERVISOR)
    told = asyncio.run(hand_over_all(settings, database, who, boss, why or loss.why, lost=loss.lost))
    if told.handed or told.stays or told.remaining:
        print_told(who, told)


def print_told(who: str, told: HandOverView) -> None:
    """Print what went to whom, and what stays with them and why."""
    rows: list[tuple[str, ...]] = [(one.reference, one.owner, one.step) for one in told.handed]
    rows += [(one.reference or UNTOLD, f"{who}, still", one.code) for one in told.stays]
    if told.remaining:
        rows.append(
            (f"{told.remaining} more", f"{who}, still", "run `plazo staff leave`, or ask for the handover, again")
        )
    print_rows(("REFERENCE", "NOW WITH", "HOW"), rows)
