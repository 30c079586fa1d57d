"""The morning digest as the schedule starts it: one step, given up before the day is over."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.work import DIGEST
    from workflows.options import RETRIES

ONE_TRY = timedelta(minutes=10)
MORNING = timedelta(hours=3)
"""After this a digest is of no use; the next morning's comes anyway."""


@workflow.defn(name="Digest")
class DigestWorkflow:
    """Tells every colleague what waits for them; the activity knows who was told today already."""

    @workflow.run
    async def run(self) -> int:
        """Have the mails sent; return how many are out."""
        sent: int = await workflow.execute_activity(
            DIGEST,
            result_type=int,
            start_to_close_timeout=ONE_TRY,
            schedule_to_close_timeout=MORNING,
            retry_policy=RETRIES,
            summary="the morning digest",
        )
        return sent
