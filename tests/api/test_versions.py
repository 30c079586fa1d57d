"""The version that a caller has seen: nothing is done on the strength of one that the case has left behind."""

from typing import Any

from sqlmodel import col, update

from models.reference import workflow_id
from models.tables import CaseRow
from records import cases
from starter.temporal.engine import version_of
from tests.api.test_commands import withdrawn
from tests.api.world import World


def of_two(other: str) -> dict[str, dict[str, Any]]:
    """Commands that touch more than the named case."""
    return {
        "split": {"points": ["La tarjeta se cobró dos veces."]},
        "merge": {"other": other, "leads": False},
        "link": {"other": other, "reasons": "The same outage."},
    }


async def test_a_stale_version_changes_nothing(world: World) -> None:
    reference = await world.opened()
    shown = await world.get(f"/api/inquiries/{reference}")
    tag = shown.headers["ETag"]
    assert tag == f'"{shown.json()["state"]["version"]}"'
    assert (await world.command(reference, "note", {"text": "Uno."}, If_Match=tag)).status_code == 200
    stale = await world.command(reference, "note", {"text": "Dos."}, If_Match=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "case.stale")
    assert (await world.command(reference, "note", {"text": "Dos."}, If_Match="*")).status_code == 200
    garbled = await world.command(reference, "note", {"text": "Tres."}, If_Match='"x"')
    assert (garbled.status_code, garbled.json()["field"]) == (422, "If-Match")


async def test_a_stale_version_leaves_nothing_half_done_of_two(world: World) -> None:
    first, second = await world.opened(), await world.opened("Reclamo de nuevo por el mismo retiro y exijo respuesta.")
    tag = (await world.get(f"/api/inquiries/{second}")).headers["ETag"]
    assert (await world.command(second, "note", {"text": "Uno."}, If_Match=tag)).status_code == 200
    for name, order in of_two(first).items():
        stale = await world.command(second, name, order, If_Match=tag)
        assert (stale.status_code, stale.json()["code"]) == (412, "case.stale"), name
    listed = (await world.get("/api/inquiries")).json()["items"]
    assert {one["reference"] for one in listed} == {first, second}
    before = (await world.get(f"/api/inquiries/{first}")).json()
    assert not [one for one in before["timeline"] if one["type"] in {"case.merged", "case.linked"}]
    fresh = (await world.get(f"/api/inquiries/{second}")).headers["ETag"]
    assert (await world.command(second, "merge", {"other": first, "leads": False}, If_Match=fresh)).status_code == 200


async def test_a_command_refused_as_stale_may_be_sent_again_under_its_key(world: World) -> None:
    reference = await world.opened()
    tag = (await world.get(f"/api/inquiries/{reference}")).headers["ETag"]
    done = await world.command(reference, "note", {"text": "Uno."}, If_Match=tag)
    sent = {"text": "Dos."}
    stale = await world.command(reference, "note", sent, Idempotency_Key="n-1", If_Match=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "case.stale")
    fresh = await world.command(reference, "note", sent, Idempotency_Key="n-1", If_Match=done.headers["ETag"])
    assert fresh.status_code == 200, fresh.text
    again = await world.command(reference, "note", sent, Idempotency_Key="n-1", If_Match=tag)
    assert (again.status_code, again.json()) == (200, fresh.json())


async def test_a_version_is_held_against_the_case_itself_and_not_what_was_last_saved(world: World) -> None:
    first, second = await world.opened(), await world.opened("Reclamo de nuevo por el mismo retiro y exijo respuesta.")
    tag = (await world.get(f"/api/inquiries/{second}")).headers["ETag"]
    with world.desk.database.read() as session:
        saved = cases.load(session, second)
    fresh_tag = (await world.command(second, "note", {"text": "Uno."}, If_Match=tag)).headers["ETag"]
    await world.settled(second, lambda view: view["state"]["version"] == 1)
    with world.desk.database.write() as session:
        # As long as the worker has not written down what the case decided.
        session.exec(
            update(CaseRow)
            .where(col(CaseRow.reference) == second)
            .values(state=saved.model_dump_json(), version=saved.version, seq=saved.seq)
        )
    for name, order in of_two(first).items():
        stale = await world.command(second, name, order, If_Match=tag, Idempotency_Key=name)
        assert (stale.status_code, stale.json()["code"]) == (412, "case.stale"), name
    listed = (await world.get("/api/inquiries")).json()["items"]
    assert {one["reference"] for one in listed} == {first, second}
    told = (await world.get(f"/api/inquiries/{first}")).json()
    assert not [one for one in told["timeline"] if one["type"] in {"case.merged", "case.linked"}]
    fresh = await world.command(second, "link", of_two(first)["link"], If_Match=fresh_tag, Idempotency_Key="link")
    assert fresh.status_code == 200, fresh.text


async def test_a_case_that_does_not_run_is_at_the_version_that_was_saved(world: World) -> None:
    first, second = await world.opened(), await world.opened("Ya llegó mi retiro. Lo doy por terminado.")
    message = (await world.get(f"/api/inquiries/{second}")).json()["messages"][0]["id"]
    before = (await world.get(f"/api/inquiries/{second}")).headers["ETag"]
    await withdrawn(world, second, message)
    await world.desk.client.get_workflow_handle(workflow_id(second)).result()
    for reference in (second, "RX-2222-2222"):
        assert await version_of(world.desk.client, reference) is None
    stale = await world.command(second, "link", of_two(first)["link"], If_Match=before)
    assert (stale.status_code, stale.json()["code"]) == (412, "case.stale")
    fresh = (await world.get(f"/api/inquiries/{second}")).headers["ETag"]
    linked = await world.command(second, "link", of_two(first)["link"], If_Match=fresh)
    assert linked.status_code == 200, linked.text
