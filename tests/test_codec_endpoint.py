import base64
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from codec import SealingCodec
from keys import parse_keys
from models.sealing import MARK, is_sealed
from records.audit import Outcome
from settings import Settings
from starter.codec_endpoint import MAX_BODY, MAX_PAYLOADS, codec_router

RING = parse_keys(f"one:{base64.b64encode(b'k' * 32).decode()}", "test")
UI = "http://127.0.0.1:8233"
KEY = "compliance-key"
CANARY = "ana@example.org"


NOTED: list[tuple[str, Outcome, str]] = []


def note(caller: str, outcome: Outcome, detail: str) -> None:
    NOTED.append((caller, outcome, detail))


def app() -> FastAPI:
    application = FastAPI()
    application.include_router(codec_router(Settings(codec_secret=SecretStr(KEY), namespace="default"), RING, note))
    return application


def client(host: str = "127.0.0.1", base_url: str = "http://127.0.0.1:8080") -> TestClient:
    return TestClient(app(), base_url=base_url, client=(host, 5000))


LOCAL = client()
STRANGER = client("203.0.113.9", "http://plazo.example.org")


def payload_json(text: str = CANARY) -> dict[str, Any]:
    data = json.dumps({"from": text}).encode()
    return {"metadata": {"encoding": base64.b64encode(b"json/plain").decode()}, "data": base64.b64encode(data).decode()}


BODY = {"payloads": [payload_json()]}


