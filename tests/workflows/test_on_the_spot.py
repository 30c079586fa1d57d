"""A step is tried within its case's own task first; what does not succeed there goes by way of the server."""

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest
from temporalio.activity import Info
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import spot
from activities.spot import Spot
from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from models.errors import OperatorError, RecipientError, TransientError
from models.inquiry import EMAIL
from models.work import ELSEWHERE
from plugin import is_final
from records import notices
from records.database import Database
from starter.commands.rehearsal import Postbox, rehearsal
from starter.temporal.histories import ON_THE_SPOT
from tests.lives import Life, ring, stationery, until
from workflows.spot import ONCE

Handle = WorkflowHandle[Any, Any]


async def steps(handle: Handle) -> tuple[list[HistoryEvent], list[HistoryEvent]]:
    """What was done on the spot, and what the server was asked for."""
    events = (await handle.fetch_history()).events
    return (
        [one for one in events if one.marker_recorded_event_attributes.marker_name == ON_THE_SPOT],
        [one for one in events if one.HasField("activity_task_scheduled_event_attributes")],
    )


async def test_a_letter_leaves_and_is_written_down_within_its_cases_own_task(life: Life) -> None:
    handle = await life.open()
    await life.quiet(handle)
    on_the_spot, asked = await steps(handle)
    assert len(on_the_spot) == 1
    assert asked == []
    assert {"input", "result"} <= set(on_the_spot[0].marker_recorded_event_attributes.details), "what a rebuild reads"


async def test_a_fault_of_our_own_account_is_tried_slowly_all_the_same(life: Life) -> None:
    life.postbox.faults = [OperatorError("answered 401")]
    handle = await life.open()
    await until(lambda: _true(life.postbox.tries == 1))
    await life.skip(minutes=3)
    assert life.postbox.tries == 1
    await life.skip(minutes=4)
    case = await life.quiet(handle)
    assert life.postbox.tries == 2
    assert not case.letters[0].duplicate
    (story,) = [event for event in life.events(handle) if event.type == "step.retried"]
    assert story.data["attempts"] == 2
    on_the_spot, asked = await steps(handle)
    assert (len(on_the_spot), len(asked)) == (1, 1)


async def test_a_channel_that_is_slow_is_not_waited_for_again(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spot, "QUICK", -1.0)
    first = await life.open()
    await life.quiet(first)
    second = await life.open(reference="RX-2222-2222")
    await life.quiet(second)
    asked = [len((await steps(handle))[1]) for handle in (first, second)]
    assert asked == [0, 1]
    assert life.postbox.tries == 2
    for handle in (first, second):
        assert "step.retried" not in [event.type for event in life.events(handle)], "what is declined is no try"


@dataclasses.dataclass
class Stuck(Postbox):
    """A channel that answers only when it is let."""

    def __post_init__(self) -> None:
        self.let = threading.Event()

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        accepted = super().send(letter, parts)
        self.let.wait(60)
        return accepted


async def test_a_command_is_answered_while_a_letter_is_stuck_and_the_letter_leaves_once(
    tmp_path: Path, records_url: str
) -> None:
    stuck: list[Stuck] = []

    def mailbox(_database: Database, clock: object) -> Stuck:
        stuck.append(Stuck(clock))  # type: ignore[arg-type]
        return stuck[0]

    async with rehearsal(tmp_path, records_url, stationery(), ring(), more={EMAIL: mailbox}) as house:
        life = Life(house.env, house.client, house.database, house.postbox, house.clock)
        handle = await life.open()
        await until(lambda: _true(stuck[0].tries == 1))
        await life.command(handle, "note", text="seen")
        stuck[0].let.set()

        async def accepted() -> bool:
            with life.database.read() as session:
                return [one.state for one in notices.of_case(session, "RX-7KQ4-M2PD")] == ["accepted"]

        await until(accepted)
        await life.skip(minutes=1)
        case = await life.quiet(handle)
    assert stuck[0].tries == 1
    assert not case.letters[0].duplicate


def local(*, is_local: bool = True) -> Info:
    return dataclasses.replace(ActivityEnvironment.default_info(), is_local=is_local, attempt=1)


def declines(one: Spot, info: Info, channel: str = EMAIL) -> bool:
    env = ActivityEnvironment()
    env.info = info
    try:
        env.run(one.check, channel)
    except ApplicationError as error:
        return error.type == ELSEWHERE
    return False


def test_where_it_is_switched_off_only_the_server_is_asked() -> None:
    assert declines(Spot(allowed=False), local())
    assert not declines(Spot(allowed=False), local(is_local=False))
    assert not declines(Spot(), local())


@pytest.mark.parametrize(("fault", "wary"), [(TransientError("503"), True), (RecipientError("dead"), False)])
def test_a_channel_that_fails_is_left_to_the_server_for_a_while(fault: Exception, *, wary: bool) -> None:
    one = Spot()
    with pytest.raises(type(fault)), one.watched(EMAIL):
        raise fault
    assert declines(one, local()) is wary
    assert not declines(one, local(), "telegram")


def test_what_fails_on_the_spot_has_not_failed_for_good() -> None:
    assert not is_final(ValueError(), dataclasses.replace(local(), retry_policy=ONCE))


async def _true(value: bool) -> bool:  # noqa: FBT001
    return value
