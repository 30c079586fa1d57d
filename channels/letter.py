"""A letter on its way out, whatever the channel, and the provider's word that it took it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from channels.text import one_line

LONGEST_ADDRESS = 320

Line = Annotated[str, AfterValidator(one_line)]
"""One line without controls, at most 200 characters: nothing in it can become a header of its own."""

MessageId = Annotated[str, StringConstraints(pattern=r"^[^<>\s@]{1,200}@[^<>\s@]{1,200}$")]
"""Without angle brackets."""


class OutboundLetter(BaseModel):
    """A letter as it is to leave. `notice` is its key and the only custom argument, `kind` its only category.

    `message_id` is the same on every try, so that mailboxes show a possible duplicate once.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    notice: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]
    to: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ADDRESS)] = Field(repr=False)
    """The address on its channel: a mailbox, a chat's id, a user's id, a session."""
    public: bool = False
    """It is posted where everybody can read it; `to` is the place, as in `InboundMessage.public_place`."""
    subject: Line = Field(repr=False)
    text: Annotated[str, StringConstraints(min_length=1)] = Field(repr=False)
    html: str | None = Field(default=None, repr=False)
    message_id: MessageId
    reply_token: str = ""
    """Names the inquiry and cannot be guessed; an answer that carries it finds its way (`channels.tokens`)."""
    in_reply_to: str | None = None
    """The `message_id` of the message answered: without angle brackets, or the provider's own id."""
    references: tuple[str, ...] = ()
    """Of the thread, oldest first, the one answered last."""
    auto_submitted: Literal["auto-replied", "auto-generated", "no"] = "auto-generated"
    """RFC 3834: `auto-replied` for an acknowledgement, `auto-generated` for others, `no` for what a person wrote."""


class Accepted(BaseModel):
    """The provider took the letter: its own id of it, and when it said so (aware UTC)."""

    model_config = ConfigDict(frozen=True)

    provider_id: str
    at: AwareDatetime
