"""What was posted is read as it came: purely, whatever stands in it, and never as received later than it was stored."""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.message import Disposition, InboundMessage
from channels.port import Arrivals, Post
from channels.text import clean, one_line
from models.errors import UnreadableMessage
from tests.channels.contract.finding import each
from tests.channels.contract.specimen import Point, Said, Specimen, utcnow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("9" * 400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
HOSTILE = {
    "two lines": "Mi retiro no llegó.\n\n¿Dónde está?",
    "markup": "<script>alert(1)</script> <b>&amp; &lt;</b> & < >",
    "direction": "factura\u202egpj.exe\u202c",
    "templates": "{{7*7}} ${7*7} %s {0} #{x}",
    "a query": "'; DROP TABLE messages; --",
    "marks": "Z̴̡̢̛̛̗̪̗a̷̛̗l̴̢̛g̵̨̛o̷̧",
    "beyond the basic plane": "🦊👩‍👩‍👧 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 中文 עברית",
    "a link": "https://example.org/?a=1&b=2#c",
    "headers": "x\r\nBcc: eva@example.org\r\n\r\nx",
    "long": "palabra " * 400,
    "a word": "x" * 3000,
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
WORLD = {"open", "urandom", "connect", "getrandbits", "random", "sendall"}


@contextmanager
def frozen() -> Iterator[list[str]]:
    """Notes every look at a clock, at chance or at the world outside."""
    seen: list[str] = []

    def look(frame: FrameType, event: str, called: Any) -> None:
        name = getattr(called, "__name__", "")
        if event == "c_call" and name in CLOCKS | WORLD:
            seen.append(f"{name} in {frame.f_code.co_filename}")

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def read(it: Specimen, post: Post, stored_at: datetime) -> Arrivals:
    """What stands in a post; nothing where it cannot be read."""
    with suppress(UnreadableMessage):
        arrivals = it.adapter.parse(post, stored_at)
        for message in arrivals.messages:
            check(it, message, stored_at)
        for report in arrivals.reports:
            assert report.at.utcoffset() is not None
            assert "@" not in report.reason
        for reach in arrivals.reaches:
            assert reach.channel == it.channel
            assert reach.at.utcoffset() is not None
        return arrivals
    return Arrivals()


def check(it: Specimen, message: InboundMessage, stored_at: datetime) -> None:
    """What holds for every message, however it came to be."""
    assert message.channel == it.channel
    assert message.received_at.utcoffset() == timedelta(0)
    assert message.received_at <= stored_at
    assert message.raw_sha256 == hashlib.sha256(message.raw).hexdigest()
    assert message.text == clean(message.text)
    assert message.full_text == clean(message.full_text)
    assert len(message.text) <= it.policy.intake.max_text_characters
    for line in (message.subject, message.sender_name, *(one.filename for one in message.files)):
        assert line == one_line(line, 1000), "it is one line, without controls"
    for text in (message.provider_id, message.sender, message.message_id, message.in_reply_to):
        assert not CONTROLS.search(text), "an id is fit for a database and a log"
    assert message.sender or message.disposition is not Disposition.MESSAGE, "nobody can be answered"
    assert message.sender_verified or not message.bound
    assert message.sender or not message.sender_verified
    for file in message.attachments:
        assert file.sha256 == hashlib.sha256(file.content).hexdigest()


@each(Point.DOOR)
def test_the_same_post_reads_the_same_without_any_look_outside(it: Specimen) -> None:
    now = utcnow()
    for post in it.posts(now).values():
        first = it.adapter.parse(post, now)
        with frozen() as seen:
            again = it.adapter.parse(post, now)
        assert again == first
        assert seen == []


def test_the_watch_over_clocks_sees_them() -> None:
    with frozen() as seen:
        datetime.now(UTC)
    assert len(seen) == 1


@each(Point.DOOR)
@pytest.mark.rule("M5.5")
def test_a_post_read_again_later_is_the_same_message(it: Specimen) -> None:
    now = utcnow()
    for post in it.posts(now).values():
        first, again = read(it, post, now), read(it, post, now + timedelta(hours=5))
        assert [one.provider_id for one in again.messages] == [one.provider_id for one in first.messages]
        assert [one.event_id for one in again.reports] == [one.event_id for one in first.reports]
        assert [one.event_id for one in again.reaches] == [one.event_id for one in first.reaches]
        assert again.numbers == first.numbers


@each(Point.DOOR)
def test_every_kind_of_post_brings_what_it_should(it: Specimen) -> None:
    brought = [read(it, post, utcnow()) for post in it.posts(utcnow()).values()]
    assert any(one.messages for one in brought)


@each()
@pytest.mark.rule("M5.5")
def test_a_message_has_one_id_however_often_it_comes(it: Specimen) -> None:
    now = utcnow()
    first, again, other = (it.receive(Said(it.someone, "Hola", now, n=n), now) for n in (41, 41, 42))
    assert first.provider_id == again.provider_id
    assert first.provider_id != other.provider_id
    assert first.message_id


@each()
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.rule("M2.1")
def test_words_are_stored_as_they_came(it: Specimen, kind: str) -> None:
    now = utcnow()
    number = 1000 + list(HOSTILE).index(kind)
    message = it.receive(Said(it.someone, HOSTILE[kind], now, n=number), now)
    check(it, message, utcnow())
    assert message.full_text.strip() == clean(HOSTILE[kind]).strip()
    assert message.sender == it.someone
    assert message.disposition is Disposition.MESSAGE
    assert not message.unreadable


@each()
def test_what_no_database_can_hold_is_left_out(it: Specimen) -> None:
    now = utcnow()
    message = it.receive(Said(it.someone, "a\x00b\x07c\x1b[31md\x85e", now, n=2000), now)
    check(it, message, utcnow())
    assert message.full_text.strip() == "abc[31mde"


@each()
def test_a_text_beyond_the_policys_is_cut_and_says_so(it: Specimen) -> None:
    now, most = utcnow(), it.policy.intake.max_text_characters
    message = it.receive(Said(it.someone, "palabra " * (most // 8 + 10), now, n=2001), now)
    check(it, message, utcnow())
    assert len(message.text) > most // 2
    assert message.dropped, "what was left out is told"
    assert len(message.raw) > most, "the raw copy has all of it"


@each()
@pytest.mark.parametrize(
    "name", ["Roxom <help@example.org>", 'Ana "x" <eva@example.com>', "a\r\nFrom: eva@example.com"]
)
def test_a_name_is_never_taken_for_an_address(it: Specimen, name: str) -> None:
    now = utcnow()
    number = 2100 + len(name)
    quoted = name.replace("\\", "").replace('"', "'").replace("\r\n", " ")
    message = it.receive(Said(it.someone, "Hola", now, n=number, name=f'"{quoted}"'), now)
    assert message.sender == it.someone


@each()
@pytest.mark.rule("M3.7")
def test_nobody_is_bound_but_whom_the_channel_vouches_for(it: Specimen) -> None:
    known = it.identities(utcnow())
    assert known
    for name, (message, verified, bound) in known.items():
        check(it, message, utcnow() + timedelta(seconds=1))
        assert (message.sender_verified, message.bound) == (verified, bound), name


@each(Point.RECEPTION)
@pytest.mark.rule("M3.2")
def test_the_providers_time_is_the_reception(it: Specimen) -> None:
    now = utcnow()
    earlier = now - timedelta(hours=3)
    assert it.receive(Said(it.someone, "Hola", earlier, n=3001), now).received_at == earlier


@each()
@pytest.mark.parametrize("at", [timedelta(days=1), timedelta(minutes=2), -timedelta(days=20_000)], ids=str)
@pytest.mark.rule("M3.2")
def test_no_reception_lies_ahead_or_is_absurd(it: Specimen, at: timedelta) -> None:
    now = utcnow()
    message = it.receive(Said(it.someone, "Hola", now + at, n=30_002 + at.days), now)
    assert now - timedelta(minutes=1) < message.received_at <= utcnow() + timedelta(seconds=1)


@each(Point.DOOR)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_post_is_read_or_unreadable(it: Specimen, data: st.DataObject) -> None:
    post = data.draw(st.sampled_from(list(it.posts(utcnow()).values())))
    body = data.draw(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
    types = st.sampled_from([post.headers.get("content-type", ""), "multipart/form-data; boundary=x", "é"])
    headers = {**post.headers, "content-type": data.draw(types)}
    read(it, Post(post.door, headers, body, whole=data.draw(st.booleans())), utcnow())


@each(Point.DOOR)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_a_post_it_is_read_or_unreadable(it: Specimen, data: st.DataObject) -> None:
    post = data.draw(st.sampled_from(list(it.posts(utcnow()).values())))
    try:
        known = json.loads(post.body)
    except ValueError:
        at = data.draw(st.integers(0, len(post.body)))
        end = data.draw(st.integers(at, min(at + 50, len(post.body))))
        body = post.body[:at] + data.draw(st.binary(max_size=30)) + post.body[end:]
    else:
        body = json.dumps(changed(known, data)).encode()
    read(it, Post(post.door, post.headers, body), utcnow())


def changed(value: Any, data: st.DataObject) -> Any:
    """The value with another one somewhere in it."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 5)):
        copied = dict(value) if isinstance(value, dict) else dict(enumerate(value))
        key = data.draw(st.sampled_from(sorted(copied)))
        copied[key] = changed(copied[key], data)
        return copied if isinstance(value, dict) else list(copied.values())
    return data.draw(JSON)
