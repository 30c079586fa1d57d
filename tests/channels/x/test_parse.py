import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.message import Disposition, InboundMessage
from channels.port import Arrivals
from channels.x.parse import read_post
from channels.x.reading import Reader
from models.errors import UnreadableMessage
from models.inquiry import Kind, Language
from tests.channels.x.envelopes import ANA, CHAT, DIRECT, MENTION, MESSAGE, US, changed

READER = Reader(us=US, longest=1_000, most=2)
STORED = datetime(2026, 7, 24, 21, 30, tzinfo=UTC)


def read(event: Any, stored_at: datetime = STORED) -> Arrivals:
    return read_post(READER, json.dumps(event).encode(), stored_at)


def one(event: Any, stored_at: datetime = STORED) -> InboundMessage:
    [message] = read(event, stored_at).messages
    return message


def photo(address: str, **more: Any) -> dict[str, Any]:
    media = {"media_url_https": address, "type": "photo", "url": "https://t.co/pic1", **more}
    return changed(
        changed(DIRECT, *MESSAGE, "message_create", "message_data", "attachment", to={"type": "media", "media": media}),
        *(*MESSAGE, "message_create", "message_data", "text"),
        to="Mire https://t.co/pic1",
    )


@pytest.mark.rule("M2.1")
def test_a_direct_message_is_read_with_who_wrote_it_and_when() -> None:
    message = one(DIRECT)
    assert (message.channel, message.provider_id, message.message_id) == ("x", *["2080765901528535096"] * 2)
    assert message.received_at == datetime(2026, 7, 24, 21, 23, 44, 372000, tzinfo=UTC)
    assert (message.sender, message.sender_name, message.sender_verified) == (ANA, "Ana (@ana_x)", True)
    assert message.recipients == (US,)
    assert not message.bound
    assert message.text == "¿Dónde está mi retiro? Tarifas < 1 & https://example.org/recibo"
    assert (message.language, message.disposition_reason, message.public_place) == (Language.ES, "", "")
    assert message.raw == json.dumps(DIRECT).encode()


def test_a_repetition_and_another_delivery_are_the_same_message() -> None:
    again = changed(DIRECT, "event_uuid", to="77")
    twice = changed(
        DIRECT, "payload", "direct_message_events", to=DIRECT["data"]["payload"]["direct_message_events"] * 2
    )
    assert {one(event).provider_id for event in (DIRECT, again, twice)} == {"2080765901528535096"}


def test_users_of_the_older_shape_give_their_name_too() -> None:
    old = {ANA: {"id": ANA, "created_timestamp": "1", "name": "Ana", "screen_name": "ana_x"}}
    assert one(changed(DIRECT, "payload", "users", to=old)).sender_name == "Ana (@ana_x)"


def test_what_we_wrote_ourselves_and_other_kinds_of_events_bring_nothing() -> None:
    ours = changed(DIRECT, *MESSAGE, "message_create", "sender_id", to=US)
    assert read(ours) == Arrivals()
    assert read(changed(MENTION, "payload", "author_id", to=US)) == Arrivals()
    assert read(changed(CHAT, "payload", "sender_id", to=US)) == Arrivals()
    for kind in ("dm.sent", "dm.read", "dm.indicate_typing", "chat.sent", "follow.follow", "of.tomorrow"):
        assert read(changed(DIRECT, "event_type", to=kind)) == Arrivals()


def test_an_event_older_than_a_day_is_taken_and_marked() -> None:
    fresh, late = one(DIRECT, STORED), one(DIRECT, STORED + timedelta(hours=30))
    assert fresh.disposition_reason == ""
    assert late.disposition is Disposition.MESSAGE
    assert late.disposition_reason == "late: X told of it 30 hours after it was written"
    assert late.received_at == fresh.received_at


@pytest.mark.parametrize("stamp", ["99999999999999", "0", "-5", "", None, True, 1e300, "1784928224372.5", [], "9" * 40])
def test_reception_is_never_later_than_storing_and_never_absurd(stamp: Any) -> None:
    assert one(changed(DIRECT, *MESSAGE, "created_timestamp", to=stamp)).received_at == STORED


def test_without_an_id_the_message_is_known_by_its_content() -> None:
    nameless = changed(DIRECT, *MESSAGE, "id", to={"a": 1})
    assert one(nameless).provider_id.startswith("sha256:")
    assert one(nameless).provider_id == one(changed(nameless, "event_uuid", to="78")).provider_id


def test_without_a_sender_nobody_can_be_answered() -> None:
    message = one(changed(DIRECT, *MESSAGE, "message_create", "sender_id", to="../evil"))
    assert (message.sender, message.sender_verified, message.disposition) == ("", False, Disposition.UNANSWERABLE)


def test_a_picture_is_left_for_later_under_an_id_of_its_own() -> None:
    message = one(photo("https://ton.twitter.com/1.1/ton/data/dm/10/20/oP5p359h.jpg"))
    [file] = message.files
    assert (file.id, file.filename, file.content_type) == ("dm/10/20/oP5p359h.jpg", "photo.jpg", "image/jpeg")
    assert message.text == "Mire"


