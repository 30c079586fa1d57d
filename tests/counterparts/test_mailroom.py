import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx2
import pytest

from channels.email.reading import Reader
from channels.email.verify import verify_secret, verify_signature
from counterparts.mailroom.app import Arrangement
from counterparts.mailroom.checks import problems
from counterparts.mailroom.keys import mailroom_private_key, mailroom_public_key
from counterparts.mailroom.send import Keys
from tests.mailrooms import Catcher, Mailroom, open_catcher, open_mailroom
from tests.waiting import until

AUTHORIZED = {"Authorization": "Bearer SG.test"}


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with open_catcher() as caught:
        yield caught


@pytest.fixture
def room(tmp_path: Path, catcher: Catcher) -> Iterator[Mailroom]:
    keys = Keys(frozenset({"SG.test", "SG.weak"}), frozenset({"SG.weak"}))
    with open_mailroom(
        Arrangement(tmp_path / "mailroom", catcher.url, catcher.url, "development", keys, 0.01)
    ) as opened:
        yield opened


def mail(**more: Any) -> dict[str, Any]:
    return {
        "personalizations": [{"to": [{"email": "ana@example.org"}]}],
        "from": {"email": "help@example.org", "name": "Ayuda"},
        "subject": "Acuse de recibo: reclamación",
        "content": [{"type": "text/plain", "value": "Recibido"}, {"type": "text/html", "value": "<p>Recibido</p>"}],
        "headers": {"Message-ID": "<n1@example.org>", "In-Reply-To": "<a@b>", "Auto-Submitted": "auto-replied"},
        "custom_args": {"notice": "n1"},
        "categories": ["acknowledgement"],
        **more,
    }


def post(room: Mailroom, body: Any, **headers: str) -> httpx2.Response:
    return room.http.post("/v3/mail/send", json=body, headers={**AUTHORIZED, **headers})


def events(catcher: Catcher) -> list[dict[str, Any]]:
    return [event for _, body in catcher.posts for event in json.loads(body)]


def test_an_accepted_mail_is_kept_as_it_leaves(room: Mailroom) -> None:
    answer = post(room, mail(custom_args={"notice": "kept"}))
    assert (answer.status_code, answer.content) == (202, b"")
    [letter] = room.letters(notice="kept")
    assert letter["id"] == answer.headers["X-Message-Id"]
    eml = room.http.get(f"/letters/{letter['id']}.eml").content
    parsed = message_from_bytes(eml, policy=default)
    assert parsed["message-id"] == "<n1@example.org>"
    assert parsed["in-reply-to"] == "<a@b>"
    assert parsed["auto-submitted"] == "auto-replied"
    assert parsed["subject"] == "Acuse de recibo: reclamación"
    assert parsed["from"] == "Ayuda <help@example.org>"
    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert room.http.get(f"/letters/{letter['id']}.eml").content == eml


def test_nothing_is_deduplicated(room: Mailroom) -> None:
    before = room.http.get("/api/counts").json()
    for _ in range(3):
        assert post(room, mail(custom_args={"notice": "thrice"})).status_code == 202
    counts = room.http.get("/api/counts").json()
    assert counts["by_notice"]["thrice"] == 3
    assert counts["by_message_id"]["<n1@example.org>"] - before["by_message_id"].get("<n1@example.org>", 0) == 3
    assert counts["letters"] - before["letters"] == 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "no address"}]}]}, "personalizations.0.to.0.email"),
        (
            {"personalizations": [{"to": [{"email": "a@b.co"}], "cc": [{"email": "A@b.co"}]}]},
            "personalizations.0.cc",
        ),
        ({"from": {"email": "x"}}, "from.email"),
        ({"reply_to": {}}, "reply_to.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content"),
        ({"headers": {"Subject": "x"}}, "headers.Subject"),
        ({"headers": {"Message-ID": "bare"}}, "headers.Message-ID"),
        ({"headers": {"X-A": "a\r\nBcc: b@example.org"}}, "headers.X-A"),
        ({"categories": [str(n) for n in range(11)]}, "categories"),
        ({"custom_args": {"notice": "x" * 10_001}}, "custom_args"),
        ({"mail_settings": {"sandbox_mode": {"enable": "yes"}}}, "mail_settings.sandbox_mode.enable"),
        ({"attachments": [{"filename": "a", "content": "?"}]}, "attachments.0.content"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], field: str) -> None:
    [(named, message)] = problems(mail(**change))
    assert named == field
    assert message


def test_a_wrong_request_gets_sendgrids_error_body(room: Mailroom) -> None:
    answer = post(room, mail(personalizations=[{"to": [{"email": "no address"}]}]))
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                "message": "Does not contain a valid address.",
                "field": "personalizations.0.to.0.email",
                "help": "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.personalizations.to.email",
            }
        ]
    }
    assert room.letters() == []


