"""What broke for many: one incident in the tracker, a case each, an answer each (M5.6)."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from models.inquiry import Role
from records.cases import load, project
from tests.api.test_incidents import FINAL, opened, post
from tests.api.world import World, until

DONE = {"state": "resolved", "words": "All withdrawals left at 18:31."}


async def join(world: World, reference: str, key: str, **more: Any) -> Response:
    return await world.command(reference, "join_incident", {"incident": key}, **more)


async def listed(world: World, key: str, count: int, **params: Any) -> Any:
    """The list once so many have joined."""

    async def look() -> Any:
        path = "/api/incidents/" + key.replace("/inc-", "/")
        page = (await world.get(f"{path}/cases", params=params)).json()
        return page if page["joined"] == count else None

    return await until(look)


def over(view: Any) -> bool:
    return any(one["state"] in {"resolved", "rejected"} for one in view["state"]["incidents"])


def story(view: Any) -> list[tuple[str, dict[str, str]]]:
    told = [one for one in view["timeline"] if one["type"].startswith("incident.")]
    return [(one["type"], one["texts"]) for one in told]


@pytest.mark.rule("M5.6")
async def test_a_case_joins_waits_hears_the_outcome_and_is_answered_for_itself(world: World) -> None:
    first = await opened(world)
    key, second = f"{first}/inc-1", await world.opened(email="bea@example.org")
    (await join(world, second, key.lower())).raise_for_status()
    page = await listed(world, key, 1)
    assert [(one["reference"], one["n"], one["answerable"]) for one in page["items"]] == [(second, 1, False)]
    (line,) = (await world.get("/api/incidents")).json()["items"]
    assert line["cases"] == 1
    refused = await world.command(second, "resolve", FINAL)
    assert refused.json()["code"] == "resolve.incident-open"
    assert (await join(world, second, key)).json()["code"] == "incident.joined"
    (await post(world, f"/api/incidents/{first}/1/move", DONE, Role.SUPERVISOR)).raise_for_status()
    for reference in (first, second):
        view = await world.settled(reference, over)
        assert story(view)[-1] == ("incident.closed", {"words": DONE["words"]})
    assert (await listed(world, key, 1, answerable=True))["answerable"] == 1
    (await world.command(second, "resolve", FINAL)).raise_for_status()
    await world.settled(second, lambda view: view["state"]["status"] == "answered")
    page = await listed(world, key, 1, answerable=True)
    assert (page["items"], page["answerable"]) == ([], 0)


@pytest.mark.rule("M5.6")
async def test_the_answer_is_drafted_from_the_outcome_in_facts_and_point_by_point(world: World) -> None:
    first = await opened(world)
    second = await world.opened(email="bea@example.org")
    (await join(world, second, f"{first}/inc-1")).raise_for_status()
    none = await world.get(f"/api/inquiries/{second}/prefill")
    assert (none.status_code, none.json()["code"]) == (404, "prefill.none")
    (await post(world, f"/api/incidents/{first}/1/move", DONE, Role.SUPERVISOR)).raise_for_status()
    await world.settled(second, over)
    path = f"/api/inquiries/{second}/"
    drafted = (await world.get(f"{path}prefill")).json()
    assert drafted["language"] == "es"
    assert [(one["state"], one["words"]) for one in drafted["incidents"]] == [("resolved", DONE["words"])]
    raised = (await world.get(f"{path}points")).json()
    assert [one["point"] for one in drafted["draft"]["points"]] == [one["point"] for one in raised["proposed"]]
    (fact,) = drafted["draft"]["actions"]
    assert "quedó resuelta" in fact
    assert {one["answer"] for one in drafted["draft"]["points"]} == {fact}
    assert first not in str(drafted["draft"]), "it names another user's inquiry"
    assert DONE["words"] not in str(drafted["draft"]), "what specialists write may name users"
    (await world.command(second, "set_points", {"points": [{"point": "El retiro no llegó"}]})).raise_for_status()

    async def kept() -> Any:
        return (await world.get(f"{path}points")).json()["points"] or None

    await until(kept)
    (point,) = (await world.get(f"{path}prefill")).json()["draft"]["points"]
    assert (point["point"], point["answer"]) == ("El retiro no llegó", fact)
    assert point["id"]


@pytest.mark.rule("M5.6")
async def test_who_complains_after_the_fix_has_the_outcome_at_once(world: World) -> None:
    first = await opened(world)
    (await post(world, f"/api/incidents/{first}/1/move", DONE, Role.SUPERVISOR)).raise_for_status()
    second = await world.opened(email="bea@example.org")
    (await join(world, second, f"{first}/inc-1")).raise_for_status()
    view = await world.settled(second, over)
    assert story(view) == [("incident.joined", {"words": DONE["words"]})]
    assert (await listed(world, f"{first}/inc-1", 1))["items"][0]["answerable"]


async def test_what_the_case_that_has_it_closed_itself_reaches_the_others(world: World) -> None:
    first = await opened(world)
    second = await world.opened(email="bea@example.org")
    (await join(world, second, f"{first}/inc-1")).raise_for_status()
    await listed(world, f"{first}/inc-1", 1)
    end = {"incident": 1, "outcome": "resolved", "evidence": "Operations say that all are out."}
    (await world.command(first, "close_incident", end, Role.SUPERVISOR)).raise_for_status()
    view = await world.settled(second, over)
    assert story(view)[-1] == ("incident.closed", {"words": end["evidence"]})
    late = await world.opened(email="eva@example.org")
    (await join(world, late, f"{first}/inc-1")).raise_for_status()
    assert story(await world.settled(late, over)) == [("incident.joined", {"words": end["evidence"]})]


async def test_joined_by_mistake_it_is_left_and_hears_no_more(world: World) -> None:
    first = await opened(world)
    second = await world.opened(email="bea@example.org")
    (await join(world, second, f"{first}/inc-1")).raise_for_status()
    await listed(world, f"{first}/inc-1", 1)
    left = {"incident": 1, "reasons": "It was another network."}
    (await world.command(second, "leave_incident", left)).raise_for_status()
    await listed(world, f"{first}/inc-1", 0)
    (await post(world, f"/api/incidents/{first}/1/move", DONE, Role.SUPERVISOR)).raise_for_status()
    (await world.command(second, "resolve", FINAL)).raise_for_status()
    view = await world.settled(second, lambda view: view["state"]["status"] == "answered")
    assert [what for what, _ in story(view)] == ["incident.joined", "incident.left"]


async def test_what_is_hidden_is_neither_joined_nor_listed_nor_counted(world: World) -> None:
    first = await opened(world)
    key, second = f"{first}/inc-1", await world.opened(email="bea@example.org")
    unknown = (await join(world, second, "RX-7KQ4-M2PD/inc-9")).json()
    (await join(world, second, key)).raise_for_status()
    await listed(world, key, 1)
    secret = {"people": ["compliance-1"], "reasons": "Reported."}
    (await world.command(second, "compartment", secret, Role.COMPLIANCE)).raise_for_status()
    page = await listed(world, key, 0)
    assert (page["items"], page["answerable"]) == ([], 0)
    (line,) = (await world.get("/api/incidents")).json()["items"]
    assert line["cases"] == 0
    assert (await world.get("/api/incidents", Role.COMPLIANCE)).json()["items"][0]["cases"] == 1
    (await world.command(first, "compartment", secret, Role.COMPLIANCE)).raise_for_status()
    third = await world.opened(email="eva@example.org")

    async def hidden() -> Any:
        answer = (await join(world, third, key)).json()
        return answer if answer.get("code") == "incident.unknown" else None

    assert (await until(hidden)) == unknown
    assert (await world.get(f"/api/incidents/{first}/1/cases")).json()["code"] == "inquiry.unknown"


async def test_the_list_is_read_in_pages_the_next_due_first(world: World) -> None:
    first = await opened(world)
    key, others = f"{first}/inc-1", []
    for name in ("bea", "eva", "isa"):
        others.append(await world.opened(email=f"{name}@example.org"))
        (await join(world, others[-1], key)).raise_for_status()
    await listed(world, key, 3)
    with world.desk.database.write() as session:
        case = load(session, others[2])
        due = case.obligations[-1]
        case.obligations[-1] = due.model_copy(update={"due": due.due - timedelta(days=3)})
        assert project(session, case)
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await world.get(f"/api/incidents/{first}/1/cases", params=params)).json()
        seen += [one["reference"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen[0] == others[2]
    assert sorted(seen) == sorted(others)
    refused = await world.get(f"/api/incidents/{first}/1/cases", params={"cursor": "?"})
    assert (refused.status_code, refused.json()["code"]) == (422, "cursor.unknown")
    assert (await world.get(f"/api/incidents/{first}/2/cases")).json()["code"] == "incident.unknown"
    assert (await world.get(f"/api/incidents/{first}/1/cases", Role.AUDITOR)).status_code == 200


async def test_an_incident_that_moves_on_is_not_proposed(world: World) -> None:
    first = await opened(world)
    second = await world.opened(email="bea@example.org")
    order = {"command": "join_incident", "order": {"incident": f"{first}/inc-1"}}
    assert (await world.command(second, "propose", order)).json()["code"] == "proposal.unknown"
