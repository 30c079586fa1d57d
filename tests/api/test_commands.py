"""Every command over HTTP: what it does, what it refuses, and that it is safe to send again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.commands import COMMANDS
from models.inquiry import Actor, Role
from records import documents
from starter.admin.bodies import SplitBody
from starter.admin.commanding import Wish, fulfil
from tests.api.world import World, until
from tests.cases import CAUSE
from tracing import occasion

UPHELD: dict[str, Any] = {
    "outcome": "upheld",
    "points": [{"point": "No llegó.", "answer": "Ya salió."}],
    "actions": ["Se liberó."],
    "cause": CAUSE,
}
UNFOUNDED: dict[str, Any] = {
    **UPHELD,
    "outcome": "unfounded",
    "points": [
        {
            "point": "No llegó.",
            "answer": "Sí llegó.",
            "facts_verified": "Se acreditó el 12 de marzo.",
            "source": "El libro de transacciones.",
            "rule": "Términos, 4.2",
            "why": "El monto acreditado es el solicitado.",
        }
    ],
    "reasons": "El retiro se acreditó a tiempo.",
}


def far(days: int = 20) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def test_a_final_answer_is_written_decided_and_sent(world: World) -> None:
    reference = await world.opened()
    answer = await world.command(reference, "resolve", UPHELD)
    assert answer.status_code == 200
    assert answer.json()["status"] in {"answering", "answered"}
    assert answer.headers["ETag"] == f'"{answer.json()["version"]}"'
    view = await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    assert [one["state"] for one in view["obligations"]] == ["met", "met"]
    resolved = next(event for event in view["timeline"] if event["type"] == "case.resolved")
    assert resolved["actor"] == {"id": "cx-lead", "role": "representative"}
    with world.desk.database.read() as session:
        kept = documents.draft(session, resolved["data"]["draft"])
    assert kept.content["points"] == UPHELD["points"]


async def test_every_command_has_a_route_that_says_what_it_takes(front: World) -> None:
    paths = (await front.http.get("/openapi.json")).json()["paths"]
    for name in COMMANDS:
        post = paths[f"/api/inquiries/{{reference}}/{name}"]["post"]
        content = post["requestBody"]["content"]["application/json"]
        assert content["schema"]["$ref"].startswith("#/components/schemas/"), name
        assert "example" in content["examples"], name
        assert {"401", "403", "404", "409", "412", "422", "503"} <= set(post["responses"]), name
    assert "409" in paths["/api/inquiries/{reference}/resolve"]["post"]["responses"]


@pytest.mark.rule("M3.5")
async def test_an_extension_a_referral_and_their_letters(world: World) -> None:
    reference = await world.opened()
    running = (await world.get(f"/api/inquiries/{reference}")).json()["state"]["resolution_due"]
    until_day = (datetime.fromisoformat(running) + timedelta(days=14)).date().isoformat()
    assert (await world.command(reference, "refer", {"area": "operations", "question": "¿Salió?"})).status_code == 200
    refused = await world.command(reference, "resolve", UPHELD)
    assert (refused.status_code, refused.json()["code"], refused.json()["rule"]) == (
        409,
        "resolve.referral-open",
        "M5.3",
    )
    answered = await world.command(reference, "answer_referral", {"area": "operations", "findings": "Salió."})
    assert answered.json()["status"] == "open"
    extended = await world.command(reference, "extend", {"until": until_day, "reasons": "Falta el banco."})
    assert extended.status_code == 200, extended.text
    view = await world.settled(reference, lambda view: view["state"]["flags"] == ["extended"])
    assert view["state"]["resolution_due"] > running
    superseded = [one for one in view["obligations"] if one["state"] == "superseded"]
    assert [(one["kind"], one["due"]) for one in superseded] == [("final response", running)]
    kinds = {letter["kind"] for letter in view["letters"] if letter["state"] == "accepted"}
    assert kinds == {"acknowledgement", "referral", "extension"}


@pytest.mark.rule("M5.3")
async def test_a_second_pair_of_eyes_approves_what_the_first_wrote(world: World) -> None:
    reference = await world.opened()
    refused = await world.command(reference, "resolve", UNFOUNDED)
    assert (refused.status_code, refused.json()["code"]) == (409, "approval.missing")
    proposed = await world.command(reference, "propose", {"command": "resolve", "order": UNFOUNDED})
    assert proposed.status_code == 200, proposed.text
    assert proposed.json()["proposed"] is True
    same = await world.command(reference, "approve")
    assert (same.status_code, same.json()["code"]) == (409, "approval.same-person")
    unverified = await world.command(reference, "approve", role=Role.SUPERVISOR)
    assert (unverified.status_code, unverified.json()["code"]) == (409, "verification.missing")
    findings = {"area": "operations", "findings": "El retiro salió.", "points": ["No llegó."]}
    not_theirs = await world.command(reference, "verify", findings, Role.AGENT)
    assert (not_theirs.status_code, not_theirs.json()["code"]) == (409, "verification.not-theirs")
    assert (await world.command(reference, "verify", findings)).status_code == 200
    assert (await world.command(reference, "approve", role=Role.SUPERVISOR)).status_code == 200
    view = await world.settled(reference, lambda view: view["state"]["status"] == "answered")
    resolved = next(event for event in view["timeline"] if event["type"] == "case.resolved")
    assert resolved["actor"]["id"] == "agent-1"
    [verified] = view["state"]["verifications"]
    assert (verified["area"], verified["actor"]["id"], verified["how"]) == ("operations", "operations-lead", "findings")


async def test_a_proposal_is_read_as_strictly_as_the_command(world: World) -> None:
    reference = await world.opened()
    wrong = {"command": "resolve", "order": {**UPHELD, "points": [{"point": "No llegó."}]}}
    refused = await world.command(reference, "propose", wrong)
    assert (refused.status_code, refused.json()["field"]) == (422, "order.points.0.answer")
    for command in ("merge", "split", "propose", "nonsense"):
        refused = await world.command(reference, "propose", {"command": command, "order": {}})
        assert (refused.status_code, refused.json()["code"]) == (409, "proposal.unknown"), command


async def test_the_same_key_gives_the_same_answer_and_one_letter(world: World) -> None:
    reference = await world.opened()
    first = await world.command(reference, "reply", {"text": "Estamos en ello."}, Idempotency_Key="k-1")
    assert first.status_code == 200
    second = await world.command(reference, "reply", {"text": "Estamos en ello."}, Idempotency_Key="k-1")
    assert (second.status_code, second.json()) == (200, first.json())
    other = await world.command(reference, "reply", {"text": "Otra cosa."}, Idempotency_Key="k-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.other-request")
    assert other.headers["content-type"] == "application/problem+json"
    # The key belongs to whoever sent it.
    colleague = await world.command(reference, "reply", {"text": "Yo también."}, Role.SUPERVISOR, Idempotency_Key="k-1")
    assert colleague.status_code == 200
    view = await world.settled(reference, lambda view: sum(x["state"] == "accepted" for x in view["letters"]) == 3)
    assert [letter["kind"] for letter in view["letters"]] == ["acknowledgement", "reply", "reply"]


async def test_twenty_requests_at_once_with_one_key_are_one_command(world: World) -> None:
    reference = await world.opened()
    answers = await asyncio.gather(
        *(world.command(reference, "note", {"text": "Llamé."}, Idempotency_Key="note-1") for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["version"] for answer in answers} == {1}
    view = await world.settled(reference, lambda view: view["state"]["version"] == 1)
    assert sum(event["type"] == "case.noted" for event in view["timeline"]) == 1


async def test_a_refused_command_may_be_sent_again_under_its_key(world: World) -> None:
    reference = await world.opened()
    assert (await world.command(reference, "refer", {"area": "legal", "question": "?"})).status_code == 200
    assert (await world.command(reference, "resolve", UPHELD, Idempotency_Key="r-1")).status_code == 409
    assert (await world.command(reference, "answer_referral", {"area": "legal", "findings": "Sí."})).status_code == 200
    assert (await world.command(reference, "resolve", UPHELD, Idempotency_Key="r-1")).status_code == 200


async def test_a_closed_case_is_resumed_for_what_it_will_not_refuse(world: World) -> None:
    reference = await world.opened()
    kept = await world.settled(reference, lambda view: bool(view["messages"]))
    message = kept["messages"][0]["id"]
    await withdrawn(world, reference, message)
    handle = world.desk.client.get_workflow_handle(f"inquiry/{reference}")

    async def ended() -> bool | None:
        description = await handle.describe()
        return (description.status is not None and description.status.name == "COMPLETED") or None

    await until(ended)
    refused = await world.command(reference, "note", {"text": "Tarde."})
    assert (refused.status_code, refused.json()["code"]) == (409, "case.closed")
    reopened = await world.command(reference, "reopen", {"reasons": "Hay documentos nuevos."}, Idempotency_Key="o-1")
    assert reopened.status_code == 200, reopened.text
    again = await world.command(reference, "reopen", {"reasons": "Hay documentos nuevos."}, Idempotency_Key="o-1")
    assert again.json() == reopened.json()
    view = await world.settled(reference, lambda view: view["state"]["status"] == "open")
    assert [letter["kind"] for letter in view["letters"]][-1] == "reopened"


async def withdrawn(world: World, reference: str, message: str) -> None:
    """Two persons end the promises, as policy is shipped, and only on the user's own message."""
    strange = await world.command(reference, "withdraw", {"reasons": "Ya no.", "message": "ms_other"})
    assert (strange.status_code, strange.json()["code"]) == (409, "withdraw.no-message")
    order = {"reasons": "Ya no.", "message": message}
    alone = await world.command(reference, "withdraw", order)
    assert (alone.status_code, alone.json()["code"]) == (409, "approval.missing")
    assert (await world.command(reference, "propose", {"command": "withdraw", "order": order})).status_code == 200
    assert (await world.command(reference, "approve")).json()["code"] == "approval.same-person"
    assert (await world.command(reference, "approve", role=Role.SUPERVISOR)).status_code == 200
    await world.settled(reference, lambda view: view["state"]["status"] == "closed")


