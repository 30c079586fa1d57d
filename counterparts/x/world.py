"""Who and what there is on this X: people, direct messages, encrypted chats, posts, pictures. All in memory."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

EPOCH = 1_288_834_974_657
KEPT_MS = 30 * 24 * 3600 * 1000
"""How long `GET /2/dm_events` shows a message."""

MENTIONS = 800
"""How many posts `GET /2/users/:id/mentions` shows."""

_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


@dataclass(slots=True)
class Person:
    """An account. `open`: whether it takes direct messages from us."""

    id: str
    name: str
    username: str
    open: bool = True

    def data(self) -> dict[str, Any]:
        """The account as X shows it."""
        return {"id": self.id, "name": self.name, "username": self.username, "verified_type": "none"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that lies with a message or a post."""

    id: str
    content: bytes = field(repr=False)

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"P{self.id}.png"


@dataclass(frozen=True, slots=True)
class Words:
    """Something written, with X's short addresses and escapes. `at` in milliseconds since 1970."""

    id: str
    author: str
    to: str
    """The other side of a direct message; the post answered by a post, if any."""
    text: str
    urls: tuple[dict[str, Any], ...]
    at: int
    picture: Picture | None = None

    @property
    def iso(self) -> str:
        """When it was written, as X shows it."""
        return datetime.fromtimestamp(self.at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class World:
    """Everything, in the order it happened; `us` is the operator's account."""

    def __init__(self, us: Person, clock: Callable[[], float]) -> None:
        self.us, self._clock = us, clock
        self.people: dict[str, Person] = {us.id: us}
        self.messages: list[Words] = []
        self.posts: dict[str, Words] = {}
        self.chats: list[Words] = []
        self.published: set[tuple[str, str]] = set()
        """What we wrote in public: under which post, and the words."""
        self._last = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock() * 1000)

    def snowflake(self) -> str:
        """A new id; ids grow with time."""
        self._last = max(self._last + 1, (self.now_ms() - EPOCH) << 22)
        return str(self._last)

    def join(self, name: str, username: str) -> Person:
        """A new person."""
        person = Person(self.snowflake(), name, username)
        self.people[person.id] = person
        return person

    def message(self, author: str, to: str, text: str, picture: bytes | None = None) -> Words:
        """Write a direct message."""
        said = self._written(author, to, text, picture)
        self.messages.append(said)
        return said

    def chat(self, author: str) -> Words:
        """Write an encrypted message, whose words nobody here ever sees."""
        said = self._written(author, self.us.id, "", None)
        self.chats.append(said)
        return said

    def post(self, author: str, text: str, answers: str = "", picture: bytes | None = None) -> Words:
        """Write a public post."""
        said = self._written(author, answers, text, picture)
        self.posts[said.id] = said
        return said

    def thread(self, person: str) -> list[Words]:
        """The direct messages between us and a person, oldest first."""
        return [one for one in self.messages if person in {one.author, one.to}]

    def listed(self) -> list[Words]:
        """What the lookup shows: direct messages of the last 30 days, newest first."""
        return [one for one in reversed(self.messages) if one.at > self.now_ms() - KEPT_MS]

    def mentions(self, since: int) -> list[Words]:
        """Others' posts that name us or answer us, above an id, newest first: 800 of them."""
        ours = [one for one in self.posts.values() if one.author != self.us.id and self.summoned(one)]
        return [one for one in reversed(ours[-MENTIONS:]) if int(one.id) > since]

    def summoned(self, post: Words) -> bool:
        """Whether we may answer a post: it names us, or answers one of ours."""
        answered = self.posts.get(post.to)
        return f"@{self.us.username.lower()}" in post.text.lower() or bool(answered and answered.author == self.us.id)

    def picture(self, file: str) -> Picture | None:
        """A picture by its file's name."""
        every = [*self.messages, *self.posts.values()]
        return next((one.picture for one in every if one.picture and one.picture.file == file), None)

    def _written(self, author: str, to: str, text: str, picture: bytes | None) -> Words:
        urls: list[dict[str, Any]] = []

        def short(found: re.Match[str]) -> str:
            url = f"https://t.co/{hashlib.sha256(found[0].encode()).hexdigest()[:10]}"
            urls.append({"url": url, "expanded_url": found[0], "display_url": found[0].partition("://")[2][:30]})
            return url

        text = escape(_ADDRESS.sub(short, text), quote=False)
        kept = None if picture is None else Picture(self.snowflake(), picture)
        return Words(self.snowflake(), author, to, text, tuple(urls), self.now_ms(), kept)
