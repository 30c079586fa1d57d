"""Whatever a stranger sends, the case lives, says what it refused, and does the next thing it is told."""

import asyncio
import contextlib
import dataclasses
import json
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from activities.events import Events
from activities.notices import Notices
from codec import ENCODING, SealingCodec
from models.answer_orders import Extend
from models.case import Case
from models.inquiry import EMAIL, Flag, Kind, Status
from models.ledger import Event, verify
from starter.temporal.engine import Signal, resume_case
from tests.cases import AUDITOR, SUPERVISOR
from tests.lives import Life, living, ring, stationery, until
from tests.workflows.hostile import INPUTS, NAMES, OTHER_SIGNALS, REFERENCE, raw, text
from tests.workflows.steady import Steady
from workflows.inquiry import FLIGHT, KEPT, InquiryWorkflow

TEMPORAL = str(Path(sysconfig.get_path("scripts")) / "temporal")


class Reading(SealingCodec):
    """Opens what is sealed and seals nothing: a stranger whose answers a test can read."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


def stranger(life: Life, handle: WorkflowHandle[Any, Any]) -> WorkflowHandle[Any, Any]:
    """The same case in the hands of a client that has neither our converter nor our keys."""
    return Client(life.client.service_client).get_workflow_handle(handle.id)


def reader(life: Life, handle: WorkflowHandle[Any, Any]) -> WorkflowHandle[Any, Any]:
    """The same case in the hands of a stranger who sends everything as it is."""
    converter = dataclasses.replace(life.client.data_converter, payload_codec=Reading(ring()))
    return Client(life.client.service_client, data_converter=converter).get_workflow_handle(handle.id)


def refusals(life: Life, handle: WorkflowHandle[Any, Any]) -> list[Event]:
    return [event for event in life.events(handle) if event.type == "command.refused"]


def thirty_days_later(case: Case) -> str:
    assert case.resolution_due
    return case.calendar.after(case.calendar.local_date(case.resolution_due), 30).isoformat()


async def extends(life: Life, handle: WorkflowHandle[Any, Any]) -> None:
    """What follows is a valid command, and it works."""
    new = thirty_days_later(life.saved(handle))
    await stranger(life, handle).signal("extend", {"until": new, "reasons": "the matter is complex"})
    case = await life.quiet(handle)
    assert case.told == case.resolution_due == case.calendar.end_of(date.fromisoformat(new))
    assert Flag.EXTENDED in case.flags
    assert life.postbox.kinds[-1] == "extension"
    assert verify(life.events(handle), salt=case.salt) == case.head


@pytest.mark.rule("M3.5")
async def test_a_bare_date_in_plain_json_extends_a_complaint(life: Life) -> None:
    handle = await life.open()
    old = await life.quiet(handle)
    new = thirty_days_later(old)
    await extends(life, handle)
    (announced,) = [event for event in life.events(handle) if event.type == "extension.announced"]
    assert announced.actor.id == "temporal-operator"
    case = life.saved(handle)
    assert old.calendar.end_of(date.fromisoformat(new)) == case.told == case.resolution_due
    assert case.extensions[0].replaces == old.resolution_due
    assert not refusals(life, handle)


@pytest.mark.rule("M3.5")
async def test_an_inquirys_term_is_not_extended_from_outside_either(life: Life) -> None:
    handle = await life.open(kind=Kind.INQUIRY)
    case = await life.quiet(handle)
    await stranger(life, handle).signal("extend", {"until": thirty_days_later(case), "reasons": "x"})
    assert (await life.quiet(handle)).resolution_due == case.resolution_due
    assert [event.data["code"] for event in refusals(life, handle)] == ["extension.not-a-complaint"]


async def test_every_hostile_signal_stands_in_the_timeline_as_refused(life: Life) -> None:
    handle = await life.open()
    before = await life.quiet(handle)
    outside = stranger(life, handle)
    expected = []
    for args, code in INPUTS.values():
        await outside.signal("extend", args=args)
        expected.append(("extend", code))
    for name in NAMES:
        await outside.signal(name, {"until": "2027-01-29", "reasons": "x"})
        expected.append((name[:60], "command.unknown"))
    for name, order, code in OTHER_SIGNALS:
        await outside.signal(name, args=text(order))
        expected.append((name, code))
    case = await life.quiet(handle)
    found = refusals(life, handle)
    told = [("".join(c if " " <= c <= "~" else "?" for c in name), code) for name, code in expected]
    assert [(event.data["command"], event.data["code"]) for event in found] == told
    assert all(event.texts["detail"].isprintable() and len(event.texts["detail"]) <= 300 for event in found)
    assert case.obligations == before.obligations
    assert case.addresses == before.addresses
    await extends(life, handle)


async def test_every_hostile_update_is_rejected_and_writes_nothing(steady: Steady) -> None:
    # The time-skipping server writes an event for an update that is rejected; a real one does not.
    async with steady.worker():
        await every_hostile_update(steady, await steady.begin())


async def every_hostile_update(life: Steady, handle: WorkflowHandle[Any, Any]) -> None:
    await life.resting(handle)
    outside = reader(life, handle)
    length = len((await handle.fetch_history()).events)
    sent = [("extend", *one) for one in INPUTS.values()]
    sent += [(name, text("{}"), "command.unknown") for name in NAMES if name != "resolve"]
    sent += [(name, text("{}"), "command.unknown") for name in ("receive_message", "notice_bounced")]
    sent += [("propose", text('{"command": "approve", "order": {}}'), "command.plain")]
    sent += [("approve", text("{}"), "command.plain")]
    sent += [("assign", text('{"owner": "eva", "reasons": "x"}'), "command.plain")]
    sent += [("declare_conflict", text('{"about": ["officer-1"], "reasons": "x"}'), "command.plain")]
    for name, args, code in sent:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await outside.execute_update(name, args=args)
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert cause.details[0]["code"] == code, name
    assert len((await handle.fetch_history()).events) == length
    assert not refusals(life, handle)
    order = {"until": thirty_days_later(life.saved(handle)), "reasons": "complex"}
    await outside.execute_update("extend", order, result_type=dict)
    assert (await life.quiet(handle)).flags == (Flag.EXTENDED,)


async def test_the_stock_command_line_cannot_wedge_a_case(life: Life) -> None:
    handle = await life.open()
    case = await life.quiet(handle)
    address = life.client.service_client.config.target_host

    async def signal(*arguments: str) -> None:
        command = (TEMPORAL, "workflow", "signal", "--address", address, "-w", handle.id, *arguments)
        quiet = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=asyncio.subprocess.PIPE)
        _, problem = await process.communicate()
        assert process.returncode == 0, problem

    await asyncio.gather(
        signal("--name", "extend"),
        signal("--name", "extend", "--input", "1", "--input", "2"),
        signal("--name", "extend", "--input", '{"until": "\\ud800", "\\udfff": "x"}'),
        signal("--name", "extend", "--input", "x", "--input-meta", "encoding=binary/encrypted"),
        signal("--name", "extend", "--input", "{}", "--input-meta", "encoding=json/external-storage-reference"),
        signal("--name", "no such thing\t", "--input", "{}", "--headers", 'x="y"'),
    )
    order = json.dumps({"until": thirty_days_later(case), "reasons": "the matter is complex"})
    await signal("--name", "extend", "--input", order)
    case = await life.quiet(handle)
    assert sorted(event.data["code"] for event in refusals(life, handle)) == [
        "command.inputs",
        "command.inputs",
        "command.unknown",
        "command.unreadable",
        "command.unreadable",
        "command.unreadable",
    ]
    assert case.flags == (Flag.EXTENDED,)
    assert life.postbox.kinds[-1] == "extension"


async def test_an_absurd_time_of_an_event_moves_nothing_and_stops_nothing(life: Life) -> None:
    handle = await life.open()
    case = await life.quiet(handle)
    key = case.letters[0].key
    outside = stranger(life, handle)
    await outside.signal("notice_delivered", {"notices": [key], "at": "0001-01-01T00:00:00+14:00"})
    await outside.signal("notice_bounced", {"notice": key, "at": "9999-12-31T23:59:59-12:00", "reason": "\x00\u2028"})
    await outside.signal("receive_message", {"message": "ms_1", "at": "0001-01-01T00:00:00+14:00"})
    case = await life.quiet(handle)
    now = await life.env.get_current_time()
    (letter,) = [one for one in case.letters if one.key == key]
    assert letter.delivered_at
    assert letter.bounced_at
    assert letter.created_at <= letter.delivered_at <= letter.bounced_at <= now
    assert case.unread == 1
    # The address is dead now, so a letter would wait; a command is taken all the same.
    await outside.signal("appeal", {"text": "I disagree"})
    assert (await life.quiet(handle)).status is Status.APPEALED


async def test_nobody_becomes_a_supervisor_by_saying_so(life: Life) -> None:
    handle = await life.open()
    await life.quiet(handle)
    await extends(life, handle)
    case = life.saved(handle)
    assert case.resolution_due
    further = case.calendar.after(case.calendar.local_date(case.resolution_due), 5).isoformat()
    claimed = {"until": further, "reasons": "x", "actor": SUPERVISOR.model_dump(mode="json")}
    outside = stranger(life, handle)
    await outside.signal("extend", claimed)
    (payload,) = await life.client.data_converter.encode([Extend.model_validate(claimed)])
    await outside.signal("extend", RawValue(payload))
    plain = life.client.data_converter.payload_converter.to_payload(claimed)
    for scope in ("inquiry/RX-2222-2222", ""):
        (copied,) = await SealingCodec(ring(), scope).encode([plain])
        await outside.signal("extend", RawValue(copied))
    reads = {**claimed, "actor": AUDITOR.model_dump(mode="json")}
    await handle.signal("extend", reads)
    await life.quiet(handle)
    cap = ["extension.over-the-cap"] * 4
    assert [event.data["code"] for event in refusals(life, handle)] == [*cap, "actor.reads-only"]
    (own,) = await SealingCodec(ring(), handle.id).encode([plain])
    await outside.signal("extend", RawValue(own))
    case = await life.quiet(handle)
    assert case.resolution_due == case.calendar.end_of(date.fromisoformat(further))


async def test_a_signal_that_wakes_a_closed_case_still_names_its_actor(life: Life) -> None:
    handle = await life.open(appeal_window_days=0)
    await life.quiet(handle)
    await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle))
    await handle.result()
    order = {"text": "they wrote", "actor": SUPERVISOR.model_dump(mode="json")}
    await resume_case(life.client, "plazo", life.saved(handle), Signal("appeal", order))
    await life.quiet(life.client.get_workflow_handle(handle.id))
    (noted,) = [event for event in life.events(handle) if event.type == "review.noted"]
    assert noted.actor == SUPERVISOR


async def test_a_query_asked_wrongly_harms_nothing(life: Life) -> None:
    handle = await life.open()
    await life.quiet(handle)
    outside = reader(life, handle)
    for name in ("no such query", "extend", "\x00"):
        with pytest.raises(WorkflowQueryFailedError):
            await outside.query(name)
    for args in ([1], [REFERENCE], ["x", "y"], [raw(b"garbage", ENCODING)]):
        with contextlib.suppress(WorkflowQueryFailedError):
            await outside.query("status", args=args)
    assert (await outside.query("status"))["status"] == "open"
    await extends(life, handle)


async def acknowledged(life: Life) -> bool:
    return life.postbox.kinds == ["acknowledgement"]


async def test_a_flood_that_waited_for_the_worker_is_taken_in_steps(tmp_path: Path, records_url: str) -> None:
    flood = 3 * FLIGHT
    async with living(tmp_path, records_url) as life:
        executor = ThreadPoolExecutor(2)
        handle = await life.open(queue="late")
        outside = stranger(life, handle)
        for _ in range(flood // 50):
            order = {"until": "2020-01-01", "reasons": "x" * 300}
            await asyncio.gather(*(outside.signal("extend", order) for _ in range(50)))
        notices = Notices(life.database, stationery(), {EMAIL: life.postbox}, life.clock)
        events = Events(life.database, life.clock)
        late = Worker(
            life.client,
            task_queue="late",
            workflows=[InquiryWorkflow],
            activities=[notices.deliver, notices.insist, events.record],
            activity_executor=executor,
        )
        async with late:
            await until(lambda: acknowledged(life))
            case = await life.quiet(handle)
            assert len(refusals(life, handle)) == flood
            assert len(await handle.query("timeline")) == KEPT
            assert life.postbox.kinds == ["acknowledgement"]
            history = await handle.fetch_history()
            steps = [e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]
            assert len(steps) == 3 + 1
            assert verify(life.events(handle), salt=case.salt) == case.head
