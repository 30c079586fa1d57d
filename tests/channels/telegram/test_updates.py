import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.message import Disposition, InboundMessage
from channels.port import Arrivals, Greeting, Number
from channels.telegram.contents import SERVICE
from channels.telegram.updates import UpdateReader
from models.errors import UnreadableMessage
from models.inquiry import Kind, Language

STORED = datetime(2026, 11, 22, 12, tzinfo=UTC)
SENT = int((STORED - timedelta(seconds=40)).timestamp())
ANA = {"id": 9_000_000_001, "is_bot": False, "first_name": "Ana", "last_name": "B.", "language_code": "es-SV"}
PRIVATE = {"id": 9_000_000_001, "type": "private", "first_name": "Ana"}
GROUP = {"id": -1_001_234_567_890, "type": "supergroup", "title": "Comunidad"}


def update(kind: str = "message", **post: Any) -> dict[str, Any]:
    whole = {"message_id": 7, "from": ANA, "chat": PRIVATE, "date": SENT, **post}
    return {"update_id": 31, kind: whole}


def read(found: Any) -> Arrivals:
    return UpdateReader(4242, groups=frozenset({-1_001_234_567_890})).read(json.dumps(found).encode(), STORED)


def message(**post: Any) -> InboundMessage:
    [found] = read(update(**post)).messages
    return found


@pytest.mark.rule("M2.1")
def test_a_text_is_a_message() -> None:
    text = "Hola, no me llega el retiro que pedí ayer.\n¿Cuándo llega? RX-7KQ4-M2PD"
    body = json.dumps(update(text=text)).encode()
    arrivals = UpdateReader(4242).read(body, STORED)
    [found] = arrivals.messages
    assert (found.channel, found.provider_id, found.message_id) == ("telegram", "4242:9000000001/7", "9000000001/7")
    assert found.received_at == datetime.fromtimestamp(SENT, UTC)
    assert (found.sender, found.sender_name, found.sender_verified) == ("9000000001", "Ana B.", True)
    assert not found.bound
    assert (found.text, found.full_text) == (text, text)
    assert found.subject == "Hola, no me llega el retiro que pedí ayer. ¿Cuándo llega? RX-7KQ4-M2PD"
    assert found.subject_references == ("RX-7KQ4-M2PD",)
    assert (found.language, found.kind) == (Language.ES, Kind.COMPLAINT)
    assert found.disposition is Disposition.MESSAGE
    assert (found.edit_of, found.album, found.public_place, found.unreadable) == ("", "", "", "")
    assert found.raw == body
    assert arrivals.numbers == (Number("telegram:4242", 31),)


@pytest.mark.parametrize(
    ("code", "language"),
    [("es", Language.ES), ("en-GB", Language.EN), ("pt", None), ("", None), (7, None)],
)
def test_the_language_is_that_of_the_words_else_of_the_app(code: Any, language: Language | None) -> None:
    sender = {**ANA, "language_code": code}
    assert message(text="ok", **{"from": sender}).language is language
    assert message(text="Hello, where is my money, please?", **{"from": sender}).language is Language.EN


def test_a_long_text_has_its_first_words_as_subject() -> None:
    found = message(text="palabra " * 30)
    assert found.subject == " ".join(["palabra"] * 10)


def test_a_reply_says_what_it_answers_and_quotes() -> None:
    found = message(text="Sí", reply_to_message={"message_id": 5, "text": "..."}, quote={"text": "a\nb"})
    assert found.in_reply_to == "9000000001/5"
    assert (found.text, found.full_text) == ("Sí", "> a\n> b\nSí")


def test_the_largest_photo_is_the_file() -> None:
    sizes = [{"file_id": f"p{side}", "width": side, "height": side, "file_size": side} for side in (90, 1280, 320)]
    found = message(photo=sizes, caption="La captura", media_group_id="g1")
    [file] = found.files
    assert (file.id, file.filename, file.content_type, file.size) == ("p1280", "photo.jpg", "image/jpeg", 1280)
    assert found.text == found.subject == "La captura"
    assert found.album == "9000000001/g1"


