"""Messages out of X's objects: direct messages in the older and the newer shape, encrypted chats, public posts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.guess import kind_of, language_of
from channels.message import Disposition, Dropped, InboundMessage
from channels.text import clean, one_line
from channels.x.fields import Table, mark, moment, number, rows, sub, text
from channels.x.media import files
from channels.x.wording import written
from models.inquiry import Kind, Language

NAME = "x"
POST = "post/"
"""How the ids of public posts begin, so that none is taken for that of a direct message."""

LATE = timedelta(hours=24)
_SUBJECT = 80


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what people wrote to the account `us`; `longest` in characters, `most` files of a message."""

    us: str
    longest: int
    most: int

    def told(self, event: Table, users: Mapping[str, str], stored_at: datetime, raw: bytes) -> InboundMessage | None:
        """A direct message of the X Activity API, in the older shape; None where it is none, or our own."""
        created = sub(event, "message_create")
        sender = number(created, "sender_id")
        if text(event, "type") != "message_create" or sender == self.us:
            return None
        data = sub(created, "message_data")
        attachment = sub(data, "attachment")
        media = [sub(attachment, "media")] if "media" in attachment else []
        return self._message(
            _Found(
                event=event,
                provider_id=number(event, "id"),
                sender=sender,
                name=users.get(sender, ""),
                to=number(sub(created, "target"), "recipient_id"),
                words=written(text(data, "text"), rows(sub(data, "entities"), "urls"), (text(m, "url") for m in media)),
                at=moment(event, "created_timestamp"),
                media=media,
            ),
            stored_at,
            raw,
        )

    def listed(self, event: Table, includes: Table, stored_at: datetime, raw: bytes) -> InboundMessage | None:
        """A direct message of `GET /2/dm_events`, in the newer shape; None where it is none, or our own."""
        sender = number(event, "sender_id")
        if text(event, "event_type") != "MessageCreate" or sender == self.us:
            return None
        return self._message(
            _Found(
                event=event,
                provider_id=number(event, "id"),
                sender=sender,
                name=names(includes).get(sender, ""),
                to=self.us,
                words=written(text(event, "text"), rows(sub(event, "entities"), "urls")),
                at=moment(event, "created_at"),
                media=_attached(event, includes),
            ),
            stored_at,
            raw,
        )

    def encrypted(self, chat: Table, event_id: str, stored_at: datetime, raw: bytes) -> InboundMessage | None:
        """An encrypted chat message, of which nothing but sender and time can be read; None where it is our own."""
        sender = number(chat, "sender_id")
        if sender == self.us:
            return None
        own = mark(chat, "id") or event_id
        return self._message(
            _Found(
                event=chat,
                provider_id=f"chat/{own}" if own else "",
                sender=sender,
                to=self.us,
                at=moment(chat, "created_at_msec", "created_at"),
                unreadable="encrypted",
            ),
            stored_at,
            raw,
        )

    def posted(self, post: Table, includes: Table, stored_at: datetime, raw: bytes) -> InboundMessage | None:
        """A public post that names us or answers us; None where it is our own."""
        author, place = number(post, "author_id"), number(post, "id")
        if author == self.us:
            return None
        long = sub(post, "note_tweet")
        said = long if text(long, "text") else post
        answered = [number(one, "id") for one in rows(post, "referenced_tweets") if text(one, "type") == "replied_to"]
        return self._message(
            _Found(
                event=post,
                provider_id=f"{POST}{place}" if place else "",
                sender=author,
                name=names(includes).get(author, ""),
                to=self.us,
                words=written(text(said, "text"), rows(sub(said, "entities"), "urls")),
                at=moment(post, "created_at"),
                media=_attached(post, includes),
                place=place,
                answers=f"{POST}{answered[0]}" if answered and answered[0] else "",
            ),
            stored_at,
            raw,
        )

    def _message(self, found: "_Found", stored_at: datetime, raw: bytes) -> InboundMessage:
        kept, dropped = files(found.media, self.most)
        words = clean(found.words)
        if len(words) > self.longest:
            dropped = (*dropped, Dropped(what="text", why=f"only its first {self.longest} characters are shown"))
            words = words[: self.longest]
        at = min(found.at or stored_at, stored_at)
        provider_id = found.provider_id or f"sha256:{_digest(found.event)}"
        return InboundMessage(
            channel=NAME,
            provider_id=provider_id,
            received_at=at,
            sender=found.sender,
            sender_name=found.name,
            sender_verified=bool(found.sender),
            reply_to="",
            recipients=(found.to,) if found.to else (),
            subject=one_line(words, _SUBJECT),
            text=words,
            full_text=words,
            files=kept,
            message_id=provider_id,
            in_reply_to=found.answers,
            public_place=found.place,
            unreadable=found.unreadable,
            disposition=Disposition.MESSAGE if found.sender else Disposition.UNANSWERABLE,
            disposition_reason=_reason(found.sender, stored_at - at),
            language=_language(words, found.event),
            kind=kind_of(words) if words else Kind.COMPLAINT,
            dropped=dropped,
            raw_sha256=hashlib.sha256(raw).hexdigest(),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What either shape holds."""

    event: Table
    provider_id: str
    sender: str
    to: str
    at: datetime | None
    name: str = ""
    words: str = ""
    media: list[dict[str, Any]] = field(default_factory=list)
    place: str = ""
    answers: str = ""
    unreadable: str = ""


def names(told: Table) -> dict[str, str]:
    """People's names by their ids: of a map or an array `users`, of the newer or the older shape."""
    users = told.get("users")
    people = list(users.values()) if isinstance(users, dict) else users if isinstance(users, list) else []
    found: dict[str, str] = {}
    for one in people[:1_000]:
        person = sub(one, "data") or one if isinstance(one, dict) else {}
        name, handle = text(person, "name"), text(person, "username") or text(person, "screen_name")
        if known := number(person, "id"):
            found[known] = one_line(f"{one_line(name, 100)} (@{one_line(handle, 50)})" if handle else name)
    return found


def _attached(event: Table, includes: Table) -> list[dict[str, Any]]:
    keys = sub(event, "attachments").get("media_keys")
    wanted = [one for one in keys if isinstance(one, str)] if isinstance(keys, list) else []
    known = {text(one, "media_key"): one for one in rows(includes, "media")}
    return [known.get(one, {}) for one in wanted[:100]]


def _language(words: str, event: Table) -> Language | None:
    told = {"es": Language.ES, "en": Language.EN}
    return language_of(words) or told.get(text(event, "lang"))


def _reason(sender: str, age: timedelta) -> str:
    if not sender:
        return "the event names no sender; open X to see who wrote"
    return f"late: X told of it {age // timedelta(hours=1)} hours after it was written" if age > LATE else ""


def _digest(event: Table) -> str:
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
