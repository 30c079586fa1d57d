"""Handing over when not all goes as it should: Temporal goes away in between, cases refuse, records lag behind."""

from typing import Any

import pytest
from sqlmodel import col, update

from models.episodes import Answer
from models.errors import EngineUnavailable
from models.inquiry import Actor, Role
from models.tables import CaseRow
from records import cases
from records.database import Database
from starter.admin import handover
from starter.admin.commanding import Wish, fulfil
from starter.admin.desk import Desk
from starter.admin.handover import Plan
from starter.commands import handing_over
from tests.api.crew import hire
from tests.api.test_staff import ANA, WHY, tell
from tests.api.world import World

BOSS = Actor(id="supervisor-1", role=Role.SUPERVISOR)


async def owned(world: World, records: Database, number: int) -> list[str]:
    """Cases of somebody who has a colleague."""
    hire(records, "ana")
    references = [await world.opened(email=f"user-{n}@example.org") for n in range(number)]
    hire(records, "bea")
    return references


def want_two(records: Database, reference: str) -> None:
    """As a case opened under a policy by which nobody gives one to another alone."""
    with records.write() as session:
        case = cases.load(session, reference)
        case.terms = case.terms.model_copy(update={"approvals": ("assign",)})
        of = col(CaseRow.reference) == reference
        session.connection().execute(update(CaseRow).where(of).values(state=case.model_dump_json()))


async def test_what_went_before_temporal_went_away_is_told(
    world: World, records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await owned(world, records, 3)
    went: list[str] = []

    async def once(desk: Desk, wish: Wish) -> Answer:
        if went:
            raise EngineUnavailable("gone")
        went.append(wish.reference)
        return await fulfil(desk, wish)

    with monkeypatch.context() as patch:
        patch.setattr(handover, "fulfil", once)
        told = (await tell(world, "staff", {**ANA, "areas": ["finance"]})).json()["handover"]
        assert [one["reference"] for one in told["handed"]] == went
        assert (told["stays"], told["remaining"]) == ([], 2)
        await world.settled(went[0], lambda view: view["state"]["owner"] == "bea")
        assert (await tell(world, "staff/ana/leave", WHY)).status_code == 503
    rest = (await tell(world, "staff/ana/leave", WHY)).json()
    assert (len(rest["handed"]), rest["remaining"]) == (2, 0)


async def test_cases_that_refuse_take_no_place_of_others(
    world: World, records: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    *stubborn, last = await owned(world, records, 3)
    for reference in stubborn:
        want_two(records, reference)
    monkeypatch.setattr(handover, "AT_ONCE", 1)
    told = await handing_over.hand_over_all(world.desk.settings, records, "ana", BOSS, "moves on")
    assert [one.reference for one in told.handed] == [last]
    assert {(one.reference, one.code) for one in told.stays} == {(one, "approval.missing") for one in stubborn}
    assert told.remaining == 0


async def test_the_command_line_waits_for_the_records_and_not_for_ever(
    world: World, records: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lags(*_: Any) -> Plan:
        return Plan({}, [], 2)

    monkeypatch.setattr(handover, "_plan", lags)
    monkeypatch.setattr(handing_over, "PROJECTED", 0.0)
    told = await handing_over.hand_over_all(world.desk.settings, records, "ana", BOSS, "moves on")
    assert (told.handed, told.stays, told.remaining) == ((), (), 2)
    handing_over.print_told("ana", told)
    assert "2 more\tana, still" in capsys.readouterr().out