@pytest.mark.rule("M5.7")
async def test_the_letter_of_a_withdrawal_quotes_the_users_message_and_when_it_came(world: World) -> None:
    reference = await world.opened("Ya llegó mi retiro. Lo doy por terminado.")
    message = (await world.get(f"/api/inquiries/{reference}")).json()["messages"][0]
    await withdrawn(world, reference, message["id"])
    letter = (await world.get(f"/api/inquiries/{reference}/letters/withdrawn/1")).json()
    assert "«Ya llegó mi retiro. Lo doy por terminado.»" in letter["full_text"]
    assert "Recibimos su mensaje" in letter["text"]
    assert "Ya llegó" not in letter["text"]


@pytest.mark.rule("M3.1")
async def test_a_merge_is_told_to_both_cases(world: World) -> None:
    first, second = await world.opened(), await world.opened("Reclamo de nuevo el mismo retiro, exijo respuesta.")
    stranger = await world.opened(email="luis@example.org")
    refused = await world.command(first, "merge", {"other": stranger, "leads": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "merge.other-person")
    unknown = await world.command(first, "merge", {"other": "RX-2222-2222", "leads": True})
    assert (unknown.status_code, unknown.json()["code"]) == (409, "merge.unknown")
    # Sent to the case that ends: the other one leads.
    merged = await world.command(second, "merge", {"other": first, "leads": False}, Idempotency_Key="m-1")
    assert merged.status_code == 200, merged.text
    ended = await world.settled(second, lambda view: view["state"]["merged_into"] == first)
    assert "merged" in ended["state"]["flags"]
    leading = await world.settled(first, lambda view: any(x["kind"] == "merged" for x in view["letters"]))
    assert leading["state"]["merged_into"] == ""
    assert (
        await world.command(second, "merge", {"other": first, "leads": False}, Idempotency_Key="m-1")
    ).json() == merged.json()


@pytest.mark.rule("M3.8")
async def test_a_split_opens_one_inquiry_that_refers_to_the_first(world: World) -> None:
    reference = await world.opened()
    body = {"points": ["La tarjeta se cobró dos veces."]}
    answers = [await world.command(reference, "split", body, Idempotency_Key="s-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    view = await world.settled(reference, lambda view: any(x["type"] == "case.split" for x in view["timeline"]))
    other = next(event["data"]["other"] for event in view["timeline"] if event["type"] == "case.split")
    opened = await world.settled(other, lambda view: view["state"]["status"] == "open")
    assert opened["state"]["refers_to"] == reference
    assert opened["state"]["received_at"] == view["state"]["received_at"]
    listed = (await world.get("/api/inquiries")).json()["items"]
    assert {line["reference"] for line in listed} == {reference, other}
    letter = (await world.get(f"/api/inquiries/{other}/letters/acknowledgement/1")).json()
    assert body["points"][0] in letter["full_text"], "the points stand for the words of a message"


async def test_a_complaint_becomes_an_inquiry_only_with_a_letter_and_a_supervisor(world: World) -> None:
    reference = await world.opened()
    body = {"kind": "inquiry", "reasons": "Solo pregunta.", "text": "La atendemos como consulta."}
    refused = await world.command(reference, "reclassify", body)
    assert (refused.status_code, refused.json()["rule"]) == (409, "M1.2")
    untold = await world.command(reference, "reclassify", {**body, "text": None}, Role.SUPERVISOR)
    assert (untold.status_code, untold.json()["code"]) == (409, "reclassify.untold")
    assert (await world.command(reference, "reclassify", body, Role.SUPERVISOR)).status_code == 200


async def test_what_is_split_off_begins_a_trace_of_its_own_and_once(world: World) -> None:
    reference = await world.opened()
    body = SplitBody(points=("La tarjeta se cobró dos veces.",))
    wish = Wish("split", reference, body, Actor(id="agent-1", role=Role.AGENT), key="s-1")
    told = []
    for _ in range(2):
        with occasion("request") as request:
            await fulfil(world.desk, wish)
        told.append(request.about)
    view = await world.settled(reference, lambda view: any(x["type"] == "case.split" for x in view["timeline"]))
    other = next(event["data"]["other"] for event in view["timeline"] if event["type"] == "case.split")
    assert told == [{other: True}, {}]


async def test_a_request_for_information_carries_its_items(world: World) -> None:
    reference = await world.opened()
    body = {"items": [{"item": "El comprobante", "why": "para encontrarlo"}], "by": far()}
    assert (await world.command(reference, "request_information", body)).status_code == 200
    await world.settled(reference, lambda view: len([x for x in view["letters"] if x["state"] == "accepted"]) == 2)
    letter = (await world.get(f"/api/inquiries/{reference}/letters/information_request/1")).json()
    assert "El comprobante" in (letter["full_text"] or letter["text"])
    past = await world.command(reference, "request_information", {**body, "by": far(-3)})
    assert (past.status_code, past.json()["field"]) == (409, "by")


async def test_two_linked_cases_name_each_other(world: World) -> None:
    first, second = await world.opened(), await world.opened(email="eva@example.org")
    order = {"other": second, "reasons": "The same outage."}
    assert (await world.command(first, "link", order)).status_code == 200
    for one, other in ((first, second), (second, first)):
        await world.settled(one, lambda view, other=other: view["state"]["linked"] == [other])  # type: ignore[misc]
    assert (await world.command(second, "unlink", {"other": first, "reasons": "No."})).status_code == 200
    await world.settled(first, lambda view: view["state"]["linked"] == [])
    nobody = await world.command(first, "link", {"other": "RX-2222-2222", "reasons": "x"})
    assert nobody.json()["code"] == "link.unknown"