@pytest.mark.parametrize(
    ("kind", "name", "content_type"),
    [
        ("document", "document", "application/octet-stream"),
        ("voice", "voice.ogg", "audio/ogg"),
        ("video", "video.mp4", "video/mp4"),
        ("audio", "audio.mp3", "audio/mpeg"),
        ("video_note", "video.mp4", "video/mp4"),
    ],
)
def test_files_are_left_to_be_fetched(kind: str, name: str, content_type: str) -> None:
    bare = message(**{kind: {"file_id": "f"}}).files[0]
    assert (bare.id, bare.filename, bare.content_type, bare.size) == ("f", name, content_type, 0)
    told = {"file_id": "f", "file_name": "a\u202eb\n.pdf", "mime_type": "application/pdf", "file_size": 10}
    full = message(**{kind: told})
    assert (full.files[0].filename, full.files[0].content_type, full.files[0].size) == (
        "a b .pdf",
        "application/pdf",
        10,
    )
    assert full.subject == "a b .pdf"
    assert full.unreadable == ""


def test_a_file_over_20_mb_is_told_of_and_its_words_taken() -> None:
    found = message(document={"file_id": "f", "file_name": "v.zip", "file_size": 20 * 1024 * 1024 + 1}, caption="Mire")
    assert found.files == ()
    assert (found.text, found.dropped[0].what) == ("Mire", "v.zip")
    assert "20 MB" in found.dropped[0].why
    assert message(document={"file_id": "f", "file_size": 20 * 1024 * 1024}).files


@pytest.mark.parametrize("file_id", [None, "", 7, "x" * 1001, "a\nb", "\ud800"])
def test_a_file_that_cannot_be_named_is_told_of(file_id: Any) -> None:
    found = message(document={"file_id": file_id, "file_name": "a.pdf"})
    assert (found.files, found.dropped[0].what) == ((), "a.pdf")


@pytest.mark.parametrize(
    ("contents", "text"),
    [
        ({"location": {"latitude": 13.6929, "longitude": -89.2182}}, "[location: 13.6929, -89.2182]"),
        (
            {
                "venue": {"title": "Plaza", "address": "Calle 1", "location": {"latitude": 1, "longitude": 2}},
                "location": {"latitude": 1, "longitude": 2},
            },
            "[place: Plaza, Calle 1, location: 1, 2]",
        ),
        ({"contact": {"first_name": "Luz", "phone_number": "+5037"}}, "[contact: Luz, +5037]"),
        ({"sticker": {"file_id": "s", "emoji": "😡"}}, "[sticker 😡]"),
        ({"poll": {"question": "¿Sí?", "options": [{"text": "a"}, {"text": "b"}, 7]}}, "[poll: ¿Sí? a / b /]"),
        ({"dice": {"emoji": "🎲", "value": 4}}, "[dice 🎲 4]"),
        ({"sticker": None}, "[sticker]"),
    ],
)
def test_what_is_no_text_is_said_in_words(contents: dict[str, Any], text: str) -> None:
    found = message(**contents)
    assert (found.text, found.unreadable) == (text, "")


def test_what_is_not_known_is_a_message_all_the_same() -> None:
    found = message(hologram={"file_id": "h"})
    assert found.unreadable
    assert (found.sender, found.disposition) == ("9000000001", Disposition.MESSAGE)


@pytest.mark.rule("M2.1")
def test_an_edit_is_a_message_that_names_the_original() -> None:
    original = message(text="Perdí 10")
    edited = update("edited_message", text="Perdí 100", edit_date=SENT + 20)
    [found] = read(edited).messages
    [again] = read({**edited, "update_id": 32}).messages
    assert found.edit_of == original.provider_id
    assert found.message_id == original.message_id
    assert found.text == "Perdí 100"
    assert found.received_at == datetime.fromtimestamp(SENT + 20, UTC)
    assert len({original.provider_id, found.provider_id, again.provider_id}) == 3


