"""Hostile filters, orders and sizes over the API: refused at the door, and not one event more in the case's history."""

import pytest

from models.inquiry import Role
from models.reference import workflow_id
from tests.api.test_refusals import HOSTILE, is_problem
from tests.api.world import World

FILTERS = (
    "x' OR 1=1",
    "x' OR '1'='1' --",
    'open" OR "1"="1',
    "open ORDER BY StartTime",
    "open; DROP TABLE cases",
    "a" * 10_000,
)
ORDERS = {
    "unknown field": '{"until": "2026-06-19", "reasons": "a", "days": 5}',
    "negative": '{"until": -5, "reasons": "a"}',
    "negative days": '{"until": "-5", "reasons": "a"}',
    "NaN": '{"until": NaN, "reasons": "a"}',
    "10^400": '{"until": 1' + "0" * 400 + ', "reasons": "a"}',
    "year 9999": '{"until": "9999-12-31", "reasons": "a"}',
    "naive": '{"until": "2026-06-19T12:00:00", "reasons": "a"}',
}


async def test_a_filter_is_one_of_the_known_values_or_refused(front: World) -> None:
    for field in ("status", "kind", "channel", "area"):
        for value in FILTERS:
            refused = await front.get("/api/inquiries", params={field: value})
            assert is_problem(refused, 422)["field"] == field
            assert value not in refused.text


async def test_words_to_look_for_are_words_and_no_query(world: World) -> None:
    reference = await world.opened("Mi retiro no llegó: 100% perdido, it's gone.")
    for text in FILTERS[:-1]:
        assert (await world.get("/api/inquiries", params={"text": text})).json()["items"] == []
    for text in ("it's", "100%"):
        found = (await world.get("/api/inquiries", params={"text": text})).json()["items"]
        assert [line["reference"] for line in found] in ([reference], [])
    assert (await world.get("/api/inquiries", params={"text": "%"})).status_code == 200


@pytest.mark.rule("M3.5")
async def test_what_is_refused_leaves_no_event_in_the_history(world: World) -> None:
    reference = await world.opened()

    async def events() -> int:
        handle = world.desk.client.get_workflow_handle(workflow_id(reference))
        return len((await handle.fetch_history()).events)

    before = await events()
    headers = {**world.bearer(Role.SUPERVISOR), "Content-Type": "application/json"}
    for name, body in [*(("extend", order) for order in ORDERS.values()), *HOSTILE.values()]:
        url = f"/api/inquiries/{reference}/{name}"
        is_problem(await world.http.post(url, content=body.encode("latin-1"), headers=headers), 422)
    assert await events() == before


@pytest.mark.parametrize("megabytes", [2, 4, 5])
async def test_what_temporal_could_not_carry_is_refused_at_the_edge(front: World, megabytes: int) -> None:
    headers = {**front.bearer(Role.AGENT), "Content-Type": "application/json"}
    body = b'{"text": "' + b"a" * (megabytes * 1024 * 1024) + b'"}'
    for path in ("/api/inquiries/RX-7KQ4-M2PD/note", "/api/webhooks", "/api/incidents/RX-7KQ4-M2PD/1/move"):
        assert is_problem(await front.http.post(path, content=body, headers=headers), 413)["code"] == "body.too-large"
