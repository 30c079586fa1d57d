"""The measure of all rates: a workflow that does nothing, alone in its module, so the sandbox has nothing to load."""

from temporalio import workflow


@workflow.defn(name="Empty")
class EmptyWorkflow:
    """Starts and ends."""

    @workflow.run
    async def run(self) -> None:
        """Do nothing."""
