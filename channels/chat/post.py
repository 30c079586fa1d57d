"""What a visitor posts, and the message that is made of it. Pure."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from channels.guess import kind_of, language_of
from channels.message import Attachment, Disposition, Dropped, InboundMessage
from channels.text import clean, one_line
from models.inquiry import CHAT, EMAIL, Language

SUBJECT = 80
"""Characters of the first words that stand as the subject."""

_UNNAMED = "file"
_UNTYPED = "application/octet-stream"


class PostedFile(BaseModel):
    """A file, its bytes in base64."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    filename: Annotated[str, StringConstraints(max_length=1000)] = ""
    content_type: Annotated[str, StringConstraints(max_length=200)] = ""
    data: str = Field(repr=False)

    @field_validator("data")
    @classmethod
    def _is_base64(cls, value: str) -> str:
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("must be base64") from None
        return value


class ChatPost(BaseModel):
    """A message: `client_msg_id` is the sender's own, and the same each time the same message is sent."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {"client_msg_id": "5f0c5c1e-6b0f-4d55-9a58-2a8f0c6f2c11", "text": "Mi retiro no ha llegado."},
            ]
        },
    )

    client_msg_id: UUID
    text: str = Field(default="", repr=False)
    attachments: tuple[PostedFile, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "ChatPost":
        if not clean(self.text).strip() and not self.attachments:
            raise ValueError("must say something, or bring a file")
        return self


@dataclass(frozen=True)
class Visitor:
    """Whose session it is, and what they said of themselves or the platform said of them."""

    session: str
    name: str
    email: str
    bound: bool
    language: Language | None
    account: str = ""


def provider_id(session: str, post: ChatPost) -> str:
    """The id of a post, the same however often it is sent."""
    return f"{session}/{post.client_msg_id}"


def raw_of(session: str, post: ChatPost) -> bytes:
    """The post as it is kept as evidence: the same words give the same bytes, however they were written."""
    return f'{{"session":"{session}","post":{post.model_dump_json()}}}'.encode()


def message_of(visitor: Visitor, post: ChatPost, stored_at: datetime, most_text: int) -> InboundMessage:
    """Make the message. A text beyond `most_text` characters is cut; the raw copy has all of it.

    A session's token proves the session; only a signed identity vouches for a person, and for their address.
    """
    raw, text = raw_of(visitor.session, post), clean(post.text).strip()
    attachments = tuple(_attachment(file) for file in post.attachments)
    cut = Dropped(what="text", why=f"only its first {most_text} characters are shown")
    return InboundMessage(
        channel=CHAT,
        provider_id=provider_id(visitor.session, post),
        message_id=provider_id(visitor.session, post),
        received_at=stored_at,
        sender=visitor.session,
        sender_name=visitor.name,
        sender_verified=True,
        bound=visitor.bound,
        account=visitor.account,
        reply_to="",
        recipients=(),
        subject=one_line(text, SUBJECT) or one_line(attachments[0].filename if attachments else "", SUBJECT),
        text=text[:most_text],
        full_text=text[:most_text],
        attachments=attachments,
        further=((EMAIL, visitor.email),) if visitor.email else (),
        disposition=Disposition.MESSAGE,
        language=language_of(text) or visitor.language,
        kind=kind_of(text),
        dropped=(cut,) if len(text) > most_text else (),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        raw=raw,
    )


def _attachment(file: PostedFile) -> Attachment:
    content = base64.b64decode(file.data)
    return Attachment(
        filename=one_line(file.filename) or _UNNAMED,
        content_type=one_line(file.content_type, 100) or _UNTYPED,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )
