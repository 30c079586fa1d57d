"""A message as the admin API shows it; words and sender are personal data. Times are aware UTC."""

from collections.abc import Sequence

from pydantic import AwareDatetime
from sqlmodel import Session

from models.tables import StoredAttachment, StoredMessage
from records import documents
from starter.admin.views import View


class AttachmentView(View):
    """A file that came with a message; type and name are the sender's claims."""

    filename: str
    content_type: str
    size: int
    sha256: str


class MessageView(View):
    """A message as it came in."""

    id: str
    channel: str
    reference: str | None
    received_at: AwareDatetime
    stored_at: AwareDatetime
    sender: str
    sender_name: str
    sender_verified: bool
    third_party: bool
    disposition: str
    disposition_reason: str
    kind: str
    language: str | None
    subject: str
    text: str
    attachments: tuple[AttachmentView, ...]

    @classmethod
    def of(cls, message: StoredMessage, files: list[StoredAttachment]) -> "MessageView":
        """Show a message with its files."""
        shown = {name: getattr(message, name) for name in cls.model_fields if name != "attachments"}
        return cls.model_validate({**shown, "attachments": [AttachmentView.model_validate(file) for file in files]})


class QuarantineView(View):
    """What waits for a person, the oldest first."""

    items: tuple[MessageView, ...]


class Promotion(View):
    """The inquiry that a message out of quarantine opened or joined; the reception is the message's.

    Without `reference` it joined one that whoever asks may not see.
    """

    reference: str | None
    acknowledge_by: AwareDatetime | None
    answer_by: AwareDatetime | None


def message_views(session: Session, rows: Sequence[StoredMessage]) -> tuple[MessageView, ...]:
    """Show messages with their files."""
    files = documents.attachments_of(session, (row.id for row in rows))
    return tuple(MessageView.of(row, files.get(row.id, [])) for row in rows)
