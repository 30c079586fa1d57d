"""The web form: what `POST /intake/web` takes, how it waits to be read, and the message that is made of it."""

import hashlib
import uuid
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints, field_validator

from channels.guess import kind_of, language_of
from channels.message import Disposition, Dropped, InboundMessage
from channels.port import Arrivals, Greeting, Post
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


class KeyedForm(BaseModel):
    """A form with what tells its repetitions."""

    key: str
    form: WebForm

    @classmethod
    def of(cls, form: WebForm, key: str | None) -> Self:
        """Without a `key`, the Idempotency-Key, every post is a message of its own."""
        return cls(key=key or f"form:{uuid.uuid4()}", form=form)

    def post(self) -> Post:
        """The form as one that waits is kept."""
        return Post(WEB, {}, self.model_dump_json().encode())


class FormEntrance:
    """Where forms come in. `most_text`: characters of a text that are read."""

    name = WEB

    def __init__(self, most_text: int) -> None:
        self._most_text = most_text

    def verify(self, post: Post, now: datetime) -> None:
        """Nobody vouches for a form."""

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read a post that `KeyedForm.post` made."""
        keyed = KeyedForm.model_validate_json(post.body)
        return Arrivals(messages=(message_of(keyed, stored_at, self._most_text),))

    def greet(self, greeting: Greeting) -> None:
        """Nobody is greeted here: the form's own page does."""


def message_of(keyed: KeyedForm, stored_at: datetime, most_text: int) -> InboundMessage:
    """Make the message. Nobody vouches for the address, so the person behind it is not bound."""
    form = keyed.form
    raw = form.model_dump_json().encode()
    subject, text = one_line(form.subject), clean(form.text).strip()
    whole = f"{subject}\n{text}"
    return InboundMessage(
        channel=WEB,
        provider_id=keyed.key,
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
