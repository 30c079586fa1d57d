import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from channels.message import Disposition, InboundMessage, RemoteFile
from channels.port import Arrivals, Batch, Feed, Post
from channels.telegram.adapter import UPDATES, Telegram
from channels.telegram.contents import LARGEST_FILE
from channels.telegram.feed import TelegramFeed
from channels.telegram.messages import Posted, read_message
from channels.telegram.verify import HEADER
from models.errors import OperatorError, RecipientError, TransientError, VerificationError
from tests.channels.telegram.conftest import Make
from tests.channels.telegram.town import SECRET, TOKEN, Taken, Town, answering, file, http, letter
from tests.mailrooms import Catcher, open_catcher
from tests.waiting import until

KEY = TOKEN.partition(":")[2]


@pytest.fixture
def bot(town: Town, make: Make) -> Telegram:
    return make(town.url, mode="poll")


@pytest.fixture
def feed(bot: Telegram) -> Iterator[Feed]:
    [made] = bot.feeds()
    assert isinstance(made, TelegramFeed)
    made._held_seconds = 1
    yield made
    made.close()


def look(feed: Feed, cursor: str = "") -> Batch:
    return feed.look(cursor, lambda _: False, datetime.now(UTC))


def waiting(town: Town) -> int:
    pending: int = town.http.get("/api/updates").json()["waiting"]
    return pending


def asking(town: Town) -> bool:
    return bool(town.http.get("/api/updates").json()["asking"])


@pytest.mark.rule("M2.1")
def test_polling_brings_everything_once_and_confirms_with_the_next_look(town: Town, feed: Feed) -> None:
    ana = town.person(language="es")
    town.write(ana, "/start")
    [said] = town.write(ana, "Perdí 10 dólares")
    first = look(feed)
    assert [one.text for one in first.arrivals.messages] == ["Perdí 10 dólares"]
    assert [one.to for one in first.arrivals.greetings] == [str(ana)]
    numbers = [one.n for one in first.arrivals.numbers]
    assert numbers[1] == numbers[0] + 1
    assert first.cursor == str(numbers[1] + 1)
    assert not first.late
    assert waiting(town) == 2
    assert look(feed).arrivals.numbers == first.arrivals.numbers

    town.edit(ana, said["message_id"], "Perdí 100 dólares")
    town.block(ana)
    town.unblock(ana)
    second = look(feed, first.cursor)
    [edited] = second.arrivals.messages
    assert (edited.text, edited.edit_of) == ("Perdí 100 dólares", first.arrivals.messages[0].provider_id)
    assert [one.open for one in second.arrivals.reaches] == [False, True]
    assert waiting(town) == 3

    quiet = look(feed, second.cursor)
    assert quiet == Batch(Arrivals(), second.cursor)
    assert waiting(town) == 0


def test_a_look_waits_for_what_comes(town: Town, feed: Feed) -> None:
    ana = town.person()
    assert isinstance(feed, TelegramFeed)
    feed._held_seconds = 10
    with ThreadPoolExecutor(1) as executor:
        held = executor.submit(look, feed)
        until(lambda: asking(town), "the question is held")
        town.write(ana, "Hola")
        assert [one.text for one in held.result(5).arrivals.messages] == ["Hola"]


def test_more_than_a_hundred_are_told_of(town: Town, feed: Feed) -> None:
    ana = town.person()
    for number in range(101):
        town.write(ana, f"{number}")
    first = look(feed)
    assert (len(first.arrivals.messages), first.more) == (100, True)
    second = look(feed, first.cursor)
    assert ([one.text for one in second.arrivals.messages], second.more) == (["100"], False)


@pytest.mark.rule("M2.1")
def test_an_album_is_several_posts_with_one_mark(town: Town, feed: Feed) -> None:
    ana = town.person()
    town.write(ana, "Las pruebas", files=[file(f"{n}.jpg", b"\xff\xd8", "image/jpeg") for n in range(3)])
    messages = look(feed).arrivals.messages
    assert [one.text for one in messages] == ["Las pruebas", "", ""]
    assert len({one.album for one in messages}) == 1
    assert messages[0].album.startswith(f"{ana}/")
    assert [len(one.files) for one in messages] == [1, 1, 1]
    assert len({one.provider_id for one in messages}) == 3


@pytest.mark.rule("M4.1")
def test_a_deep_link_brings_its_code(town: Town, bot: Telegram, feed: Feed) -> None:
    ana = town.person()
    link = bot.link("c0de-Of_binding")
    assert link == "https://t.me/plazo_test_bot?start=c0de-Of_binding"
    assert town.http.post(f"/people/{ana}/start", data={"link": link}, follow_redirects=False).status_code == 303
    arrivals = look(feed).arrivals
    [claim] = arrivals.claims
    assert (claim.code, claim.address, claim.name) == ("c0de-Of_binding", str(ana), "Ana")
    assert (arrivals.messages, arrivals.greetings) == ((), ())


