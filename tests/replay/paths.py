"""The paths a case can take, each walked once to record its history; `tests.replay.record` does it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client

from models.errors import OperatorError, RecipientError, UnknownOutcome
from models.inquiry import EMAIL, Address, Kind
from starter.commands.rehearsal import QUEUE
from starter.temporal.engine import Signal, resume_case
from tests.cases import OTHER, SUPERVISOR, new_case
from tests.lives import Life, until
from tests.replay.steps import Handle, done, later, opened, reaching, resolved

Path = Callable[[Life], Awaitable[Handle]]

PATHS: dict[str, Path] = {}
"""Every path by the name of its file."""

HALF_A_DAY = timedelta(hours=12)
"""The pause after a fault of our own account while recording: days pass in a few tries."""


def path(walk: Path) -> Path:
    PATHS[walk.__name__] = walk
    return walk


@path
async def acknowledged(life: Life) -> Handle:
    return await opened(life)


@path
async def resolved_upheld(life: Life) -> Handle:
    handle = await resolved(life, "upheld")
    await life.skip(days=100)
    await handle.result()
    return handle


@path
async def resolved_partial(life: Life) -> Handle:
    return await resolved(life, "partial")


@path
async def resolved_inadmissible(life: Life) -> Handle:
    return await resolved(life, "inadmissible")


@path
async def resolved_inquiry(life: Life) -> Handle:
    return await resolved(life, "inquiry", kind=Kind.INQUIRY)


@path
async def resolved_without_a_window(life: Life) -> Handle:
    handle = await opened(life, appeal_window_days=0)
    await life.command(handle, "resolve", outcome="upheld", draft=life.draft(handle))
    await handle.result()
    return handle


@path
async def proposed_and_approved(life: Life) -> Handle:
    handle = await opened(life)
    order = {"outcome": "unfounded", "draft": life.draft(handle)}
    await done(life, handle, "propose", command="resolve", order=order)
    await done(life, handle, "send_back", actor=OTHER, reasons="not yet")
    await done(life, handle, "propose", command="resolve", order=order)
    await done(life, handle, "approve", actor=OTHER)
    return handle


@path
async def proposed_by_signal(life: Life) -> Handle:
    handle = await opened(life, approvals=("extend",))
    stranger = Client(life.client.service_client).get_workflow_handle(handle.id)
    await stranger.signal("extend", {"until": later(life, handle, 5), "reasons": "complex"})
    await life.quiet(handle)
    await done(life, handle, "approve")
    return handle


@path
async def extended(life: Life) -> Handle:
    handle = await opened(life)
    await done(life, handle, "extend", until=later(life, handle, 10), reasons="complex")
    await done(life, handle, "extend", actor=SUPERVISOR, until=later(life, handle, 5), reasons="still complex")
    await life.skip(days=60)
    await life.quiet(handle)
    return handle


@path
async def extension_void(life: Life) -> Handle:
    handle = await opened(life)
    until = later(life, handle, 10)
    life.postbox.faults = [OperatorError("answered 403") for _ in range(200)]
    await life.command(handle, "extend", until=until, reasons="complex")
    await life.skip(days=50)
    life.postbox.faults.clear()
    await life.skip(days=2)
    await life.quiet(handle)
    return handle


@path
async def escalated_and_extended(life: Life) -> Handle:
    handle = await opened(life)
    far = later(life, handle, 10)
    await done(life, handle, "escalate", institution="a bank", reasons="records", estimate=far, until=far)
    await done(life, handle, "institution_answered", summary="paid")
    return handle


@path
async def re_estimated(life: Life) -> Handle:
    handle = await opened(life)
    case = life.saved(handle)
    first, second = (case.calendar.after(case.calendar.local_date(case.opened_at), n).isoformat() for n in (10, 20))
    await done(life, handle, "escalate", institution="a bank", reasons="records", estimate=first)
    await done(life, handle, "re_estimate", estimate=second, reasons="slow")
    await life.skip(days=35)
    await life.quiet(handle)
    return handle


@path
async def referred(life: Life) -> Handle:
    handle = await opened(life)
    await done(life, handle, "refer", area="security", question="is it so?")
    await done(life, handle, "answer_referral", area="security", findings="it is")
    await done(life, handle, "request_information", by=later(life, handle, 1), draft=life.draft(handle))
    await done(life, handle, "reply", draft=life.draft(handle))
    return handle


@path
async def incident_opened_and_changed(life: Life) -> Handle:
    handle = await opened(life)
    draft = life.draft(handle, text="not confirmed")
    await done(life, handle, "open_incident", area="operations", matter="withdrawal", draft=draft)
    await until(lambda: _linked(life, handle))
    at = (await life.env.get_current_time()).isoformat()
    for state in ("in_progress", "resolved"):
        await handle.signal("incident_changed", {"incident": 1, "state": state, "at": at, "words": "seen"})
    await life.quiet(handle)
    await done(life, handle, "resolve", outcome="upheld", draft=life.draft(handle))
    return handle


@path
async def incident_closed_by_hand(life: Life) -> Handle:
    handle = await opened(life)
    draft = life.draft(handle, text="not confirmed")
    await done(life, handle, "open_incident", area="operations", matter="withdrawal", draft=draft)
    await until(lambda: _linked(life, handle))
    await done(life, handle, "close_incident", incident=1, outcome="rejected", evidence="a typo")
    await until(lambda: _linked(life, handle))
    return handle


async def _linked(life: Life, handle: Handle) -> bool:
    return not (await life.quiet(handle)).untold


@path
async def missed_terms(life: Life) -> Handle:
    handle = await opened(life)
    await life.skip(days=65)
    await life.quiet(handle)
    await done(life, handle, "resolve", outcome="upheld", draft=life.draft(handle))
    return handle


@path
async def found_late(life: Life) -> Handle:
    now = await life.env.get_current_time()
    case = await reaching(life, "ana@example.org")
    late = new_case(now - timedelta(days=70), now=now, addresses=case.addresses)
    handle = await life.open(late.model_copy(update={"contact": case.contact}))
    await life.quiet(handle)
    return handle


@path
async def fault_across_an_alarm(life: Life) -> Handle:
    life.postbox.faults = [OperatorError("answered 401") for _ in range(200)]
    handle = await life.open()
    await life.skip(days=9)
    life.postbox.faults.clear()
    await life.skip(days=1)
    await life.quiet(handle)
    return handle


@path
async def unknown_outcome(life: Life) -> Handle:
    life.postbox.after = [UnknownOutcome("hung up")]
    handle = await life.open()
    await life.skip(minutes=10)
    await life.quiet(handle)
    return handle


@path
async def bounced_and_sent_again(life: Life) -> Handle:
    handle = await life.open(await reaching(life, "ana@example.org", "ana@example.net"))
    case = await life.quiet(handle)
    at = (await life.env.get_current_time()).isoformat()
    bounced, delivered = case.letters[0].key, {"notices": [case.letters[0].key], "at": at}
    await handle.signal("notice_delivered", delivered)
    await handle.signal("notice_bounced", {"notice": bounced, "at": at, "reason": "unknown user"})
    await life.quiet(handle)
    return handle


@path
async def dead_address(life: Life) -> Handle:
    life.postbox.faults = [RecipientError("no such mailbox")]
    handle = await life.open(await reaching(life, "dead@example.org", "ana@example.org"))
    await life.quiet(handle)
    return handle


@path
async def no_address_left(life: Life) -> Handle:
    life.postbox.faults = [RecipientError("no such mailbox")]
    handle = await opened(life)
    await done(life, handle, "attempts_exhausted", actor=SUPERVISOR, reasons="all tried")
    return handle


@path
async def channel_changed(life: Life) -> Handle:
    case = await reaching(life, "ana@example.org")
    gone = Address(id="ad_gone", channel="telegram")
    former = {"addresses": (gone, *case.addresses), "channel_now": "telegram", "dead": (gone.id,)}
    handle = await life.open(case.model_copy(update=former))
    await life.quiet(handle)
    await done(life, handle, "change_channel", channel=EMAIL, reasons="you asked for it")
    return handle


@path
async def withdrawn(life: Life) -> Handle:
    handle = await opened(life)
    await life.command(handle, "withdraw", reasons="never mind", message="ms_1")
    await handle.result()
    return handle


@path
async def merged(life: Life) -> Handle:
    handle = await opened(life)
    case = life.saved(handle)
    order: dict[str, Any] = {
        "other": "RX-2222-2222",
        "contact": case.contact,
        "received_at": case.received_at.isoformat(),
    }
    await done(life, handle, "merge", **order, leads=True)
    await life.command(handle, "merge", **{**order, "leads": False})
    await handle.result()
    return handle


@path
async def merged_on_two_ways(life: Life) -> Handle:
    """It takes in what came on another way, then ends itself, with word on both."""
    case = await reaching(life, "ana@example.org", "ana@home.example.org")
    here, there = case.addresses
    handle = await life.open(case.model_copy(update={"addresses": (here,)}))
    await life.quiet(handle)
    order: dict[str, Any] = {
        "other": "RX-2222-2222",
        "contact": case.contact,
        "received_at": case.received_at.isoformat(),
        "final_due": case.calendar.due(case.received_at, 20).isoformat(),
        "ways_in": [there.model_dump()],
    }
    await done(life, handle, "merge", **order, leads=True)
    await life.command(handle, "merge", **{**order, "other": "RX-3333-3333", "leads": False})
    await handle.result()
    return handle


@path
async def visited_again(life: Life) -> Handle:
    """Where each visit has an address of its own, the next letter leaves for the last one."""
    case = await reaching(life, "ana@example.org", "ana@home.example.org")
    here, there = case.addresses
    handle = await life.open(case.model_copy(update={"addresses": (here,)}))
    await life.quiet(handle)
    visit = {"address": there.model_dump(), "at": (await life.env.get_current_time()).isoformat()}
    order = {"contact": case.contact, "addresses": [], "bound": False, "visit": visit, "key": "address:2"}
    await handle.signal("identity_bound", order)
    await done(life, handle, "reply", draft=life.draft(handle))
    return handle


@path
async def split(life: Life) -> Handle:
    handle = await opened(life)
    await done(life, handle, "split", other="RX-2222-2222", points=["the fee"])
    await done(life, handle, "assign", owner="agent-7", area="finance", reasons="load")
    await done(life, handle, "reclassify", actor=SUPERVISOR, kind="inquiry", reasons="x", draft=life.draft(handle))
    return handle


@path
async def reopened(life: Life) -> Handle:
    handle = await resolved(life, "upheld")
    await done(life, handle, "reopen", reasons="new facts")
    return handle


@path
async def appeal_before_the_answer(life: Life) -> Handle:
    handle = await opened(life)
    await handle.signal("appeal", {"text": "they wrote", "by": "authority", "file_number": "A-1"})
    await life.quiet(handle)
    await done(life, handle, "resolve", outcome="upheld", draft=life.draft(handle))
    await done(life, handle, "appeal_decided", result="settled", text="so it is")
    return handle


@path
async def appeal_after_the_answer(life: Life) -> Handle:
    handle = await resolved(life, "partial")
    await done(life, handle, "appeal", text="I disagree")
    await life.skip(days=100)
    await done(life, handle, "appeal_decided", result="upheld", text="so it is")
    await handle.result()
    return handle


@path
async def resumed_after_its_close(life: Life) -> Handle:
    handle = await resolved_without_a_window(life)
    await resume_case(life.client, QUEUE, life.saved(handle), Signal("appeal", {"text": "I disagree"}))
    again = life.client.get_workflow_handle(handle.id)
    await life.quiet(again)
    return again


@path
async def refused_signals(life: Life) -> Handle:
    handle = await opened(life)
    for name, args in (("extend", []), ("extend", [1, 2]), ("\x00 no such", ["x"]), ("notice_bounced", [{}])):
        await handle.signal(name, args=args)
    await life.quiet(handle)
    await handle.signal("receive_message", {"message": "ms_1", "at": life.saved(handle).received_at.isoformat()})
    await life.quiet(handle)
    return handle


@path
async def stuck_letter_put_aside(life: Life) -> Handle:
    life.postbox.faults = [OperatorError("answered 401") for _ in range(3)]
    handle = await opened(life)
    await done(life, handle, "assign", owner="agent-2", reasons="x")
    await life.skip(days=2)
    await life.quiet(handle)
    return handle
