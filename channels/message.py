"""What came in: one message from a person, or from a machine, whatever the channel."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from channels.storable import Storable
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
    CLAIM = "claim"
    """It was a binding's one-time code and nothing else: done with, and no inquiry."""
    RESTORED = "restored"
    """The records were put back, and its inquiry knows it already: a person puts it there."""


class Attachment(Storable):
    """A file that came with a message. `content_type` is the sender's claim; `cid`, if any, names it in the HTML."""

    filename: str
    content_type: str
    content: bytes = Field(repr=False)
    sha256: Sha256
    cid: str = ""


class Dropped(Storable):
    """Something of a message that was not taken over; the raw copy still has it."""

    what: str
    why: str


class RemoteFile(Storable):
    """A file that lies with the provider still: fetched once the message is stored. `size` in bytes, 0 where unsaid."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    """What the channel's adapter finds it by; never an address that the sender chose."""
    filename: str
    content_type: str
    size: int = 0


class InboundMessage(Storable):
    """A message as it came in, read but not yet placed. Personal data: it belongs in the records database alone.

    `received_at` is aware UTC, the time of reading 2: never the sender's. `text` is what the sender wrote, `full_text`
    with everything it quotes. Addresses and names are opaque: escape them wherever they are shown.
    """

    channel: Channel
    provider_id: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """The same for every delivery of the same message: its Message-ID, else `sha256:` and the hash of its bytes."""
    received_at: AwareDatetime

    sender: str
    """The address in From, else in Reply-To, else empty; never that of the envelope, which a forwarder rewrites."""
    sender_name: str
    sender_verified: bool
    """The channel vouches that it came from this address: SPF or DKIM for a mail, the provider itself for a handle.
    Unverified, nobody is taken for the person behind an address."""
    bound: bool = False
    """The channel vouches for who the person is, so letters may say all: never for a mere handle."""
    account: str = ""
    """The operator's own id of the sender's account, where the channel vouches for it."""
    reply_to: str
    """Where the sender wants answers, if elsewhere; else empty. Unauthenticated: nothing about a case goes there."""
    recipients: tuple[str, ...]

    subject: str
    text: str = Field(repr=False)
    full_text: str = Field(repr=False)
    html: str | None = Field(default=None, repr=False)
    """Harmless HTML, or None where there is none or it was not worth sanitising."""
    attachments: tuple[Attachment, ...] = ()

    files: tuple[RemoteFile, ...] = ()

    message_id: str = ""
    """What a letter that answers it names: a mail's Message-ID without angle brackets, else the provider's own id."""
    in_reply_to: str = ""
    """The same of the message or letter that it answers."""
    references: tuple[str, ...] = ()
    """Oldest first, without angle brackets."""
    tokens: tuple[str, ...] = ()
    """What stands after the plus sign of our addresses: candidates for `channels.tokens.read_token`."""
    subject_references: tuple[str, ...] = ()
    """What looks like a reference in the subject, in capitals; proof of nothing."""

    edit_of: str = ""
    """The provider's id of the earlier message whose new wording this is; both are kept."""
    album: str = ""
    """Messages of one sender with the same mark are one message in several posts: words and pictures."""
    public_place: str = ""
    """Where everybody can read it and an invitation may be posted; empty for what came in private."""
    unreadable: str = ""
    """Why it cannot be read here, such as `encrypted`; its sender is told, and shown other channels."""
    further: tuple[tuple[Channel, str], ...] = ()
    """Other addresses that the sender gave with it: channel and address."""

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
