"""Inquiries registered on somebody's behalf: the true reception, who registered them, and what is overdue at once."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import Response

from models.inquiry import Role
from tests.api.test_refusals import is_problem
from tests.api.world import World

ANA = "ana@example.org"


def given(days: float = 1, **more: Any) -> dict[str, Any]:
    received = datetime.now(UTC) - timedelta(days=days)
    words = "Exijo que me devuelvan la comisión."
    return {"place": "office", "received_at": received.isoformat(), "email": ANA, "text": words, **more}


async def register(front: World, body: Any, role: Role = Role.AGENT, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await front.http.post("/api/inquiries", json=body, headers={**front.bearer(role), **named})


@pytest.mark.rule("M3.1")
async def test_what_came_to_the_office_has_its_terms_from_its_true_reception(world: World) -> None:
    body = given(
        further=[{"channel": "telegram", "address": "1001"}],
        attachments=[{"filename": "a.txt", "content_type": "text/plain", "data": base64.b64encode(b"hello").decode()}],
    )
    made = await register(world, body)
    assert made.status_code == 201, made.text
    said = made.json()
    assert said["new"]
    view = await world.settled(said["reference"], lambda one: one["state"]["status"] == "open")
    assert datetime.fromisoformat(view["state"]["received_at"]) == datetime.fromisoformat(body["received_at"])
    opening = view["timeline"][0]
    assert (opening["type"], opening["actor"]["id"], opening["data"]["channel"]) == ("case.opened", "agent-1", "office")
    assert view["messages"][0]["attachments"][0]["filename"] == "a.txt"
    (letter,) = world.post.letters
    assert letter.to == ANA
    assert "nuestra oficina" in letter.text
    assert body["text"] not in letter.text  # whoever gave the address has not shown that it is theirs


@pytest.mark.rule("M3.11")
async def test_what_is_overdue_is_told_at_once(world: World) -> None:
    made = await register(world, given(days=80, identified=True), Role.SUPERVISOR)
    reference = made.json()["reference"]
    view = await world.settled(reference, lambda one: len([x for x in one["letters"] if x["accepted_at"]]) == 2)
    assert {letter["kind"] for letter in view["letters"] if letter["state"] == "accepted"} == {
        "acknowledgement_late",
        "missed",
    }
    assert any("comisión" in letter.text for letter in world.post.letters)


async def test_the_same_again_is_the_same_inquiry(front: World) -> None:
    body = given()
    first = await register(front, body)
    assert first.status_code == 201
    again = await register(front, body)
    assert (again.status_code, again.json()["reference"]) == (200, first.json()["reference"])
    keyed = await register(front, body, Idempotency_Key="k1")
    assert keyed.json()["reference"] != first.json()["reference"]
    assert (await register(front, body, Idempotency_Key="k1")).json()["duplicate"]
    assert is_problem(await register(front, given(days=2), Idempotency_Key="k1"), 422)["code"] == "idempotency.reused"


@pytest.mark.rule("M3.10")
async def test_a_letter_of_the_authority_about_an_unknown_case_opens_one_and_is_owed_an_answer(world: World) -> None:
    answer_by = (datetime.now(UTC) + timedelta(days=12)).date().isoformat()
    authority = {"file_number": "DC-2026-118", "answer_by": answer_by}
    made = await register(world, given(place="authority", authority=authority))
    view = await world.settled(made.json()["reference"], lambda one: "appealed" in one["state"]["flags"])
    assert view["state"]["appeals"][0]["file_number"] == "DC-2026-118"
    owed = next(one for one in view["obligations"] if one["kind"] == "answer to the authority")
    assert owed["due"][:10] == (datetime.fromisoformat(answer_by) + timedelta(days=1)).date().isoformat()


@pytest.mark.rule("M3.10")
async def test_a_letter_of_the_authority_joins_the_inquiry_it_names(world: World) -> None:
    reference = await world.opened()
    body = given(place="authority", email=None, reference=reference.lower(), authority={"file_number": "DC-1"})
    made = await register(world, body, Role.INTAKE)
    assert (made.json()["reference"], made.json()["new"]) == (reference, False)
    view = await world.settled(reference, lambda one: "appealed" in one["state"]["flags"])
    came = next(one for one in view["timeline"] if one["type"] == "message.received")
    assert (came["actor"]["id"], came["data"]["place"]) == ("intake-1", "authority")
    assert view["messages"][-1]["third_party"]


async def test_what_belongs_to_an_inquiry_joins_it_and_says_where_it_came_in(world: World) -> None:
    reference = await world.opened()
    await register(world, given(place="executive", reference=reference))
    view = await world.settled(reference, lambda one: len(one["messages"]) == 2)
    view = await world.settled(reference, lambda one: one["timeline"][-1]["type"] == "message.received")
    assert view["timeline"][-1]["data"]["place"] == "executive"


async def test_without_an_address_the_letters_wait(world: World) -> None:
    made = await register(world, given(email=None))
    view = await world.settled(made.json()["reference"], lambda one: "undelivered" in one["state"]["flags"])
    assert view["state"]["status"] == "received"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"place": "moon"}, 422, "registration.place"),
        ({"further": [{"channel": "pigeon", "address": "x"}]}, 422, "registration.channel"),
        ({"received_at": "2199-01-01T00:00:00Z"}, 422, "registration.future"),
        ({"received_at": "2020-01-01T00:00:00Z"}, 409, "registration.too-old"),
        ({"received_at": "2026-01-01T00:00:00"}, 422, "request.malformed"),
        ({"reference": "RX-2222-2222"}, 404, "inquiry.unknown"),
        ({"reference": "nonsense"}, 404, "inquiry.unknown"),
        ({"text": "  "}, 422, "request.malformed"),
        ({"email": "nobody"}, 422, "request.malformed"),
        ({"attachments": [{"filename": "a", "data": "%%"}]}, 422, "request.malformed"),
    ],
)
async def test_what_cannot_be_registered(front: World, change: dict[str, Any], status: int, code: str) -> None:
    assert is_problem(await register(front, given(**change)), status)["code"] == code
    assert not (await front.get("/api/inquiries")).json()["items"]


async def test_an_auditor_registers_nothing(front: World) -> None:
    assert is_problem(await register(front, given(), Role.AUDITOR), 403)["code"] == "actor.reads-only"


@pytest.mark.parametrize("day", ["2020-01-01", "2199-01-01"])
async def test_a_date_that_no_case_could_note_is_refused_before_the_letter_is_lost(front: World, day: str) -> None:
    body = given(place="authority", authority={"file_number": "DC-1", "answer_by": day})
    refused = await register(front, body)
    assert (refused.status_code, refused.json()["code"]) == (422, "registration.answer-by")
    assert refused.json()["field"] == "authority.answer_by"


@pytest.mark.rule("M3.10")
async def test_a_letter_of_the_authority_whose_date_has_passed_since_it_came_is_late_and_not_lost(world: World) -> None:
    came = datetime.now(UTC) - timedelta(days=4)
    early = {"file_number": "DC-1", "answer_by": (came - timedelta(minutes=1)).isoformat()}
    body = given(place="authority", received_at=came.isoformat())
    assert is_problem(await register(world, {**body, "authority": early}), 422)["code"] == "registration.answer-by"
    since = (came + timedelta(days=1)).date().isoformat()
    made = await register(world, {**body, "authority": {"file_number": "DC-1", "answer_by": since}})
    view = await world.settled(made.json()["reference"], lambda one: "appealed" in one["state"]["flags"])
    (owed,) = [one for one in view["obligations"] if one["kind"] == "answer to the authority"]
    assert datetime.fromisoformat(owed["due"]) < datetime.now(UTC)
    refused = await world.command(
        made.json()["reference"], "appeal", {"text": "x", "by": "authority", "answer_by": since}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "appeal.past")
