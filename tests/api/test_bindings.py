"""Codes that bind a person to a channel, as the portal and agents ask for them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlmodel import SQLModel

from channels.letter import OutboundLetter
from channels.port import Arrivals, Claim
from models.area_work import Referral
from models.inquiry import EMAIL, Role
from records import audit, cases, contacts, keys
from records.bindings import CODE
from starter.reception.web_form import WebForm
from tests.api.test_refusals import is_problem
from tests.api.world import ROLES, World, until
from tests.forms import fill_in

ACCOUNT = {"account": "user-77", "email": "ana@example.org"}


async def make(front: World, body: Any, role: Role | None = None) -> Response:
    """An account is the portal's to name; the person of an inquiry an agent's."""
    role = role or (Role.INTAKE if "account" in body else Role.AGENT)
    return await front.http.post("/api/bindings", json=body, headers=front.bearer(role))


def show(front: World, code: str, handle: str = "1001") -> str | None:
    """Show a code from a Telegram handle; who stands behind that then."""
    now = front.desk.clock()
    front.desk.intake.take("telegram", Arrivals(claims=(Claim(code, handle, "Ana", now),)))
    with front.desk.database.read() as session:
        return contacts.known(session, "telegram", handle)


@pytest.mark.rule("M3.7")
async def test_a_code_is_shown_once_with_the_links_that_open_it(front: World) -> None:
    before = datetime.now(UTC)
    made = await make(front, ACCOUNT)
    assert made.status_code == 201, made.text
    said = made.json()
    assert CODE.fullmatch(said["code"])
    ends_at = datetime.fromisoformat(said["ends_at"])
    assert before + timedelta(minutes=15) <= ends_at <= datetime.now(UTC) + timedelta(minutes=15)
    assert said["links"] == {"telegram": f"https://t.me/plazo_dev_bot?start={said['code']}"}
    contact = show(front, said["code"])
    with front.desk.database.read() as session:
        assert contact == contacts.known(session, EMAIL, "ana@example.org") == contacts.of_account(session, "user-77")
        assert contacts.bound(session, str(contact))


async def test_an_account_that_is_known_needs_no_address_again(front: World) -> None:
    assert is_problem(await make(front, {"account": "user-77"}), 404)["code"] == "account.unknown"
    await make(front, ACCOUNT)
    made = await make(front, {"account": "user-77"})
    assert made.status_code == 201
    assert show(front, made.json()["code"])


async def test_a_code_for_the_person_of_an_inquiry_vouches_for_nobody(front: World) -> None:
    reference = str(fill_in(front.desk.intake, form()).reference)
    made = await make(front, {"reference": f" {reference.lower()} "})
    assert made.status_code == 201, made.text
    contact = show(front, made.json()["code"])
    with front.desk.database.read() as session:
        assert contact == contacts.known(session, EMAIL, "ana@example.org")
        assert not contacts.bound(session, str(contact)), "a form vouches for nobody"


async def test_whoever_may_not_answer_an_inquiry_gets_no_code_for_its_person(front: World) -> None:
    reference = str(fill_in(front.desk.intake, form()).reference)
    asked = Referral(area="operations", opened_at=front.desk.clock())
    with front.desk.database.write() as session:
        case = cases.load(session, reference)
        case.area, case.referrals, case.version = "legal", [asked], case.version + 1
        cases.project(session, case)
        secret = keys.create(session, "operations-lead", Role.REPRESENTATIVE, front.desk.clock())
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (await front.http.get(f"/api/inquiries/{reference}", headers=bearer)).status_code == 200
    denied = await front.http.post("/api/bindings", json={"reference": reference}, headers=bearer)
    assert is_problem(denied, 404)["code"] == "inquiry.unknown"
    assert (await make(front, {"reference": reference}, Role.SUPERVISOR)).status_code == 201
    with front.desk.database.read() as session:
        lines = [(one.actor, one.action, one.outcome) for one in audit.page(session, of=reference)]
    assert lines[0] == (ROLES[Role.SUPERVISOR], "binding.make", "done")
    assert ("operations-lead", "binding.inquiry", "denied") in lines


def form() -> WebForm:
    return WebForm(email="ana@example.org", text="Mi retiro no ha llegado, ayuda por favor.")


@pytest.mark.parametrize("reference", ["RX-2222-2222", "RX-7KQ4-M2PD", "nonsense", "", "'; --"])
async def test_an_inquiry_that_is_none_has_nobody(front: World, reference: str) -> None:
    assert is_problem(await make(front, {"reference": reference}), 404)["code"] == "inquiry.unknown"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"email": "ana@example.org"},
        {"account": "user-77", "reference": "RX-7KQ4-M2PD"},
        {"reference": "RX-7KQ4-M2PD", "email": "ana@example.org"},
        {"account": ""},
        {"account": "x" * 81},
        {"account": "user 77"},
        {"account": "user-77", "email": "ana"},
        {"account": "user-77", "email": "ana@example.org\r\nBcc: eva@example.org"},
        {"account": 7},
        {"reference": "R" * 41},
        {**ACCOUNT, "bound": True},
    ],
)
async def test_what_cannot_be_meant_is_refused_with_its_reason(front: World, body: Any) -> None:
    refused = await make(front, body)
    is_problem(refused, 422)
    assert "example.org" not in refused.text, "an answer to a mistake repeats nobody's address"


@pytest.mark.rule("M3.7")
async def test_only_the_portal_says_whose_account_somebody_has(front: World) -> None:
    for role in (Role.AGENT, Role.SUPERVISOR, Role.COMPLIANCE):
        assert is_problem(await make(front, ACCOUNT, role), 403)["code"] == "binding.role"
    with front.desk.database.read() as session:
        assert contacts.known(session, EMAIL, "ana@example.org") is None
        last, *_ = audit.page(session, action="binding.account")
    assert (last.actor, last.outcome, last.detail) == ("compliance-1", "denied", "binding.role")
    inquiry = {"reference": "RX-7KQ4-M2PD"}
    assert is_problem(await make(front, inquiry, Role.INTAKE), 403)["code"] == "actor.hands-in"


async def test_who_only_reads_makes_no_codes(front: World) -> None:
    is_problem(await make(front, ACCOUNT, Role.AUDITOR), 403)
    is_problem(await front.http.post("/api/bindings", json=ACCOUNT), 401)
    with front.desk.database.read() as session:
        assert contacts.known(session, EMAIL, "ana@example.org") is None


@pytest.mark.rule("M3.7")
async def test_who_opens_the_link_of_an_identity_request_signed_in_is_known(world: World) -> None:
    reference = await world.opened()
    answer = await world.command(reference, "request_identity", {"reasons": "La respuesta nombra movimientos."})
    assert answer.status_code == 200, answer.text
    letter = await until(lambda: _last(world, "identity_request"))
    code = letter.text.split("?code=")[1].split()[0]
    for place in ("letters/identity_request/1", "letters/identity_request/1?form=html", "thread"):
        shown = await world.get(f"/api/inquiries/{reference}/{place}")
        assert "code=..." in shown.text
        assert code not in shown.text, "an agent cannot be the user's portal"
    assert code not in _all_that_is_kept(world), "whoever reads the records is not the user's portal either"
    body = {"code": code, "account": "user-9", "email": "ana@example.org"}
    for nobody in (Role.AGENT, Role.COMPLIANCE):
        denied = await world.http.post("/api/bindings/confirm", json=body, headers=world.bearer(nobody))
        assert is_problem(denied, 403)["code"] == "binding.role"
    confirmed = await world.http.post("/api/bindings/confirm", json=body, headers=world.bearer(Role.INTAKE))
    assert confirmed.json() == {"bound": True}
    await world.settled(reference, lambda view: bool(view["state"]["bound"]))
    again = await world.http.post("/api/bindings/confirm", json=body, headers=world.bearer(Role.INTAKE))
    assert is_problem(again, 409)["code"] == "link.over"
    order = {"email": "counsel@example.org", "document": "0" * 64, "until": "2199-01-01", "reasons": "x"}
    refusal = await world.command(reference, "accept_representative", order)
    assert is_problem(refusal, 409)["code"] == "representative.no-document"


def _all_that_is_kept(world: World) -> str:
    """Every cell of every table, and the drafts and letters among them."""
    with world.desk.database.read() as session:
        tables = SQLModel.metadata.sorted_tables
        kept = "\n".join(str(row) for table in tables for row in session.connection().execute(table.select()))
    assert "code=ic_" in kept
    return kept


async def _last(world: World, kind: str) -> OutboundLetter | None:
    return next((one for one in world.post.letters if one.kind == kind), None)
