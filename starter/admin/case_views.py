"""One inquiry whole, from the records database."""

from collections.abc import Sequence

from sqlmodel import Session

from models.errors import UnknownInquiry
from models.reference import is_reference
from models.tables import StoredMessage
from records import cases, documents, ledger, messages, notices, obligations
from starter.admin.views import CaseView, EventView, LetterText, LetterView, MessageView, ObligationView, StateView


def checked(reference: str) -> str:
    """The reference as we write it. Raises UnknownInquiry for what cannot be one."""
    written = reference.strip().upper()
    if not is_reference(written):
        raise UnknownInquiry(f"{reference[:40]!r} is no reference; one reads like RX-7KQ4-M2PD")
    return written


def case_view(session: Session, reference: str) -> CaseView:
    """Everything about one inquiry. Raises UnknownInquiry."""
    case = cases.load(session, reference)
    sent = {notice.key: notice for notice in notices.of_case(session, reference)}
    return CaseView(
        state=StateView.of(case),
        obligations=tuple(ObligationView.model_validate(row) for row in obligations.of_case(session, reference)),
        timeline=tuple(EventView.of(event) for event in ledger.of_case(session, reference)),
        messages=message_views(session, messages.of_case(session, reference)),
        letters=tuple(LetterView.of(letter, sent.get(letter.key), reference) for letter in case.letters),
    )


def message_views(session: Session, rows: Sequence[StoredMessage]) -> tuple[MessageView, ...]:
    """Show messages with their files."""
    files = documents.attachments_of(session, (row.id for row in rows))
    return tuple(MessageView.of(row, files.get(row.id, [])) for row in rows)


def letter_text(session: Session, reference: str, name: str) -> LetterText | None:
    """The words of a letter; `name` is `<kind>/<n>`, the whole key, or its place among the letters begun, from 1."""
    begun = notices.of_case(session, reference)
    for place, notice in enumerate(begun, 1):
        if name in {str(place), notice.key, notice.key.removeprefix(f"{reference}/")}:
            return LetterText.model_validate(notice)
    return None
