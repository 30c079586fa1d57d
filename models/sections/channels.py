"""What comes in and goes out: the established channels, intake and its limits, the letters and their sending."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from models.inquiry import Area, Channel, Kind, Language
from models.letters import LetterKind
from models.policy_file import Bilingual, Section, Text
from models.terms import Seconds

Positive = Annotated[int, Field(ge=1)]


class ChannelSettings(Section):
    """An established channel (M2.1): its public address, and the channel that carries its letters (M4.1).

    `conversation`: a message without any other sign belongs to the inquiry that is open with its sender there.
    """

    label: Bilingual
    address: Text
    answered_by: Channel
    enabled: bool
    conversation: bool = False


class Channels(Section):
    """All channels, each a section of its own; `fallback` is the order they are tried in when one fails (reading 8)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Channel, ChannelSettings]

    fallback: tuple[Channel, ...]

    @property
    def named(self) -> dict[Channel, ChannelSettings]:
        """The channels by name, in the file's order."""
        return self.__pydantic_extra__


class Letters(Section):
    """The letters copied to the registered e-mail (reading 7), and the language that prevails (reading 12).

    `undo_seconds` is how long a letter that a person ordered waits and can be taken back.
    """

    copied: tuple[LetterKind, ...]
    prevailing_language: Literal[Language.ES, Language.EN]
    undo_seconds: Annotated[int, Field(ge=0, le=3600)]


class Notices(Section):
    """How long a sending with an unknown end waits, and how long deliveries are gathered, in seconds."""

    unknown_wait_seconds: Seconds
    before_due_seconds: Seconds
    delivered_after_seconds: Seconds


class Intake(Section):
    """How an inquiry is taken in (readings 2 and 12), and the sizes beyond which parts are left out."""

    reception: Literal["provider", "stored"]
    unclear_kind: Kind
    unclear_language: Language
    after_close: Literal["new", "reopen"]
    area: Area
    max_mail_bytes: Positive
    max_mail_parts: Positive
    max_attachments: Positive
    max_web_form_bytes: Positive
    max_text_characters: Positive


class Registration(Section):
    """Where inquiries that colleagues register may have come in, and how many days back without a supervisor."""

    places: dict[Channel, Bilingual]
    days_back: Positive


class Mail(Section):
    """Limits against backscatter and loops."""

    acknowledgements_per_address_per_day: Positive
    messages_per_address_per_hour: Positive
