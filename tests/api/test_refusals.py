"""Whatever comes in, the answer is a problem document that says what, where and how to mend it; never a failure."""

import asyncio
import base64
import json
import random
import re
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from httpx2 import AsyncClient, Response
from sqlmodel import select

from models.errors import RecordsUnavailable
from models.inquiry import Role
from models.reference import new_reference
from models.tables import DraftRow
from records import keys
from settings import Settings
from starter.admin.catalogue import BODIES, EXAMPLES
from starter.admin.commanding import DONE
from starter.reception.web_form import WebForm
from starter.web import create_app
from tests.api.world import World
from tests.databases import away
from tests.forms import fill_in

ENDLESS = 80 * 1024 * 1024
"""Bytes: more than is read, and thrown away, of the largest body that is taken anywhere."""
ANSWERED = '{"points": [{"point": "a", "answer": "b"}], "actions": ["c"], "outcome": "upheld"'


def is_problem(response: Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:plazo:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return problem


async def test_nobody_comes_in_without_a_key(front: World) -> None:
    for path in ("/api/me", "/api/inquiries", "/api/inquiries/RX-7KQ4-M2PD", "/api/quarantine"):
        refused = await front.http.get(path)
        assert is_problem(refused, 401)["code"] == "key.missing"
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    for wrong in (
        "Bearer plz_wrong",
        "Bearer " + "x" * 5_000,
        "Basic YTpi",
        "Bearer ",
        "Bearer ñ".encode().decode("latin-1"),
    ):
        is_problem(await front.http.get("/api/me", headers=[(b"authorization", wrong.encode("latin-1"))]), 401)
    is_problem(await front.http.post("/api/inquiries/RX-7KQ4-M2PD/note", json={"text": "?"}), 401)


async def test_a_revoked_key_opens_nothing(front: World) -> None:
    with front.desk.database.write() as session:
        row = next(row for row in keys.list_keys(session) if row.role == Role.AGENT)
        keys.revoke(session, row.id, front.desk.clock())
    assert is_problem(await front.get("/api/me"), 401)["code"] == "key.unknown"
    assert (await front.get("/api/me", Role.SUPERVISOR)).json()["id"] == "supervisor-1"


async def test_an_auditor_reads_and_commands_nothing(front: World) -> None:
    me = (await front.get("/api/me", Role.AUDITOR)).json()
    assert me == {"id": "auditor-1", "role": "auditor", "may_command": False}
    assert (await front.get("/api/inquiries", Role.AUDITOR)).status_code == 200
    for name in BODIES:
        refused = await front.command("RX-7KQ4-M2PD", name, EXAMPLES[name], Role.AUDITOR)
        assert is_problem(refused, 403)["code"] == "actor.reads-only"
    is_problem(await front.http.post("/api/quarantine/ms_1/promote", headers=front.bearer(Role.AUDITOR)), 403)


async def test_what_nobody_knows_is_not_found(front: World) -> None:
    missing = new_reference("RX", random.Random(7))
    for reference in (missing, "RX-7KQ4-M2PX", "nonsense", "%F0%9F%A6%8A", "..%2f..", "a" * 40):
        assert is_problem(await front.get(f"/api/inquiries/{reference}"), 404)["code"] in {
            "inquiry.unknown",
            "http.not-found",
        }
    for name in BODIES:
        is_problem(await front.command(missing, name, EXAMPLES[name], Role.COMPLIANCE), 404)
    is_problem(await front.get(f"/api/inquiries/{missing}/letters/acknowledgement/1"), 404)
    is_problem(await front.http.post("/api/quarantine/ms_1/promote", headers=front.bearer(Role.AGENT)), 404)
    is_problem(await front.get("/api/nothing"), 404)
    is_problem(await front.http.delete("/api/inquiries", headers=front.bearer(Role.AGENT)), 405)
    is_problem(await front.command(missing, "close"), 404)


HOSTILE = {
    "not JSON": ("note", "{"),
    "nothing sensible": ("note", "\x00\xff"),
    "NaN": ("note", '{"text": NaN}'),
    "infinity": ("propose", '{"command": "note", "order": {"text": -Infinity}}'),
    "10^400": ("note", '{"text": 1' + "0" * 400 + "}"),
    "1e400": ("propose", '{"command": "note", "order": {"text": 1e400}}'),
    "10^5000": ("propose", '{"command": "note", "order": {"text": 1' + "0" * 5_000 + "}}"),
    "nested": ("propose", '{"command": "note", "order": ' + '{"a":' * 20_000 + "1" + "}" * 20_000 + "}"),
    "half a character": ("note", '{"text": "\\ud800"}'),
    "NUL": ("note", '{"text": "a\\u0000b"}'),
    "unknown field": ("note", '{"text": "a", "actor": {"id": "x", "role": "supervisor"}}'),
    "a key in the body": ("note", '{"text": "a", "key": "k"}'),
    "a version in the body": ("note", '{"text": "a", "expected_version": 1}'),
    "missing field": ("note", "{}"),
    "empty": ("note", ""),
    "a list": ("note", "[]"),
    "null": ("note", "null"),
    "wrong type": ("note", '{"text": {"a": 1}}'),
    "blank": ("note", '{"text": "   "}'),
    "too long": ("note", json.dumps({"text": "a" * 4_001})),
    "a naive time": ("extend", '{"until": "2026-06-19T12:00:00", "reasons": "a"}'),
    "no date": ("extend", '{"until": "tomorrow", "reasons": "a"}'),
    "a number for a date": ("extend", '{"until": 5, "reasons": "a"}'),
    "30 February": ("extend", '{"until": "2026-02-30", "reasons": "a"}'),
    "unknown outcome": ("resolve", ANSWERED.replace("upheld", "solved") + "}"),
    "a point without an answer": ("resolve", '{"outcome": "upheld", "points": [{"point": "a"}], "actions": ["b"]}'),
    "a draft from outside": ("resolve", ANSWERED + ', "draft": {"id": "dr_1"}}'),
    "too many points": ("split", json.dumps({"points": ["a"] * 101})),
}


async def test_a_hostile_body_is_told_what_is_wrong(front: World) -> None:
    headers = {**front.bearer(Role.AGENT), "Content-Type": "application/json"}
    for what, (command, body) in HOSTILE.items():
        url = f"/api/inquiries/RX-7KQ4-M2PD/{command}"
        response = await front.http.post(url, content=body.encode("latin-1"), headers=headers)
        assert response.status_code == 422, (what, response.text)
        is_problem(response, 422)


async def test_an_absurd_date_is_no_failure(world: World) -> None:
    reference = await world.opened()
    for until in ("9999-12-31", "9999-12-31T23:59:59-12:00", "0001-01-01", "0001-01-01T00:00:00+14:00"):
        for command, body in (
            ("extend", {"until": until, "reasons": "a"}),
            ("escalate", {"institution": "a", "reasons": "b", "estimate": until}),
            ("request_information", {"items": [{"item": "a", "why": "b"}], "by": until}),
            ("appeal", {"text": "a", "answer_by": until}),
            ("reopen", {"reasons": "a", "received_at": until if "T" in until else f"{until}T00:00:00Z"}),
        ):
            is_problem(await world.command(reference, command, body), 422)
    view = (await world.get(f"/api/inquiries/{reference}")).json()
    assert view["state"]["version"] == 0


async def test_a_body_over_the_limit_is_refused_before_it_is_read_whole(front: World) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536
            await asyncio.sleep(0)

    headers = {**front.bearer(Role.AGENT), "Content-Type": "application/json"}
    url = "/api/inquiries/RX-7KQ4-M2PD/note"
    is_problem(await front.http.post(url, content=b"{" + b" " * 300_000 + b"}", headers=headers), 413)
    is_problem(await front.http.post(url, content=endless(), headers=headers), 413)


async def test_no_stranger_has_a_body_without_end_read(front: World, settings: Settings) -> None:
    routes = list(iter_route_contexts(create_app(settings).routes))
    asked = sorted((method, str(one.path)) for one in routes for method in (one.methods or set()) - {"GET", "HEAD"})
    assert ("POST", "/api/bindings/confirm") in asked
    for method, path in asked:
        sent = 0

        async def endless() -> Any:
            nonlocal sent
            while sent < ENDLESS:
                sent += 1024 * 1024
                yield b" " * 1024 * 1024

        url = re.sub(r"\{.*?\}", "1", path)
        answer = await front.http.request(method, url, content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (method, path, answer.text)
        assert sent < ENDLESS, (method, path, "was read to its end")


async def test_only_json_is_read(front: World) -> None:
    url = "/api/inquiries/RX-7KQ4-M2PD/note"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {**front.bearer(Role.AGENT), "Content-Type": kind}
        is_problem(await front.http.post(url, content=b'{"text": "a"}', headers=headers), 415)


def _cursor(due: str, reference: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([due, reference]).encode()).decode().rstrip("=")


async def test_a_letter_that_could_never_leave_is_not_written(world: World) -> None:
    reference = await world.opened()
    body = {"text": "Adjuntamos el expediente.", "to": "authority"}
    for command, order in (("reply", body), ("propose", {"command": "reply", "order": body})):
        problem = is_problem(await world.command(reference, command, order), 409)
        assert (problem["code"], problem["field"]) == ("authority.no-address", "to")
        assert "authority.email" in problem["detail"]


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case has decided by then: to say that nothing happened would be false."""
    reference = await world.opened()

    def away(*_: Any, **more: Any) -> None:
        if more["status"] == DONE:
            raise RecordsUnavailable("gone")

    monkeypatch.setattr("records.keys.remember", away)
    answer = await world.command(reference, "note", {"text": "a"}, Idempotency_Key="lost-1")
    assert answer.status_code == 200
    again = await world.command(reference, "note", {"text": "a"}, Idempotency_Key="lost-1")
    assert (again.status_code, again.json()) == (200, answer.json())


async def test_a_list_that_cannot_be_is_told_why(front: World) -> None:
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "status=solved",
        "kind=x",
        "due_before=yesterday",
        "due_before=2026-03-16T10:00:00",
        "cursor=nonsense",
        "cursor=W10",
        f"cursor={_cursor('0001-01-01T00:00:00+23:59', 'x')}",
        f"cursor={_cursor('2026-03-16T00:00:00+00:00', chr(0xD800))}",
        "due_before=0001-01-01T00:00:00%2B23:59",
        "due_before=9999-12-31T23:59:59-23:59",
        "text=%00",
        "channel=%00",
        "area=%00",
        f"text={'a' * 201}",
    ]:
        problem = is_problem(await front.get(f"/api/inquiries?{query}"), 422)
        assert problem["field"] == query.partition("=")[0], query


async def test_an_idempotency_key_that_is_none_is_refused(front: World) -> None:
    for key in ["", "two words", "ñ", "k" * 129]:
        headers = [
            (b"idempotency-key", key.encode()),
            (b"authorization", front.bearer(Role.AGENT)["Authorization"].encode()),
        ]
        response = await front.http.post("/api/inquiries/RX-7KQ4-M2PD/note", json={"text": "a"}, headers=headers)
        is_problem(response, 422)


async def test_the_database_away_is_told_as_such(front: World) -> None:
    front.desk.database.close()
    with away(front.desk.settings.records_url):
        for response in (await front.get("/api/inquiries"), await front.command("RX-7KQ4-M2PD", "note", {"text": "a"})):
            assert is_problem(response, 503)["code"] == "records.unavailable"
            assert int(response.headers["Retry-After"]) > 0


async def test_a_silent_engine_is_told_as_such_and_the_same_key_is_safe(
    front: World, http_without_engine: AsyncClient
) -> None:
    reference = fill_in(front.desk.intake, WebForm(email="ana@example.org", text="Mi retiro no llegó.")).reference
    for _ in range(2):
        response = await http_without_engine.post(
            f"/api/inquiries/{reference}/reply",
            json={"text": "Estamos en ello."},
            headers={**front.bearer(Role.AGENT), "Idempotency-Key": "away-1"},
        )
        assert is_problem(response, 503)["code"] == "engine.unavailable"
        assert int(response.headers["Retry-After"]) > 0
    with front.desk.database.read() as session:
        assert len(session.exec(select(DraftRow)).all()) == 1