def test_the_largest_film_is_taken() -> None:
    variants = [
        {"content_type": "video/mp4", "bitrate": 256, "url": "https://video.twimg.com/dm_video/1/vid/320/a.mp4?tag=1"},
        {"content_type": "video/mp4", "bitrate": 832, "url": "https://video.twimg.com/dm_video/1/vid/640/b.mp4?tag=1"},
        {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/dm_video/1/pl/c.m3u8"},
    ]
    event = photo("https://pbs.twimg.com/dm_video_preview/1/img/x.jpg", type="video", video_info={"variants": variants})
    [file] = one(event).files
    assert (file.id, file.filename) == ("video.twimg.com/dm_video/1/vid/640/b.mp4?tag=1", "video.mp4")


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://ton.twitter.com/1.1/ton/data/dm/10/20/a.jpg",
        "https://ton.twitter.com.evil.example/1.1/ton/data/dm/10/20/a.jpg",
        "https://ton.twitter.com@evil.example/1.1/ton/data/dm/10/20/a.jpg",
        "https://ton.twitter.com/1.1/ton/data/dm/../../2/users/me",
        "https://ton.twitter.com/1.1/ton/data/dm/10/20/..",
        "https://pbs.twimg.com:8443/media/a.jpg",
        "https://pbs.twimg.com/media/../a.jpg",
        "https://pbs.twimg.com/media/a.jpg?u=http://evil",
        "https://[::1/media",
        "file:///etc/passwd",
        "",
        7,
    ],
)
def test_a_file_anywhere_else_is_not_fetched_and_the_message_says_so(address: Any) -> None:
    message = one(photo(address))
    assert message.files == ()
    assert [dropped.what for dropped in message.dropped] == ["photo"]


@pytest.mark.rule("M2.1")
def test_an_encrypted_chat_is_received_and_cannot_be_read() -> None:
    message = one(CHAT)
    assert (message.unreadable, message.text, message.sender) == ("encrypted", "", ANA)
    assert message.provider_id == "chat/e4f4d3fc-8bbf-4928-92eb-e5058d6bb6f6"
    assert message.received_at == datetime(2026, 7, 23, 21, 13, 3, 370000, tzinfo=UTC)
    assert message.kind is Kind.COMPLAINT
    without = copy.deepcopy(CHAT)
    del without["data"]["payload"]["id"]
    assert one(without).provider_id == "chat/8511582263942905822"


@pytest.mark.rule("M2.1")
def test_a_public_mention_is_received_at_a_public_place() -> None:
    message = one(MENTION)
    assert (message.provider_id, message.public_place) == ("post/2080765813578191303", "2080765813578191303")
    assert (message.sender, message.sender_name) == (ANA, "Ana (@ana_x)")
    assert message.text == "hey @help, my withdrawal is missing"
    assert message.received_at == datetime(2026, 7, 24, 21, 23, 23, tzinfo=UTC)
    assert message.language is Language.EN


def test_a_mention_that_is_an_answer_too_is_one_message() -> None:
    replied = changed(MENTION, "payload", "referenced_tweets", to=[{"type": "replied_to", "id": "55"}])
    answer = changed(replied, "event_type", to="post.reply.create")
    assert one(answer).provider_id == one(MENTION).provider_id
    assert one(answer).in_reply_to == "post/55"


def test_a_long_post_is_read_whole_and_its_pictures_are_left_for_later() -> None:
    long = changed(MENTION, "payload", "note_tweet", to={"text": "the whole of it"})
    assert one(long).text == "the whole of it"
    event = changed(MENTION, "payload", "attachments", to={"media_keys": ["3_1", "3_2", "3_3", 9]})
    media = [
        {"media_key": "3_1", "type": "photo", "url": "https://pbs.twimg.com/media/A.jpg"},
        {"media_key": "3_2", "type": "photo", "url": "https://evil.example/B.jpg"},
    ]
    message = one(changed(event, "includes", "media", to=media))
    assert [file.id for file in message.files] == ["pbs.twimg.com/media/A.jpg"]
    assert len(message.dropped) == 2


def test_a_text_over_the_limit_is_cut_and_says_so() -> None:
    message = one(changed(DIRECT, *MESSAGE, "message_create", "message_data", "text", to="a" * 5_000))
    assert len(message.text) == 1_000
    assert [dropped.what for dropped in message.dropped] == ["text"]


def test_hostile_names_and_words_are_kept_on_one_line_and_without_controls() -> None:
    users = {ANA: {"data": {"id": ANA, "name": 'x\r\nBcc: a@b\u202e"', "username": "<b>"}}}
    event = changed(DIRECT, "payload", "users", to=users)
    message = one(changed(event, *MESSAGE, "message_create", "message_data", "text", to="a\x00b\ud800<script>"))
    assert message.sender_name == 'x Bcc: a@b " (@<b>)'
    assert message.text == "ab<script>"


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[]", b"null", b"7", b"{}", b'{"data":[]}', b'{"data":{"event_type":7}}', b"\xff", b"[" * 90_000],
)
def test_what_is_no_event_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        read_post(READER, body, STORED)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.sampled_from([ANA, US]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(found for key, inner in below for found in paths(inner, (*here, key)))]


def harmless(body: bytes) -> None:
    try:
        arrivals = read_post(READER, body, STORED)
    except UnreadableMessage:
        return
    for message in arrivals.messages:
        assert message.received_at <= STORED
        assert message.provider_id
        assert message.sender == "" or message.sender.isdecimal()
        message.model_dump_json()


@given(ANYTHING)
def test_any_json_is_read_or_unreadable(value: Any) -> None:
    harmless(json.dumps(value).encode())


@given(st.data(), st.sampled_from([DIRECT, CHAT, MENTION, photo("https://pbs.twimg.com/media/A.jpg")]), ANYTHING)
def test_any_value_anywhere_in_an_event_is_borne(data: st.DataObject, event: dict[str, Any], value: Any) -> None:
    path = data.draw(st.sampled_from([path for path in paths(event["data"]) if path]))
    harmless(json.dumps(changed(event, *path, to=value)).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    harmless(body)
