"""Any tool behind signed posts: what it is told, what it may say, and what is not believed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from models.area_work import IncidentState
from models.errors import OperatorError, TransientError, UnknownOutcome, UnreadableMessage, VerificationError
from tests.trackers.site import DRAFT, KEY, NOW, Listener
from trackers.signing import HEADER, check, sign
from trackers.webhook import Webhook, WebhookSettings

SECRET = "s" * 32


def now() -> datetime:
    return NOW


@pytest.fixture
def tool(listener: Listener) -> Webhook:
    listener.answer = b'{"id": "T-7", "url": "https://tool.example.org/T-7"}'
    return Webhook(WebhookSettings(url=listener.url, secret=SecretStr(SECRET)), now)


@pytest.mark.rule("M5.6")
def test_an_incident_is_posted_signed_and_the_answer_names_it(tool: Webhook, listener: Listener) -> None:
    ref = tool.create(DRAFT._replace(description="Broadcast at 14:02."))
    assert ref == ("T-7", "https://tool.example.org/T-7")
    headers, body = listener.posts[0]
    check(SECRET.encode(), headers[HEADER], body, NOW)
    assert json.loads(body) == {
        "event": "incident.opened",
        "version": 1,
        "key": KEY,
        "reference": "RX-7KQ4-M2PD",
        "title": "RX-7KQ4-M2PD incident 1: fee disputed",
        "area": "operations",
        "description": "Broadcast at 14:02.",
    }
    assert headers["idempotency-key"] == f"{KEY}/incident.opened"
    tool.create(DRAFT)
    assert "description" not in json.loads(listener.posts[1][1])
    tool.count("T-7", KEY, 12, NOW)
    headers, body = listener.posts.pop()
    assert json.loads(body) == {"event": "incident.cases", "version": 1, "key": KEY, "incident": "T-7", "cases": 12}
    assert headers["idempotency-key"] == f"{KEY}/incident.cases/{int(NOW.timestamp())}", "12 may be news again"
    tool.close("T-7", KEY, IncidentState.REJECTED)
    closed = json.loads(listener.posts[2][1])
    assert (closed["event"], closed["incident"], closed["state"]) == ("incident.closed", "T-7", "rejected")
    assert tool.find(KEY) is None
    assert tool.standing("T-7", NOW) is None


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"id": 7}', b'{"id": ""}', b'{"id": "a\\n"}', b"\xff" * 9])
def test_an_answer_without_an_id_is_the_tools_fault(tool: Webhook, listener: Listener, answer: bytes) -> None:
    listener.answer = answer
    with pytest.raises(OperatorError, match="without saying its id"):
        tool.create(DRAFT)


@pytest.mark.parametrize("url", ["javascript:alert(1)", 7, "https://x.example/" + "y" * 300])
def test_a_place_that_nobody_should_follow_is_left_out(tool: Webhook, listener: Listener, url: Any) -> None:
    listener.answer = json.dumps({"id": "T-7", "url": url}).encode()
    assert tool.create(DRAFT) == ("T-7", "")


@pytest.mark.parametrize(
    ("status", "kind"), [(302, OperatorError), (410, OperatorError), (429, TransientError), (502, UnknownOutcome)]
)
def test_what_an_answer_means(tool: Webhook, listener: Listener, status: int, kind: type[Exception]) -> None:
    listener.statuses = [status]
    with pytest.raises(kind):
        tool.create(DRAFT)


def test_an_answer_beyond_all_sense_is_not_read_to_its_end(tool: Webhook, listener: Listener) -> None:
    listener.answer = b" " * (1024 * 1024 + 1)
    with pytest.raises(OperatorError, match="bytes"):
        tool.create(DRAFT)


def said(tool: Webhook, **about: Any) -> Any:
    body = json.dumps({"id": "e1", "key": KEY, "state": "resolved", "at": NOW.isoformat(), **about}).encode()
    return tool.parse({}, body, NOW)


def test_a_change_is_read(tool: Webhook) -> None:
    (change,) = said(tool, words=" Paid. ", incident="T-7", more="is left out")
    assert (change.event, change.key, change.id) == ("e1", KEY, "T-7")
    assert (change.state, change.at, change.words) == (IncidentState.RESOLVED, NOW, "Paid.")


@pytest.mark.parametrize(
    "about", [{"state": "done"}, {"at": "2026-11-22"}, {"at": "2026-11-22T12:00:00"}, {"id": ""}, {"words": 7}]
)
def test_a_change_that_says_too_little_is_refused_by_field(tool: Webhook, about: dict[str, Any]) -> None:
    with pytest.raises(UnreadableMessage, match=next(iter(about))):
        said(tool, **about)


def test_what_is_no_json_is_refused(tool: Webhook) -> None:
    with pytest.raises(UnreadableMessage, match="no JSON object"):
        tool.parse({}, b"\xff", NOW)


BODY = b'{"a": 1}'
GOOD = sign(SECRET.encode(), BODY, NOW)
T = int(NOW.timestamp())


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_fresh_post_is_believed(tool: Webhook, seconds: int) -> None:
    tool.verify({HEADER: GOOD}, BODY, NOW + timedelta(seconds=seconds))


def test_while_a_secret_is_changed_either_may_sign(tool: Webhook) -> None:
    old = sign(b"another", BODY, NOW).partition(",")[2]
    tool.verify({HEADER: f"t={T},{old},{GOOD.partition(',')[2]}"}, BODY, NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        GOOD.partition(",")[2],
        GOOD.partition(",")[0],
        GOOD.replace("v1=", "v0="),
        GOOD.replace(f"t={T}", f"t={T + 1}"),
        f"t={T},{GOOD}",
        f"t={'9' * 40},v1=x",
        f"t=-{T},v1=x",
        f"t=²,{GOOD.partition(',')[2]}",
        f"t={T},v1=ñ",
        GOOD.upper(),
        "," * 5000 + GOOD,
    ],
)
def test_what_is_not_signed_as_it_should_be_is_not_believed(tool: Webhook, header: str) -> None:
    with pytest.raises(VerificationError):
        tool.verify({HEADER: header}, BODY, NOW)


def test_neither_another_body_nor_another_secret_nor_another_day_is_believed(tool: Webhook) -> None:
    for header, body, at in (
        (GOOD, BODY + b" ", NOW),
        (sign(b"another", BODY, NOW), BODY, NOW),
        (GOOD, BODY, NOW + timedelta(seconds=301)),
        (GOOD, BODY, NOW - timedelta(seconds=301)),
    ):
        with pytest.raises(VerificationError):
            tool.verify({HEADER: header}, body, at)
    with pytest.raises(VerificationError):
        tool.verify({}, BODY, datetime.now(UTC))
