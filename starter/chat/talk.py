"""What is said: a message goes through intake like any other, then into the session's book; letters are seen.

A message is stored before its sender is told so. Between the two writes the process may die: the sender, who was told
nothing, sends it again under the same id, and that completes it.
"""

from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from channels.chat.post import ChatPost, Visitor, message_of
from channels.message import InboundMessage
from channels.report import Delivery, DeliveryEvent
from models.inquiry import CHAT, Language
from models.tables import ChatEvent, ChatSession
from records import chat, chat_sessions, messages
from starter.chat.desk import ChatDesk
from starter.chat.views import History, view
from starter.http.problems import Problem

PAGE = 200
"""Events of one reading of the history."""

LARGEST_SEQ = 2**31 - 1


class Posted(BaseModel):
    """A message is stored. The dates are those first promised, in the operator's zone."""

    seq: int
    reference: str | None = Field(examples=["RX-7KQ4-M2PD"], description="none while it waits in quarantine")
    duplicate: bool = Field(description="it was here before")
    acknowledge_by: datetime | None = Field(examples=["2026-02-09T23:59:59-06:00"])
    answer_by: datetime | None = Field(examples=["2026-03-16T23:59:59-06:00"])


class Seen(BaseModel):
    """The visitor has seen everything up to this number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int = Field(ge=0, le=LARGEST_SEQ)


async def post_message(desk: ChatDesk, row: ChatSession, request: Request) -> Posted:
    """Take a message in. Raises Problem: 409 for other words under a known id, 413 and 429 beyond the limits."""
    desk.welcome(desk.messages, row.id)
    async with desk.bodies.room(request):
        post = await desk.read(request, ChatPost, desk.policy.intake.max_mail_bytes)
        async with desk.turn(row.id):
            posted = await desk.threads.work(lambda: _take(desk, row.id, post))
    desk.streams.wake(row.id)
    return posted


async def history(desk: ChatDesk, row: ChatSession, after: int) -> History:
    """Return part of a conversation, the oldest first."""
    desk.welcome(desk.light, row.id)
    return await desk.threads.work(lambda: _history(desk, row.id, after))


async def see(desk: ChatDesk, row: ChatSession, request: Request) -> Seen:
    """The visitor has seen what we wrote: those letters are delivered (M3.7)."""
    desk.welcome(desk.light, row.id)
    wanted = await desk.read(request, Seen)
    seq = await desk.threads.work(lambda: _see(desk, row.id, wanted.seq))
    desk.streams.wake(row.id)
    return Seen(seq=seq)


def typing(desk: ChatDesk, row: ChatSession) -> None:
    """The visitor is typing; their other tabs learn of it."""
    desk.welcome(desk.light, row.id)
    desk.streams.tell(row.id, "typing", {"by": "visitor"})


def _take(desk: ChatDesk, session_id: str, post: ChatPost) -> Posted:
    now = desk.clock()
    with desk.database.read() as session:
        visitor = _visitor(chat_sessions.get(session, session_id))
        message = message_of(visitor, post, now, desk.policy.intake.max_text_characters)
        known = messages.find(session, CHAT, message.provider_id)
    if known and known.raw_sha256 != message.raw_sha256:
        raise _other_words()
    receipt = desk.intake.receive(message)
    with desk.database.write() as session:
        event, _ = chat.add(session, _event(message, post, receipt.reference, now))
        if visitor.email:
            chat_sessions.told(session, session_id, visitor.email)
    if event.digest != message.raw_sha256:
        raise _other_words()
    zone = ZoneInfo(desk.policy.calendar_settings.zone)
    due = (receipt.acknowledge_by, receipt.answer_by)
    acknowledge_by, answer_by = (at.astimezone(zone) if at else None for at in due)
    return Posted(
        seq=event.seq,
        reference=receipt.reference,
        duplicate=receipt.duplicate,
        acknowledge_by=acknowledge_by,
        answer_by=answer_by,
    )


def _visitor(row: ChatSession) -> Visitor:
    language = Language(row.language) if row.language else None
    return Visitor(
        session=row.id, name=row.name, email=row.email, bound=row.bound, language=language, account=row.account
    )


def _event(message: InboundMessage, post: ChatPost, reference: str | None, now: datetime) -> ChatEvent:
    files = [
        {"filename": one.filename, "content_type": one.content_type, "size": len(one.content)}
        for one in message.attachments
    ]
    return ChatEvent(
        session=message.sender,
        seq=0,
        kind=chat.MESSAGE,
        key=str(post.client_msg_id),
        digest=message.raw_sha256,
        message_id=message.message_id,
        reference=reference or "",
        text=message.text,
        attachments=files,
        at=now,
    )


def _history(desk: ChatDesk, session_id: str, after: int) -> History:
    with desk.database.read() as session:
        row = chat_sessions.get(session, session_id)
        found = chat.events(session, session_id, after, PAGE)
    return History(
        events=tuple(view(event, desk.secret) for event in found), last_seq=row.last_seq, read_seq=row.read_seq
    )


def _see(desk: ChatDesk, session_id: str, until: int) -> int:
    now = desk.clock()
    with desk.database.read() as session:
        row = chat_sessions.get(session, session_id)
        letters = chat.unread(session, session_id, until)
    if until <= row.read_seq:
        return row.read_seq
    # Told before it is noted: what dies in between is told again, and counts once.
    if letters:
        desk.intake.notice_event([_delivered(letter, now) for letter in letters])
    with desk.database.write() as session:
        return chat.seen(session, session_id, until, now)


def _delivered(letter: ChatEvent, now: datetime) -> DeliveryEvent:
    return DeliveryEvent(
        event_id=f"{CHAT}/{letter.session}/{letter.seq}",
        notice=letter.key,
        message_id=letter.message_id,
        kind=Delivery.DELIVERED,
        hard=False,
        at=now,
    )


def _other_words() -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        "message.other-words",
        "this client_msg_id came with other words before; make a new one for a new message",
        field="client_msg_id",
    )
