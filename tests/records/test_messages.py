"""The inbox: stored once however often it comes, with its raw copy, before anybody is told."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import text

from channels.message import Disposition, Dropped
from models.inquiry import EMAIL, WEB
from records import documents, messages
from records.database import Database
from records.documents import FolderStore, Kept
from records.messages import Filed
from tests.records.mail import NOW, RAW, attachment, message

FILED = Filed(Kept(hashlib.sha256(RAW).hexdigest(), "aa/aa", len(RAW)), ())
OTHER = Filed(Kept(hashlib.sha256(b"{}").hexdigest(), "bb/bb", 2), ())


@pytest.mark.rule("M5.5")
def test_a_message_is_kept_whole(database: Database, files: FolderStore) -> None:
    incoming = message(
        html="<p>Mi retiro</p>", attachments=(attachment(),), dropped=(Dropped(what="b.zip", why="too big"),)
    )
    with database.write() as session:
        row, new = messages.store(
            session,
            incoming,
            messages.file(incoming, RAW, files),
            NOW + timedelta(hours=1),
            reference="RX-1",
            contact="ct_1",
            address_id="ad_1",
        )
        assert new
    with database.read() as session:
        stored = messages.get(session, row.id)
        assert [(a.filename, a.size) for a in documents.attachments(session, row.id)] == [("recibo.pdf", 8)]
        with files.open(documents.attachments(session, row.id)[0].path) as kept:
            assert kept.read() == b"%PDF-1.7"
    assert stored.received_at == NOW
    assert stored.stored_at == NOW + timedelta(hours=1)
    assert (stored.sender, stored.subject, stored.text) == ("ana@example.org", "Retiro", "Mi retiro no llega.")
    assert stored.full_text.endswith("antes")
    assert stored.html == "<p>Mi retiro</p>"
    assert (stored.language, stored.kind, stored.disposition) == ("es", "complaint", "message")
    assert stored.references == "0@example.org"
    assert stored.dropped == [{"what": "b.zip", "why": "too big"}]
    assert stored.raw_sha256 == hashlib.sha256(RAW).hexdigest()
    with files.open(stored.raw_path) as raw:
        assert raw.read() == RAW


def test_fifty_deliveries_at_once_are_one_message(database: Database) -> None:
    def deliver(n: int) -> tuple[str, bool]:
        with database.write() as session:
            row, new = messages.store(session, message(), FILED, NOW, reference=f"RX-{n}")
            return str(row.reference), new

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(deliver, range(50)))
    assert sum(new for _, new in answers) == 1
    assert len({reference for reference, _ in answers}) == 1
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM messages")).scalar() == 1


def test_the_same_id_on_another_channel_is_another_message(database: Database) -> None:
    with database.write() as session:
        assert messages.store(session, message(), FILED, NOW)[1]
        assert messages.store(session, message(channel=WEB), FILED, NOW)[1]
        again, new = messages.store(session, message(channel=WEB), OTHER, NOW)
        assert not new
        assert again.raw_sha256 == FILED.raw.sha256


def test_quarantine_waits_for_a_person_and_keeps_the_reception(database: Database) -> None:
    bounce = message("b@example.org", disposition=Disposition.AUTO_REPLY, disposition_reason="Auto-Submitted")
    with database.write() as session:
        row, _ = messages.store(session, bounce, FILED, NOW)
        messages.store(session, message(), FILED, NOW, reference="RX-1")
    with database.read() as session:
        waiting = messages.quarantined(session)
        assert [(one.id, one.disposition_reason) for one in waiting] == [(row.id, "Auto-Submitted")]
    later = NOW + timedelta(days=1)
    with database.write() as session:
        promoted = messages.get(session, row.id)
        messages.promote(session, promoted, "RX-2", later, contact="ct_1", address_id="ad_1")
        assert (promoted.reference, promoted.contact, promoted.address_id) == ("RX-2", "ct_1", "ad_1")
        assert (promoted.received_at, promoted.promoted_at) == (NOW, later)
        assert messages.quarantined(session) == []


def test_a_thread_is_found_and_answered(database: Database) -> None:
    with database.write() as session:
        for n in (1, 2):
            messages.store(session, message(f"{n}@example.org"), FILED, NOW, reference="RX-1")
        third, _ = messages.store(session, message("3@example.org"), FILED, NOW, reference="RX-1", third_party=True)
        loose, _ = messages.store(session, message("4@example.org"), FILED, NOW)
    with database.write() as session:
        assert [one.message_id[0] for one in messages.of_case(session, "RX-1")] == ["1", "2", "3"]
        assert messages.thread(session, "RX-1", EMAIL) == ["0@example.org", "2@example.org"]
        assert messages.thread(session, "RX-9", EMAIL) == []
        messages.place(session, loose.id, "RX-4")
        assert messages.get(session, loose.id).reference == "RX-4"
        found = messages.find(session, EMAIL, "3@example.org")
        assert found is not None
        assert found.id == third.id


def test_one_out_of_quarantine_joins_when_it_is_let_out(database: Database) -> None:
    early = message("e@example.org", text="Estoy de vacaciones", disposition=Disposition.AUTO_REPLY)
    with database.write() as session:
        held, _ = messages.store(session, early, FILED, NOW)
        messages.store(session, message("1@example.org"), FILED, NOW + timedelta(hours=1), reference="RX-1")
    with database.write() as session:
        row, later = messages.get(session, held.id), NOW + timedelta(days=1)
        messages.promote(session, row, "RX-1", later, contact="ct_1", address_id="ad_1")
        assert messages.first_words(session, "RX-1") == "Mi retiro no llega."
        assert messages.thread(session, "RX-1", EMAIL)[-1] == "e@example.org"


def test_the_files_of_several_messages_are_found_at_once(database: Database, files: FolderStore) -> None:
    with database.write() as session:
        for n in range(3):
            one = message(f"{n}@example.org", attachments=(attachment(filename=f"{n}.pdf"),) * n)
            messages.store(session, one, messages.file(one, RAW, files), NOW, reference="RX-1")
        ids = [row.id for row in messages.of_case(session, "RX-1")]
        found = documents.attachments_of(session, ids)
        assert [[file.filename for file in found.get(one, [])] for one in ids] == [[], ["1.pdf"], ["2.pdf"] * 2]
