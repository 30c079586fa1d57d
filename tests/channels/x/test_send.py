import base64
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.message import RemoteFile
from channels.x.adapter import X
from channels.x.refusals import refusal
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome
from tests.channels.x.places import House, Standin, Taken, adapter, letter

AT = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


@pytest.mark.rule("M4.1")
def test_a_letter_is_a_direct_message_to_who_wrote(channel: X, standin: Standin) -> None:
    ana, parts = standin.join(), Taken()
    accepted = channel.send(letter(ana, "Recibimos su reclamo & lo vemos."), parts)
    assert standin.thread(ana) == ["Recibimos su reclamo &amp; lo vemos."]
    assert parts.ids == [accepted.provider_id]
    assert accepted.provider_id.isdecimal()


def test_a_long_letter_is_several_messages_and_a_later_try_goes_on_behind_those_taken(
    channel: X, standin: Standin
) -> None:
    ana, parts = standin.join(), Taken()
    text = "\n\n".join(f"{number} " + "palabra " * 900 for number in range(4))
    standin.set(credits=0.02)
    with pytest.raises(OperatorError):
        channel.send(letter(ana, text), parts)
    assert len(parts.ids) == 1
    standin.set(credits=-1)
    accepted = channel.send(letter(ana, text), parts)
    told = standin.thread(ana)
    assert len(told) == len(parts.ids) == 4
    assert accepted.provider_id == parts.ids[0]
    assert " ".join(told).split() == text.split()


@pytest.mark.rule("M4.2")
def test_closed_direct_messages_and_unknown_people_are_the_recipients(channel: X, standin: Standin) -> None:
    ana = standin.join()
    standin.ask("PUT", f"/x/api/people/{ana}/open", open=False)
    with pytest.raises(RecipientError, match="permission to DM"):
        channel.send(letter(ana), Taken())
    with pytest.raises(RecipientError):
        channel.send(letter("404"), Taken())
    for nobody in ("../../2/tweets", "ana", "1" * 20, "", "١٢"):
        with pytest.raises(RecipientError):
            channel.send(letter(nobody or "x"), Taken())


def test_out_of_credits_is_told_as_such(channel: X, standin: Standin) -> None:
    ana = standin.join()
    standin.set(credits=0)
    with pytest.raises(OperatorError, match=r"^out of credits: ") as told:
        channel.send(letter(ana), Taken())
    assert "[1]" not in told.value.detail
    assert standin.thread(ana) == []


def test_an_app_without_access_is_the_operators(channel: X, standin: Standin) -> None:
    ana = standin.join()
    standin.set(enrolled=False)
    with pytest.raises(OperatorError, match="client-forbidden"):
        channel.send(letter(ana), Taken())


def test_an_ended_token_is_renewed_and_a_revoked_one_is_the_operators(channel: X, standin: Standin) -> None:
    ana = standin.join()
    standin.set(expire=True)
    channel.send(letter(ana), Taken())
    assert standin.stands()["refreshes"] == 1
    standin.set(revoke=True)
    with pytest.raises(OperatorError, match="authorise the app again"):
        channel.send(letter(ana), Taken())
    assert len(standin.thread(ana)) == 1


def test_a_rate_limit_says_when_it_opens(channel: X, standin: Standin) -> None:
    ana = standin.join()
    standin.set(limited=True)
    for _ in range(15):
        channel.send(letter(ana), Taken())
    with pytest.raises(TransientError) as refused:
        channel.send(letter(ana), Taken())
    assert refused.value.retry_after is not None
    assert 800 < refused.value.retry_after <= 902
    assert len(standin.thread(ana)) == 15


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_after_a_server_error_nobody_knows(channel: X, standin: Standin, status: int) -> None:
    standin.fault("status", status=status)
    with pytest.raises(UnknownOutcome):
        channel.send(letter(standin.join()), Taken())


@pytest.mark.parametrize(("fault", "arrived"), [("hang_up_before", 0), ("hang_up_after_accept", 1)])
def test_after_a_hang_up_nobody_knows(channel: X, standin: Standin, fault: str, arrived: int) -> None:
    ana, parts = standin.join(), Taken()
    standin.fault(fault)
    with pytest.raises(UnknownOutcome):
        channel.send(letter(ana), parts)
    assert (len(standin.thread(ana)), parts.ids) == (arrived, [])


