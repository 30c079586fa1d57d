"""What an erasure leaves alone: a file that another message shares, an address that another inquiry needs."""

from datetime import timedelta

import pytest
from sqlmodel import select

from models.erasing import Wiped
from models.tables import ChatEvent, VerdictRow
from records import case_list, cases, chat, chat_sessions, contacts, documents, erasing, messages
from records.database import Database
from records.documents import FolderStore
from tests.cases import MONDAY, new_case
from tests.records.mail import attachment, message

HERE, THERE = "RX-7KQ4-M2PD", "RX-OTHR-1111"


def placed(database: Database, files: FolderStore, reference: str) -> str:
    """An inquiry of the same person with the same attachment; return the address's id."""
    mail = message(f"{reference}@example.org", raw=reference.encode(), attachments=(attachment(),))
    filed = messages.file(mail, mail.raw, files)
    with database.write() as session:
        contact, address = contacts.find_or_add(session, "email", mail.sender, now=MONDAY)
        case = new_case(reference=reference, addresses=(address,)).model_copy(update={"contact": contact})
        cases.add(session, case, subject="Retiro", excerpt="Mi retiro", status_token=reference)
        messages.store(session, mail, filed, MONDAY, reference=reference, contact=contact, address_id=address.id)
    return address.id


def wiped(database: Database, files: FolderStore, reference: str) -> Wiped:
    with database.write() as session:
        return erasing.wipe(session, cases.load(session, reference), files, MONDAY)


def test_what_another_inquiry_needs_stays_and_a_second_time_nothing_is_left(
    database: Database, files: FolderStore
) -> None:
    address = placed(database, files, HERE)
    placed(database, files, THERE)
    done = wiped(database, files, HERE)
    assert (done.files, done.addresses) == (1, ())
    assert done.texts > 4
    again = wiped(database, files, HERE)
    assert (again.texts, again.files) == (0, 0)
    with database.read() as session:
        assert contacts.reveal(session, address).value == "ana@example.org"
        (other,) = messages.of_case(session, THERE)
        (file,) = documents.attachments(session, other.id)
        assert case_list.line(session, HERE).subject == ""
        assert other.text == "Mi retiro no llega."
    with files.open(file.path) as shared:
        assert shared.read() == attachment().content


def test_the_last_inquiry_of_a_person_takes_the_address_along(database: Database, files: FolderStore) -> None:
    address = placed(database, files, HERE)
    assert wiped(database, files, HERE).addresses == (address,)
    assert wiped(database, files, HERE).addresses == (address,)
    with database.read() as session:
        assert contacts.reveal(session, address) == ("email", f"erased/{address}", "")


def test_remarks_on_its_answer_go_and_the_verdict_stays(database: Database, files: FolderStore) -> None:
    placed(database, files, HERE)
    row = VerdictRow(
        reference=HERE,
        letter="final_upheld/1",
        area="cx",
        answered_at=MONDAY,
        judged_by="cx-lead",
        at=MONDAY,
        version="1",
        criteria={"clear": False},
        remarks={"clear": "He did not understand it."},
    )
    with database.write() as session:
        session.add(row)
    wiped(database, files, HERE)
    with database.read() as session:
        kept = session.exec(select(VerdictRow)).one()
        assert (kept.criteria, kept.remarks) == ({"clear": False}, {})


def test_a_mail_whose_id_looks_like_what_a_visitor_said_takes_nothing_of_theirs(
    database: Database, files: FolderStore
) -> None:
    placed(database, files, HERE)
    with database.write() as session:
        visit, _ = chat_sessions.open_session(session, MONDAY, lives=timedelta(days=1), email="", name="")
        said = ChatEvent(session=visit.id, seq=0, kind=chat.MESSAGE, key="k", message_id="", text="theirs", at=MONDAY)
        chat.add(session, said)
    mail = message(f"{visit.id}/k", raw=b"mail")
    filed = messages.file(mail, mail.raw, files)
    with database.write() as session:
        row, _ = messages.store(session, mail, filed, MONDAY)
        (of_case,) = messages.of_case(session, HERE)
        messages.promote(session, row, HERE, MONDAY, contact=of_case.contact or "", address_id=of_case.address_id or "")
    wiped(database, files, HERE)
    with database.read() as session:
        (event,) = chat.events(session, visit.id, 0, 10)
        assert (event.reference, event.text) == ("", "theirs")


@pytest.mark.parametrize("written_first", [True, False])
def test_what_a_visitor_said_goes_also_where_it_came_through_quarantine(
    database: Database, files: FolderStore, *, written_first: bool
) -> None:
    """The chat's book is written after the message is stored: a person may have let it out before that."""
    with database.write() as session:
        visit, _ = chat_sessions.open_session(
            session, MONDAY, lives=timedelta(days=1), email="ana@example.org", name="Ana"
        )
        contact, address = contacts.find_or_add(session, "chat", visit.id, now=MONDAY)
        case = new_case(addresses=(address,)).model_copy(update={"contact": contact})
        cases.add(session, case, subject="", excerpt="", status_token="t")

    def write_down() -> None:
        said = ChatEvent(session=visit.id, seq=0, kind=chat.MESSAGE, key="k", message_id="", text="secret", at=MONDAY)
        with database.write() as session:
            chat.add(session, said)

    mail = message(f"{visit.id}/k", channel="chat", sender=visit.id)
    filed = messages.file(mail, mail.raw, files)
    with database.write() as session:
        row, _ = messages.store(session, mail, filed, MONDAY)
    if written_first:
        write_down()
    with database.write() as session:
        held = messages.get(session, row.id)
        messages.promote(session, held, HERE, MONDAY, contact=contact, address_id=address.id)
    if not written_first:
        write_down()
    with database.read() as session:
        (event,) = chat.events(session, visit.id, 0, 10)
        assert event.reference == (HERE if written_first else "")
    wiped(database, files, HERE)
    with database.read() as session:
        (event,) = chat.events(session, visit.id, 0, 10)
        there = chat_sessions.get(session, visit.id)
        assert event.text.startswith("[erased ")
        assert (there.email, there.name) == ("", "")
