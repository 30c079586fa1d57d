import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from channels.email.reading import Reader
from channels.email.verify import verify_secret, verify_signature
from counterparts.mailroom.keys import mailroom_public_key
from starter.commands.send_eml import send_eml_command
from tests.mailrooms import Catcher, open_catcher

APP = typer.Typer()
APP.command()(send_eml_command)

TAKEN = {"reference": "RX-7KQ4-M2PD", "new": True, "acknowledge_by": "2026-04-07", "answer_by": "2026-05-13"}
MAIL = "From: Ana <ana@example.net>\nTo: help@example.org\nSubject: Reclamo\n\nNo llegó".encode()


@pytest.fixture
def intake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catcher]:
    with open_catcher() as caught:
        monkeypatch.setenv("PLAZO_VAR", str(tmp_path / "var"))
        monkeypatch.setenv("PLAZO_WEB_PORT", caught.url.rpartition(":")[2].partition("/")[0])
        caught.says = json.dumps(TAKEN).encode()
        yield caught


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, arguments)


@pytest.fixture
def eml(tmp_path: Path) -> Path:
    path = tmp_path / "mail.eml"
    path.write_bytes(MAIL)
    return path


@pytest.mark.parametrize("mode", ["raw", "default"])
def test_a_mail_is_posted_as_the_provider_would(intake: Catcher, eml: Path, tmp_path: Path, mode: str) -> None:
    result = run(str(eml), "--mode", mode, "--to", "help+x@reply.example.org")
    assert result.exit_code == 0
    assert result.output.startswith("opened RX-7KQ4-M2PD\n")
    [(headers, body)] = intake.posts
    assert intake.paths == ["/intake/email/inbound"]
    now = datetime.now(UTC)
    verify_signature(mailroom_public_key(tmp_path / "var" / "mailroom"), headers, body, now)
    verify_secret("development", headers["Authorization"])
    message = Reader().read(headers["Content-Type"], body, now)
    assert (message.sender, message.tokens, message.sender_verified) == ("ana@example.net", ("x",), True)
    assert abs((now - message.received_at).total_seconds()) < 60


def test_the_answer_is_there_for_scripts(intake: Catcher, eml: Path) -> None:
    assert json.loads(run(str(eml), "--json").output) == {"status": 200, **TAKEN}


def test_quarantine_and_repetition_are_said(intake: Catcher, eml: Path) -> None:
    intake.says = json.dumps({"reference": None, "disposition": "auto_reply"}).encode()
    assert "for a person" in run(str(eml)).output
    intake.says = json.dumps({**TAKEN, "new": False, "duplicate": True}).encode()
    assert "was here before as part of RX-7KQ4-M2PD" in run(str(eml)).output
    intake.says = json.dumps({**TAKEN, "new": False}).encode()
    assert "was added to RX-7KQ4-M2PD" in run(str(eml)).output


def test_a_plain_text_becomes_a_mail(intake: Catcher, tmp_path: Path) -> None:
    path = tmp_path / "complaint.txt"
    path.write_text("No llegó mi retiro\n\nFue el lunes.\n", encoding="utf-8")
    assert run(str(path), "--from", "berta@example.net").exit_code == 0
    [(headers, body)] = intake.posts
    message = Reader().read(headers["Content-Type"], body, datetime.now(UTC))
    assert (message.sender, message.subject) == ("berta@example.net", "No llegó mi retiro")
    assert message.text == "No llegó mi retiro\n\nFue el lunes."


@pytest.mark.parametrize("status", [401, 413, 503])
def test_a_refusal_exits_with_1(intake: Catcher, eml: Path, status: int) -> None:
    intake.answers.append(status)
    result = run(str(eml))
    assert result.exit_code == 1
    assert f"refused with {status}" in result.output


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\0\0"])
def test_a_bad_file_exits_with_2(intake: Catcher, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.eml"
    path.write_bytes(content)
    assert run(str(path)).exit_code == 2
    assert run(str(tmp_path / "missing.eml")).exit_code == 2
    assert run(str(tmp_path)).exit_code == 2
    assert intake.posts == []


def test_an_intake_that_is_not_there_exits_with_3(eml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("PLAZO_WEB_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("PLAZO_VAR", str(tmp_path / "var"))
    result = run(str(eml))
    assert result.exit_code == 3
    assert "make run" in result.output
