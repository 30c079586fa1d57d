"""An incident that no inquiry has: on the board before anybody complains, joined, and ended for all (M5.6)."""

from typing import Any

import pytest

from models.inquiry import Role
from tests.api.test_incidents import post
from tests.api.test_mass_incidents import DONE, join, listed, over, story
from tests.api.world import World

BROKEN = {"area": "operations", "matter": "withdrawal", "text": "No withdrawal leaves since 14:02."}


@pytest.mark.rule("M5.6")
async def test_opened_by_itself_it_is_joined_and_its_end_is_evidence(world: World) -> None:
    shown = await post(world, "/api/incidents", BROKEN, Idempotency_Key="one")
    assert shown.status_code == 201, shown.text
    own = shown.json()
    assert (await post(world, "/api/incidents", BROKEN, Idempotency_Key="one")).json() == own
    assert own["key"].startswith("INC-")
    assert ([one["text"] for one in own["comments"]], own["title"]) == (
        [BROKEN["text"]],
        f"{own['reference']} incident 1: withdrawal not completed",
    )
    board: list[Any] = (await world.get("/api/incidents")).json()["items"]
    assert [one["key"] for one in board] == [own["key"]]
    reference = await world.opened()
    (await join(world, reference, own["key"])).raise_for_status()
    await listed(world, own["key"], 1)
    here = f"/api/incidents/{own['reference']}/1/move"
    refused = await post(world, here, DONE)
    assert (refused.status_code, refused.json()["code"]) == (409, "incident.not-theirs")
    (await post(world, here, DONE, Role.SUPERVISOR)).raise_for_status()
    view = await world.settled(reference, over)
    assert story(view)[-1] == ("incident.closed", {"words": DONE["words"]})
    assert (await listed(world, own["key"], 1))["answerable"] == 1


async def test_what_is_refused(world: World) -> None:
    for body, code in (
        (BROKEN | {"matter": "ana_perez"}, "incident.unknown-matter"),
        (BROKEN | {"area": "nobody"}, "incident.unknown-area"),
        (BROKEN | {"tracker_id": "OPS-7"}, "incident.elsewhere"),
    ):
        refused = await post(world, "/api/incidents", body)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
    first, second = [(await post(world, "/api/incidents", BROKEN)).json()["key"] for _ in range(2)]
    assert first != second
