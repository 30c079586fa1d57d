"""The web form: what `POST /intake/web` takes, and the message that is made of it."""

import hashlib
import uuid
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, field_validator

from channels.guess import kind_of, language_of
from channels.message import Disposition, Dropped, InboundMessage
from channels.text import clean, one_line
from models.inquiry import WEB, Kind, Language

Line = Annotated[str, StringConstraints(max_length=200)]


class WebForm(BaseModel):
    """An inquiry or complaint from the platform's form. It needs an e-mail address: that is where the answers go."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {
                    "email": "ana@example.org",
                    "subject": "Retiro pendiente",
                    "text": "Mi retiro del 12 de marzo no ha llegado.",
                    "language": "es",
                }
            ]
        },
    )

    email: EmailStr
    name: Line = ""
    subject: Line = ""
    text: Annotated[str, StringConstraints(min_length=1)]
    kind: Kind | None = Field(default=None, description="left out: guessed, and what is unclear is a complaint")
    language: Language | None = Field(default=None, description="left out: guessed, and uncertain means both")

    @field_validator("text", mode="after")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not clean(value).strip():
            raise ValueError("must say something")
        return value


def message_of(form: WebForm, key: str | None, stored_at: datetime, most_text: int) -> InboundMessage:
    """Make the message. `key` (the Idempotency-Key) tells repetitions; without one every post is a message of its own.

    Nobody vouches for the address, so the person behind it is not bound.
    """
    raw = form.model_dump_json().encode()
    subject, text = one_line(form.subject), clean(form.text).strip()
    whole = f"{subject}\n{text}"
    return InboundMessage(
        channel=WEB,
        provider_id=key or f"form:{uuid.uuid4()}",
        received_at=stored_at,
        sender=form.email,
        sender_name=one_line(form.name),
        sender_verified=False,
        reply_to="",
        recipients=(),
        subject=subject,
        text=text[:most_text],
        full_text=text[:most_text],
        disposition=Disposition.MESSAGE,
        language=form.language or language_of(whole),
        kind=form.kind or kind_of(whole),
        dropped=(Dropped(what="text", why=f"only its first {most_text} characters are shown"),)
        if len(text) > most_text
        else (),
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        raw=raw,
    )
