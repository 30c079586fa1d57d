"""All orders of four events in the real workflow: whatever comes first, the case ends in the same state."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import WorkflowHandle

from models.case import Case
from models.inquiry import Status
from models.ledger import verify
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.reference import workflow_id
from tests.cases import AGENT
from tests.databases import Template
from tests.lives import Life, living, until

Handle = WorkflowHandle[Any, Any]
Event = Callable[[Life, Handle], Awaitable[object]]

HAPPENED = frozenset(
    {
        *("at", "received_at", "submitted_at", "opened_at", "created_at", "decided_at"),
        *("accepted_at", "delivered_at", "bounced_at", "met_at", "starts"),
    }
)
"""When something happened: of a second of its own in every case, and in an order of its own. What is due by when, what
the user was told and every warning are compared."""

OF_THE_ORDER = frozenset({"seq", "head", "version", "pending", "answers", "unread"})
"""The chain and its length; the answers to the events, whose keys alone are compared; how many messages came after the
last reply, which is what an order means: the test says what it must be. `settled` sees that each is taken once."""

OF_THE_CASE = frozenset({"reference", "salt", "provider_id", "draft"})
"""Different in every case: the channel's id of a letter counts those of all cases, a draft is kept under an id of its
own."""


async def message(life: Life, handle: Handle) -> None:
    """The user writes once more."""
    at = await life.env.get_current_time()
    order = {"message": "ms_2", "at": at.isoformat(), "key": "ms_2"}
    await handle.signal("receive_message", order)


async def delivered(life: Life, handle: Handle) -> None:
    """The acknowledgement reached its mailbox."""
    at = await life.env.get_current_time()
    key = f"{reference_of(handle)}/acknowledgement/1"
    await handle.signal("notice_delivered", {"notices": [key], "at": at.isoformat(), "key": "event:1"})


async def reply(life: Life, handle: Handle) -> None:
    """An agent answers."""
    # In a thread: an activity that writes meanwhile asks this loop for the server's time.
    draft = await asyncio.to_thread(life.draft, handle)
    await life.command(handle, "reply", draft=draft, key="reply-1")


async def appeal(life: Life, handle: Handle) -> None:
    """The authority notifies a review."""
    order = {"text": "DC-2026-118", "by": "authority", "file_number": "DC-2026-118", "key": "appeal-1"}
    await handle.signal("appeal", {**order, "actor": AGENT.model_dump(mode="json")})


EVENTS: tuple[Event, ...] = (message, delivered, reply, appeal)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(blank_records: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Life]:
    """One house for all orders.

    Safe, because nothing here skips time while a case lives, waits for its end or ends it by force. It is noon on a
    working day, so that no order meets another day than the others.
    """
    folder = tmp_path_factory.mktemp("orders")
    records_url, _ = blank_records.apart(folder)
    async with living(folder, records_url) as life:
        now = await life.env.get_current_time()
        monday = now + timedelta(days=7 - now.weekday())
        await life.env.sleep(datetime.combine(monday.date(), time(18), UTC) - now)
        yield life


def reference_of(handle: Handle) -> str:
    return handle.id.removeprefix(workflow_id(""))


def comparable(value: object, reference: str) -> Any:
    """A dump without what is of the moment, of the order or of this very case."""
    if isinstance(value, dict):
        left_out = HAPPENED | OF_THE_ORDER | OF_THE_CASE
        return {name: comparable(one, reference) for name, one in value.items() if name not in left_out}
    if isinstance(value, list):
        return [comparable(one, reference) for one in value]
    return value.replace(reference, "RX") if isinstance(value, str) else value


def end_state(case: Case) -> dict[str, Any]:
    """The whole case, its letters by their keys: they were written in the order of the events."""
    dump = case.model_dump(mode="json")
    answers = sorted(dump["answers"])
    state: dict[str, Any] = comparable(dump, case.reference)
    state["letters"].sort(key=lambda letter: letter["key"])
    return {**state, "answered": answers, "status": case.status, "flags": case.flags}


def story(life: Life, handle: Handle) -> list[tuple[object, ...]]:
    """What happened, without when and in what order."""
    return sorted(
        (one.type, one.actor.id, one.rule, sorted(comparable(one.data, reference_of(handle)).items()), one.texts)
        for one in life.events(handle)
    )


async def lived(life: Life, events: tuple[Event, ...], n: int) -> Handle:
    """Open a case, let its acknowledgement leave, and let the events come.

    In every other order each event comes when the last one has had its effects; else they overtake letters in flight.
    """
    handle = await life.open(reference=f"RX-{n:04}-{n:04}")
    await settled(life, handle, 0)
    for taken, event in enumerate(events, 1):
        await event(life, handle)
        if n % 2:
            await settled(life, handle, taken)
    return handle


async def settled(life: Life, handle: Handle, taken: int) -> Case:
    """Wait until so many events are taken, no letter waits to leave and all is written; nothing more will happen."""

    async def all_left() -> bool:
        case = life.saved(handle)
        return case.version == taken and not case.waiting()

    await until(all_left)
    return await life.quiet(handle)


@pytest.mark.rule("M3.10")
@pytest.mark.rule("M3.11")
@pytest.mark.rule("M5.5")
@pytest.mark.asyncio(loop_scope="module")
async def test_all_24_orders_of_four_events_end_in_the_same_state(town: Life) -> None:
    orders = list(permutations(EVENTS))
    assert len(orders) == 24
    ends = []
    for n, events in enumerate(orders):
        handle = await lived(town, events, n)
        case = await settled(town, handle, len(EVENTS))
        assert verify(town.events(handle), salt=case.salt) == case.head
        assert case.unread == int(events.index(message) > events.index(reply)), "new since the last reply"
        is_what_the_events_mean(case)
        ends.append(([event.__name__ for event in events], end_state(case), story(town, handle)))
    first = ends[0]
    for names, state, told in ends:
        assert state == first[1], names
        assert told == first[2], names


def is_what_the_events_mean(case: Case) -> None:
    assert case.status is Status.APPEALED
    assert [o.kind for o in case.owed()] == [ObligationKind.AUTHORITY_REPLY, ObligationKind.FINAL]
    sent = {letter.kind: letter for letter in case.letters}
    assert set(sent) == {LetterKind.ACKNOWLEDGEMENT, LetterKind.REPLY, LetterKind.REVIEW_NOTED}
    assert {letter.state for letter in case.letters} == {LetterState.ACCEPTED}
    assert sent[LetterKind.ACKNOWLEDGEMENT].delivered_at
