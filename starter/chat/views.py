"""What the chat shows a visitor of its book."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from channels.email.markup import sanitise
from models.tables import ChatEvent
from records.bindings import spelled_out
from records.chat import MESSAGE


class FileView(BaseModel):
    """A file of a message: what its sender called it, and its bytes' number."""

    filename: str
    content_type: str
    size: int


class EventView(BaseModel):
    """A message of the visitor, or a letter of ours: plain text, and perhaps the same as harmless HTML."""

    seq: int
    event: Literal["message", "letter"]
    at: datetime
    reference: str | None = Field(examples=["RX-7KQ4-M2PD"])
    client_msg_id: str | None = None
    subject: str | None = None
    text: str
    html: str | None = None
    attachments: tuple[FileView, ...] = ()


class History(BaseModel):
    """Part of a conversation; `last_seq` is the number of its newest event."""

    events: tuple[EventView, ...]
    last_seq: int
    read_seq: int


def view(event: ChatEvent, secret: bytes) -> EventView:
    """Show an event; whatever a letter's HTML holds, nothing of it runs or loads.

    `secret` spells out the code of a link: only the visitor reads this, and the book holds none.
    """
    if event.kind == MESSAGE:
        return EventView(
            seq=event.seq,
            event="message",
            at=event.at,
            reference=event.reference or None,
            client_msg_id=event.key,
            text=event.text,
            attachments=tuple(FileView.model_validate(file) for file in event.attachments),
        )
    text, html = (spelled_out(one, event.reference, secret) for one in (event.text, event.html or ""))
    return EventView(
        seq=event.seq,
        event="letter",
        at=event.at,
        reference=event.reference or None,
        subject=event.subject,
        text=text,
        html=sanitise(html) if html else None,
    )
