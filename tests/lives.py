"""A living case: the real workflow and activities, the time-skipping server, real records, a postbox that may fail."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from activities.composing import Stationery
from activities.letters.memos import Memos
from activities.letters.rendering import Letters
from keys import KeyRing, parse_keys
from models.case import Case
from models.episodes import Answer
from models.inquiry import EMAIL, Actor
from models.ledger import Event, Fact
from records import cases, contacts, documents, ledger
from starter.commands.rehearsal import QUEUE, Rehearsal, rehearsal
from starter.temporal.engine import start_case
from tests.cases import AGENT, MONDAY, ROXOM, new_case, policy, usual, with_cause
from tests.waiting import PATIENCE
from trackers.registry import Trackers

TOKEN = "t" * 43
FULL_TEXT = {
    "text": "We looked into it.",
    "points": [{"point": "the fee", "answer": "it is returned"}],
    "actions": ["the ledger was read"],
    "reasons": "the fee was charged twice",
    "items": [{"item": "a receipt", "why": "it shows the amount"}],
}
"""Enough of a draft for every command."""


def ring() -> KeyRing:
    """The tests' key; recorded histories are sealed with it."""
    return parse_keys("test:" + base64.b64encode(b"k" * 32).decode(), "tests")


@cache
def all_letters() -> Letters:
    """The operator's letters, checked once."""
    return Letters.load(ROXOM)


class Life(Rehearsal):
    """Everything a test of a life needs."""

    async def open(self, case: Case | None = None, *, queue: str = QUEUE, **more: Any) -> WorkflowHandle[Any, Any]:
        """Open a case as intake does and start its workflow."""
        if case is None:
            now = await self.env.get_current_time()
            with self.database.write() as session:
                contact, address = contacts.find_or_add(session, EMAIL, "ana@example.org", now=now)
            case = new_case(now, addresses=(address,), **more).model_copy(update={"contact": contact})
        with self.database.write() as session:
            cases.add(session, case, subject="s", excerpt="e", status_token=TOKEN + case.reference)
        await start_case(self.client, queue, case)
        return self.client.get_workflow_handle(f"inquiry/{case.reference}")

    async def reach(self, moment: datetime | None) -> None:
        """Let time pass until a moment that the case itself names: how many days that is hangs on the calendar."""
        assert moment is not None
        await self.env.sleep(max(timedelta(0), moment - await self.env.get_current_time()))

    async def command(
        self, handle: WorkflowHandle[Any, Any], name: str, actor: Actor | None = None, **order: Any
    ) -> Answer:
        """Send a command as one of our own services does."""
        sealed = {**with_cause(name, order), "actor": (actor or usual(name, order)).model_dump(mode="json")}
        answer: Answer = await handle.execute_update(name, sealed, result_type=Answer)
        return answer

    async def quiet(self, handle: WorkflowHandle[Any, Any]) -> Case:
        """Wait until all that happened is in the ledger and nothing is on its way, and read the case from records."""
        last: list[tuple[datetime, str]] = []

        async def settled() -> bool:
            nonlocal last
            timeline = [(fact.at, fact.type) for fact in await handle.query("timeline", result_type=list[Fact])]
            before, last = last, timeline
            written = [(event.at, event.type) for event in self.events(handle)]
            return timeline == before and timeline == written[len(written) - len(timeline) :]

        await until(settled)
        return self.saved(handle)

    def saved(self, handle: WorkflowHandle[Any, Any]) -> Case:
        with self.database.read() as session:
            return cases.load(session, handle.id.removeprefix("inquiry/"))

    def events(self, handle: WorkflowHandle[Any, Any]) -> list[Event]:
        with self.database.read() as session:
            return ledger.of_case(session, handle.id.removeprefix("inquiry/"))

    def draft(self, handle: WorkflowHandle[Any, Any], **content: Any) -> dict[str, Any]:
        """Keep what an agent wrote and return what travels of it."""
        reference = handle.id.removeprefix("inquiry/")
        with self.database.write() as session:
            kept = documents.save_draft(session, reference, "draft", content or FULL_TEXT, author=AGENT, now=MONDAY)
        return kept.model_dump(mode="json")


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Wait for a condition, not for time; fail when it never comes."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


def stationery() -> Stationery:
    """What the tests' letters are written with."""
    return Stationery(
        policy=policy(),
        letters=all_letters(),
        memos=Memos.load(ROXOM),
        status_base_url="https://status.example.org",
        mail_domain="example.org",
        reply_secret=b"secret",
    )


@asynccontextmanager
async def living(
    folder: Path, records_url: str, *, slowly: timedelta = timedelta(minutes=5), trackers: Trackers | None = None
) -> AsyncIterator[Life]:
    """Start a time-skipping server and a worker on migrated records; stop them."""
    async with rehearsal(folder, records_url, stationery(), ring(), slowly=slowly, trackers=trackers) as house:
        yield Life(house.env, house.client, house.database, house.postbox, house.clock)