def test_what_sendgrid_refuses_before_reading(room: Mailroom) -> None:
    def status(headers: dict[str, str], body: bytes = b"{}") -> int:
        return room.http.post("/v3/mail/send", content=body, headers=headers).status_code

    json_type = {"Content-Type": "application/json"}
    assert status(json_type) == 401
    assert status({"Authorization": "Bearer SG.revoked", **json_type}) == 401
    assert status({"Authorization": "Bearer SG.weak", **json_type}) == 403
    assert status({**AUTHORIZED, "Content-Type": "text/xml"}, b"<xml/>") == 415
    assert status({**AUTHORIZED, **json_type}, b"{") == 400
    assert status({**AUTHORIZED, **json_type}, b" " * (30 * 1024 * 1024 + 1)) == 413


def test_the_sandbox_accepts_nothing(room: Mailroom) -> None:
    body = mail(mail_settings={"sandbox_mode": {"enable": True}}, custom_args={"notice": "sand"})
    assert post(room, body).status_code == 200
    assert not room.letters(notice="sand")


def test_events_are_signed_and_repeated_until_taken(room: Mailroom, catcher: Catcher) -> None:
    catcher.answers += [500, 503]
    answer = post(room, mail(custom_args={"notice": "told"}))
    until(lambda: len(catcher.posts) >= 3, "the third try was made")
    assert len({body for _, body in catcher.posts}) == 1
    public_key = room.http.get("/api/public-key").json()["public_key"]
    headers, body = catcher.posts[-1]
    verify_signature(public_key, headers, body, datetime.now(UTC))
    processed, delivered = json.loads(body)
    assert (processed["event"], delivered["event"]) == ("processed", "delivered")
    assert processed["notice"] == "told"
    assert processed["smtp-id"] == "<n1@example.org>"
    assert processed["sg_message_id"].startswith(f"{answer.headers['X-Message-Id']}.")
    assert processed["sg_event_id"] != delivered["sg_event_id"]
    assert body.endswith(b"\r\n")
    until(
        lambda: all(
            one["posted"] for one in room.http.get(f"/api/letters/{answer.headers['X-Message-Id']}").json()["events"]
        ),
        "the events are noted as posted",
    )


def test_a_bounce_is_told_on_demand(room: Mailroom, catcher: Catcher) -> None:
    letter_id = post(room, mail()).headers["X-Message-Id"]
    order = {"event": "bounce", "type": "blocked", "reason": "mailbox full"}
    assert room.http.post(f"/api/letters/{letter_id}/events", json=order).status_code == 202
    until(lambda: any(one["event"] == "bounce" for one in events(catcher)), "the bounce is told")
    [bounce] = [one for one in events(catcher) if one["event"] == "bounce"]
    assert (bounce["type"], bounce["reason"], bounce["notice"]) == ("blocked", "mailbox full", "n1")
    assert room.http.post("/api/letters/unknown/events", json=order).status_code == 404


def test_faults_come_in_order_and_end(room: Mailroom) -> None:
    room.fault("status", status=429, retry_after=30, count=1)
    room.fault("status", status=503, retry_after=7, count=1)
    first, second, third = (post(room, mail()) for _ in range(3))
    assert first.status_code == 429
    assert int(first.headers["X-RateLimit-Reset"]) > datetime.now(UTC).timestamp() + 20
    assert first.headers["X-RateLimit-Remaining"] == "0"
    assert (second.status_code, second.headers["Retry-After"]) == (503, "7")
    assert third.status_code == 202
    assert room.http.get("/api/faults").json() == []


def test_a_fault_without_a_count_lasts_until_it_is_cleared(room: Mailroom) -> None:
    room.fault("status", status=401)
    assert [post(room, mail()).status_code for _ in range(3)] == [401] * 3
    room.http.delete("/api/faults")
    assert post(room, mail()).status_code == 202


@pytest.mark.parametrize(("kind", "kept"), [("hang_up_before", 0), ("hang_up_after_accept", 1)])
def test_it_hangs_up(room: Mailroom, kind: str, kept: int) -> None:
    room.fault(kind, count=1)
    with pytest.raises(httpx2.HTTPError):
        post(room, mail(custom_args={"notice": kind}))
    assert len(room.letters(notice=kind)) == kept


def test_events_get_lost_and_doubled(room: Mailroom, catcher: Catcher) -> None:
    room.fault("lose_events", count=1)
    room.fault("duplicate_events", count=1)
    post(room, mail(custom_args={"notice": "lost"}))
    post(room, mail(custom_args={"notice": "doubled"}))
    until(lambda: len(events(catcher)) >= 4, "both repetitions came")
    assert {one["notice"] for one in events(catcher)} == {"doubled"}
    assert len({one["sg_event_id"] for one in events(catcher)}) == 2


