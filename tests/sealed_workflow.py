"""A workflow for the tests of the plugin: it hands Temporal a canary everywhere a case could."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from models.sealing import is_sealed


@workflow.defn
class Sealed:
    def __init__(self) -> None:
        self.signals: list[tuple[str, bool]] = []
        self.done = False

    @workflow.run
    async def run(self, canary: str) -> str:
        workflow.set_current_details(f"details {canary}")
        try:
            await workflow.execute_activity(
                "fail",
                canary,
                start_to_close_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=1)),
                summary=f"activity {canary}",
            )
        except ActivityError:
            await workflow.sleep(0.01, summary=f"timer {canary}")
        await workflow.wait_condition(lambda: self.done)
        raise ApplicationError(f"failure {canary}", f"detail {canary}", non_retryable=True)

    @workflow.signal(dynamic=True)
    async def signalled(self, name: str, values: Sequence[RawValue]) -> None:
        self.signals.extend((name, is_sealed(value.payload)) for value in values)

    @workflow.update
    async def refuse(self, canary: str) -> None:
        raise ApplicationError(f"update {canary}")

    @workflow.update
    async def finish(self, canary: str) -> str:
        self.done = True
        return f"result {canary}"

    @refuse.validator
    def _any(self, canary: str) -> None:
        pass

    @finish.validator
    def _any_too(self, canary: str) -> None:
        pass

    @workflow.update
    async def heard(self, count: int) -> list[tuple[str, bool]]:
        """Wait for that many signals; tell whether each was sealed by us for this workflow."""
        await workflow.wait_condition(lambda: len(self.signals) >= count)
        return self.signals
