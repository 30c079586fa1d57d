import base64
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload
from temporalio.converter import WorkflowSerializationContext

from codec import SealingCodec
from keys import parse_keys
from models.errors import SettingsError
from models.inquiry import Actor, Role
from models.rights import may
from models.sealing import MARK, is_sealed
from models.sight import Eyes
from records.audit import Outcome
from records.keys import HOLDERS
from settings import Settings, load_settings
from starter.admin.oidc import SignedIn
from starter.codec_callers import Callers
from starter.codec_endpoint import MAX_BODY, MAX_PAYLOADS, Line, codec_router
from starter.http.problems import Problem
from tests.cases import policy

RING = parse_keys(f"one:{base64.b64encode(b'k' * 32).decode()}", "test")
UI = "http://127.0.0.1:8233"
KEY = "compliance-key"
CANARY = "ana@example.org"


class Notes:
    """A book that keeps its lines; `kept` are cases that nobody of the staff sees."""

    def __init__(self, *kept: str) -> None:
        self.lines: list[tuple[str, str, Outcome, str]] = []
        self.kept = kept

    def note(self, lines: Sequence[Line]) -> None:
        self.lines.extend((one.caller, one.object, one.outcome, one.detail) for one in lines)

    def hidden(self, eyes: Eyes, reference: str) -> str:
        return "rights.compartment" if reference in self.kept and not eyes.secrets else ""


BOOK = Notes("RX-2222-2222")


def sign_in(token: str) -> SignedIn:
    """Roles are their own tokens here."""
    if token not in set(Role):
        raise Problem(HTTPStatus.UNAUTHORIZED, "token.refused", "no such token")
    return SignedIn(Actor(id=f"a-{token}", role=Role(token)), None)


def app(*, local: bool = True, signs_in: bool = False, **settings: Any) -> FastAPI:
    application = FastAPI()
    callers = Callers(KEY, local, policy().rights, sign_in if signs_in else None)
    application.include_router(codec_router(Settings(namespace="default", **settings), RING, BOOK, callers))
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


@pytest.mark.parametrize(
    ("scope", "line"),
    [
        ("inquiry/PLAZOX-6MYW-V4A9", ("PLAZOX-6MYW-V4A9", Outcome.DENIED, "rights.compartment")),
        ("inquiry/RX-6MYW-V4A8", ("default", Outcome.DENIED, "codec.scope")),
        ("inquiry/../secret", ("default", Outcome.DENIED, "codec.scope")),
    ],
)
async def test_what_says_it_is_an_inquirys_is_kept_with_it_or_not_opened_at_all(
    scope: str, line: tuple[str, Outcome, str]
) -> None:
    bound = SealingCodec(RING).with_context(WorkflowSerializationContext("default", scope))
    [payload] = await bound.encode([Payload(metadata={"encoding": b"json/plain"}, data=b"1")])
    application, book = FastAPI(), Notes("PLAZOX-6MYW-V4A9")
    application.include_router(
        codec_router(Settings(namespace="default"), RING, book, Callers(KEY, False, policy().rights, sign_in))
    )
    asked = {"payloads": [MessageToDict(payload)]}
    headers = {"Authorization": f"Bearer {Role.SUPERVISOR}"}
    answer = TestClient(application).post("/codec/decode", json=asked, headers=headers)
    assert (answer.status_code, answer.json()) == (200, asked)
    assert [one[1:] for one in book.lines] == [line]


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
    application.include_router(codec_router(Settings(), RING, BOOK, Callers("", local=True, rights=policy().rights)))
    stranger = TestClient(application, client=("203.0.113.9", 5000))
    assert stranger.post("/codec/decode", json=BODY, headers={"Authorization": "Bearer "}).status_code == 401


@pytest.mark.parametrize("origin", [UI, "http://localhost:8233"])
@pytest.mark.parametrize("path", ["/codec/decode", "/codec/encode"])
def test_the_ui_passes_preflight(origin: str, path: str) -> None:
    answer = LOCAL.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == (
        "X-Namespace, Content-Type, Authorization, Authorization-Extras"
    )


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
    BOOK.lines.clear()
    with capture_logs() as lines:
        LOCAL.post("/codec/decode", json=BODY)
        STRANGER.post("/codec/decode", json=BODY, headers={"Authorization": f"Bearer {KEY}"})
    assert [(line["action"], line["caller"], line["payloads"]) for line in lines] == [
        ("decode", "codec:loopback", 1),
        ("decode", "codec:compliance", 1),
    ]
    assert CANARY not in str(lines)
    assert BOOK.lines == [
        ("codec:loopback", "default", Outcome.DONE, "1 payloads"),
        ("codec:compliance", "default", Outcome.DONE, "1 payloads"),
    ]


