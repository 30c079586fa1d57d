"""The stream: every event once and in order, whoever wrote it and however often the connection breaks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice

import httpx2
import pytest

from models.inquiry import CHAT
from records.chat import LETTER, MESSAGE
from starter.chat import streams
from tests.chat.site import Site, Told, Visit
from tests.waiting import until

SOON = 5
"""Seconds: far more than a look at the book takes on a busy machine, far less than a stream left alone would."""


def said(stream: Iterator[Told], count: int) -> list[Told]:
    """The next events; signs of life are passed over."""
    return list(islice((one for one in stream if one.event != "comment"), count))


def numbers(events: list[Told]) -> list[int]:
    return [int(one.id) for one in events]


def test_what_was_said_comes_first_then_whatever_comes(site: Site) -> None:
    visit = site.open()
    reference = visit.taken("uno")["reference"]
    with visit.stream() as stream:
        [first] = said(stream, 1)
        visit.taken("dos", attachments=[{"filename": "a.pdf", "data": "YQ=="}])
        visit.write(f"{reference}/reply/1", html="<b>Sí</b><script>x</script>", text="Sí\nno\u2028\r\nid: 7\n\n")
        second, third = said(stream, 2)
    assert first == ("1", MESSAGE, {**first.data, "seq": 1, "text": "uno", "reference": reference})
    assert second == ("2", MESSAGE, {**second.data, "seq": 2, "text": "dos"})
    assert second.data["attachments"] == [{"filename": "a.pdf", "content_type": "application/octet-stream", "size": 1}]
    assert third == ("3", LETTER, {**third.data, "seq": 3, "text": "Sí\nno\u2028\r\nid: 7\n\n", "html": "<b>Sí</b>"})


def test_it_goes_on_behind_the_last_event_known(site: Site) -> None:
    visit = site.open()
    for text in ("uno", "dos", "tres"):
        visit.taken(text)
    for path, headers in (("/events", {"Last-Event-ID": "1"}), ("/events?after=1", {})):
        with visit.stream(path, **headers) as stream:
            assert numbers(said(stream, 2)) == [2, 3]
    with visit.stream("/events?after=0", **{"Last-Event-ID": "2"}) as stream:
        assert numbers(said(stream, 1)) == [3], "the header is the newer one"
    with visit.stream(**{"Last-Event-ID": "99"}) as stream:
        visit.taken("cuatro")
        assert numbers(said(stream, 1)) == [4], "a number we never gave hides nothing"
    for wrong in ("x", "-1", "9" * 30):
        answer = visit.call("GET", f"/events?after={wrong}")
        assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")


def test_nothing_comes_twice_and_nothing_is_lost_while_connections_break(serve: Callable[..., Site]) -> None:
    """Two processes on one book, a visitor who writes, a worker who answers, and a stream that breaks all the time."""
    first, second = serve(messages_per_minute=1000), serve(messages_per_minute=1000)
    visit = first.open()
    elsewhere = Visit(second, visit.session, visit.token, visit.expires_at.isoformat(), bound=False)
    count = 60

    def write() -> None:
        for n in range(count // 3):
            visit.taken(f"a{n}")
            elsewhere.taken(f"b{n}")
            visit.write(f"RX-7KQ4-M2PD/reply/{n + 1}")

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while len(seen) < count:
        place = (visit, elsewhere)[len(seen) % 2]
        with place.stream(**{"Last-Event-ID": str(seen[-1] if seen else 0)}) as stream:
            seen += numbers(said(stream, min(7, count - len(seen))))
    writer.join()
    assert seen == list(range(1, count + 1))


def test_a_letter_of_another_process_comes_soon(site: Site) -> None:
    visit = site.open()
    with visit.stream() as stream:
        next(stream)
        began = time.monotonic()
        visit.write()
        [event] = said(stream, 1)
        assert event.event == LETTER
        assert time.monotonic() - began < SOON


def test_a_page_that_is_loaded_anew_still_hears_of_letters(site: Site) -> None:
    visit = site.open()
    for n in range(1, 6):
        with visit.stream(**{"Last-Event-ID": str(n - 1)}) as stream:
            next(stream)
            time.sleep(0.05 * n)
            began = time.monotonic()
            visit.write(f"RX-7KQ4-M2PD/reply/{n}")
            assert numbers(said(stream, 1)) == [n]
            assert time.monotonic() - began < SOON


def test_what_this_process_wrote_comes_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PAUSE", 30)
    visit = site.open()
    with visit.stream() as stream, visit.stream() as other:
        next(stream), next(other)
        began = time.monotonic()
        visit.taken("uno")
        assert numbers(said(stream, 1)) == numbers(said(other, 1)) == [1]
        assert time.monotonic() - began < SOON


def test_typing_and_reading_pass_by_without_a_number(site: Site) -> None:
    visit = site.open()
    visit.write()
    with visit.stream(**{"Last-Event-ID": "1"}) as stream:
        next(stream)
        visit.call("POST", "/typing")
        assert said(stream, 1) == [("", "typing", {"by": "visitor"})]
        visit.call("POST", "/seen", {"seq": 1})
        assert said(stream, 1) == [("", "read", {"seq": 1, "by": "visitor"})]


def test_a_quiet_stream_gives_signs_of_life_and_says_when_to_come_again(site: Site) -> None:
    visit = site.open()
    lines: list[str] = []
    url = f"{site.url}/chat/v1/events"
    with httpx2.Client() as http, http.stream("GET", url, headers=visit.headers) as answer:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        for line in answer.iter_lines():
            lines.append(line)
            if sum(one.startswith(": ping") for one in lines) == 2:
                break
    assert "retry: 1000" in lines


def test_a_ticket_opens_one_stream(site: Site) -> None:
    visit = site.open()
    visit.taken("uno")
    ticket = visit.call("POST", "/tickets").json()["ticket"]
    with visit.stream(f"/events?ticket={ticket}&after=0") as stream:
        assert numbers(said(stream, 1)) == [1]
    for used in (ticket, "x", "%00", "%ff"):
        answer = site.http.get(f"/chat/v1/events?ticket={used}")
        assert (answer.status_code, answer.json()["code"]) == (401, "ticket.unknown")


def test_one_conversation_is_open_in_so_many_places(serve: Callable[..., Site]) -> None:
    site = serve(streams_per_session=2)
    visit = site.open()
    with visit.stream() as one, visit.stream() as two:
        next(one), next(two)
        answer = visit.call("GET", "/events")
        assert (answer.status_code, answer.json()["code"]) == (429, "chat.too-many")
        assert int(answer.headers["retry-after"]) > 0
        with site.open().stream() as other:
            next(other)
    until(lambda: not site.desk.streams.full(visit.session), "the streams are closed")
    with visit.stream() as one:
        next(one)
    until(lambda: not site.desk.streams._open, "nothing is left of them")


@pytest.mark.rule("M4.2")
def test_who_holds_a_stream_open_is_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PAUSE", 0.05)
    visit = site.open(email="ana@example.org")
    visit.taken("uno")
    site.later = timedelta(minutes=5)
    assert not site.transcript.reachable(visit.session, site.now())
    with visit.stream() as stream:
        next(stream)
        assert site.transcript.reachable(visit.session, site.now()), "at once"
        began = site.row(visit.session).seen_at
        site.later += timedelta(seconds=10)
        said(stream, 1)
        site.later += timedelta(seconds=21)
        until(lambda: site.row(visit.session).seen_at > began + timedelta(seconds=20), "it is renewed")
    until(lambda: not site.desk.streams._open, "the stream is closed")
    site.later += timedelta(minutes=3)
    assert not site.transcript.reachable(visit.session, site.now())


def test_a_stream_ends_with_its_session(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    visit = site.open()
    with visit.stream() as stream:
        next(stream)
        site.later = timedelta(days=181)
        site.desk.streams.tell(visit.session, "typing", {"by": "us"})
        assert [one.event for one in stream if one.event != "comment"] in ([], ["typing"])


def test_while_the_book_is_away_the_stream_waits(site: Site) -> None:
    visit = site.open()
    with visit.stream() as stream:
        next(stream)
        with site.database.write() as session:
            session.connection().exec_driver_sql("ALTER TABLE chat_events RENAME TO gone")
        site.desk.streams.tell(visit.session, "typing", {"by": "us"})
        assert said(stream, 1) == [("", "typing", {"by": "us"})]
        with site.database.write() as session:
            session.connection().exec_driver_sql("ALTER TABLE gone RENAME TO chat_events")
        visit.taken("uno")
        assert numbers(said(stream, 1)) == [1]


def test_hostile_words_cannot_break_out_of_their_event(site: Site) -> None:
    visit = site.open()
    words = "x\n\nevent: letter\ndata: {}\r\n\r\rid: 9\n\n: \u2028\u0085"
    visit.taken(words)
    with visit.stream() as stream:
        [event] = said(stream, 1)
    assert (event.id, event.event) == ("1", MESSAGE)
    assert event.data["text"] == json.loads(json.dumps(event.data["text"]))
    stored = site.stored(visit.session, event.data["client_msg_id"])
    assert stored is not None
    assert (event.data["text"], stored.channel) == (stored.text, CHAT)
