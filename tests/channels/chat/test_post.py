"""What a visitor posts, as a message."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from channels.chat.post import ChatPost, Visitor, message_of
from models.inquiry import EMAIL, Kind, Language

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
ID = "5f0c5c1e-6b0f-4d55-9a58-2a8f0c6f2c11"
ANA = Visitor("cs_1", "Ana", "ana@example.org", bound=False, language=Language.EN)
NOBODY = Visitor("cs_1", "", "", bound=False, language=None)


def post(text: str = "Mi retiro no ha llegado y nadie me responde.", **more: Any) -> ChatPost:
    return ChatPost.model_validate({"client_msg_id": ID, "text": text, **more})


def file(content: bytes, **more: str) -> dict[str, str]:
    return {"data": base64.b64encode(content).decode(), **more}


def test_a_message_is_the_visitors_and_nobody_vouches_for_them() -> None:
    made = message_of(ANA, post(), NOW, 1000)
    assert (made.channel, made.provider_id, made.message_id) == ("chat", f"cs_1/{ID}", f"cs_1/{ID}")
    assert (made.sender, made.sender_name, made.sender_verified, made.bound) == ("cs_1", "Ana", True, False)
    assert made.further == ((EMAIL, "ana@example.org"),)
    assert made.subject == made.text == "Mi retiro no ha llegado y nadie me responde."
    assert (made.language, made.kind, made.received_at) == (Language.ES, Kind.COMPLAINT, NOW)
    assert message_of(NOBODY, post("x"), NOW, 1000).further == ()
    assert message_of(ANA, post("x"), NOW, 1000).language is Language.EN, "the page's, where the words tell nothing"


def test_a_signed_identity_vouches() -> None:
    made = message_of(Visitor("cs_1", "Ana", "ana@example.org", bound=True, language=None), post(), NOW, 1000)
    assert (made.sender_verified, made.bound) == (True, True)


def test_the_same_words_are_the_same_whatever_the_visitor_says_of_themselves() -> None:
    first, again = message_of(ANA, post(), NOW, 1000), message_of(NOBODY, post(client_msg_id=ID.upper()), NOW, 1000)
    assert first.raw_sha256 == again.raw_sha256
    assert first.raw_sha256 != message_of(ANA, post("Otra cosa"), NOW, 1000).raw_sha256
    assert first.raw_sha256 != message_of(ANA, post(attachments=[file(b"x")]), NOW, 1000).raw_sha256


def test_files_come_with_their_bytes_and_harmless_names() -> None:
    made = message_of(
        ANA, post("", attachments=[file(b"\0PDF", filename="reci\r\nbo\u202e.pdf"), file(b"x")]), NOW, 1000
    )
    assert [(one.filename, one.content_type, one.content) for one in made.attachments] == [
        ("reci bo .pdf", "application/octet-stream", b"\0PDF"),
        ("file", "application/octet-stream", b"x"),
    ]
    assert made.subject == "reci bo .pdf"


def test_a_text_beyond_all_measure_is_cut_and_kept_whole_in_the_original() -> None:
    made = message_of(ANA, post("a" * 3000), NOW, 1000)
    assert len(made.text) == 1000
    assert b"a" * 3000 in made.raw
    assert [one.what for one in made.dropped] == ["text"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": " \0\n"},
        {"client_msg_id": "1"},
        {"client_msg_id": None},
        {"text": 1},
        {"more": 1},
        {"attachments": [{"data": "no base64!"}]},
        {"attachments": [{"data": "YQ=="}, "x"]},
        {"attachments": [{"filename": "x"}]},
    ],
)
def test_what_cannot_be_a_message_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        post(**{"text": "x", **wrong})


@given(st.text(min_size=1), st.text(max_size=50), st.text(max_size=50))
@settings(max_examples=100, deadline=None)
def test_any_words_are_stored_as_they_came_but_for_what_no_table_holds(words: str, name: str, kind: str) -> None:
    made = message_of(ANA, post(f"a{words}", attachments=[file(b"x", filename=name, content_type=kind)]), NOW, 100_000)
    assert "\0" not in made.text + made.subject + made.attachments[0].filename
    assert made.text.encode()
    assert "\n" not in made.subject