@pytest.mark.parametrize(
    ("asker", "headers", "payloads", "status", "line"),
    [
        (STRANGER, {}, 1, 401, ("codec:stranger", "codec.stranger")),
        (LOCAL, {"Origin": "http://attacker.example.org"}, 1, 403, ("codec:stranger", "codec.origin")),
        (LOCAL, {"X-Namespace": "other"}, 1, 403, ("codec:loopback", "codec.namespace")),
        (LOCAL, {}, 10_000, 413, None),
    ],
)
def test_every_refusal_of_somebody_is_noted(
    asker: TestClient,
    headers: dict[str, str],
    payloads: int,
    status: int,
    line: tuple[str, str] | None,
) -> None:
    BOOK.lines.clear()
    answer = asker.post("/codec/decode", json={"payloads": [{}] * payloads}, headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers
    assert BOOK.lines == ([(line[0], "default", Outcome.DENIED, line[1])] if line else [])


PEOPLE = TestClient(
    app(local=False, signs_in=True, ui_origin="https://temporal.example.org"),
    base_url="https://codec.example.org",
    client=("203.0.113.9", 5000),
)


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def sealed_for(reference: str) -> dict[str, Any]:
    bound = SealingCodec(RING).with_context(WorkflowSerializationContext("default", f"inquiry/{reference}"))
    [payload] = await bound.encode([Payload(metadata={"encoding": b"json/plain"}, data=CANARY.encode())])
    return MessageToDict(payload)


@pytest.mark.parametrize(("role", "status"), [(role, 200 if may(role, "codec.decode") else 403) for role in HOLDERS])
@pytest.mark.parametrize("path", ["/codec/decode", "/codec/encode"])
def test_who_signs_in_needs_the_right(role: Role, status: int, path: str) -> None:
    BOOK.lines.clear()
    answer = PEOPLE.post(path, json=BODY, headers=bearing(role))
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["title"]
        assert BOOK.lines == [(f"a-{role.value}", "default", Outcome.DENIED, "codec.role")]
    elif path.endswith("decode"):
        assert BOOK.lines == [(f"a-{role.value}", "default", Outcome.DONE, "1 payloads")]


def test_a_token_that_is_not_good_opens_nothing_even_here() -> None:
    here = TestClient(app(signs_in=True), base_url="http://127.0.0.1:8080", client=("127.0.0.1", 5000))
    assert here.post("/codec/decode", json=BODY).status_code == 200
    assert here.post("/codec/decode", json=BODY, headers=bearing("other")).status_code == 401
    assert PEOPLE.post("/codec/decode", json=BODY).status_code == 401


def test_where_people_sign_in_this_machine_alone_is_not_enough() -> None:
    here = TestClient(app(local=False, signs_in=True), base_url="http://127.0.0.1:8080", client=("127.0.0.1", 5000))
    assert here.post("/codec/decode", json=BODY).status_code == 401
    assert here.post("/codec/decode", json=BODY, headers=bearing(KEY)).status_code == 200


async def test_a_line_names_the_case_and_what_is_kept_stays_sealed() -> None:
    seen, kept = await sealed_for("RX-7KQ4-M2PD"), await sealed_for("RX-2222-2222")
    body = {"payloads": [kept, seen, payload_json(), seen]}
    for role, opened, outcome in (("supervisor", False, Outcome.DENIED), ("compliance", True, Outcome.DONE)):
        BOOK.lines.clear()
        shown = PEOPLE.post("/codec/decode", json=body, headers=bearing(role)).json()["payloads"]
        assert (shown[0] != kept) is opened
        assert [base64.b64decode(one["data"]) for one in (shown[1], shown[3])] == [CANARY.encode()] * 2
        assert BOOK.lines == [
            (f"a-{role}", "RX-2222-2222", outcome, "1 payloads" if opened else "rights.compartment"),
            (f"a-{role}", "RX-7KQ4-M2PD", Outcome.DONE, "2 payloads"),
            (f"a-{role}", "default", Outcome.DONE, "1 payloads"),
        ]
    lied = {**kept, "metadata": {**kept["metadata"], "encryption-scope": seen["metadata"]["encryption-scope"]}}
    answer = PEOPLE.post("/codec/decode", json={"payloads": [lied]}, headers=bearing("supervisor")).json()
    assert answer["payloads"] == [lied], "under another name it opens to nobody"


@pytest.mark.parametrize(("origin", "status"), [("https://temporal.example.org", 200), (UI, 403)])
def test_a_ui_elsewhere_is_the_only_page_that_may_ask(origin: str, status: int) -> None:
    answer = PEOPLE.post("/codec/decode", json=BODY, headers={**bearing("compliance"), "Origin": origin})
    assert answer.status_code == status
    assert answer.headers.get("access-control-allow-origin") == (origin if status == 200 else None)


@pytest.mark.parametrize(
    ("environment", "origin"),
    [("development", "temporal.example.org"), ("development", "https://a/b"), ("production", "http://a.example.org")],
)
def test_an_origin_is_an_origin(environment: str, origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZO_ENVIRONMENT", environment)
    monkeypatch.setenv("PLAZO_UI_ORIGIN", origin)
    with pytest.raises(SettingsError, match="PLAZO_UI_ORIGIN: must be an origin alone"):
        load_settings()
