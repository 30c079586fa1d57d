"""The web chat, whose provider we are ourselves: over its real book."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from channels.chat.post import ChatPost, Visitor, message_of
from channels.letter import OutboundLetter
from channels.message import InboundMessage
from channels.port import Adapter, Post
from models.errors import RecordsUnavailable
from records import chat, chat_sessions
from records.chat import Transcript
from records.database import Database
from tests.channels.contract.specimen import Known, Point, Said, Specimen, Trouble, utcnow

OURSELVES = "we are the provider ourselves"


class Book(Transcript):
    """The real book, which may not answer."""

    away = False

    def write(self, session: str, letter: OutboundLetter, now: datetime) -> str:  # type: ignore[override]
        if self.away:
            raise RecordsUnavailable("the records database is away")
        return super().write(session, letter, now)


class Site(Specimen):
    channel = "chat"
    way = "site"
    excused: ClassVar[Mapping[Point, str]] = {
        Point.DOOR: "visitors write by /chat/v1, where the token of their session opens the conversation",
        Point.KNOCK: "the same",
        Point.SIGNED: "the same",
        Point.FRESH: "the same",
        Point.SHAKE: "the same",
        Point.RECEPTION: f"{OURSELVES}: received is when it is stored",
        Point.FEED: f"{OURSELVES}: nothing lies elsewhere",
        Point.FILES: f"{OURSELVES}: files come with the message",
        Point.ANSWER: "a conversation has no answers to single letters; the open inquiry of the session takes it",
        Point.THREAD: "a letter stands in the conversation, below what it answers",
        Point.PARTS: "a letter is one event, however long",
        Point.PUBLIC: "a conversation is between two",
        Point.GREET: "the page greets",
        Point.LINK: "a code is typed in; a signed identity needs none",
        Point.ACCOUNT: OURSELVES,
        Point.RATE: OURSELVES,
        Point.WAIT: OURSELVES,
        Point.HANG_UP: f"{OURSELVES}: the next try finds the letter by its notice",
        Point.CREDENTIALS: "nothing must be set; without an identity everybody is anonymous",
    }
    someone = "cs_7h2kq3m4n5p6r7s2"

    def __init__(self, database: Database) -> None:
        self.database = database
        self.book = Book(database)

    @classmethod
    @contextmanager
    def opened(cls, var: Path, records_url: str) -> Iterator[Specimen]:
        database = Database(records_url)
        try:
            yield cls(database)
        finally:
            database.close()

    def environment(self) -> Mapping[str, str]:
        return {}

    @property
    def transcript(self) -> Transcript:
        return self.book

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        post = b'{"client_msg_id":"5f0c5c1e-6b0f-4d55-9a58-2a8f0c6f2c11","text":"Hola"}'
        return {name: Post(name, {"authorization": "Bearer token"}, post) for name in ("messages", "sessions", "")}

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        return message_of(self.visitor(said), self.posted(said), now, self.policy.intake.max_text_characters)

    def identities(self, now: datetime) -> Mapping[str, Known]:
        said = Said(self.someone, "Hola", now)
        signed = Visitor(self.someone, "Ana", "ana@example.org", bound=True, language=None, account="4711")
        claimed = Visitor(self.someone, "Ana", "ana@example.org", bound=False, language=None)
        return {
            "a visitor": Known(self.receive(said, now), verified=True, bound=False),
            "a visitor who says an address": Known(
                message_of(claimed, self.posted(said), now, 1000), verified=True, bound=False
            ),
            "whom the platform vouches for": Known(
                message_of(signed, self.posted(said), now, 1000), verified=True, bound=True
            ),
        }

    def person(self) -> str:
        with self.database.write() as session:
            row, _ = chat_sessions.open_session(session, utcnow(), lives=timedelta(days=1))
            return row.id

    def delivered(self, address: str) -> list[str]:
        with self.database.read() as session:
            return [one.text for one in chat.events(session, address, 0, 100)]

    @contextmanager
    def trouble(self, trouble: Trouble, address: str) -> Iterator[str]:
        with self.database.write() as session:
            chat_sessions.describe(session, address, email="ana@example.org", name=None)
            chat_sessions.told(session, address, "ana@example.org")
            chat_sessions.present(session, [address], utcnow() - timedelta(hours=1))
        yield address
        with self.database.write() as session:
            chat_sessions.present(session, [address], utcnow())

    @contextmanager
    def when_away(self) -> Iterator[Adapter]:
        self.book.away = True
        yield self.adapter
        self.book.away = False

    @staticmethod
    def visitor(said: Said) -> Visitor:
        return Visitor(said.sender, said.name, "", bound=False, language=None)

    @staticmethod
    def posted(said: Said) -> ChatPost:
        return ChatPost(client_msg_id=UUID(int=said.n), text=said.text)


WAYS = (Site,)
