"""What an update of Telegram brings: a message, an edit, the code of a binding, a greeting owed, a block."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

import structlog

from channels.message import InboundMessage
from channels.port import Arrivals, Claim, Greeting, Number
from channels.report import Reach
from channels.telegram.contents import SERVICE
from channels.telegram.fields import Object, moment, number, obj
from channels.telegram.messages import (
    GROUPS,
    NAME,
    Posted,
    kept,
    language_of_sender,
    name_of,
    read_message,
    unplaceable,
)
from models.errors import UnreadableMessage

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

KINDS = ("message", "edited_message", "my_chat_member")
"""The updates that are asked for; others cost traffic and say nothing of an inquiry."""

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<code>[A-Za-z0-9_-]{1,64}))?\s*")
"""What a deep link makes a person send: Telegram allows these characters and this length."""
_REACHED = {"kicked": False, "member": True}


@dataclass(frozen=True, slots=True)
class UpdateReader:
    """Reads updates of the bot with that id; `text_limit` is in characters.

    Anybody can put a bot into a group of theirs: what is posted in others than `groups` is no message to the operator.
    None means that every group is the operator's.
    """

    bot_id: int
    text_limit: int = 1_000_000
    groups: frozenset[int] | None = frozenset()

    def read(self, body: bytes, stored_at: datetime) -> Arrivals:
        """Read a webhook's post. Raises UnreadableMessage where it is no update at all."""
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            raise UnreadableMessage("the post is no JSON") from None
        return self.take(update, body, stored_at)

    def take(self, update: object, raw: bytes, stored_at: datetime) -> Arrivals:
        """Read one update; `raw` is kept as evidence of what it brings.

        Raises UnreadableMessage where it has no `update_id`; whatever else is wrong is borne.
        """
        fields = obj(update)
        update_id = number(fields.get("update_id"))
        if update_id is None:
            raise UnreadableMessage("the post is no update of Telegram: it has no update_id")
        numbers = (self._number(update_id),)
        if "my_chat_member" in fields:
            return Arrivals(reaches=self._reaches(obj(fields["my_chat_member"]), update_id, stored_at), numbers=numbers)
        kind = next((one for one in ("message", "edited_message") if one in fields), None)
        if kind is None:
            return Arrivals(numbers=numbers)
        post = obj(fields[kind])
        if self._elsewhere(post) or _nobody_wrote(post, edited=kind == "edited_message"):
            return Arrivals(numbers=numbers)
        if kind == "message" and (started := _started(post)) is not None:
            code, sender = started
            language = language_of_sender(post)
            if not code:
                return Arrivals(greetings=(Greeting(sender, language),), numbers=numbers)
            claim = Claim(code, sender, name_of(post), moment(post.get("date"), stored_at), language)
            return Arrivals(claims=(claim,), numbers=numbers)
        posted = Posted(self.bot_id, update_id, post, raw, stored_at, self.text_limit, edited=kind == "edited_message")
        return Arrivals(messages=(self._message(posted),), numbers=numbers)

    def bear(self, update: object, raw: bytes, stored_at: datetime) -> Arrivals:
        """Read one of several updates; one that reading fails on, however that comes, holds up no other and is kept.

        Raises UnreadableMessage where it has no `update_id`.
        """
        try:
            return self.take(update, raw, stored_at)
        except UnreadableMessage:
            raise
        except Exception:
            log.exception("feed.unread", channel=NAME, bytes=len(raw))
        update_id = number(obj(update).get("update_id")) or 0
        return Arrivals(
            messages=(kept(self.bot_id, update_id, raw, stored_at, "could not be read"),),
            numbers=(self._number(update_id),),
        )

    def _number(self, update_id: int) -> Number:
        return Number(f"telegram:{self.bot_id}", update_id)

    def _elsewhere(self, post: Object) -> bool:
        chat = obj(post.get("chat"))
        return chat.get("type") in GROUPS and self.groups is not None and number(chat.get("id")) not in self.groups

    def _message(self, posted: Posted) -> InboundMessage:
        return read_message(posted) or unplaceable(posted)

    def _reaches(self, change: Object, update_id: int, stored_at: datetime) -> tuple[Reach, ...]:
        """Whether a person blocked the bot or took it back; what happens to the bot in groups reaches nobody."""
        chat = obj(change.get("chat"))
        chat_id, status = number(chat.get("id")), obj(change.get("new_chat_member")).get("status")
        reached = _REACHED.get(status) if isinstance(status, str) else None
        if chat.get("type") != "private" or chat_id is None or reached is None:
            return ()
        return (
            Reach(
                event_id=f"{self.bot_id}:{update_id}",
                channel=NAME,
                address=str(chat_id),
                open=reached,
                at=moment(change.get("date"), stored_at),
                reason="took the bot back" if reached else "blocked the bot",
            ),
        )


def _nobody_wrote(post: Object, *, edited: bool) -> bool:
    """Whether it is a channel's post, Telegram's own words, or the operator's own voice in a group."""
    chat = obj(post.get("chat"))
    if chat.get("type") == "channel" or not SERVICE.isdisjoint(post) or post.get("is_automatic_forward") is True:
        return True
    speaker = number(obj(post.get("sender_chat")).get("id"))
    if speaker is not None and speaker == number(chat.get("id")):
        return True
    # A live location is edited every few seconds; where the person first stood is kept.
    return edited and "location" in post


def _started(post: Object) -> tuple[str, str] | None:
    """The code (or nothing) and the sender of a /start in private; None for whatever else."""
    text, sender = post.get("text"), number(obj(post.get("from")).get("id"))
    if obj(post.get("chat")).get("type") != "private" or not isinstance(text, str) or sender is None:
        return None
    start = _START.fullmatch(text)
    return None if start is None else (start["code"] or "", str(sender))
