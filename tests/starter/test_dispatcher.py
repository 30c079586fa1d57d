"""The dispatcher and the reconciler, on a real Temporal server and a real database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import text
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from channels.tokens import reply_token
from engine import connect
from models.commands import read
from models.episodes import Answer
from models.errors import EngineUnavailable, Refused, Stale
from models.reference import workflow_id
from models.search import INQUIRY_CHANNEL, INQUIRY_KIND
from models.tables import CaseRow
from models.work import DELIVER, Delivery, Written
from records import cases, dispatches
from settings import Settings
from starter.temporal.dispatcher import TURN, Dispatcher, Outcome, Pace
from starter.temporal.engine import Signal, command_case, resume_case, signal_case, start_case
from starter.temporal.reconciler import Reconciler
from tests.starter.conftest import TemporalServer
from tests.starter.mailbag import REPLY_SECRET, Bench, message
from tests.waiting import PATIENCE
from workflows.inquiry import InquiryWorkflow

QUICK = Pace(at_once=8, away=(0.05, 0.2), refused=(0.1, 0.2))
AGENT = {"id": "agent-1", "role": "agent"}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def settings_for(server: TemporalServer, tmp_path: Path, queue: str = "plazo") -> Settings:
    return Settings(var=tmp_path, temporal=server.address, task_queue=queue)


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = PATIENCE) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := await condition()):
            await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def dispatching(
    client: Client, bench: Bench, executor: ThreadPoolExecutor, queue: str = "plazo"
) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(client, bench.database, queue, now, executor=executor, pace=QUICK)
    task = asyncio.create_task(dispatcher.run())
    yield dispatcher
    task.cancel()
    await asyncio.wait([task])


async def all_done(bench: Bench) -> None:
    async def empty() -> bool:
        return not bench.rows()

    await until(empty)


async def signals(client: Client, reference: str) -> list[tuple[str, Any]]:
    """The signals that Temporal has for an inquiry, in its order, opened."""
    handle = client.get_workflow_handle(workflow_id(reference))
    history = await handle.fetch_history()
    converter = client.data_converter.with_context(_context(client, reference))
    return [
        (
            event.workflow_execution_signaled_event_attributes.signal_name,
            (await converter.decode(event.workflow_execution_signaled_event_attributes.input.payloads))[0],
        )
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]


def _context(client: Client, reference: str) -> Any:
    from temporalio.converter import WorkflowSerializationContext  # noqa: PLC0415

    return WorkflowSerializationContext(namespace=client.namespace, workflow_id=workflow_id(reference))


def reply_to(reference: str, n: int) -> Any:
    return message(n, tokens=(reply_token(REPLY_SECRET, reference),))


async def test_it_holds_back_while_those_who_write_wait_too_long(
    bench: Bench, temporal: TemporalServer, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    for n in range(3):
        bench.intake.receive(message(n, sender=f"p{n}@example.org"))
    client, pauses = await connect(settings_for(temporal, tmp_path)), [TURN]
    dispatcher = Dispatcher(
        client, bench.database, "plazo", lambda: bench.now, executor=executor, pace=QUICK, hold_back=lambda _: pauses[0]
    )
    task = asyncio.create_task(dispatcher.run())
    for left in (3, 2, 1):
        await dispatcher._turn()

        async def handed_over(left: int = left) -> bool:
            return len(bench.rows()) == left

        await until(handed_over)
        bench.now += timedelta(minutes=1)
        dispatcher.wake()
    pauses[0] = 0.0
    await all_done(bench)
    task.cancel()
    await asyncio.wait([task])


async def test_what_waits_reaches_temporal_in_stored_order(
    bench: Bench, temporal: TemporalServer, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    bench.now = now()
    references = [str(bench.intake.receive(message(n, sender=f"p{n}@example.org")).reference) for n in range(10)]
    for n, reference in enumerate(references):
        for m in range(3):
            bench.intake.receive(reply_to(reference, 100 + 10 * n + m))
    order = {
        reference: [row.payload.get("message") for row in bench.dispatches() if row.reference == reference][1:]
        for reference in references
    }
    client = await connect(settings_for(temporal, tmp_path))
    async with dispatching(client, bench, executor):
        await all_done(bench)
    for reference in references:
        sent = await signals(client, reference)
        assert [name for name, _ in sent] == ["receive_message"] * 3
        assert [data["message"] for _, data in sent] == order[reference]
    description = await client.get_workflow_handle(workflow_id(references[0])).describe()
    assert description.workflow_type == "Inquiry"
    assert description.typed_search_attributes[INQUIRY_KIND] == "complaint"
    assert description.typed_search_attributes[INQUIRY_CHANNEL] == "email"
    assert await description.static_summary() == f"{references[0]} · complaint · email"


async def test_rows_that_are_gone_hold_up_nobody(
    bench: Bench, temporal: TemporalServer, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    """The database was put back to an earlier state while they flew."""
    bench.now = now()
    client = await connect(settings_for(temporal, tmp_path))
    gone = str(bench.intake.receive(message(1)).reference)
    (row,) = bench.dispatches()
    with bench.database.write() as session:
        session.connection().execute(text("DELETE FROM dispatches"))
    other = str(bench.intake.receive(message(2, sender="eva@example.org")).reference)
    async with dispatching(client, bench, executor) as dispatcher:
        dispatcher._landed += [Outcome(row), Outcome(row, "away", now())]
        await all_done(bench)
    assert bench.references() == sorted([gone, other])
    assert (await client.get_workflow_handle(workflow_id(other)).describe()).workflow_type == "Inquiry"


async def test_a_row_handed_over_twice_changes_nothing(bench: Bench, temporal: TemporalServer, tmp_path: Path) -> None:
    client = await connect(settings_for(temporal, tmp_path))
    reference = str(bench.intake.receive(message()).reference)
    with bench.database.read() as session:
        case = cases.load(session, reference)
    assert await start_case(client, "plazo", case) is True
    assert await start_case(client, "plazo", case) is False
    await client.get_workflow_handle(workflow_id(reference)).terminate()
    assert await start_case(client, "plazo", case) is False


async def test_temporal_away_everything_waits_and_nothing_overtakes(
    bench: Bench, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    bench.now = now()
    server = TemporalServer(tmp_path)
    client = await connect(settings_for(server, tmp_path), lazy=True)
    async with dispatching(client, bench, executor) as dispatcher:
        reference = str(bench.intake.receive(message()).reference)
        for n in range(2, 6):
            bench.intake.receive(reply_to(reference, n))
        expected = [row.payload.get("message") for row in bench.dispatches()][1:]
        dispatcher.wake()

        async def tried() -> bool:
            return any(row.attempts > 1 for row in bench.dispatches())

        await until(tried)
        assert len(bench.rows()) == 5
        assert not any(row.refusals for row in bench.dispatches()), "nobody was there to refuse"
        server.start()
        try:
            await all_done(bench)
            assert [data["message"] for _, data in await signals(client, reference)] == expected
        finally:
            server.stop()


async def test_a_server_that_comes_up_again_is_not_pressed_down_by_what_has_piled_up(
    bench: Bench, tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.now = now()
    for n in range(30):
        bench.intake.receive(message(n, sender=f"p{n}@example.org"))
    flying: set[object] = set()
    beside: list[int] = []
    failed = 0

    async def start(*_: object) -> bool:
        nonlocal failed
        if failed < QUICK.at_once:
            failed += 1
            raise EngineUnavailable("away")
        mark = object()
        flying.add(mark)
        beside.append(len(flying))
        await asyncio.sleep(0.02)
        flying.remove(mark)
        return True

    monkeypatch.setattr("starter.temporal.dispatcher.start_case", start)
    client = await connect(Settings(var=tmp_path, temporal="127.0.0.1:1"), lazy=True)
    async with dispatching(client, bench, executor) as dispatcher:
        dispatcher._room = QUICK.at_once
        await all_done(bench)
    assert beside[:3] == [1, 1, 2], "one finds out that it is back, then two fly"
    assert max(beside) == QUICK.at_once
    assert len(beside) == 30


async def test_a_row_that_temporal_refuses_is_kept_and_holds_up_nobody_else(
    bench: Bench, temporal: TemporalServer, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    bench.now = now()
    poisoned = str(bench.intake.receive(message(1)).reference)
    healthy = str(bench.intake.receive(message(2)).reference)
    with bench.database.write() as session:
        row = session.get_one(CaseRow, poisoned)
        row.state = "{}"
        session.add(row)
    client = await connect(settings_for(temporal, tmp_path))
    async with dispatching(client, bench, executor):

        async def settled() -> bool:
            rows = bench.dispatches()
            return [one.reference for one in rows] == [poisoned] and rows[0].refusals > 2

        await until(settled)
    (left,) = bench.dispatches()
    assert left.last_error == "ValidationError"
    assert (await client.get_workflow_handle(workflow_id(healthy)).describe()).status is not None


async def test_a_signal_to_what_no_longer_runs_resumes_it(
    bench: Bench, temporal: TemporalServer, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    bench.now = now()
    client = await connect(settings_for(temporal, tmp_path))
    reference = str(bench.intake.receive(message()).reference)
    handle = client.get_workflow_handle(workflow_id(reference))
    async with dispatching(client, bench, executor) as dispatcher:
        await all_done(bench)
        await handle.terminate()
        bench.intake.receive(reply_to(reference, 2))
        dispatcher.wake()
        await all_done(bench)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert [name for name, _ in await signals(client, reference)] == ["receive_message"]


async def test_the_reconciler_resumes_what_is_open_and_does_not_run(
    bench: Bench, temporal: TemporalServer, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    bench.now = now()
    client = await connect(settings_for(temporal, tmp_path))
    lost, running, closed, waiting = (str(bench.intake.receive(message(n)).reference) for n in range(4))
    async with dispatching(client, bench, executor):
        await all_done(bench)
    woken: list[bool] = []
    reconciler = Reconciler(client, bench.database, now, executor, lambda: woken.append(True))
    await client.get_workflow_handle(workflow_id(lost)).terminate()
    await client.get_workflow_handle(workflow_id(closed)).terminate()
    with bench.database.write() as session:
        case = cases.load(session, closed)
        case.closed_at, case.obligations = now(), []
        cases.project(session, case)
    await client.get_workflow_handle(workflow_id(waiting)).terminate()
    with bench.database.write() as session:
        dispatches.add(session, waiting, dispatches.START, {}, now())
    assert await reconciler.reconcile() == (lost,)
    assert woken == [True]
    assert bench.rows() == [(waiting, "start"), (lost, "resume")]
    assert await reconciler.reconcile() == ()
    async with dispatching(client, bench, executor):
        await all_done(bench)
    for reference in (lost, running):
        description = await client.get_workflow_handle(workflow_id(reference)).describe()
        assert description.status is WorkflowExecutionStatus.RUNNING


async def test_what_is_being_started_while_the_reconciler_looks_is_not_lost(
    bench: Bench, tmp_path: Path, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.now = now()
    bench.intake.receive(message())
    (start,) = bench.dispatches()
    client = await connect(Settings(var=tmp_path, temporal="127.0.0.1:1"), lazy=True)
    reconciler = Reconciler(client, bench.database, now, executor, lambda: None)

    async def nothing() -> set[str]:
        return set()

    async def not_yet(_reference: str) -> bool:
        # Asked a moment too early: the dispatcher hands it over now.
        with bench.database.write() as session:
            dispatches.done(session, start.number, now())
        return False

    monkeypatch.setattr(reconciler, "_running", nothing)
    monkeypatch.setattr(reconciler, "_runs", not_yet)
    assert await reconciler.reconcile() == ()


@activity.defn(name=DELIVER)
async def unable(_work: Delivery) -> Written:
    """No letter leaves, so that the case stays as it is."""
    raise ApplicationError("no channel is there", next_retry_delay=timedelta(hours=1))


async def test_a_command_is_decided_by_the_case_running_or_resumed(
    bench: Bench, temporal: TemporalServer, tmp_path: Path
) -> None:
    client = await connect(settings_for(temporal, tmp_path))
    reference = str(bench.intake.receive(message()).reference)
    with bench.database.read() as session:
        case = cases.load(session, reference)
    async with Worker(client, task_queue="commands", workflows=[InquiryWorkflow], activities=[unable]):
        await start_case(client, "commands", case)

        async def load() -> Any:
            return case

        async def note(key: str, **more: Any) -> Answer:
            order = read("note", {"text": "called", "actor": AGENT, "key": key, **more})
            return await command_case(client, "commands", reference, "note", order, key=key, now=now(), load=load)

        assert (await note("k1")).version == 1
        assert (await note("k1")).version == 1
        with pytest.raises(Stale) as stale:
            await note("k2", expected_version=7)
        assert stale.value.field == "expected_version"
        await client.get_workflow_handle(workflow_id(reference)).terminate()
        assert (await note("k3")).version == 1
        await client.get_workflow_handle(workflow_id(reference)).terminate()
        with pytest.raises(Stale):
            await note("k4", expected_version=7)
        status = (await client.get_workflow_handle(workflow_id(reference)).describe()).status
        assert status is WorkflowExecutionStatus.TERMINATED, "a refused command leaves nothing behind"
        case.closed_at = now()
        with pytest.raises(Refused) as refused:
            await note("k5")
        assert refused.value.code == "case.closed"


async def test_nobody_there_is_said_so(bench: Bench, tmp_path: Path) -> None:
    client = await connect(settings_for(TemporalServer(tmp_path), tmp_path), lazy=True)
    reference = str(bench.intake.receive(message()).reference)
    with bench.database.read() as session:
        case = cases.load(session, reference)

    async def load() -> Any:
        return case

    with pytest.raises(EngineUnavailable):
        await start_case(client, "plazo", case)
    with pytest.raises(EngineUnavailable):
        await resume_case(client, "plazo", case)
    with pytest.raises(EngineUnavailable):
        await signal_case(client, "plazo", reference, Signal("appeal", {}), load)


async def test_a_case_resumed_while_it_runs_gets_the_signal_and_keeps_its_state(
    bench: Bench, temporal: TemporalServer, tmp_path: Path
) -> None:
    client = await connect(settings_for(temporal, tmp_path))
    reference = str(bench.intake.receive(message()).reference)
    with bench.database.read() as session:
        case = cases.load(session, reference)
    await start_case(client, "plazo", case)
    before = (await client.get_workflow_handle(workflow_id(reference)).describe()).run_id
    await resume_case(client, "plazo", case, Signal("appeal", {"text": "no"}))
    assert (await client.get_workflow_handle(workflow_id(reference)).describe()).run_id == before
    assert await signals(client, reference) == [("appeal", {"text": "no"})]


async def test_it_ends_when_told_also_while_it_is_woken(
    bench: Bench, tmp_path: Path, executor: ThreadPoolExecutor
) -> None:
    client = await connect(Settings(var=tmp_path, temporal="127.0.0.1:1"), lazy=True)
    for _ in range(20):
        dispatcher = Dispatcher(client, bench.database, "plazo", now, executor=executor, pace=QUICK)
        task = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0.03)
        dispatcher.wake()
        await asyncio.sleep(0)  # the wish to wake is on its way
        task.cancel()
        _, running = await asyncio.wait([task], timeout=TURN)
        assert not running