def test_after_silence_nobody_knows(
    channel: X, standin: Standin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("channels.x.api.TIMEOUT", 0.2)
    hasty = adapter(standin.port, tmp_path)
    standin.fault("delay", seconds=1.5)
    with pytest.raises(UnknownOutcome, match="ReadTimeout"):
        hasty.send(letter(standin.join()), Taken())


def test_without_a_connection_nothing_was_accepted(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        begun = time.monotonic()
        with pytest.raises(TransientError, match="cannot be reached"):
            adapter(port, tmp_path).send(letter("7"), Taken())
    assert time.monotonic() - begun < 5


def test_an_address_that_is_none_is_the_operators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standin: Standin
) -> None:
    for host in ("gopher://x", "no url", "http://[::1"):
        monkeypatch.setenv("PLAZO_X_HOST", host)
        with pytest.raises(OperatorError, match="PLAZO_X_HOST"):
            adapter(standin.port, tmp_path).send(letter("7"), Taken())


@pytest.mark.rule("M2.1")
def test_a_public_letter_answers_a_mention_once(channel: X, standin: Standin, house: House) -> None:
    ana, parts = standin.join(), Taken()
    post = standin.ask("POST", f"/x/api/people/{ana}/posts", text="@help no me llega mi retiro")["id"]
    standin.settled()
    [place] = [one.public_place for one in house.stored.values()]
    invitation = letter(place, "Escríbanos por mensaje directo, por favor.", public=True)
    accepted = channel.send(invitation, parts)
    assert channel.send(invitation, parts).provider_id == accepted.provider_id
    ours = [one for one in standin.ask("GET", "/x/api/posts") if one["author"] == "1"]
    assert [(one["to"], f"post/{one['id']}") for one in ours] == [(post, accepted.provider_id)]
    with pytest.raises(RecipientError, match="duplicate"):
        channel.send(invitation, Taken())


def test_a_public_letter_over_the_limit_is_not_cut(channel: X, standin: Standin) -> None:
    with pytest.raises(OperatorError, match="281 of 280"):
        channel.send(letter("7", "a" * 281, public=True), Taken())
    assert standin.ask("GET", "/x/api/posts") == []


def test_nobody_is_answered_in_public_who_did_not_call_or_whose_post_is_gone(channel: X, standin: Standin) -> None:
    post = standin.ask("POST", f"/x/api/people/{standin.join()}/posts", text="nothing to do with us")["id"]
    for place, said in ((post, "not allowed"), ("404", "deleted or not visible")):
        with pytest.raises(RecipientError, match=said):
            channel.send(letter(place, "Hola", public=True), Taken())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (402, b"", OperatorError),
        (403, b'{"title":"SpendCapReached","type":"about:blank"}', OperatorError),
        (429, b'{"title":"UsageCapExceeded","type":"https://api.twitter.com/2/problems/usage-capped"}', OperatorError),
        (403, b'{"detail":"This operation is not permitted.","status":403}', OperatorError),
        (403, b'{"errors":[{"code":349,"message":"You cannot send messages to this user."}]}', RecipientError),
        (404, b'{"type":"https://api.twitter.com/2/problems/resource-not-found"}', RecipientError),
        (404, b"<html>", OperatorError),
        (400, b'{"errors":7,"detail":[],"title":{}}', OperatorError),
        (302, b"", OperatorError),
        (429, b"[]", TransientError),
        (500, b"\xff", UnknownOutcome),
    ],
)
def test_refusals_are_told_apart(status: int, body: bytes, kind: type[ChannelError]) -> None:
    assert type(refusal(status, {}, body, AT)) is kind


def test_the_limit_that_is_used_up_says_when() -> None:
    in_an_hour, in_a_minute = (str(int((AT + timedelta(seconds=wait)).timestamp())) for wait in (3600, 60))
    headers = {
        "x-rate-limit-remaining": "3",
        "x-rate-limit-reset": in_a_minute,
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": in_an_hour,
    }
    assert refusal(429, headers, b"", AT).retry_after == 3600
    assert refusal(429, headers | {"x-user-limit-24hour-remaining": "9"}, b"", AT).retry_after == 60
    assert refusal(429, {"x-rate-limit-reset": "soon"}, b"", AT).retry_after is None
    assert refusal(429, {"x-rate-limit-reset": "5"}, b"", AT).retry_after == 1


def test_no_id_or_handle_stands_in_an_error() -> None:
    body = b'{"title":"Forbidden","detail":"@ana [2222222222222222222] user 2222222222222222222 is gone"}'
    told = refusal(403, {}, body, AT).detail
    assert "2222" not in told
    assert "ana" not in told


def picture(standin: Standin, house: House, kind: str, text: str) -> RemoteFile:
    encoded = base64.b64encode(PNG).decode()
    standin.ask("POST", f"/x/api/people/{standin.join()}/{kind}", text=text, picture=encoded)
    standin.settled()
    [message] = house.stored.values()
    assert message.text == text
    [file] = message.files
    return file


@pytest.mark.parametrize(("kind", "text"), [("messages", "Mire"), ("posts", "@help mire")])
def test_a_picture_is_fetched_from_x_alone(
    standin: Standin, house: House, kind: str, text: str, tmp_path: Path
) -> None:
    channel = house.channel = adapter(standin.port, tmp_path)
    file = picture(standin, house, kind, text)
    assert file.content_type == "image/png"
    assert channel.fetch(file) == PNG
    with pytest.raises(RecipientError, match="larger"):
        adapter(standin.port, tmp_path, size=50).fetch(file)


@pytest.mark.parametrize(
    "file_id",
    [
        "dm/1/2/gone.jpg",
        "pbs.twimg.com/media/gone.jpg",
        "evil.example/a",
        "dm/../a",
        "pbs.twimg.com/../x",
        "127.0.0.1/x",
    ],
)
def test_a_file_that_is_gone_or_elsewhere_is_given_up(channel: X, file_id: str) -> None:
    with pytest.raises(RecipientError):
        channel.fetch(RemoteFile(id=file_id, filename="a", content_type="image/png"))


def test_a_fault_while_fetching_is_for_later(channel: X, standin: Standin, house: House) -> None:
    file = picture(standin, house, "messages", "Mire")
    standin.fault("status", status=503)
    with pytest.raises(TransientError):
        channel.fetch(file)
