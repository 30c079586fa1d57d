"""Letters by the chat, and what is no letter for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from channels.chat.adapter import Chat, build
from channels.letter import OutboundLetter
from channels.port import Limits, Post, Surroundings
from models.errors import (
    OperatorError,
    RecipientError,
    RecordsUnavailable,
    TransientError,
    UnreadableMessage,
    VerificationError,
)
from settings import Settings

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)


class Book:
    """A book of one session."""

    def __init__(self, *, here: bool = True, away: bool = False) -> None:
        self.here, self.away = here, away
        self.letters: list[OutboundLetter] = []

    def reachable(self, session: str, now: datetime) -> bool:
        if session != "cs_1":
            raise KeyError(session)
        return self.here

    def write(self, session: str, letter: OutboundLetter, now: datetime) -> str:
        if self.away:
            raise RecordsUnavailable("away")
        self.letters.append(letter)
        return f"{session}/{len(self.letters)}"


class NoParts:
    taken: tuple[str, ...] = ()

    def take(self, provider_id: str) -> None:
        raise NotImplementedError


def letter(**changes: Any) -> OutboundLetter:
    plain = {"notice": "RX-7KQ4-M2PD/reply/1", "kind": "reply", "to": "cs_1", "subject": "s", "text": "t"}
    return OutboundLetter.model_validate({**plain, "message_id": "1@example.org", **changes})


def chat(book: Book | None) -> Chat:
    around = Surroundings(
        address="https://example.org/chat",
        operator="Example",
        limits=Limits(size=1, parts=1, text=1, files=1),
        clock=lambda: NOW,
        settings=Settings(),
        transcript=book,
    )
    return build(around)


def test_a_letter_is_put_before_a_visitor_who_is_there() -> None:
    book = Book()
    accepted = chat(book).send(letter(), NoParts())
    assert (accepted.provider_id, accepted.at) == ("cs_1/1", NOW)
    assert book.letters == [letter()]


@pytest.mark.rule("M4.2")
def test_who_has_left_is_written_to_elsewhere() -> None:
    book = Book(here=False)
    with pytest.raises(RecipientError, match="the visitor has left"):
        chat(book).send(letter(), NoParts())
    assert book.letters == []


def test_every_other_end_of_a_sending() -> None:
    with pytest.raises(RecipientError, match="no such chat session") as told:
        chat(Book()).send(letter(to="cs_2"), NoParts())
    assert "cs_2" not in str(told.value)
    with pytest.raises(TransientError):
        chat(Book(away=True)).send(letter(), NoParts())
    with pytest.raises(OperatorError, match="public place"):
        chat(Book()).send(letter(public=True), NoParts())
    with pytest.raises(OperatorError, match="Transcript"):
        chat(None).send(letter(), NoParts())


def test_nobody_posts_at_a_webhook_of_the_chat() -> None:
    made, post = chat(Book()), Post("chat", {}, b"{}")
    assert not made.doors
    assert made.feeds() == ()
    with pytest.raises(VerificationError):
        made.verify(post, NOW)
    with pytest.raises(UnreadableMessage):
        made.parse(post, NOW)