def test_the_pages_show_letters_and_run_nothing(room: Mailroom) -> None:
    hostile = "<script>alert(1)</script>"
    content = [{"type": "text/plain", "value": hostile}, {"type": "text/html", "value": f'<p title="">{hostile}</p>'}]
    letter_id = post(room, mail(subject=hostile, content=content)).headers["X-Message-Id"]
    index, page = room.http.get("/"), room.http.get(f"/letters/{letter_id}")
    for answer in (index, page):
        assert answer.status_code == 200
        assert hostile not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert f"/letters/{letter_id}" in index.text
    assert "sandbox srcdoc=" in page.text
    assert "Message-ID" in page.text
    assert room.http.get("/letters/unknown").status_code == 404


def test_letters_are_found_by_address_and_time(room: Mailroom) -> None:
    post(room, mail(personalizations=[{"to": [{"email": "berta@example.org"}]}]))
    [letter] = room.letters(to="Berta@")
    assert letter["to"] == ["berta@example.org"]
    assert letter["text"] == "Recibido"
    assert room.letters(to="berta@", since="2999-01-01T00:00:00Z") == []


EML = """From: Ana <ana@example.org>
To: help@example.org
Subject: Reclamo
Content-Type: text/plain; charset=utf-8

No llegó mi retiro
""".encode()


@pytest.mark.parametrize("mode", ["raw", "default"])
def test_incoming_mail_is_posted_as_inbound_parse_does(room: Mailroom, catcher: Catcher, mode: str) -> None:
    catcher.answers.append(503)
    order = {"eml": base64.b64encode(EML).decode(), "mode": mode, "envelope_to": ["help+x@example.org"]}
    assert room.http.post("/api/inbound", json=order).json()["status"] == 503
    [(headers, body)] = [post for post in catcher.posts if "multipart" in post[0]["Content-Type"]]
    assert headers["User-Agent"] == "Sendlib/1.0"
    assert headers["Content-Type"] == "multipart/form-data; boundary=xYzZY"
    now = datetime.now(UTC)
    verify_signature(room.http.get("/api/public-key").json()["public_key"], headers, body, now)
    verify_secret("development", headers["Authorization"])
    message = Reader().read(headers["Content-Type"], body, now)
    assert (message.sender, message.subject, message.text) == ("ana@example.org", "Reclamo", "No llegó mi retiro")
    assert message.tokens == ("x",)


def test_incoming_mail_may_be_uploaded_as_it_is_and_unsigned(room: Mailroom, catcher: Catcher) -> None:
    query = {"mode": "raw", "sign": "false", "spf": "fail", "dkim": "none"}
    upload = room.http.post("/api/inbound", content=EML, params=query, headers={"Content-Type": "message/rfc822"})
    assert upload.json()["status"] == 200
    [(headers, body)] = [post for post in catcher.posts if "multipart" in post[0]["Content-Type"]]
    assert "X-Twilio-Email-Event-Webhook-Signature" not in headers
    assert not Reader().read(headers["Content-Type"], body, datetime.now(UTC)).sender_verified
    assert room.http.post("/api/inbound", json={"eml": "?"}).status_code == 422


def test_the_key_pair_is_made_once(tmp_path: Path) -> None:
    assert mailroom_public_key(tmp_path / "a") == mailroom_public_key(tmp_path / "a")
    assert (tmp_path / "a" / "public.key").read_text().strip() == mailroom_public_key(tmp_path / "a")
    assert mailroom_public_key(tmp_path / "b") != mailroom_public_key(tmp_path / "a")
    assert (tmp_path / "a" / "private.pem").stat().st_mode & 0o777 == 0o600
    assert mailroom_private_key(tmp_path / "a").curve.name == "secp256r1"


def test_letters_and_untold_events_outlive_a_killed_mailroom(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open_catcher() as caught:
        command = [sys.executable, "-m", "counterparts.mailroom", "--port", str(port), "--var", str(tmp_path)]
        command += ["--events-url", caught.url, "--events-delay"]

        def start(delay: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen([*command, delay])
            until(lambda: _answers(port), "the mailroom answers")
            return process

        first = start("2")
        url = f"http://127.0.0.1:{port}"
        assert httpx2.post(f"{url}/v3/mail/send", json=mail(), headers=AUTHORIZED).status_code == 202
        os.kill(first.pid, signal.SIGKILL)
        first.wait(5)
        second = start("0")
        try:
            assert len(httpx2.get(f"{url}/api/letters").json()) == 1
            until(lambda: len({one["sg_event_id"] for one in events(caught)}) == 2, "the events are told after all")
        finally:
            second.terminate()
            assert second.wait(10) is not None


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False
