"""A whole life that ends in erasure: afterwards nothing the person wrote is found anywhere, and the chain holds."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import text
from temporalio.exceptions import ApplicationError

from models.erasing import Wiped
from models.inquiry import EMAIL, Flag
from models.letters import LetterKind
from models.reference import workflow_id
from records import audit, case_list, cases, contacts, documents, erasing, ledger, messages
from records.database import Database
from records.documents import FolderStore
from starter.commands.rehearsal import QUEUE
from starter.temporal.engine import start_case
from tests.cases import OTHER, new_case
from tests.lives import TOKEN, Life, until
from tests.records.mail import attachment, message
from tests.waiting import PATIENCE

CANARY = "zunzuncito"
"""Stands in the address, the name, the words, the files, the notes and the answer."""

WORDS = f"Mi dirección es {CANARY}@example.org"
ANSWER = {
    "text": WORDS,
    "points": [{"point": WORDS, "answer": WORDS}],
    "actions": [WORDS],
}


def found(folder: Path, database: Database) -> list[str]:
    """The files in which the canary stands, in the records and the documents; the records' tables on PostgreSQL."""
    files = [path.name for path in sorted(folder.rglob("*")) if path.is_file() and CANARY.encode() in path.read_bytes()]
    if database.engine.dialect.name != "postgresql":
        return files
    with database.read() as session:
        tables = session.connection().execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        rows = [
            f"SELECT '{name}' AS found FROM {name} AS t WHERE t::text LIKE '%{CANARY}%'"  # noqa: S608 - our own tables
            for name in tables.scalars()
        ]
        return [*files, *session.connection().execute(text(" UNION ".join(rows))).scalars()]


async def lived(life: Life, files: FolderStore) -> Any:
    """An inquiry with a message, a file, a note and an answer, at the end of its appeal window."""
    now = await life.env.get_current_time()
    mail = message(
        f"{CANARY}@example.org",
        sender=f"{CANARY}@example.org",
        sender_name=CANARY,
        subject=WORDS,
        text=WORDS,
        full_text=WORDS,
        html=f"<p>{WORDS}</p>",
        raw=WORDS.encode(),
        attachments=(attachment(b"%PDF " + WORDS.encode(), f"{CANARY}.pdf"),),
    )
    with life.database.write() as session:
        contact, address = contacts.find_or_add(session, EMAIL, mail.sender, name=CANARY, now=now)
        case = new_case(now, addresses=(address,)).model_copy(update={"contact": contact})
        cases.add(session, case, subject=WORDS, excerpt=WORDS, status_token=TOKEN)
        filed = messages.file(mail, mail.raw, files)
        row, _ = messages.store(
            session, mail, filed, now, reference=case.reference, contact=contact, address_id=address.id
        )
    await start_case(life.client, QUEUE, case)
    handle = life.client.get_workflow_handle(workflow_id(case.reference))
    await life.command(handle, "note", text=WORDS)
    await life.command(handle, "reply", draft=life.draft(handle, **ANSWER))
    await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle, **ANSWER))
    await life.command(handle, "request_erasure", message=row.id)
    await life.skip(days=140)
    return handle


async def test_after_an_erasure_nothing_of_the_person_is_found_and_the_chain_holds(life: Life, tmp_path: Path) -> None:
    files = FolderStore(tmp_path / "documents")
    handle = await lived(life, files)
    case = await life.quiet(handle)
    assert case.closed_at
    life.database.forget()
    before = found(tmp_path, life.database)
    assert {"records.db", "messages"} & set(before)
    assert len(before) > 1
    await life.command(handle, "propose", command="erase", order={})
    await life.command(handle, "approve", OTHER)
    async with asyncio.timeout(PATIENCE):
        await handle.result()
    life.database.forget()
    assert found(tmp_path, life.database) == []
    assert [path for path in files.folder.rglob("*") if path.is_file()] == []
    case = life.saved(handle)
    assert Flag.ERASED in case.flags
    assert life.postbox.kinds[-1] == LetterKind.ERASURE_DONE
    with life.database.read() as session:
        assert ledger.verify(session, case.reference) == case.head
        assert case_list.line(session, case.reference).excerpt == ""
        (line,) = audit.page(session, action="inquiry.erased")
        (row,) = messages.of_case(session, case.reference)
        (file,) = documents.attachments(session, row.id)
    assert (line.object, line.actor) == (case.reference, "agent-1")
    assert row.text.startswith("[erased ")
    assert file.filename.startswith("[erased ")
    fact = next(event for event in life.events(handle) if event.type == "case.erased")
    assert fact.data["files_erased"] == 2
    assert all(not event.texts for event in life.events(handle))


async def test_an_erasure_that_ends_in_a_way_nobody_foresaw_is_tried_again(
    life: Life, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, wipe = [ApplicationError("odd", type="Odd", non_retryable=True)], erasing.wipe

    def once_odd(*args: Any) -> Wiped:
        if odd:
            raise odd.pop()
        return wipe(*args)

    monkeypatch.setattr(erasing, "wipe", once_odd)
    handle = await lived(life, FolderStore(tmp_path / "documents"))
    await life.command(handle, "propose", command="erase", order={})
    await life.command(handle, "approve", OTHER)
    await life.skip(minutes=5)

    async def gone() -> bool:
        return Flag.ERASED in life.saved(handle).flags

    await until(gone)
    assert not odd
