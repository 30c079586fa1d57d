"""An inquiry that a colleague registers on somebody's behalf: what is given, and the message that is made of it.

It came to the office, to an executive's mailbox, or with a letter of the authority; it has the same terms as any other,
counted from its true reception.
"""

import base64
import binascii
import hashlib
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, StringConstraints

from channels.guess import kind_of, language_of
from channels.message import Attachment, Disposition, Dropped, InboundMessage
from channels.text import clean, one_line
from models.inquiry import Channel, Kind, Language
from models.messages import Name, When

Line = Annotated[str, StringConstraints(max_length=200)]


def _decoded(value: object) -> object:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except binascii.Error:
        raise ValueError("want base64") from None


class Enclosed(BaseModel):
    """A file that came with it; `data` is base64."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    filename: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    content_type: Line = "application/octet-stream"
    data: Annotated[bytes, BeforeValidator(_decoded)]


class Elsewhere(BaseModel):
    """Another address that the person gave."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    channel: Channel
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]


class FromAuthority(BaseModel):
    """What the authority's letter orders (M3.10): its file number, and by when it wants its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file_number: Name
    answer_by: When | None = None


class Registration(BaseModel):
    """An inquiry handed in for somebody. Without `email` nobody can be written to until an address is known."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {
                    "place": "office",
                    "received_at": "2026-02-02T16:30:00Z",
                    "email": "ana@example.org",
                    "subject": "Retiro pendiente",
                    "text": "Mi retiro del 12 de marzo no ha llegado.",
                    "language": "es",
                }
            ]
        },
    )

    place: Channel = Field(description="where it came in: one of the policy's places")
    received_at: AwareDatetime = Field(description="the true reception: the terms count from here")
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60_000)] = Field(
        description="what the person says, in their own words"
    )
    email: EmailStr | None = None
    further: Annotated[tuple[Elsewhere, ...], Field(max_length=9)] = ()
    name: Line = ""
    subject: Line = ""
    kind: Kind | None = Field(default=None, description="left out: guessed, and what is unclear is a complaint")
    language: Language | None = Field(default=None, description="left out: guessed, and uncertain means both")
    reference: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        default=None, description="the inquiry that it belongs to; left out: it opens one"
    )
    identified: bool = Field(default=False, description="whoever registers it has seen who the person is")
    authority: FromAuthority | None = Field(default=None, description="it is a letter of the authority")
    attachments: Annotated[tuple[Enclosed, ...], Field(max_length=50)] = ()


def message_of(given: Registration, key: str | None, actor: str, most_text: int) -> InboundMessage:
    """Make the message. `key` (the Idempotency-Key of `actor`) tells repetitions; without one the content does."""
    raw = given.model_dump_json(exclude={"attachments"}).encode()
    files = tuple(
        Attachment(
            filename=one.filename,
            content_type=one.content_type,
            content=one.data,
            sha256=hashlib.sha256(one.data).hexdigest(),
        )
        for one in given.attachments
    )
    whole = hashlib.sha256(raw + "".join(one.sha256 for one in files).encode()).hexdigest()
    named = hashlib.sha256(f"{actor} {key}".encode()).hexdigest() if key else whole
    subject, text = one_line(given.subject), clean(given.text).strip()
    return InboundMessage(
        channel=given.place,
        provider_id=f"registered:{named}",
        received_at=given.received_at,
        sender=given.email or "",
        sender_name=one_line(given.name),
        sender_verified=False,
        bound=given.identified,
        reply_to="",
        recipients=(),
        subject=subject,
        text=text[:most_text],
        full_text=text[:most_text],
        attachments=files,
        further=tuple((one.channel, one.address) for one in given.further),
        disposition=Disposition.MESSAGE,
        language=given.language or language_of(f"{subject}\n{text}"),
        kind=given.kind or kind_of(f"{subject}\n{text}"),
        dropped=(Dropped(what="text", why=f"only its first {most_text} characters are shown"),)
        if len(text) > most_text
        else (),
        raw_sha256=whole,
        raw=raw,
    )
