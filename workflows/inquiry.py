"""The life of one inquiry, from its first message to the end of the appeal window.

Handlers decide at once and never wait. One loop acts: it sends the letters that are owed, writes down what happened,
arms one timer for the next alarm, and waits for it or for a change. The due date is data; the timer is only its alarm.
Beside it trackers are told of incidents, each in a task of its own: what they do not take holds up no letter, and a
letter that is stuck no incident.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

with workflow.unsafe.imports_passed_through():
    from models.alerting import next_alert
    from models.alerts import Alert, Heard
    from models.case import Case
    from models.clock import wake
    from models.commands import COMMANDS, SIGNALS, read
    from models.deciding import decide
    from models.episodes import Answer, Incident
    from models.erasing import Wiped, erased
    from models.errors import Malformed, Refused
    from models.incidents import incident_key, tracked
    from models.ledger import Fact
    from models.letters import Letter
    from models.messages import Order
    from models.post import fail
    from models.sealing import admit, is_sealed
    from models.telling import heard, ready_alerts, settle_alerts, summons
    from models.work import (
        ALERT,
        DELIVER,
        ERASE,
        RECIPIENT_FAILED,
        RECORD,
        TRACK,
        Delivery,
        Erasing,
        Errand,
        InquiryInput,
        Recording,
        Told,
        Written,
        absorb,
    )
    from workflows.appearance import changes, current_details, search_attributes, timer_name
    from workflows.options import ALERT_PATIENCE, BREATH, ERRAND, RETRIES, STEP, patience

KEPT = 200
"""Lines of the timeline that are kept and travel on; the whole of it is the ledger."""

FLIGHT = 200
"""Facts that one step takes along: a flood of signals must not make a step too big for the engine."""

MOST_BYTES = 128 * 1024
"""What a message may weigh. The longest legal one is far smaller, and a case that swallows much is too big to carry."""


@workflow.defn(name="Inquiry")
class InquiryWorkflow:
    """One inquiry. Its id is `inquiry/<reference>`."""

    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        """Take over the case; messages may arrive before the loop begins."""
        self.case: Case = start.case
        self.timeline: list[Fact] = list(start.timeline)
        self.changed = False
        self.telling: dict[int, asyncio.Task[None]] = {}
        self.alerting: dict[str, asyncio.Task[None]] = {}

    @workflow.run
    async def run(self, _start: InquiryInput) -> None:
        """Keep every promise, then close."""
        beside = [asyncio.create_task(minding) for minding in (self.mind_incidents(), self.mind_alerts())]
        while True:
            wake(self.case, workflow.now())
            # Before anything else, or a case never left alone would outgrow its history; all that is owed goes along.
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(InquiryInput(case=self.case, timeline=tuple(self.timeline)))
            letter = self.case.outbox(workflow.now())
            if letter and len(self.case.pending) <= FLIGHT:
                await self.send(letter)
            elif self.case.pending:
                await self.write_down()
            elif self.case.erasing:
                await self.erase()
            elif self.case.ended and not self.case.untold:
                break
            else:
                await self.rest()
        for minding in beside:
            minding.cancel()
        self.show()

    async def send(self, letter: Letter) -> None:
        """Hand one letter to its channel, however often it takes, but not past the next alarm."""
        try:
            written = await self.step(
                DELIVER, Delivery(case=self.case, letter=letter.key), f"{letter.kind.value} · {letter.key}"
            )
        except ActivityError as error:
            await self.give_way(error, letter)
        else:
            self.remember(written)

    async def write_down(self) -> None:
        """Append what happened to the ledger and bring the projections up to date."""
        first = self.case.model_copy(update={"pending": self.case.pending[:FLIGHT]})
        try:
            written = await self.step(RECORD, Recording(case=first), first.pending[-1].type)
        except ActivityError as error:
            await self.give_way(error)
        else:
            self.remember(written)

    async def erase(self) -> None:
        """Have the records emptied, then forget the short texts that the case and its timeline hold themselves."""
        try:
            wiped = await workflow.execute_activity(
                ERASE,
                Erasing(case=self.case),
                result_type=Wiped,
                start_to_close_timeout=STEP,
                retry_policy=RETRIES,
                summary=f"erase · {self.case.reference}",
            )
        except ActivityError:
            workflow.logger.error("an erasure ended in a way nobody foresaw; it is tried again")
            await workflow.sleep(BREATH, summary="a pause before the next try at erasing")
        else:
            self.timeline = [fact.model_copy(update={"texts": {}}) for fact in self.timeline]
            erased(self.case, wiped)

    async def step(self, activity: str, work: Delivery | Recording, summary: str) -> Written:
        """Let an activity work, and show meanwhile what people decide: a letter may be stuck for days."""
        under_way: workflow.ActivityHandle[Written] = workflow.start_activity(
            activity,
            work,
            result_type=Written,
            start_to_close_timeout=STEP,
            schedule_to_close_timeout=patience(self.case.next_alarm(), workflow.now()),
            retry_policy=RETRIES,
            summary=summary,
        )
        self.describe()
        while not under_way.done():
            self.changed = False
            await workflow.wait_condition(lambda: under_way.done() or self.changed)
            if self.changed:
                self.show()
        return await under_way

    def remember(self, written: Written) -> None:
        """Fold in what an activity wrote."""
        self.timeline = [*self.timeline, *absorb(self.case, written)][-KEPT:]

    async def give_way(self, error: ActivityError, letter: Letter | None = None) -> None:
        """A call ended without success: the address is dead, an alarm is due, or something nobody foresaw."""
        cause = error.cause
        if letter and isinstance(cause, ApplicationError) and cause.type == RECIPIENT_FAILED:
            fail(self.case, letter.key, workflow.now(), cause.message)
        elif error.retry_state is RetryState.TIMEOUT:
            await self.rest()
        else:
            workflow.logger.error("a step ended in a way nobody foresaw; it is tried again")
            await workflow.sleep(BREATH, summary="a pause before the next try")

    async def mind_incidents(self) -> None:
        """Tell the trackers what they do not know, however long it takes.

        A run that continues as new leaves a call under way behind; its successor makes it again under the same name.
        """
        while True:
            await workflow.wait_condition(lambda: bool(self.untold))
            for incident in self.untold:
                self.telling[incident.n] = asyncio.create_task(self.tell(incident))

    @property
    def untold(self) -> list[Incident]:
        """The incidents of which nobody tells a tracker just now."""
        return [one for one in self.case.untold if one.n not in self.telling]

    async def tell(self, incident: Incident) -> None:
        """Tell the tracker of one incident, as it stands; what it answers is folded in like a message."""
        try:
            told: Told = await workflow.execute_activity(
                TRACK,
                Errand(reference=self.case.reference, incident=incident),
                result_type=Told,
                start_to_close_timeout=ERRAND,
                retry_policy=RETRIES,
                summary=f"{incident.area} · {incident_key(self.case.reference, incident.n)}",
            )
        except ActivityError:
            workflow.logger.error("a tracker was told in a way nobody foresaw; it is tried again")
            await workflow.sleep(BREATH, summary="a pause before the next try at a tracker")
        else:
            tracked(self.case, told, workflow.now())
            self.changed = True
        del self.telling[incident.n]

    async def mind_alerts(self) -> None:
        """Have colleagues told in time, whatever the letters and the trackers do: no user waits for it."""
        while True:
            settle_alerts(self.case, workflow.now())
            for alert in self.unheard:
                self.alerting[alert.key] = asyncio.create_task(self.alert(alert))
            at = next_alert(self.case)
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda at=at: bool(self.unheard) or next_alert(self.case) != at,  # type: ignore[misc]
                    timeout=at - workflow.now() if at else None,
                    timeout_summary="a colleague is told" if at else None,
                )

    @property
    def unheard(self) -> list[Alert]:
        """The alerts whose time has come and that are not on their way."""
        return [one for one in ready_alerts(self.case) if one.key not in self.alerting]

    async def alert(self, alert: Alert) -> None:
        """Tell one colleague; a mailbox or a provider that does not take it holds up nothing else."""
        try:
            answer: Heard = await workflow.execute_activity(
                ALERT,
                summons(self.case, alert),
                result_type=Heard,
                start_to_close_timeout=STEP,
                schedule_to_close_timeout=ALERT_PATIENCE,
                retry_policy=RETRIES,
                summary=f"{alert.kind.value} · {alert.key}",
            )
        except ActivityError:
            await workflow.sleep(BREATH, summary="a pause before a colleague is told again")
            settle_alerts(self.case, workflow.now())
        else:
            heard(self.case, answer, workflow.now())
            self.changed = True
        del self.alerting[alert.key]

    async def rest(self) -> None:
        """Show how the case stands, and wait for the next alarm or a change."""
        self.show()
        self.changed = False
        alarm = self.case.next_alarm()
        try:
            await workflow.wait_condition(
                lambda: self.changed,
                timeout=max(alarm - workflow.now(), timedelta()) if alarm else None,
                timeout_summary=timer_name(self.case) or None,
            )
        except TimeoutError:
            return

    def show(self) -> None:
        """Bring the engine's own view of the case up to date."""
        updates = changes(workflow.info().typed_search_attributes, search_attributes(self.case))
        if updates:
            workflow.upsert_search_attributes(updates)
        self.describe()

    def describe(self) -> None:
        """Write the case file anew. It costs no event, so it is right even while a letter cannot leave."""
        workflow.set_current_details(current_details(self.case, [*self.timeline, *self.case.pending]))

    # -- what comes in ---------------------------------------------------------------------------------------------

    @workflow.signal(
        dynamic=True, description="extend, escalate, appeal, receive_message, notice_bounced, notice_delivered"
    )
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Every signal. What cannot be read or is refused stands in the timeline and changes nothing else."""
        try:
            order = self.read(name, args, SIGNALS)
            self.case = decide(self.case, name, order, workflow.now(), trusted=sealed(args), signal=True)
        except Refused as refusal:
            self.refuse(name, refusal)
        except Exception as bug:  # noqa: BLE001  whatever a stranger sends must never wedge a case
            self.refuse(name, Malformed("signal.unreadable", type(bug).__name__))
        self.changed = True

    @workflow.update(dynamic=True, description="every command of a case")
    def on_update(self, name: str, args: Sequence[RawValue]) -> Answer:
        """Every command. The caller gets how the case stands after it."""
        order, self.case = self.decided(name, args)
        self.changed = True
        return self.case.answers[order.key] if order.key else self.case.answer(proposed=self.case.proposal is not None)

    @on_update.validator
    def check_update(self, name: str, args: Sequence[RawValue]) -> None:
        """Decide on a copy: what is refused here writes nothing at all."""
        self.decided(name, args, at_the_door=True)

    def decided(self, name: str, args: Sequence[RawValue], *, at_the_door: bool = False) -> tuple[Order, Case]:
        """The case as it would be after the command. Raises ApplicationError with the refusal's parts."""
        try:
            order = self.read(name, args, COMMANDS)
            # Only the validator asks: it does not run at a replay, so what was once taken in is decided again.
            if at_the_door and not sealed(args):
                admit(name)
            return order, decide(self.case, name, order, workflow.now(), trusted=sealed(args))
        except Refused as refusal:
            named = {"code": refusal.code, "detail": refusal.detail, "field": refusal.field, "rule": refusal.rule}
            parts = named | ({"missing": [list(one) for one in refusal.missing]} if refusal.missing else {})
            raise ApplicationError(str(refusal), parts, type=type(refusal).__name__, non_retryable=True) from None

    def read(self, name: str, args: Sequence[RawValue], known: Collection[str]) -> Order:
        """The order in a message. Raises Malformed."""
        if name not in known:
            raise Malformed("command.unknown", f"expected one of {', '.join(known)}")
        if len(args) != 1:
            raise Malformed("command.inputs", f"exactly one input is expected, {len(args)} came")
        if args[0].payload.ByteSize() > MOST_BYTES:
            raise Malformed("command.too-long", f"an input may have {MOST_BYTES} bytes")
        try:
            value = workflow.payload_converter().from_payload(args[0].payload)
        except Exception as error:
            raise Malformed("command.unreadable", "the input is neither JSON nor sealed with a key of ours") from error
        return read(name, value)

    def refuse(self, name: str, refusal: Refused) -> None:
        """A refused signal stands in the timeline, made harmless."""
        self.case.record(
            workflow.now(),
            "command.refused",
            command=harmless(name, 60),
            code=refusal.code,
            texts={"detail": harmless(refusal.detail, 300)},
        )

    # -- what can be asked -----------------------------------------------------------------------------------------

    @workflow.query(description="how the case stands")
    def status(self) -> Answer:
        """What is it, what is owed next and by when."""
        return self.case.answer()

    @workflow.query(name="timeline", description="what happened, oldest first")
    def show_timeline(self) -> list[Fact]:
        """The latest facts, those not yet in the ledger last."""
        return [*self.timeline, *self.case.pending]


def sealed(args: Sequence[RawValue]) -> bool:
    """Whether one of our own services sent this, whose word on the actor counts."""
    return len(args) == 1 and is_sealed(args[0].payload)


def harmless(text: str, most: int) -> str:
    """A stranger's text, fit for any table and terminal."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text[:most])
