"""The one path that needs a real server: a case so busy that it continues as new."""

from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from models.search import SEARCH_ATTRIBUTES
from tests.cases import new_case
from tests.lives import until
from tests.waiting import UP
from tests.workflows.steady import TEMPORAL, now, steadily, suggesting

REFERENCE = new_case().reference
"""The one that all recorded cases bear: a history is sealed for its own workflow."""

CARRIED = ("continued_as_new", "carried_over")
"""The run that ended so, and the one that took over."""


async def walk(records_url: str) -> dict[str, WorkflowHistory]:
    """Both histories by the names of their files."""
    server = await WorkflowEnvironment.start_local(
        dev_server_startup_timeout=UP,
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_extra_args=suggesting(30),
    )
    async with server, steadily(records_url, server.client.service_client.config.target_host) as life, life.worker():
        handle = await life.begin(life.new(reference=REFERENCE))
        first = (await handle.describe()).run_id
        sent = 0

        async def carried() -> bool:
            nonlocal sent
            sent += 1
            await handle.signal("receive_message", {"message": f"ms_{sent}", "at": now().isoformat()})
            await life.quiet(handle)
            return (await handle.describe()).run_id != first

        await until(carried)
        second = (await handle.describe()).run_id
        await life.command(handle, "note", text="it goes on")
        await life.quiet(handle)
        runs = [life.client.get_workflow_handle(handle.id, run_id=run) for run in (first, second)]
        return {name: await run.fetch_history() for name, run in zip(CARRIED, runs, strict=True)}