@pytest.mark.parametrize("date", [None, "x", True, -1, 0, 10**18, 10**40, SENT * 1000, 1_000_000_000, SENT + 3600])
def test_an_absurd_time_is_ours(date: Any) -> None:
    assert message(text="Hola", date=date).received_at == STORED


@pytest.mark.rule("M2.1")
def test_a_post_in_a_group_is_a_reception_in_public() -> None:
    found = message(text="¿Y mi dinero?", chat=GROUP)
    assert found.public_place == found.message_id == "-1001234567890/7"
    assert found.sender == "9000000001"


@pytest.mark.rule("M2.1")
@pytest.mark.parametrize("kind", ["message", "edited_message"])
@pytest.mark.parametrize("chat", [{**GROUP, "id": -1_009}, {**GROUP, "type": "group", "id": "x"}])
def test_a_post_in_anybody_elses_group_counts_as_a_number_alone(kind: str, chat: dict[str, Any]) -> None:
    assert read(update(kind, text="¿Y mi dinero?", chat=chat)) == Arrivals(numbers=(Number("telegram:4242", 31),))


@pytest.mark.parametrize("chat", [PRIVATE, GROUP])
def test_a_bot_is_never_answered(chat: dict[str, Any]) -> None:
    found = message(text="Hola", chat=chat, **{"from": {**ANA, "is_bot": True}})
    assert found.disposition is Disposition.AUTO_REPLY


@pytest.mark.parametrize("mark", sorted(SERVICE))
def test_nobody_wrote_what_telegram_says(mark: str) -> None:
    said: dict[str, Any] = {"chat": GROUP, mark: {}}
    arrivals = read(update(**said))
    assert arrivals == Arrivals(numbers=(Number("telegram:4242", 31),))


@pytest.mark.parametrize(
    "found",
    [
        {"update_id": 31, "channel_post": {"message_id": 7, "text": "x"}},
        {"update_id": 31, "callback_query": 7},
        {"update_id": 31},
        update(chat={"id": -100, "type": "channel"}, text="x"),
        update(chat=GROUP, text="x", sender_chat={"id": GROUP["id"]}),
        update(chat=GROUP, text="x", is_automatic_forward=True),
        update("edited_message", location={"latitude": 1, "longitude": 2}),
    ],
)
def test_what_is_no_message_counts_as_a_number_alone(found: dict[str, Any]) -> None:
    assert read(found) == Arrivals(numbers=(Number("telegram:4242", 31),))


@pytest.mark.parametrize("text", ["/start", "/start ", "/start@plazo_test_bot", "/start@plazo_test_bot "])
def test_start_alone_is_greeted_and_no_message(text: str) -> None:
    arrivals = read(update(text=text))
    assert arrivals.greetings == (Greeting("9000000001", Language.ES),)
    assert (arrivals.messages, arrivals.claims) == ((), ())


@pytest.mark.rule("M4.1")
def test_start_with_a_code_is_a_claim_and_no_message() -> None:
    arrivals = read(update(text="/start Abc_9-x"))
    [claim] = arrivals.claims
    assert (claim.code, claim.address, claim.name, claim.at) == (
        "Abc_9-x",
        "9000000001",
        "Ana B.",
        datetime.fromtimestamp(SENT, UTC),
    )
    assert (arrivals.messages, arrivals.greetings) == ((), ())


@pytest.mark.parametrize(
    "found",
    [
        update(text="/start mi dinero no llega"),
        update(text="/start " + "x" * 65),
        update(text="/started"),
        update(text="/ayuda"),
        update(text="/start abc", chat=GROUP),
        update("edited_message", text="/start abc"),
    ],
)
def test_what_is_no_start_is_a_message(found: dict[str, Any]) -> None:
    arrivals = read(found)
    assert len(arrivals.messages) == 1
    assert (arrivals.claims, arrivals.greetings) == ((), ())


