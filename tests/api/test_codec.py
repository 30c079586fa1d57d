"""The codec endpoint as the web process serves it: people sign in as for the API, and the log names who and what."""

from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from codec import SealingCodec
from models.inquiry import Role
from records import audit, cases
from records.audit import Outcome
from settings import Settings
from starter.web import create_app
from tests.api.world import World
from tests.cases import MONDAY, new_case


async def sealed(settings: Settings, reference: str) -> dict[str, object]:
    codec = SealingCodec(settings.key_ring())
    bound = codec.with_context(WorkflowSerializationContext("default", f"inquiry/{reference}"))
    [payload] = await bound.encode([Payload(metadata={"encoding": b"json/plain"}, data=b'"ana.canary"')])
    return MessageToDict(payload)


async def test_keys_and_tokens_open_what_their_bearer_may_see(front: World, settings: Settings) -> None:
    open_case = new_case(MONDAY)
    secret = new_case(MONDAY, reference="RX-2222-2222").model_copy(update={"compartment": ("cx-lead",)})
    with front.desk.database.write() as session:
        for n, case in enumerate((open_case, secret)):
            cases.add(session, case, subject="", excerpt="", status_token=str(n))
    body = {"payloads": [await sealed(settings, one.reference) for one in (open_case, secret)]}
    agent = await front.http.post("/codec/decode", json=body, headers=front.bearer(Role.AGENT))
    assert (agent.status_code, agent.json()["code"]) == (403, "codec.role")
    seen = await front.http.post("/codec/decode", json=body, headers=front.bearer(Role.SUPERVISOR))
    assert [one == two for one, two in zip(seen.json()["payloads"], body["payloads"], strict=True)] == [False, True]
    whole = await front.http.post("/codec/decode", json=body, headers=front.bearer(Role.COMPLIANCE))
    assert whole.json()["payloads"][0] == whole.json()["payloads"][1]
    assert (await front.http.post("/codec/decode", json=body)).status_code == 401
    with front.desk.database.read() as session:
        lines = [(one.actor, one.object, one.outcome, one.detail) for one in audit.page(session, action="codec.decode")]
    assert [(one[1], one[2], one[3]) for one in reversed(lines)] == [
        ("default", Outcome.DENIED, "codec.role"),
        (open_case.reference, Outcome.DONE, "1 payloads"),
        (secret.reference, Outcome.DENIED, "rights.compartment"),
        (open_case.reference, Outcome.DONE, "1 payloads"),
        (secret.reference, Outcome.DONE, "1 payloads"),
        ("default", Outcome.DENIED, "codec.stranger"),
    ]
    assert lines[0][0] == "codec:stranger"
    assert not any("codec:" in one[0] for one in lines[1:])


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, 404),
        ({"ui_origin": "https://temporal.example.org"}, 503),
        ({"codec_secret": SecretStr("s")}, 404),
    ],
)
async def test_a_public_listener_has_it_only_where_a_ui_is_named(  # 503: what cannot be noted is not answered
    tmp_path: Path, more: dict[str, object], status: int
) -> None:
    settings = Settings.model_validate(
        {"var": tmp_path, "records_url": "sqlite:////nowhere/records.db", "web_host": "0.0.0.0", **more}
    )
    transport = ASGITransport(app=create_app(settings), client=("127.0.0.1", 5000))
    async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        answer = await http.post("/codec/decode", json={"payloads": []})
    assert answer.status_code == status
