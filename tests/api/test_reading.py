"""One inquiry whole, its letters, the quarantine."""

from datetime import UTC, datetime

import pytest

from activities.letters.approvals import Approvals
from channels.message import Disposition
from models.inquiry import Role
from records import cases
from starter.reception.web_form import KeyedForm, WebForm, message_of
from tests.api.world import World


async def test_one_inquiry_is_shown_whole(world: World) -> None:
    reference = await world.opened()
    shown = await world.get(f"/api/inquiries/{reference.lower()}", Role.AUDITOR)
    assert shown.headers["Cache-Control"] == "no-store"
    view = shown.json()
    assert view["state"]["reference"] == reference
    assert [one["rule"] for one in view["obligations"]] == ["M3.2", "M3.4"]
    assert view["timeline"][0]["type"] == "case.opened"
    assert view["timeline"][-1]["hash"] == view["state"]["head"]
    assert view["messages"][0]["text"] == "Mi retiro no llegó, exijo respuesta."
    assert [(one["name"], one["state"], one["provider_id"]) for one in view["letters"]] == [
        ("acknowledgement/1", "accepted", "p1")
    ]
    text = shown.text
    with world.desk.database.read() as session:
        salt = cases.load(session, reference).salt
    assert salt not in text


async def test_the_chain_leads_from_a_letter_to_the_words_that_compliance_approved(world: World) -> None:
    reference = await world.opened()
    view = (await world.get(f"/api/inquiries/{reference}")).json()
    (accepted,) = (one for one in view["timeline"] if one["type"] == "letter.accepted")
    wording = accepted["data"]["wording"]
    assert {"acknowledgement.es", "_foot.es"} <= set(wording)
    approvals = Approvals.read(world.desk.settings.policy / "letters")
    assert wording == {one: approval.sha256 for one in wording if (approval := approvals.last(one))}


async def test_a_letter_is_shown_as_it_left(world: World) -> None:
    reference = await world.opened()
    left = world.post.letters[0]
    for name in ("acknowledgement/1", "1", f"{reference}/acknowledgement/1"):
        letter = (await world.get(f"/api/inquiries/{reference}/letters/{name}")).json()
        assert (letter["text"], letter["html"], letter["subject"]) == (left.text, left.html, left.subject)
    text = await world.get(f"/api/inquiries/{reference}/letters/1?form=text")
    assert text.text == left.text
    html = await world.get(f"/api/inquiries/{reference}/letters/1?form=html")
    assert html.headers["content-type"].startswith("text/html")
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert (await world.get(f"/api/inquiries/{reference}/letters/acknowledgement/2")).status_code == 404


@pytest.mark.rule("M3.1")
async def test_a_person_out_of_quarantine_keeps_their_reception(world: World) -> None:
    early = datetime(2026, 11, 19, 15, tzinfo=UTC)
    form = message_of(KeyedForm.of(WebForm(email="ana@example.org", text="Mi retiro no llegó."), None), early, 1_000)
    held = form.model_copy(update={"disposition": Disposition.AUTO_REPLY, "disposition_reason": "an automatic reply"})
    receipt = world.desk.intake.receive(held)
    assert receipt.reference is None
    waiting = (await world.get("/api/quarantine", Role.AUDITOR)).json()["items"]
    assert [(one["disposition"], one["text"]) for one in waiting] == [("auto_reply", "Mi retiro no llegó.")]
    promoted = await world.http.post(f"/api/quarantine/{waiting[0]['id']}/promote", headers=world.bearer(Role.AGENT))
    assert promoted.status_code == 200, promoted.text
    view = await world.settled(promoted.json()["reference"], lambda view: view["state"]["status"] == "open")
    assert view["state"]["received_at"] == "2026-11-19T15:00:00Z"
    assert view["timeline"][0]["actor"]["id"] == "agent-1"
    again = await world.http.post(f"/api/quarantine/{waiting[0]['id']}/promote", headers=world.bearer(Role.AGENT))
    assert (again.status_code, again.json()["code"]) == (409, "message.placed")
    assert (await world.get("/api/quarantine")).json()["items"] == []