def test_what_cannot_be_read_holds_up_nothing(town: Town, feed: Feed) -> None:
    ana = town.person()
    town.http.post("/api/updates", json={"hostile": True})
    town.http.post("/api/updates", json={"update_id": 7, "message": 7})
    town.write(ana, "Hola")
    batch = look(feed)
    assert [one.text for one in batch.arrivals.messages] == ["", "Hola"]
    assert batch.cursor == str(batch.arrivals.numbers[1].n + 1)


def test_one_that_reading_fails_on_is_kept_and_holds_up_no_other(
    town: Town, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = town.person()
    for text in ("uno", "mal", "dos"):
        town.write(ana, text)

    def failing(posted: Posted) -> InboundMessage | None:
        if posted.post["text"] == "mal":
            raise RecursionError
        return read_message(posted)

    monkeypatch.setattr("channels.telegram.updates.read_message", failing)
    batch = look(feed)
    numbers = [one.n for one in batch.arrivals.numbers]
    assert batch.cursor == str(numbers[0] + 3)
    one, kept, two = batch.arrivals.messages
    assert (one.text, two.text) == ("uno", "dos")
    assert (kept.disposition, kept.provider_id) == (Disposition.UNANSWERABLE, f"4242:update/{numbers[1]}")
    assert b'"mal"' in kept.raw


def test_updates_without_any_number_are_no_silence(town: Town, feed: Feed) -> None:
    town.http.post("/api/updates", json={"hostile": True})
    with pytest.raises(TransientError, match="update_id"):
        look(feed)


def test_a_webhook_in_the_way_is_told_with_how_to_mend_it(town: Town, bot: Telegram, feed: Feed) -> None:
    bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(OperatorError, match="deleteWebhook"):
        look(feed)
    bot.delete_webhook()
    assert look(feed) == Batch(Arrivals(), "")


def test_two_that_ask_are_told(town: Town, feed: Feed) -> None:
    assert isinstance(feed, TelegramFeed)
    feed._held_seconds = 10
    with ThreadPoolExecutor(1) as executor:
        held = executor.submit(look, feed)
        until(lambda: asking(town), "the first asks")
        town.call("getUpdates", timeout=0)
        with pytest.raises(TransientError, match="another process"):
            held.result(5)


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, OperatorError), (404, OperatorError), (429, TransientError), (500, TransientError), (502, TransientError)],
)
def test_a_failing_look_is_told(town: Town, feed: Feed, status: int, error: type[Exception]) -> None:
    town.fault("status", method="getUpdates", status=status, count=1)
    with pytest.raises(error) as raised:
        look(feed)
    assert type(raised.value) is error
    assert KEY not in str(raised.value)


def test_closing_ends_a_look_at_once(town: Town, bot: Telegram, feed: Feed) -> None:
    ana = town.person()
    town.write(ana, "Hola")
    cursor = look(feed).cursor
    assert isinstance(feed, TelegramFeed)
    feed._held_seconds = 20
    with ThreadPoolExecutor(1) as executor:
        held = executor.submit(look, feed, cursor)
        until(lambda: asking(town), "the question is held")
        began = time.monotonic()
        feed.close()
        assert held.result(10) == Batch(Arrivals(), cursor)
        assert time.monotonic() - began < 3
    assert look(feed, cursor) == Batch(Arrivals(), cursor)
    bot.send(letter(ana), Taken())


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with open_catcher() as caught:
        yield caught


def posts(catcher: Catcher) -> list[Post]:
    found = [({name.lower(): value for name, value in headers.items()}, body) for headers, body in list(catcher.posts)]
    return [Post(UPDATES, headers, body) for headers, body in found]


@pytest.mark.rule("M2.1")
def test_a_webhook_is_told_of_updates_with_the_secret(make: Make, town: Town, catcher: Catcher) -> None:
    bot = make(town.url)
    assert bot.feeds() == ()
    ana = town.person()
    catcher.answers += [503, 500]
    bot.set_webhook(catcher.url)
    town.write(ana, "Hola")
    until(lambda: len(catcher.posts) == 3, "it was posted until it was taken")
    until(lambda: not bot.webhook_info()["pending_update_count"], "nothing waits")
    now = datetime.now(UTC)
    for post in posts(catcher):
        bot.knock(UPDATES, post.headers)
        bot.verify(post, now)
    found = [bot.parse(post, now) for post in posts(catcher)]
    assert found[0] == found[1] == found[2]
    assert found[0].messages[0].text == "Hola"
    info = bot.webhook_info()
    assert (info["url"], info["allowed_updates"]) == (catcher.url, ["message", "edited_message", "my_chat_member"])
    assert "500" in info["last_error_message"]


@pytest.mark.rule("M2.1")
def test_the_same_update_fifty_times_at_once_is_one_message(make: Make, town: Town) -> None:
    bot = make(town.url)
    body = json.dumps({"update_id": 5, "message": _message(7)}).encode()
    other = json.dumps({"update_id": 4, "message": _message(6)}).encode()
    now = datetime.now(UTC)
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(lambda each: bot.parse(Post(UPDATES, {}, each), now), [body, other] * 25))
    assert len({one.messages[0].provider_id for one in found}) == 2
    assert {one.numbers[0].n for one in found} == {4, 5}


