"""The one conversation of an inquiry: every message and every letter, on all channels, in the order they happened.

Internal notes are no part of it; they stand in the timeline.
"""

from typing import Literal

from pydantic import AwareDatetime
from sqlmodel import Session

from models.inquiry import PUBLIC
from models.tables import StoredMessage
from records import case_list, messages, notices
from starter.admin.letter_views import Words
from starter.admin.message_views import AttachmentView, message_views
from starter.admin.views import View


class Turn(View):
    """One turn of the conversation, with where it came from or went, and how far it got.

    `at` is a message's true reception, or when a channel took a letter; `key` its id here, `provider_id` the channel's
    own. `state` is `received` for a message, else the letter's: sending, accepted, delivered, bounced, refused, failed.
    """

    at: AwareDatetime
    direction: Literal["in", "out"]
    channel: str
    key: str
    provider_id: str
    state: str
    sender: str = ""
    sender_verified: bool = False
    third_party: bool = False
    public: bool = False
    part_of: str = ""
    edit_of: str = ""
    unreadable: str = ""
    subject: str
    text: Words
    attachments: tuple[AttachmentView, ...] = ()


class ThreadView(View):
    """A conversation, in order."""

    items: tuple[Turn, ...]


def thread(session: Session, reference: str) -> tuple[Turn, ...]:
    """Gather the conversation of one inquiry. Raises UnknownInquiry."""
    case_list.line(session, reference)
    rows = messages.of_case(session, reference)
    files = {view.id: view.attachments for view in message_views(session, rows)}
    received = [_received(row, files[row.id]) for row in rows]
    sent = [
        Turn(
            at=letter.accepted_at or letter.created_at,
            direction="out",
            channel=letter.channel,
            key=letter.key,
            provider_id=letter.provider_id,
            state=letter.state,
            public=letter.address_id.startswith(f"{PUBLIC}/"),
            subject=letter.subject,
            text=letter.text,
        )
        for letter in notices.of_case(session, reference)
    ]
    return tuple(sorted([*received, *sent], key=lambda turn: (turn.at, turn.direction)))


def _received(row: StoredMessage, files: tuple[AttachmentView, ...]) -> Turn:
    return Turn(
        at=row.received_at,
        direction="in",
        channel=row.channel,
        key=row.id,
        provider_id=row.provider_id,
        state="received",
        sender=row.sender,
        sender_verified=row.sender_verified,
        third_party=row.third_party,
        public=bool(row.public_place),
        part_of=row.part_of,
        edit_of=row.edit_of,
        unreadable=row.unreadable,
        subject=row.subject,
        text=row.text,
        attachments=files,
    )
