"""A message of Telegram as a message of an inquiry."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from channels.guess import kind_of, language_of
from channels.message import Disposition, InboundMessage
from channels.telegram.contents import Contents, read_contents
from channels.telegram.fields import Object, moment, number, obj, said
from channels.text import one_line
from channels.unread import unread
from models.inquiry import Channel, Language

NAME: Channel = "telegram"

GROUPS = ("group", "supergroup")
_REFERENCE = re.compile(r"\b[A-Z]{1,6}-[A-Z0-9]{4}-[A-Z0-9]{4}\b")
_MOST_REFERENCES = 10
_SUBJECT = 80


@dataclass(frozen=True, slots=True)
class Posted:
    """A message or an edit as the update with that id brought it to the bot with that id."""

    bot_id: int
    update_id: int
    post: Object = field(repr=False)
    raw: bytes = field(repr=False)
    stored_at: datetime
    text_limit: int
    edited: bool


def read_message(posted: Posted) -> InboundMessage | None:
    """The message; None where it does not say who wrote it, or where.

    Its `provider_id` names the bot as well: another bot counts its messages with the same person from the beginning.
    """
    post = posted.post
    chat, sender = obj(post.get("chat")), obj(post.get("from"))
    chat_id, message_id, sender_id = (number(one) for one in (chat.get("id"), post.get("message_id"), sender.get("id")))
    chat_type = said(chat.get("type"))
    if chat_id is None or message_id is None or sender_id is None or chat_type not in {"private", *GROUPS}:
        return None
    contents = read_contents(post, posted.text_limit)
    place = f"{chat_id}/{message_id}"
    original = f"{posted.bot_id}:{place}"
    answered = number(obj(post.get("reply_to_message")).get("message_id"))
    group = said(post.get("media_group_id"), 64)
    # An edit's time alone would make one of two edits within a second.
    edit = f"{original}/edit/{said(post.get('edit_date'), 20)}/{posted.update_id}"
    by_machine = sender.get("is_bot") is True
    return InboundMessage(
        channel=NAME,
        provider_id=edit if posted.edited else original,
        received_at=moment(post.get("edit_date" if posted.edited else "date"), posted.stored_at),
        sender=str(sender_id),
        sender_name=name_of(post),
        sender_verified=True,
        reply_to="",
        recipients=(),
        subject=_first_words(contents),
        text=contents.text,
        full_text=_with_quote(contents),
        files=(contents.file,) if contents.file else (),
        message_id=place,
        in_reply_to="" if answered is None else f"{chat_id}/{answered}",
        subject_references=tuple(dict.fromkeys(_REFERENCE.findall(contents.text.upper())))[:_MOST_REFERENCES],
        edit_of=original if posted.edited else "",
        album=f"{chat_id}/{group}" if group else "",
        public_place=place if chat_type in GROUPS else "",
        unreadable=contents.unreadable,
        disposition=Disposition.AUTO_REPLY if by_machine else Disposition.MESSAGE,
        disposition_reason="written by a bot, or in a channel's name" if by_machine else "",
        language=language_of(contents.text) or language_of_sender(post),
        kind=kind_of(contents.text),
        dropped=contents.dropped,
        raw_sha256=hashlib.sha256(posted.raw).hexdigest(),
        raw=posted.raw,
    )


def unplaceable(posted: Posted) -> InboundMessage:
    """What is left of a message that does not say who wrote it, or where: kept for a person to look at."""
    return kept(posted.bot_id, posted.update_id, posted.raw, posted.stored_at, "does not say who wrote it, or where")


def kept(bot_id: int, update_id: int, raw: bytes, stored_at: datetime, why: str) -> InboundMessage:
    """What stands for an update that brings no message to be read."""
    return unread(NAME, f"{bot_id}:update/{update_id}", raw, stored_at, why)


def name_of(post: Object) -> str:
    """What the sender calls themselves: proof of nothing."""
    sender = obj(post.get("from"))
    return one_line(f"{said(sender.get('first_name'))} {said(sender.get('last_name'))}")


def language_of_sender(post: Object) -> Language | None:
    """The language of the sender's app, where letters can be written in it."""
    code = obj(post.get("from")).get("language_code")
    primary = code.lower().partition("-")[0] if isinstance(code, str) else ""
    return Language(primary) if primary in {Language.ES, Language.EN} else None


def _first_words(contents: Contents) -> str:
    """A subject, which Telegram has not: the beginning of the text, else the file's name."""
    whole = one_line(contents.text, _SUBJECT + 1) or (contents.file.filename if contents.file else "")
    if len(whole) <= _SUBJECT:
        return whole
    return whole[:_SUBJECT].rpartition(" ")[0].rstrip() or whole[:_SUBJECT]


def _with_quote(contents: Contents) -> str:
    quoted = "\n".join(f"> {line}" for line in contents.quoted.split("\n")) if contents.quoted else ""
    return f"{quoted}\n{contents.text}" if quoted else contents.text
