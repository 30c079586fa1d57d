"""What came in: one message from a person, or from a machine, whatever the channel."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from models.inquiry import Channel, Kind, Language

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


FORGED = "forged"
"""What stands as `spf` and `dkim` where the mail put fields of its own into the provider's post."""


class Disposition(StrEnum):
    """What is to become of a message. Only MESSAGE goes on; the others wait for a person."""

    MESSAGE = "message"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    LOOP = "loop"
    UNANSWERABLE = "unanswerable"
    """Nobody to answer: no readable sender address."""


class Attachment(BaseModel):
    """A file that came with a message. `content_type` is the sender's claim; `cid`, if any, names it in the HTML."""

    model_config = ConfigDict(frozen=True)

    filename: str
    content_type: str
    content: bytes = Field(repr=False)
    sha256: Sha256
    cid: str = ""


class Dropped(BaseModel):
    """Something of a message that was not taken over; the raw copy still has it."""

    model_config = ConfigDict(frozen=True)

    what: str
    why: str


class InboundMessage(BaseModel):
    """A message as it came in, read but not yet placed. Personal data: it belongs in the records database alone.

    `received_at` is aware UTC, the time of reading 2: never the sender's. `text` is what the sender wrote, `full_text`
    with everything it quotes. Addresses and names are opaque: escape them wherever they are shown.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    channel: Channel
    provider_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The same for every delivery of the same message: its Message-ID, else `sha256:` and the hash of its bytes."""
    received_at: AwareDatetime

    sender: str
    """The address in From, else in Reply-To, else empty; never that of the envelope, which a forwarder rewrites."""
    sender_name: str
    sender_verified: bool
    """SPF or DKIM vouches for the domain in From. Unverified, nobody is taken for the person behind an address."""
    reply_to: str
    """Where the sender wants answers, if elsewhere; else empty. Unauthenticated: nothing about a case goes there."""
    recipients: tuple[str, ...]

    subject: str
    text: str = Field(repr=False)
    full_text: str = Field(repr=False)
    html: str | None = Field(default=None, repr=False)
    """Harmless HTML, or None where there is none or it was not worth sanitising."""
    attachments: tuple[Attachment, ...] = ()

    message_id: str = ""
    """Without angle brackets; empty where the message has none."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    """Oldest first, without angle brackets."""
    tokens: tuple[str, ...] = ()
    """What stands after the plus sign of our addresses: candidates for `channels.tokens.read_token`."""
    subject_references: tuple[str, ...] = ()
    """What looks like a reference in the subject, in capitals; proof of nothing."""

    disposition: Disposition
    disposition_reason: str = ""
    language: Language | None
    kind: Kind
    spf: str = ""
    dkim: str = ""
    dropped: tuple[Dropped, ...] = ()

    raw_sha256: Sha256
    raw: bytes = Field(repr=False, exclude=True)
    """The bytes to keep as evidence: the mail itself, or the provider's whole post where it takes mails apart."""
