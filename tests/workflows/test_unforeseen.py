"""What nobody foresaw: a step that ends oddly, a bug in a rule. The case goes on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import RetryState
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models import commands
from models.answer_orders import Extend
from models.case import Case
from models.errors import RecordsUnavailable
from models.inquiry import EMAIL, Actor
from models.ledger import verify
from records import contacts
from records.database import Database
from tests.cases import new_case
from tests.lives import Life


async def test_a_step_that_ends_for_good_without_a_reason_we_know_is_tried_again(life: Life) -> None:
    life.postbox.faults = [ApplicationError("odd", type="Odd", non_retryable=True)]
    handle = await life.open()
    await life.skip(minutes=10)
    case = await life.quiet(handle)
    assert life.postbox.kinds == ["acknowledgement"]
    assert life.postbox.tries == 2
    assert case.letters[0].duplicate
    assert not case.dead
    history = await handle.fetch_history()
    failed = [event.activity_task_failed_event_attributes for event in history.events]
    assert [one.retry_state for one in failed].count(RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE) == 1


async def test_a_database_away_across_an_alarm_delays_and_loses_nothing(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = await life.env.get_current_time()
    with life.database.write() as session:
        contact, address = contacts.find_or_add(session, EMAIL, "ana@example.org", now=now)
    case = new_case(now, addresses=(address,)).model_copy(update={"contact": contact})
    case.post(case.letters[0], not_before=now + timedelta(minutes=3))
    handle = await life.open(case)
    await life.quiet(handle)

    def away(_: Database) -> None:
        raise RecordsUnavailable("the disk is gone")

    monkeypatch.setattr(Database, "write", away)
    await life.command(handle, "note", text="seen")
    await life.skip(minutes=8)
    assert life.postbox.kinds == []
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    assert "case noted" in metadata.current_details
    monkeypatch.undo()
    await life.skip(minutes=2)
    case = await life.quiet(handle)
    assert life.postbox.kinds == ["acknowledgement"]
    events = life.events(handle)
    assert [event.type for event in events].count("case.noted") == 1
    assert "step.retried" in [event.type for event in events]
    assert verify(events, salt=case.salt) == case.head


async def test_a_bug_in_a_rule_costs_the_command_alone(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: Case, order: Any, actor: Actor, now: datetime) -> None:
        raise ZeroDivisionError("nobody's name must stand in the timeline: Ana")

    monkeypatch.setitem(commands.DECISIONS, "extend", (Extend, broken))
    handle = await life.open()
    await life.quiet(handle)
    order = {"until": "2027-01-29", "reasons": "x"}
    await handle.signal("extend", order)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update("extend", order)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "ZeroDivisionError"
    await life.quiet(handle)
    (event,) = [event for event in life.events(handle) if event.type == "command.refused"]
    assert (event.data["code"], event.texts["detail"]) == ("signal.unreadable", "ZeroDivisionError")
    monkeypatch.undo()
    await life.command(handle, "note", text="it goes on")
    assert (await life.quiet(handle)).version == 1