def _message(number: int) -> dict[str, Any]:
    return {"message_id": number, "from": {"id": 9}, "chat": {"id": 9, "type": "private"}, "date": 1, "text": "Hola"}


def test_a_forged_post_has_no_effect_and_is_not_logged(
    make: Make, town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    bot = make(town.url)
    with caplog.at_level("DEBUG"), pytest.raises(VerificationError):
        bot.verify(Post(UPDATES, {HEADER: "guess"}, b"{}"), datetime.now(UTC))
    assert "guess" not in caplog.text
    assert SECRET not in caplog.text


def test_a_webhook_needs_a_secret_of_ours(make: Make, town: Town) -> None:
    with pytest.raises(OperatorError, match="PLAZO_TELEGRAM_SECRET"):
        make(town.url, secret=SecretStr("")).set_webhook("https://example.org/intake/telegram/updates")


def test_files_are_fetched_as_they_were_sent(town: Town, bot: Telegram, feed: Feed) -> None:
    ana = town.person()
    content = bytes(range(256)) * 5000
    town.write(ana, "", files=[file("a.pdf", content)])
    town.write(ana, "", files=[file("b.jpg", b"\xff\xd8", "image/jpeg")])
    arrivals = look(feed).arrivals
    [pdf], [jpg] = (one.files for one in arrivals.messages)
    assert (pdf.filename, pdf.content_type, pdf.size) == ("a.pdf", "application/pdf", len(content))
    assert bot.fetch(pdf) == content
    assert bot.fetch(jpg) == b"\xff\xd8"


def test_what_is_too_large_is_told_of_and_never_fetched(town: Town, bot: Telegram, feed: Feed) -> None:
    ana = town.person()
    town.write(ana, "Mire", files=[file("v.mp4", size=LARGEST_FILE + 1)])
    [found] = look(feed).arrivals.messages
    assert (found.files, found.dropped[0].what) == ((), "v.mp4")
    sent = town.http.get(f"/api/chats/{ana}/messages").json()[0]["document"]["file_id"]
    with pytest.raises(RecipientError, match="too big"):
        bot.fetch(RemoteFile(id=sent, filename="v.mp4", content_type="video/mp4"))


def test_a_file_that_is_larger_than_it_said_is_cut_short(
    town: Town, bot: Telegram, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = town.person()
    town.write(ana, "", files=[file("a.pdf", b"x" * 200_000, size=10)])
    monkeypatch.setattr("channels.telegram.adapter.LARGEST_FILE", 100_000)
    with pytest.raises(RecipientError, match="more than 100000 bytes"):
        bot.fetch(look(feed).arrivals.messages[0].files[0])


FILE = RemoteFile(id="BQAC", filename="a", content_type="b")


@pytest.mark.parametrize(
    ("status", "description", "error"),
    [
        (400, "Bad Request: invalid file_id", RecipientError),
        (400, "Bad Request: wrong file_id or the file is temporarily unavailable", TransientError),
        (400, "Bad Request: something else", OperatorError),
        (401, "", OperatorError),
        (429, "", TransientError),
        (502, "", TransientError),
    ],
)
def test_why_a_file_cannot_be_fetched(
    town: Town, bot: Telegram, status: int, description: str, error: type[Exception]
) -> None:
    town.fault("status", method="getFile", status=status, description=description, count=1)
    with pytest.raises(error) as raised:
        bot.fetch(FILE)
    assert type(raised.value) is error
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "a/../b", "http://127.0.0.1/", "a?b", "", None, 7, ".x"]
)
def test_a_strange_path_is_not_followed(make: Make, path: Any) -> None:
    body = json.dumps({"ok": True, "result": {"file_path": path}}).encode()
    with answering(http(200, body)) as url, pytest.raises(TransientError, match="no path"):
        make(url).fetch(FILE)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 500])
def test_a_download_that_fails_shows_no_token(make: Make, status: int, caplog: pytest.LogCaptureFixture) -> None:
    named = http(200, b'{"ok": true, "result": {"file_path": "documents/a.pdf"}}')
    with answering(named, http(status, b"")) as url, caplog.at_level("DEBUG"), pytest.raises(Exception) as raised:  # noqa: PT011
        make(url).fetch(FILE)
    assert isinstance(raised.value, TransientError if status in {404, 500} else OperatorError)
    assert KEY not in f"{raised.value!r}{raised.value.__context__!r}{caplog.text}"


def test_half_a_file_is_no_file(make: Make) -> None:
    named = http(200, b'{"ok": true, "result": {"file_path": "documents/a.pdf"}}')
    half = b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n%PDF"
    with answering(named, half) as url, pytest.raises(TransientError, match="could not be fetched"):
        make(url).fetch(FILE)