def change(status: Any, chat: dict[str, Any] = PRIVATE) -> dict[str, Any]:
    return {
        "update_id": 40,
        "my_chat_member": {"chat": chat, "from": ANA, "date": SENT, "new_chat_member": {"status": status}},
    }


@pytest.mark.rule("M4.2")
@pytest.mark.parametrize(("status", "opened"), [("kicked", False), ("member", True)])
def test_a_block_shuts_the_channel(status: str, opened: bool) -> None:  # noqa: FBT001 - from a table
    arrivals = read(change(status))
    [reach] = arrivals.reaches
    assert (reach.address, reach.open, reach.event_id) == ("9000000001", opened, "4242:40")
    assert reach.at == datetime.fromtimestamp(SENT, UTC)
    assert (arrivals.messages, arrivals.numbers) == ((), (Number("telegram:4242", 40),))


@pytest.mark.parametrize(
    "found", [change("member", GROUP), change("kicked", GROUP), change("restricted"), change(["kicked"])]
)
def test_what_happens_to_the_bot_elsewhere_reaches_nobody(found: dict[str, Any]) -> None:
    assert read(found) == Arrivals(numbers=(Number("telegram:4242", 40),))


@pytest.mark.parametrize(
    "broken",
    [
        {"from": None},
        {"from": {"id": "9"}},
        {"from": {"id": True}},
        {"chat": 7},
        {"chat": {"id": 2**70, "type": "private"}},
        {"chat": {"id": 1, "type": ["private"]}},
        {"message_id": 1.5},
    ],
)
def test_a_message_without_a_place_waits_for_a_person(broken: dict[str, Any]) -> None:
    found = update(text="Hola", **broken)
    [kept] = read(found).messages
    assert (kept.disposition, kept.provider_id, kept.sender) == (Disposition.UNANSWERABLE, "4242:update/31", "")
    assert json.loads(kept.raw) == found


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\xff", b"[]", b"7", b"null", b"{}", b"[" * 100_000),
        *(b'{"update_id": "7"}', b'{"update_id": true}', b'{"update_id": ' + b"9" * 5000 + b"}"),
    ],
)
def test_what_is_no_update_cannot_be_read(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        UpdateReader(4242).read(body, STORED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = [
    *("message_id", "from", "chat", "date", "edit_date", "text", "caption", "photo", "document", "voice", "sticker"),
    *("location", "venue", "poll", "contact", "dice", "quote", "reply_to_message", "media_group_id", "sender_chat"),
]


def _near(sane: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Something like a message in which anything may stand anywhere."""
    return st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6).map(lambda odd: {**sane, **odd})


def _odd(make: Callable[[dict[str, Any]], dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    sane = {"message_id": 7, "from": ANA, "chat": PRIVATE, "date": SENT, "text": "Hola"}
    return _near(sane).map(make)


@settings(max_examples=400, deadline=None)
@given(
    JSON
    | st.fixed_dictionaries({"update_id": st.integers()}, optional={"message": JSON, "my_chat_member": JSON})
    | _odd(lambda post: {"update_id": 1, "message": post})
    | _odd(lambda post: {"update_id": 1, "edited_message": post})
    | st.dictionaries(st.sampled_from(["chat", "date", "new_chat_member"]), JSON).map(
        lambda odd: {"update_id": 1, "my_chat_member": {**change("kicked")["my_chat_member"], **odd}}
    )
)
def test_any_json_is_read_or_refused(found: Any) -> None:
    try:
        arrivals = read(found)
    except UnreadableMessage:
        return
    assert len(arrivals.numbers) == 1
    for one in arrivals.messages:
        assert one.received_at <= STORED
        one.model_dump_json()


@pytest.mark.rule("M2.1")
def test_the_same_update_is_the_same_message_whenever_it_comes() -> None:
    body = json.dumps(update(text="Hola")).encode()
    first = UpdateReader(4242).read(body, STORED).messages[0]
    later = UpdateReader(4242).read(body, STORED + timedelta(hours=3)).messages[0]
    assert first == later
