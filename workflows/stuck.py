"""Letters that cannot leave: each is tried on in a task of its own, and holds up only what goes to its address."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.inquiry import Address
from models.letters import Letter
from models.post import accept, fail
from models.work import DELIVER, INSIST, RECIPIENT_FAILED, Delivery, Insisted, tell_tries
from workflows.errands import Story
from workflows.options import BREATH, INSISTENCE, LEAST_PATIENCE, STEP, patience

BESIDE = "2026-11-stuck-letters-beside"
"""The mark of runs in which a letter was stuck since it is tried on beside all else."""


class Stuck:
    """A case's letters that cannot leave now, by their addresses: nothing overtakes one on the way there."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.under_way: dict[Address | None, asyncio.Task[None]] = {}
        self.all_waits = False
        """Whether all else waits for a stuck letter: so it was in older runs, and such a run goes on in its own way."""

    @property
    def addresses(self) -> Collection[Address | None]:
        """Where nothing else may leave for now."""
        return self.under_way.keys()

    def patience(self) -> timedelta | None:
        """How long a letter is tried while all else waits for it."""
        return patience(self.story.case.next_alarm(), workflow.now()) if self.all_waits else LEAST_PATIENCE

    def take(self, letter: Letter, error: ActivityError, since: datetime) -> bool:
        """Have a letter tried on beside all else, as soon as its failure allows. False in an older run."""
        if not workflow.patched(BESIDE):
            self.all_waits = True
            return False
        asked = error.cause.next_retry_delay if isinstance(error.cause, ApplicationError) else None
        self.under_way[letter.address] = asyncio.create_task(self.insist(letter, asked or LEAST_PATIENCE, since))
        return True

    async def insist(self, letter: Letter, pause: timedelta, since: datetime) -> None:
        """Try until the letter has left or need not any more; then its address is free for the next."""
        await workflow.sleep(pause, summary="a pause before a stuck letter is tried again")
        if self.story.case.its_turn(letter, workflow.now()):
            await self.try_on(letter, since)
        del self.under_way[letter.address]
        self.story.changed = True

    async def try_on(self, letter: Letter, since: datetime) -> None:
        """Try for as long as it takes, at the cost of one call. What comes of it is folded in like a message."""
        try:
            left: Insisted = await workflow.execute_activity(
                INSIST,
                Delivery(case=self.story.case, letter=letter.key, since=since),
                result_type=Insisted,
                start_to_close_timeout=STEP,
                retry_policy=INSISTENCE,
                summary=f"{letter.kind.value} · {letter.key}",
            )
        except ActivityError as error:
            if why := dead_end(error):
                fail(self.story.case, letter.key, workflow.now(), why)
            else:
                workflow.logger.error("a stuck letter ended in a way nobody foresaw; it is tried again")
                await workflow.sleep(BREATH, summary="a pause before the next try at a stuck letter")
        else:
            if left.acceptance and left.tries:
                accept(self.story.case, left.acceptance)
                tell_tries(self.story.case, DELIVER, left.tries, workflow.now())


def dead_end(error: ActivityError) -> str | None:
    """Why the address will never take the letter, if that is how the call ended."""
    cause = error.cause
    return cause.message if isinstance(cause, ApplicationError) and cause.type == RECIPIENT_FAILED else None
