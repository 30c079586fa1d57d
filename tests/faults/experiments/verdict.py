"""The invariants of the whole town after an experiment, and at its end."""

from collections.abc import AsyncIterator, Collection

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from models.reference import workflow_id
from plugin import plazo_plugin
from records import cases
from tests.faults.experiments.stage import Stage
from tests.faults.findings import Findings, inspect
from tests.faults.trial import settled
from workflows.inquiry import InquiryWorkflow

FULL_REPLAY = 1000
"""Histories that are replayed at the end of a full run."""


async def kept(stage: Stage, only: Collection[str]) -> Findings:
    """I1 to I4 of everybody, and I6 of the inquiries named, once everything is at rest."""
    await stage.rest()
    return await settled(lambda: inspect(stage.town, stage.load, only))


async def replayed(stage: Stage) -> Findings:
    """I8: what the town's cases lived through replays with the code as it stands."""
    client = await stage.client()
    with stage.town.database.read() as session:
        references = cases.open_references(session)
    chosen = stage.chance.sample(references, min(len(references), stage.count(FULL_REPLAY)))

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for reference in chosen:
            yield await client.get_workflow_handle(workflow_id(reference)).fetch_history()

    replayer = Replayer(workflows=[InquiryWorkflow], plugins=[plazo_plugin(stage.town.settings.key_ring())])
    results = await replayer.replay_workflows(histories(), raise_on_replay_failure=False)
    found = Findings({"histories replayed": len(chosen)})
    found.none("histories that do not replay", results.replay_failures.values())
    return found