@pytest.fixture
def real_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app(), log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_over_real_http_the_ui_reads_what_the_application_sealed(real_server: str) -> None:
    with httpx2.Client(base_url=real_server, headers={"Origin": UI, "X-Namespace": "default"}) as ui:
        sealed = ui.post("/codec/encode", json=BODY)
        assert sealed.status_code == 200
        assert base64.b64encode(CANARY.encode()).decode()[:12] not in sealed.text
        opened = ui.post("/codec/decode", json=sealed.json())
        assert opened.json() == BODY
        assert opened.headers["access-control-allow-origin"] == UI
        assert opened.headers["vary"] == "Origin"
        # Larger than the limit and without a length: the stream itself is cut.
        assert ui.post("/codec/decode", content=(b" " * 65536 for _ in range(200))).status_code == 413
        assert (
            ui.post("/codec/decode", json=sealed.json(), headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
        )


async def test_what_the_endpoint_opens_bears_no_mark_and_what_it_seals_is_not_trusted() -> None:
    opened = LOCAL.post("/codec/decode", json=LOCAL.post("/codec/encode", json=BODY).json()).json()
    assert MARK not in opened["payloads"][0]["metadata"]
    sealed = LOCAL.post("/codec/encode", json=BODY).json()["payloads"][0]
    payload = Payload(
        metadata={name: base64.b64decode(value) for name, value in sealed["metadata"].items()},
        data=base64.b64decode(sealed["data"]),
    )
    of_the_case = SealingCodec(RING).with_context(WorkflowSerializationContext("default", "inquiry/RX-7KQ4-M2PD"))
    [decoded] = await of_the_case.decode([payload])
    assert CANARY.encode() in decoded.data
    assert not is_sealed(decoded)


@pytest.mark.parametrize("body", [{}, {"payloads": []}])
def test_nothing_to_open_is_no_mistake(body: dict[str, Any]) -> None:
    answer = LOCAL.post("/codec/decode", json=body)
    assert (answer.status_code, answer.json()) == (200, {"payloads": []})


def test_what_cannot_be_opened_comes_back_as_it_was() -> None:
    unknown = {
        "metadata": {"encoding": base64.b64encode(b"binary/encrypted").decode(), "encryption-key-id": "eHk="},
        "data": "AAAA",
    }
    assert LOCAL.post("/codec/decode", json={"payloads": [unknown]}).json() == {"payloads": [unknown]}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_ask(host: str) -> None:
    assert client(host).post("/codec/decode", json=BODY).status_code == 200


@pytest.mark.parametrize("name", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_this_machine_is_asked_by_its_own_names(name: str) -> None:
    assert LOCAL.post("/codec/decode", json=BODY, headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("host", ["203.0.113.9", "::ffff:203.0.113.9", "testclient", "unix"])
def test_a_stranger_may_not(host: str) -> None:
    answer = client(host).post("/codec/decode", json=BODY)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["status"] == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_stranger_behind_a_local_proxy_may_not(header: str) -> None:
    assert LOCAL.post("/codec/decode", json=BODY, headers={header: "for=203.0.113.9"}).status_code == 401


@pytest.mark.parametrize("name", ["attacker.example.org", "attacker.example.org:8080", "", "[broken"])
def test_a_name_pointed_at_this_machine_is_refused(name: str) -> None:
    assert LOCAL.post("/codec/decode", json=BODY, headers={"Host": name}).status_code == 401


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}"])
def test_the_compliance_key_opens_from_anywhere(header: str) -> None:
    assert STRANGER.post("/codec/decode", json=BODY, headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer ", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer ñ"])
def test_a_wrong_key_does_not(header: str) -> None:
    answer = STRANGER.post("/codec/decode", json=BODY, headers={b"Authorization": header.encode()})
    assert answer.status_code == 401


def test_without_a_compliance_key_no_key_opens() -> None:
    application = FastAPI()
    application.include_router(codec_router(Settings(), RING, note))
    stranger = TestClient(application, client=("203.0.113.9", 5000))
    assert stranger.post("/codec/decode", json=BODY, headers={"Authorization": "Bearer "}).status_code == 401


@pytest.mark.parametrize("origin", [UI, "http://localhost:8233"])
@pytest.mark.parametrize("path", ["/codec/decode", "/codec/encode"])
def test_the_ui_passes_preflight(origin: str, path: str) -> None:
    answer = LOCAL.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "X-Namespace, Content-Type, Authorization"


@pytest.mark.parametrize(
    "origin", ["http://attacker.example.org", "http://127.0.0.1:8234", "https://127.0.0.1:8233", "null", ""]
)
@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_no_other_page_may_ask(origin: str, method: str) -> None:
    answer = LOCAL.request(method, "/codec/decode", json=BODY, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_another_namespace_is_refused_in_words_the_ui_can_read() -> None:
    answer = LOCAL.post("/codec/decode", json=BODY, headers={"X-Namespace": "other", "Origin": UI})
    assert answer.status_code == 403
    assert answer.headers["access-control-allow-origin"] == UI


def test_two_thousand_payloads_pass_and_one_more_does_not() -> None:
    assert LOCAL.post("/codec/decode", json={"payloads": [payload_json()] * MAX_PAYLOADS}).status_code == 200
    assert LOCAL.post("/codec/decode", json={"payloads": [{}] * (MAX_PAYLOADS + 1)}).status_code == 413


def test_eight_mebibytes_pass_and_one_byte_more_does_not() -> None:
    body = json.dumps(BODY).encode()
    assert LOCAL.post("/codec/decode", content=body.ljust(MAX_BODY)).status_code == 200
    assert LOCAL.post("/codec/decode", content=body.ljust(MAX_BODY + 1)).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b'"payloads"',
        b'{"payloads": {}}',
        b'{"payloads": [1]}',
        b'{"payloads": [{"data": "not base64!"}]}',
        b'{"payloads": [{"data": 5}]}',
        b'{"payloads": [{"metadata": []}]}',
        b'{"payloads": [{"metadata": {"encoding": null}}]}',
        b"[" * 100_000,
        b'{"payloads": [' + b'{"metadata": ' * 5000,
    ],
)
def test_a_body_that_is_no_payloads_is_refused(body: bytes) -> None:
    answer = LOCAL.post("/codec/decode", content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metadata", "data", "x"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_no_json_is_answered_with_a_fault_of_ours(value: Any) -> None:
    assert LOCAL.post("/codec/decode", content=json.dumps({"payloads": [value]})).status_code in (200, 422)


def test_every_opening_leaves_a_line_that_says_who_but_not_what() -> None:
    NOTED.clear()
    with capture_logs() as lines:
        LOCAL.post("/codec/decode", json=BODY)
        STRANGER.post("/codec/decode", json=BODY, headers={"Authorization": f"Bearer {KEY}"})
    assert [(line["action"], line["caller"], line["payloads"]) for line in lines] == [
        ("decode", "loopback", 1),
        ("decode", "compliance", 1),
    ]
    assert CANARY not in str(lines)
    assert NOTED == [("loopback", Outcome.DONE, "1 payloads"), ("compliance", Outcome.DONE, "1 payloads")]


@pytest.mark.parametrize(
    ("asker", "headers", "payloads", "status", "line"),
    [
        (STRANGER, {}, 1, 401, ("stranger", Outcome.DENIED, "codec.stranger")),
        (LOCAL, {"Origin": "http://attacker.example.org"}, 1, 403, ("stranger", Outcome.DENIED, "codec.origin")),
        (LOCAL, {"X-Namespace": "other"}, 1, 403, ("stranger", Outcome.DENIED, "codec.namespace")),
        (LOCAL, {}, 10_000, 413, None),
    ],
)
def test_every_refusal_of_somebody_is_noted(
    asker: TestClient,
    headers: dict[str, str],
    payloads: int,
    status: int,
    line: tuple[str, Outcome, str] | None,
) -> None:
    NOTED.clear()
    answer = asker.post("/codec/decode", json={"payloads": [{}] * payloads}, headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert ([line] if line else []) == NOTED
