"""Whole lives on the time-skipping server, with the real activities and a postbox that may fail."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError

from models.case import Case
from models.errors import OperatorError, RecipientError, TransientError, UnknownOutcome
from models.inquiry import EMAIL, Flag, Status
from models.ledger import verify
from models.letters import LetterState
from models.obligations import ObligationKind
from models.tables import NoticeEvent
from records import cases, contacts, notices
from starter.commands.rehearsal import QUEUE
from starter.temporal.engine import Signal, resume_case, signal_case
from tests.cases import OTHER, SUPERVISOR
from tests.lives import Life, living

DAY = timedelta(days=1)


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.4")
@pytest.mark.rule("M5.7")
async def test_acknowledged_at_once_answered_and_closed_after_the_window(life: Life) -> None:
    handle = await life.open()
    case = await life.quiet(handle)
    assert life.postbox.kinds == ["acknowledgement"]
    assert case.status is Status.OPEN
    answer = await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle))
    assert answer.status is Status.ANSWERING
    case = await life.quiet(handle)
    assert case.status is Status.ANSWERED
    assert life.postbox.kinds == ["acknowledgement", "final_upheld"]
    await life.skip(days=100)
    await handle.result()
    case = life.saved(handle)
    assert case.status is Status.CLOSED
    assert verify(life.events(handle), salt=case.salt) == case.head


@pytest.mark.rule("M3.11")
async def test_a_term_that_passes_in_silence_is_told_again_and_again(life: Life) -> None:
    handle = await life.open()
    await life.quiet(handle)
    await life.skip(days=70)
    case = await life.quiet(handle)
    assert life.postbox.kinds.count("missed") >= 3
    assert Flag.LATE in case.flags
    warned = [e for e in life.events(handle) if e.type == "obligation.warned"]
    assert len(warned) == 4
    finals = [o for o in case.obligations if o.kind is ObligationKind.FINAL]
    assert [o.missed_at for o in finals] == [finals[0].due]


@pytest.mark.rule("M3.5")
async def test_an_extension_moves_the_timer(life: Life) -> None:
    handle = await life.open()
    case = await life.quiet(handle)
    old = case.resolution_due
    assert old
    until = case.calendar.after(case.calendar.local_date(old), 20)
    await life.command(handle, "extend", until=until.isoformat(), reasons="the matter is complex")
    await life.quiet(handle)
    await life.env.sleep(old - await life.env.get_current_time() + DAY)
    case = await life.quiet(handle)
    assert "missed" not in life.postbox.kinds
    assert case.told == case.resolution_due == case.calendar.end_of(until)


async def test_a_revoked_key_loses_nothing_and_switches_no_channel(life: Life) -> None:
    life.postbox.faults = [OperatorError("answered 401") for _ in range(12)]
    handle = await life.open()
    await life.skip(hours=3)
    case = await life.quiet(handle)
    assert life.postbox.tries == 13
    assert life.postbox.kinds == ["acknowledgement"]
    assert not case.dead
    (story,) = [e for e in life.events(handle) if e.type == "step.retried"]
    assert story.data["attempts"] == 13


@pytest.mark.rule("M3.2")
async def test_a_fault_longer_than_the_term_is_missed_and_told_late(tmp_path: Path, records_url: str) -> None:
    async with living(tmp_path, records_url, slowly=timedelta(hours=12)) as life:
        life.postbox.faults = [OperatorError("answered 403") for _ in range(100)]
        handle = await life.open()
        with life.database.read() as session:
            opened = cases.load(session, handle.id.removeprefix("inquiry/"))
        (acknowledgement,) = opened.owed(ObligationKind.ACKNOWLEDGEMENT)
        await life.reach(acknowledgement.due + DAY)
        life.postbox.faults.clear()
        await life.skip(days=1)
        case = await life.quiet(handle)
        assert life.postbox.kinds == ["acknowledgement_late"]
        assert case.obligations[0].late
        assert not case.owed(ObligationKind.MISSED)


async def test_surely_refused_tries_leave_no_trace_of_a_duplicate(life: Life) -> None:
    life.postbox.faults = [TransientError("answered 503"), TransientError("answered 429", retry_after=30)]
    handle = await life.open()
    await life.skip(minutes=5)
    case = await life.quiet(handle)
    assert life.postbox.kinds == ["acknowledgement"]
    assert not case.letters[0].duplicate


async def test_an_unknown_end_waits_and_then_leaves_again_under_the_same_id(life: Life) -> None:
    life.postbox.after = [UnknownOutcome("hung up")]
    handle = await life.open()
    await life.skip(minutes=10)
    case = await life.quiet(handle)
    first, second = life.postbox.letters
    assert first.message_id == second.message_id
    assert first == second
    assert case.letters[0].duplicate
    with life.database.read() as session:
        row = notices.find(session, case.letters[0].key)
    assert row
    assert row.possible_duplicate
    assert row.tries == 2


async def test_the_providers_word_spares_the_second_letter(life: Life) -> None:
    life.postbox.after = [UnknownOutcome("hung up")]
    case_key = "RX-7KQ4-M2PD/acknowledgement/1"
    at = await life.env.get_current_time()
    with life.database.write() as session:
        notices.add_event(session, NoticeEvent(event_id="e1", notice=case_key, kind="delivered", at=at, stored_at=at))
    handle = await life.open()
    await life.skip(minutes=10)
    case = await life.quiet(handle)
    assert len(life.postbox.letters) <= 1
    assert case.letters[0].accepted_at == at
    assert not case.letters[0].duplicate


@pytest.mark.rule("M4.2")
async def test_a_dead_address_gives_way_to_the_next(life: Life) -> None:
    now = await life.env.get_current_time()
    with life.database.write() as session:
        contact, first = contacts.find_or_add(session, EMAIL, "dead@example.org", now=now)
        _, second = contacts.find_or_add(session, EMAIL, "ana@example.org", contact=contact, now=now)
    life.postbox.faults = [RecipientError("no such mailbox")]
    from tests.cases import new_case  # noqa: PLC0415

    handle = await life.open(new_case(now, addresses=(first, second)).model_copy(update={"contact": contact}))
    case = await life.quiet(handle)
    assert [letter.to for letter in life.postbox.letters] == ["ana@example.org"]
    assert [one.state for one in case.letters] == [LetterState.FAILED, LetterState.ACCEPTED]


@pytest.mark.rule("M3.7")
async def test_no_address_left_is_a_flag_until_a_supervisor_signs(life: Life) -> None:
    life.postbox.faults = [RecipientError("no such mailbox")]
    handle = await life.open()
    case = await life.quiet(handle)
    assert Flag.UNDELIVERED in case.flags
    assert case.owed(ObligationKind.ACKNOWLEDGEMENT)
    answer = await life.command(handle, "attempts_exhausted", SUPERVISOR, reasons="all tried")
    assert answer.next_obligation == "final response"
    assert Flag.UNDELIVERED not in (await life.quiet(handle)).flags


@pytest.mark.rule("M3.10")
async def test_a_closed_case_is_resumed_by_what_comes_later(life: Life) -> None:
    handle = await life.open(appeal_window_days=0)
    await life.quiet(handle)
    await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle))
    await handle.result()
    reference = handle.id.removeprefix("inquiry/")

    async def load() -> Case:
        return life.saved(handle)

    now = await life.env.get_current_time()
    signal = Signal("receive_message", {"message": "ms_9", "at": now.isoformat()})
    await signal_case(life.client, QUEUE, reference, signal, load)
    await life.client.get_workflow_handle(handle.id).result()
    assert life.events(handle)[-1].type == "message.received"
    await resume_case(life.client, QUEUE, life.saved(handle), Signal("appeal", {"text": "I disagree"}))
    case = await life.quiet(life.client.get_workflow_handle(handle.id))
    assert case.status is Status.APPEALED
    assert life.postbox.kinds[-1] == "review_noted"
    assert verify(life.events(handle), salt=case.salt) == case.head


@pytest.mark.rule("M3.9")
async def test_unfounded_by_one_and_approved_by_another(life: Life) -> None:
    handle = await life.open()
    order: dict[str, Any] = {"outcome": "unfounded", "draft": life.draft(handle)}
    with pytest.raises(WorkflowUpdateFailedError):
        await life.command(handle, "resolve", **order)
    proposed = await life.command(handle, "propose", command="resolve", order=order)
    assert proposed.proposed
    await life.command(handle, "approve", OTHER)
    assert (await life.quiet(handle)).status is Status.ANSWERED
    assert life.postbox.kinds[-1] == "final_unfounded"


@pytest.mark.rule("M3.6")
async def test_an_escalation_with_its_extension_and_a_re_estimate(life: Life) -> None:
    handle = await life.open()
    case = await life.quiet(handle)
    assert case.resolution_due
    far = case.calendar.after(case.calendar.local_date(case.resolution_due), 10).isoformat()
    await life.command(handle, "escalate", institution="a bank", reasons="records", estimate=far, until=far)
    await life.quiet(handle)
    nearer = (await life.env.get_current_time() + 20 * DAY).date().isoformat()
    await life.command(handle, "re_estimate", estimate=nearer, reasons="they were quick")
    case = await life.quiet(handle)
    assert life.postbox.kinds == ["acknowledgement", "external", "re_estimate"]
    assert {Flag.EXTENDED, Flag.ESCALATED} <= set(case.flags)
