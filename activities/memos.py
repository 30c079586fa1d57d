"""From what a colleague must know to the row that is kept: a mail of ours that belongs to no user."""

from datetime import datetime

from activities.composing import Stationery
from activities.letters.memos import Values
from models.inquiry import EMAIL, Language, staff_address
from models.tables import Notice, StaffRow
from records import notices


def language_of(person: StaffRow) -> Language:
    """The language a colleague is written to in: Spanish unless it is English."""
    return Language.EN if person.language == Language.EN else Language.ES


def memo(
    stationery: Stationery, kind: str, *, key: str, reference: str, person: StaffRow, values: Values, now: datetime
) -> Notice:
    """Write a memo down as it will leave; `key` begins with the inquiry's reference where it is about one."""
    named = reference if key.startswith(f"{reference}/{kind}/") else ""
    written = stationery.memos.render(kind, language_of(person), values, reference=named)
    return Notice(
        key=key,
        reference=reference,
        kind=kind,
        address_id=staff_address(person.id).id,
        channel=EMAIL,
        template=written.template,
        version=written.version,
        language=written.language.value,
        subject=written.subject,
        text=written.text,
        html=written.html,
        sha256=notices.letter_hash(written.text, written.html),
        message_id=f"{key.replace('/', '.')}@{stationery.mail_domain}",
        head="",
        created_at=now,
    )
