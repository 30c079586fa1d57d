"""The life of one inquiry, from its first message to the end of the appeal window.

Handlers decide at once and never wait. One loop acts: it sends the letters that are owed, writes down what happened,
arms one timer for the next alarm, and waits for it or for a change. The due date is data; the timer is only its alarm.
Beside it `workflows.stuck` tries on with letters that cannot leave, and `workflows.errands` tells trackers and
colleagues: what is stuck anywhere holds up nothing else.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, RetryState

with workflow.unsafe.imports_passed_through():
    from models.case import Case
    from models.clock import wake
    from models.commands import COMMANDS, SIGNALS
    from models.deciding import decide
    from models.episodes import Answer
    from models.erasing import Wiped, erased
    from models.errors import Malformed, Refused
    from models.ledger import Fact
    from models.letters import Letter
    from models.messages import Order
    from models.post import fail
    from models.sealing import admit
    from models.work import (
        DELIVER,
        ERASE,
        RECORD,
        Delivery,
        Erasing,
        InquiryInput,
        Recording,
        Written,
        absorb,
    )
    from workflows.appearance import changes, current_details, search_attributes, timer_name
    from workflows.errands import Colleagues, Trackers
    from workflows.incoming import as_failure, put_down, read_order, sealed
    from workflows.options import BREATH, RETRIES, STEP, patience
    from workflows.stuck import Stuck, dead_end

KEPT = 200
"""Lines of the timeline that are kept and travel on; the whole of it is the ledger."""

FLIGHT = 200
"""Facts that one step takes along: a flood of signals must not make a step too big for the engine."""


@workflow.defn(name="Inquiry")
class InquiryWorkflow:
    """One inquiry. Its id is `inquiry/<reference>`."""

    @workflow.init
    def __init__(self, start: InquiryInput) -> None:
        """Take over the case; messages may arrive before the loop begins."""
        self.case: Case = start.case
        self.timeline: list[Fact] = list(start.timeline)
        self.changed = False
        self.stuck = Stuck(self)

    @workflow.run
    async def run(self, _start: InquiryInput) -> None:
        """Keep every promise, then close."""
        beside = [asyncio.create_task(minding) for minding in (Trackers(self).mind(), Colleagues(self).mind())]
        while True:
            wake(self.case, workflow.now())
            # Before anything else, or a case never left alone would outgrow its history; all that is owed goes along.
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(InquiryInput(case=self.case, timeline=tuple(self.timeline)))
            letter = self.case.outbox(workflow.now(), busy=self.stuck.addresses)
            # Where one letter is stuck the next may be: what happened is written down before it is tried.
            if letter and len(self.case.pending) <= (0 if self.stuck.addresses else FLIGHT):
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
        """Hand one letter to its channel; one that cannot leave now is tried on beside all else."""
        work, began = Delivery(case=self.case, letter=letter.key), workflow.now()
        try:
            written = await self.step(DELIVER, work, f"{letter.kind.value} · {letter.key}", self.stuck.patience())
        except ActivityError as error:
            if why := dead_end(error):
                fail(self.case, letter.key, workflow.now(), why)
            elif error.retry_state is not RetryState.TIMEOUT or not self.stuck.take(letter, error, began):
                await self.give_way(error)
        else:
            self.remember(written)

    async def write_down(self) -> None:
        """Append what happened to the ledger and bring the projections up to date."""
        first = self.case.model_copy(update={"pending": self.case.pending[:FLIGHT]})
        until_alarm = patience(self.case.next_alarm(), workflow.now())
        try:
            written = await self.step(RECORD, Recording(case=first), first.pending[-1].type, until_alarm)
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

    async def step(self, activity: str, work: Delivery | Recording, summary: str, at_most: timedelta | None) -> Written:
        """Let an activity work, however often it takes within its time, and show meanwhile what people decide."""
        under_way: workflow.ActivityHandle[Written] = workflow.start_activity(
            activity,
            work,
            result_type=Written,
            start_to_close_timeout=STEP,
            schedule_to_close_timeout=at_most,
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

    async def give_way(self, error: ActivityError) -> None:
        """A call ended without success: an alarm is due, or it was something nobody foresaw."""
        if error.retry_state is RetryState.TIMEOUT:
            await self.rest()
        else:
            workflow.logger.error("a step ended in a way nobody foresaw; it is tried again")
            await workflow.sleep(BREATH, summary="a pause before the next try")

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
            order = read_order(name, args, SIGNALS)
            self.case = decide(self.case, name, order, workflow.now(), trusted=sealed(args), signal=True)
        except Refused as refusal:
            put_down(self.case, name, refusal, workflow.now())
        except Exception as bug:  # noqa: BLE001  whatever a stranger sends must never wedge a case
            put_down(self.case, name, Malformed("signal.unreadable", type(bug).__name__), workflow.now())
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
            order = read_order(name, args, COMMANDS)
            # Only the validator asks: it does not run at a replay, so what was once taken in is decided again.
            if at_the_door and not sealed(args):
                admit(name)
            return order, decide(self.case, name, order, workflow.now(), trusted=sealed(args))
        except Refused as refusal:
            raise as_failure(refusal) from None

    # -- what can be asked -----------------------------------------------------------------------------------------

    @workflow.query(description="how the case stands")
    def status(self) -> Answer:
        """What is it, what is owed next and by when."""
        return self.case.answer()

    @workflow.query(name="timeline", description="what happened, oldest first")
    def show_timeline(self) -> list[Fact]:
        """The latest facts, those not yet in the ledger last."""
        return [*self.timeline, *self.case.pending]
