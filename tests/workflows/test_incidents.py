"""Incidents in the running workflow: told once, however the tracker behaves, never at the cost of a letter (M5.6)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.area_work import IncidentState
from models.case import Case
from models.errors import OperatorError, TransientError, UnknownOutcome
from models.inquiry import Actor, Role, Status
from models.ledger import verify
from records import incidents
from records.incident_words import News
from tests.lives import Life, living, until
from tests.workflows.steady import Steady, now
from trackers.builtin import BuiltIn
from trackers.port import Change, Draft, Ref, Tracker
from trackers.registry import Trackers

KEY = "RX-7KQ4-M2PD/inc-1"
Handle = WorkflowHandle[Any, Any]


@dataclass
class Stub(BuiltIn):
    """A tracker outside that fails as told: before it takes something, or after."""

    name: ClassVar[str] = "jira"
    outside: ClassVar[bool] = True
    settles: ClassVar[timedelta] = timedelta(seconds=60)
    taken: list[Draft] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    after: list[Exception] = field(default_factory=list)
    shown: bool = True
    """Whether a search finds what was taken."""
    tries: int = 0

    def find(self, key: str) -> Ref | None:
        return next((Ref(f"T-{n}") for n, one in enumerate(self.taken, 1) if one.key == key and self.shown), None)

    def create(self, draft: Draft) -> Ref:
        self.tries += 1
        if self.faults:
            raise self.faults.pop(0)
        self.taken.append(draft)
        if self.after:
            raise self.after.pop(0)
        return Ref(f"T-{len(self.taken)}", "https://tracker.example.org/T-1")

    def close(self, id_: str, key: str, state: IncidentState) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.closed.append(f"{id_} {state.value}")

    def standing(self, id_: str, now: datetime) -> Change | None:
        return None

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None: ...


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
async def outside(tmp_path: Path, records_url: str, stub: Stub) -> AsyncIterator[Life]:
    trackers: dict[str, Tracker] = {"jira": stub}
    async with living(tmp_path, records_url, trackers=Trackers(trackers, "jira")) as one:
        yield one


async def opened(life: Life, **more: Any) -> Handle:
    handle = await life.open(**more)
    await life.quiet(handle)
    await open_incident(life, handle)
    return handle


async def open_incident(life: Life, handle: Handle, matter: str = "withdrawal") -> None:
    text = life.draft(handle, text="Broadcast at 14:02, not confirmed since; Ana Pérez waits.")
    await life.command(handle, "open_incident", area="operations", matter=matter, draft=text)


async def told(life: Life, handle: Handle) -> Case:
    """The case once its trackers know all."""

    async def known() -> bool:
        return not (await life.quiet(handle)).untold

    await until(known)
    return await life.quiet(handle)


def kinds(life: Life, handle: Handle) -> list[str]:
    return [event.type for event in life.events(handle) if event.type.startswith("incident.")]


@pytest.mark.rule("M5.6")
async def test_opened_on_the_board_moved_there_and_closed_with_evidence(life: Life) -> None:
    handle = await opened(life)
    case = await told(life, handle)
    assert (case.incidents[0].tracker, case.incidents[0].id) == ("builtin", KEY)
    with pytest.raises(WorkflowUpdateFailedError):
        await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle))
    now = await life.env.get_current_time()
    with life.database.write() as session:
        row = incidents.get(session, KEY)
        assert row.title == "RX-7KQ4-M2PD incident 1: withdrawal not completed"
        specialist = Actor(id="agent-9", role=Role.AGENT)
        assert incidents.changed(session, row, News(IncidentState.RESOLVED, now, "Sent."), actor=specialist, now=now)
    order = {"incident": 1, "state": "resolved", "at": now.isoformat(), "words": "Sent."}
    await handle.signal("incident_changed", {**order, "actor": specialist.model_dump(mode="json")})
    case = await life.quiet(handle)
    assert kinds(life, handle) == ["incident.opened", "incident.linked", "incident.closed"]
    closed = life.events(handle)[-1]
    assert (closed.actor.id, closed.texts) == ("agent-9", {"words": "Sent."})
    await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle))
    case = await life.quiet(handle)
    assert case.status is Status.ANSWERED
    assert verify(life.events(handle), salt=case.salt) == case.head


@pytest.mark.rule("M5.6")
async def test_a_tracker_that_refuses_our_account_holds_up_no_letter_and_gets_it_in_the_end(
    outside: Life, stub: Stub
) -> None:
    stub.faults = [OperatorError("Jira answered 401") for _ in range(20)]
    handle = await opened(outside)
    await outside.skip(minutes=20)
    assert 2 <= stub.tries <= 6
    await outside.command(handle, "reply", draft=outside.draft(handle))
    await outside.quiet(handle)
    assert outside.postbox.kinds == ["acknowledgement", "reply"]

    async def refused() -> bool:  # unsure while a try is under way
        with outside.database.read() as session:
            (row,) = incidents.failing(session)
        return (row.error, row.unsure) == ("Jira answered 401", False)

    await until(refused)
    await outside.skip(minutes=90)
    case = await told(outside, handle)
    assert case.incidents[0].url == "https://tracker.example.org/T-1"
    assert len(stub.taken) == 1
    with outside.database.read() as session:
        assert not incidents.failing(session)


@pytest.mark.rule("M5.6")
async def test_what_leaves_is_the_reference_alone_unless_policy_says_more(outside: Life, stub: Stub) -> None:
    handle = await opened(outside)
    await told(outside, handle)
    (draft,) = stub.taken
    assert draft == Draft(KEY, "RX-7KQ4-M2PD", "RX-7KQ4-M2PD incident 1: withdrawal not completed", "", "operations")


@pytest.mark.rule("M5.6")
async def test_after_a_lost_answer_it_is_found_again_and_not_opened_twice(outside: Life, stub: Stub) -> None:
    stub.after, stub.shown = [UnknownOutcome("hung up")], False
    handle = await opened(outside)
    await outside.skip(seconds=25)
    assert len(stub.taken) == 1
    stub.shown = True
    await outside.skip(seconds=25)
    case = await told(outside, handle)
    assert (case.incidents[0].id, stub.tries) == ("T-1", 1)
    with outside.database.read() as session:
        assert not incidents.get(session, KEY).possible_duplicate


async def test_what_the_search_never_shows_is_opened_anew_and_told_as_a_possible_duplicate(
    outside: Life, stub: Stub
) -> None:
    stub.after, stub.shown = [UnknownOutcome("hung up")], False
    handle = await opened(outside)
    await outside.skip(seconds=90)
    case = await told(outside, handle)
    assert (case.incidents[0].id, stub.tries) == ("T-2", 2)
    with outside.database.read() as session:
        assert incidents.get(session, KEY).possible_duplicate


@pytest.mark.rule("M5.6")
async def test_an_incident_closed_by_hand_is_closed_in_its_tracker_however_often_that_takes(
    outside: Life, stub: Stub
) -> None:
    handle = await opened(outside)
    await told(outside, handle)
    stub.faults = [TransientError("Jira answered 429", retry_after=30), UnknownOutcome("hung up")]
    await outside.command(handle, "close_incident", incident=1, outcome="rejected", evidence="A typo of the user's.")
    await outside.skip(minutes=2)
    await told(outside, handle)
    assert stub.closed == ["T-1 rejected"]
    assert kinds(outside, handle) == ["incident.opened", "incident.linked", "incident.closed", "incident.told"]


async def test_one_that_was_closed_before_its_tracker_took_it_is_not_opened_any_more(outside: Life, stub: Stub) -> None:
    stub.faults = [OperatorError("Jira answered 403") for _ in range(500)]
    handle = await opened(outside)
    await outside.skip(minutes=7)
    await outside.command(handle, "close_incident", incident=1, outcome="resolved", evidence="Found at once.")
    await outside.quiet(handle)
    await outside.skip(minutes=7)
    case = await told(outside, handle)
    assert not stub.taken
    assert case.incidents[0].linked_at is None
    with outside.database.read() as session:
        assert not incidents.failing(session)


async def test_a_letter_that_is_stuck_holds_up_no_incident(outside: Life, stub: Stub) -> None:
    outside.postbox.faults = [OperatorError("answered 401") for _ in range(50)]
    handle = await outside.open()
    await until(lambda: _true(outside.postbox.tries > 0))
    await open_incident(outside, handle)
    await until(lambda: _true(bool(stub.taken)))
    assert outside.postbox.kinds == []


async def test_one_incident_that_fails_holds_up_no_other(outside: Life, stub: Stub) -> None:
    stub.faults = [OperatorError("Jira answered 400 about summary")]
    handle = await opened(outside)
    await until(lambda: _true(stub.tries == 1))
    await open_incident(outside, handle, "fee")
    await until(lambda: _true(len(stub.taken) == 1))
    assert stub.taken[0].key.endswith("inc-2")
    await outside.skip(minutes=6)
    assert len((await told(outside, handle)).incidents) == 2


async def test_a_try_that_ends_in_a_way_nobody_foresaw_is_made_again(outside: Life, stub: Stub) -> None:
    stub.faults = [ApplicationError("odd", type="Odd", non_retryable=True)]
    handle = await opened(outside)
    await outside.skip(minutes=5)
    case = await told(outside, handle)
    assert case.incidents[0].id == "T-1"


@pytest.mark.rule("M5.6")
async def test_a_case_waits_with_its_end_until_the_tracker_knows(outside: Life, stub: Stub) -> None:
    stub.faults = [OperatorError("Jira answered 401")]
    handle = await outside.open(appeal_window_days=0)
    await outside.quiet(handle)
    await open_incident(outside, handle)
    await until(lambda: _true(stub.tries == 1))
    final: dict[str, Any] = {"outcome": "upheld", "despite_incident": "It does not hang on it."}
    await outside.command(handle, "resolve", draft=outside.draft(handle), **final)
    case = await outside.quiet(handle)
    assert case.status is Status.ANSWERED
    await outside.skip(minutes=6)
    await handle.result()
    case = outside.saved(handle)
    assert case.status is Status.CLOSED
    assert case.incidents[0].id == "T-1"


@pytest.mark.rule("M5.6")
async def test_a_case_carried_over_opens_one_incident_all_the_same(steady: Steady, stub: Stub) -> None:
    stub.faults = [OperatorError("Jira answered 401") for _ in range(10_000)]
    steady.trackers = Trackers({"jira": stub}, "jira")
    handle = await steady.begin()
    async with steady.worker():
        await steady.quiet(handle)
        first = (await handle.describe()).run_id
        await open_incident(steady, handle)
        sent = 0

        async def carried() -> bool:
            nonlocal sent
            sent += 1
            await handle.signal("receive_message", {"message": f"ms_{sent}", "at": now().isoformat()})
            await steady.quiet(handle)
            return (await handle.describe()).run_id != first

        await until(carried, 60)
        stub.faults.clear()
        case = await told(steady, handle)
    assert case.incidents[0].id == "T-1"
    assert len(stub.taken) == 1
    assert kinds(steady, handle) == ["incident.opened", "incident.linked"]
    assert verify(steady.events(handle), salt=case.salt) == case.head


async def _true(value: bool) -> bool:  # noqa: FBT001
    return value
