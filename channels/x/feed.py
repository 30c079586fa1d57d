"""Reconciliation: asks X for what was written in the last days, and finds what no webhook brought.

Direct messages and public mentions are listed; encrypted chats X lists nowhere, so they come by webhook alone.

Ids are snowflakes: milliseconds since `_EPOCH` above 22 lower bits, so their order is that of time. A sweep goes from
the newest one down to the newest of the sweep before, with some overlap; a cursor within a sweep says where to go
on, so that a rate limit in the middle of a long one costs nothing.
"""

import json
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from channels.message import InboundMessage
from channels.port import Arrivals, Batch, Feed
from channels.unread import unread
from channels.x.api import Api
from channels.x.fields import Table, number, rows, sub, text
from channels.x.reading import NAME, POST, Reader
from models.errors import ChannelError, OperatorError

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PAUSE = 300.0
"""Seconds: X allows 15 looks in 15 minutes."""

_EPOCH = 1_288_834_974_657
_BITS = 22
_OVERLAP = 600_000 << _BITS
"""Ten minutes: X shows a message here a little later than others that are newer."""
_PATIENCE = timedelta(seconds=60)
"""A younger message is left to the webhook, which may be bringing it just now; the overlap shows it again."""
_PAGES = 3
"""A look reads at most so many pages of 100, which keeps it within 30 seconds."""
_MESSAGES = {
    "max_results": "100",
    "event_types": "MessageCreate",
    "dm_event.fields": "id,text,event_type,dm_conversation_id,created_at,sender_id,attachments,entities",
    "expansions": "sender_id,attachments.media_keys",
    "user.fields": "name,username",
    "media.fields": "media_key,type,url,preview_image_url,variants",
}
_POSTS = {
    "max_results": "100",
    "tweet.fields": "id,text,note_tweet,author_id,created_at,lang,referenced_tweets,attachments,entities",
    "expansions": "author_id,attachments.media_keys",
    "user.fields": "name,username",
    "media.fields": "media_key,type,url,preview_image_url,variants",
}


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a sweep stands: it goes down to `floor`, began at `top`, and goes on at the page `token`, if within."""

    floor: int
    top: int = 0
    token: str = ""

    @classmethod
    def read(cls, written: str) -> "_Cursor | None":
        """Read a stored cursor; None at the very first."""
        floor, _, rest = written.partition(" ")
        top, _, token = rest.partition(" ")
        return cls(int(floor), int(top or 0), token) if floor else None

    def __str__(self) -> str:
        return f"{self.floor} {self.top} {self.token}" if self.token else str(self.floor)


class Reconciliation(Feed):
    """Looks through what X lists for the account, newest first. `back`: how far the very first sweep goes."""

    pause = PAUSE

    def __init__(self, api: Api, reader: Reader, back: timedelta) -> None:
        self._api, self._reader, self._back = api, reader, back

    @abstractmethod
    def _list(self, floor: int) -> tuple[str, dict[str, str]]:
        """Where to ask, and what for; what is not newer than `floor` need not be listed."""

    @abstractmethod
    def _read(self, one: Table, includes: Table, now: datetime, raw: bytes) -> InboundMessage | None:
        """Read one of what is listed; None where it is no message to us."""

    @abstractmethod
    def _id(self, number_of_it: str) -> str:
        """What the house knows it by."""

    def look(self, cursor: str, known: Callable[[str], bool], now: datetime) -> Batch:
        """Go on with a sweep, or begin one."""
        sweep = _Cursor.read(cursor) or _Cursor(_snowflake(now - self._back))
        path, wanted = self._list(sweep.floor)
        top, token, found = sweep.top, sweep.token, list[InboundMessage]()
        for read in range(_PAGES):
            try:
                page = self._api.read(path, wanted | ({"pagination_token": token} if token else {}))
            except ChannelError as error:
                if read:
                    # What was found is stored first; the next look meets the same refusal and tells of it.
                    break
                if token and isinstance(error, OperatorError):
                    # X may no longer know the page, which must not stop everything: the sweep begins again.
                    return Batch(Arrivals(), str(_Cursor(sweep.floor)), more=True)
                raise
            ids = [int(known_id) for one in rows(page, "data") if (known_id := number(one, "id"))]
            top = max([top, *ids])
            found += self._unknown(page, sweep.floor, known, now)
            token = text(sub(page, "meta"), "next_token")
            if not token or (ids and min(ids) <= sweep.floor):
                reached = _Cursor(max(sweep.floor, top - _OVERLAP))
                return Batch(_arrivals(found), str(reached), late=bool(found))
        return Batch(_arrivals(found), str(_Cursor(sweep.floor, top, token)), more=True, late=bool(found))

    def _unknown(
        self, page: dict[str, Any], floor: int, known: Callable[[str], bool], now: datetime
    ) -> list[InboundMessage]:
        """The messages of a page that are newer than `floor`, were not written just now, and are not stored."""
        young = _snowflake(now - _PATIENCE)
        read = [
            self._bear(one, sub(page, "includes"), now)
            for one in rows(page, "data")
            if floor < int(number(one, "id") or floor + 1) <= young
        ]
        return [one for one in read if one is not None and not known(one.provider_id)]

    def _bear(self, one: Table, includes: Table, now: datetime) -> InboundMessage | None:
        """Read one; one that reading fails on, however that comes, holds up no other and is kept for a person."""
        raw = json.dumps(one).encode()
        try:
            return self._read(one, includes, now, raw)
        except Exception:
            log.exception("feed.unread", feed=self.name, bytes=len(raw))
        its = number(one, "id")
        return unread(NAME, self._id(its) if its else "", raw, now, "could not be read")


class DirectMessages(Reconciliation):
    """The direct messages of the account."""

    name = "x"

    def _list(self, floor: int) -> tuple[str, dict[str, str]]:  # noqa: ARG002 - X knows no floor here
        return "/2/dm_events", _MESSAGES

    def _read(self, one: Table, includes: Table, now: datetime, raw: bytes) -> InboundMessage | None:
        return self._reader.listed(one, includes, now, raw)

    def _id(self, number_of_it: str) -> str:
        return number_of_it


class Mentions(Reconciliation):
    """Public posts that name the account or answer it, of which X lists the newest 800."""

    name = "x_mentions"

    def _list(self, floor: int) -> tuple[str, dict[str, str]]:
        return f"/2/users/{self._reader.us}/mentions", {**_POSTS, "since_id": str(floor)}

    def _read(self, one: Table, includes: Table, now: datetime, raw: bytes) -> InboundMessage | None:
        if any(text(other, "type") == "retweeted" for other in rows(one, "referenced_tweets")):
            # Somebody else's words, passed on.
            return None
        return self._reader.posted(one, includes, now, raw)

    def _id(self, number_of_it: str) -> str:
        return f"{POST}{number_of_it}"


class Watch(Feed):
    """Sees to it that X goes on calling: has a webhook that X marked invalid validated again. It brings nothing."""

    name = "x_webhook"
    pause = PAUSE

    def __init__(self, api: Api, bearer: str) -> None:
        self._api, self._bearer = api, bearer

    def look(self, cursor: str, known: Callable[[str], bool], now: datetime) -> Batch:  # noqa: ARG002 - brings nothing
        """Ask once. Raises OperatorError where there is no webhook, or it does not pass X's handshake."""
        hooks = rows(self._api.app("GET", "/2/webhooks", self._bearer), "data")
        if not hooks:
            raise OperatorError("X has no webhook of this app; register /intake/x/events with POST /2/webhooks")
        for one in hooks:
            hook = number(one, "id")
            if one.get("valid") is False and hook:
                answer = self._api.app("PUT", f"/2/webhooks/{hook}", self._bearer)
                if sub(answer, "data").get("valid") is not True:
                    raise OperatorError(
                        f"X has marked the webhook {text(one, 'url')[:100]} invalid and finds it still so; is"
                        " PLAZO_X_CONSUMER_SECRET that of the app?"
                    )
        return Batch(Arrivals(), cursor)


def _snowflake(at: datetime) -> int:
    """The lowest id of a moment."""
    return max(0, int(at.timestamp() * 1000) - _EPOCH) << _BITS


def _arrivals(found: list[InboundMessage]) -> Arrivals:
    """Messages in the order they were written; X lists the newest first."""
    oldest_first = found[::-1]
    oldest_first.sort(key=lambda one: one.received_at)
    return Arrivals(messages=tuple(oldest_first))
