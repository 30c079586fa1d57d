"""Who there is beside the bot: people, groups, and the files they pass around."""

import secrets
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Person:
    """Somebody with Telegram on their telephone. A private chat has the person's own id."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language: str = "es"
    started: bool = False
    """They wrote to the bot once, so it may write to them."""
    blocked: bool = False

    @property
    def user(self) -> dict[str, Any]:
        """Them as a User of the Bot API."""
        named = {"last_name": self.last_name, "username": self.username, "language_code": self.language}
        return {"id": self.id, "is_bot": False, "first_name": self.first_name} | _set(named)

    @property
    def chat(self) -> dict[str, Any]:
        """The private chat with them."""
        named = {"last_name": self.last_name, "username": self.username}
        return {"id": self.id, "type": "private", "first_name": self.first_name} | _set(named)


@dataclass(frozen=True)
class Group:
    """A group in which the bot reads everything (its privacy mode is off)."""

    id: int
    title: str

    @property
    def chat(self) -> dict[str, Any]:
        """It as a Chat of the Bot API."""
        return {"id": self.id, "type": "supergroup", "title": self.title}


@dataclass(frozen=True)
class File:
    """A file that lies with Telegram. `size` is what it claims; the content may be shorter, to try large ones."""

    name: str
    content_type: str
    content: bytes = field(repr=False)
    size: int
    id: str = field(default_factory=lambda: f"BQAC{secrets.token_urlsafe(30)}")
    unique_id: str = field(default_factory=lambda: f"Ag{secrets.token_urlsafe(9)}")

    @property
    def path(self) -> str:
        """Where it is downloaded, below `/file/bot<token>/`."""
        suffix = self.name.rpartition(".")[2].lower()
        return f"documents/{self.unique_id}" + (f".{suffix}" if suffix.isalnum() and suffix.isascii() else "")

    @property
    def contents(self) -> dict[str, Any]:
        """The part of a message that it makes: a photo in three sizes, or a document."""
        lies = {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size}
        if self.content_type not in {"image/jpeg", "image/png"}:
            return {"document": {**lies, "file_name": self.name, "mime_type": self.content_type}}
        small = {"file_unique_id": f"{self.unique_id}s", "file_size": min(self.size, 1000)}
        sizes = [{**small, "file_id": f"{self.id}{side}", "width": side, "height": side} for side in (90, 320)]
        return {"photo": [*sizes, {**lies, "width": 1280, "height": 1280}]}


def _set(named: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in named.items() if value}
