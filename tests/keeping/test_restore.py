"""The records are lost, an older backup is put back, and Temporal has gone on meanwhile."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from models.case import Case
from models.errors import UnknownOutcome
from models.inquiry import EMAIL
from models.tables import NoticeEvent
from records import contacts, ledger, messages, notices, restores
from records.database import Database
from records.documents import FolderStore
from tests.databases import Template
from tests.keeping.house import Plazo, temporal
from tests.lives import until
from tests.starter.mailbag import Bench, message
from tests.workflows.steady import Steady, now, steadily


@pytest.fixture(params=["blank_in_a_file", "blank_on_postgresql"])
def template(request: pytest.FixtureRequest) -> Template:
    """Both databases, wherever the other tests keep their records."""
    made: Template = request.getfixturevalue(request.param)
    return made


async def doubtful(life: Steady, handle: WorkflowHandle[Any, Any], draft: dict[str, Any]) -> str:
    """Order a letter that its channel takes without our learning of it; return its key."""
    life.postbox.after.append(UnknownOutcome("the connection broke"))
    taken = len(life.postbox.letters)
    await life.command(handle, "reply", draft=draft)

    async def gone() -> bool:
        return len(life.postbox.letters) > taken

    await until(gone)
    return life.postbox.letters[-1].notice


def somebody_else(life: Steady) -> Case:
    """A case of a person whom nobody knew before."""
    with life.database.write() as session:
        contact, address = contacts.find_or_add(session, EMAIL, "carla@example.org", now=now())
    return life.new().model_copy(update={"contact": contact, "addresses": (address,)})


def reference(handle: WorkflowHandle[Any, Any]) -> str:
    return handle.id.removeprefix("inquiry/")


async def test_what_the_workflows_know_is_fetched_again_and_nothing_is_sent_twice(  # noqa: PLR0915  one story
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.sending.ASK_AGAIN", timedelta(seconds=0.5))
    documents = FolderStore(tmp_path / "documents")
    kept = documents.put(b"a receipt")
    async with temporal() as address:
        plazo = Plazo(tmp_path, template.copy(tmp_path), address)
        async with steadily(plazo.records_url, address) as life:
            async with life.worker():
                still, answered, waits = [await life.begin() for _ in range(3)]
                hurries = await life.begin(life.new(unknown_wait_seconds=1))
                for handle in (still, answered, waits, hurries):
                    await life.quiet(handle)
                drafts = {handle.id: life.draft(handle) for handle in (waits, hurries)}
                backup = await asyncio.to_thread(plazo.data, "backup", str(tmp_path))
                await life.command(answered, "reply", draft=life.draft(answered))
                await life.quiet(answered)
                opened = await life.begin(somebody_else(life))
                case_opened = await life.quiet(opened)
                first = await doubtful(life, waits, drafts[waits.id])
                second = await doubtful(life, hurries, drafts[hurries.id])
            queue = life.queue
            sent = [letter.notice for letter in life.postbox.letters]
            heads = {one.id: life.saved(one).head for one in (still, answered, opened)}

        assert (backup["counts"]["cases"], backup["files"], backup["sealed"]) == (4, 1, "test")
        documents.remove(kept.path)
        plazo.records_url = template.fresh(tmp_path)
        told = await asyncio.to_thread(plazo.data, "restore", backup["file"])
        losses = {one["reference"]: one for one in told["losses"]}
        assert told["stuck"] == {}
        assert reference(still) not in losses
        one = losses.pop(reference(answered))
        assert (one["missing"], [key for key, _ in one["sent"]]) == (False, [f"{reference(answered)}/reply/1"])
        assert one["events"] > 0
        one = losses.pop(reference(opened))
        assert (one["missing"], one["messages"], one["addresses"]) == (True, 1, 1)
        assert [key for key, _ in one["sent"]] == [f"{reference(opened)}/acknowledgement/1"]
        for name, key in ((reference(waits), first), (reference(hurries), second)):
            assert losses.pop(name, {"unsure": [key]})["unsure"] == [key]
        assert losses == {}
        with documents.open(kept.path) as file:
            assert file.read() == b"a receipt"

        async with steadily(plazo.records_url, address) as after:
            after.queue = queue
            for handle in (still, answered, opened):
                assert after.saved(handle).head == heads[handle.id]
            async with after.worker():

                async def asked() -> bool:
                    with after.database.read() as session:
                        return notices.kept(session, first)

                await until(asked)
                with after.database.write() as session:
                    notices.add_event(
                        session, NoticeEvent(event_id="e", notice=first, kind="processed", at=now(), stored_at=now())
                    )
                for handle in (waits, hurries):
                    await until(lambda handle=handle: accepted(after, handle))  # type: ignore[misc]
                assert [letter.notice for letter in after.postbox.letters] == [second]
                assert after.postbox.letters[0].message_id == life.postbox.letters[-1].message_id
                with after.database.read() as session:
                    again = notices.find(session, second)
                    assert again
                    assert again.possible_duplicate
                # They live on.
                await after.command(opened, "note", text="seen")
                await after.quiet(opened)
            assert set(sent) >= {first, second}
            with after.database.read() as session:
                for handle in (still, answered, waits, hurries, opened):
                    ledger.verify(session, reference(handle))
        plazo.run("verify", "--all")
        assert (await asyncio.to_thread(plazo.data, "rebuild"))["losses"] == []
        collected_again(plazo.records_url, tmp_path, case_opened)


async def accepted(life: Steady, handle: WorkflowHandle[Any, Any]) -> bool:
    return any(event.type == "letter.accepted" and "/reply/" in event.data["key"] for event in life.events(handle))


def collected_again(records_url: str, folder: Path, case: Case) -> None:
    """A provider that is asked again brings the message that opened a case: it opens no second one."""
    bench = Bench(Database(records_url), folder / "documents", now=now())
    receipt = bench.intake.receive(message(7, received_at=case.received_at))
    assert (receipt.reference, receipt.disposition) == (None, "restored")
    other = bench.intake.receive(message(8, received_at=case.received_at + timedelta(milliseconds=1)))
    assert other.new
    with bench.database.read() as session:
        (held,) = messages.quarantined(session)
        assert case.reference in held.disposition_reason
        assert restores.last(session) is not None
    bench.database.close()
