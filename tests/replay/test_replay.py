"""Every recorded life replays with the workflow as it stands; a change that old cases cannot survive is caught."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from models.reference import workflow_id
from plugin import plazo_plugin
from tests.lives import ring
from tests.replay.carried import CARRIED, REFERENCE
from tests.replay.changed import CARELESS, OneTimerMorePatched
from tests.replay.paths import PATHS
from tests.replay.record import HISTORIES, file_of
from workflows.inquiry import InquiryWorkflow

NAMES = [*PATHS, *CARRIED]
OPENING = "acknowledged"
"""The shortest history: what every case begins with."""


def history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(workflow_id(REFERENCE), file_of(name).read_text(encoding="utf-8"))


def replayer(workflow: type) -> Replayer:
    return Replayer(workflows=[workflow], plugins=[plazo_plugin(ring())])


def test_every_path_has_its_history_and_every_history_its_path() -> None:
    found = sorted(file.stem for file in HISTORIES.glob("*.json"))
    assert found == sorted(NAMES), "record what is missing with: make record-histories"


async def test_every_history_replays() -> None:
    async def recorded() -> AsyncIterator[WorkflowHistory]:
        for name in NAMES:
            yield history(name)

    names = {history(name).run_id: name for name in NAMES}
    assert len(names) == len(NAMES)
    results = await replayer(InquiryWorkflow).replay_workflows(recorded(), raise_on_replay_failure=False)
    assert {names[run]: str(failure) for run, failure in results.replay_failures.items()} == {}


@pytest.mark.parametrize("careless", CARELESS)
async def test_the_gate_finds_a_step_more_less_or_elsewhere(careless: type) -> None:
    with pytest.raises(NondeterminismError):
        await replayer(careless).replay_workflow(history("missed_terms"))


async def test_the_gate_lets_through_what_is_patched() -> None:
    await replayer(OneTimerMorePatched).replay_workflow(history("missed_terms"))
    await replayer(OneTimerMorePatched).replay_workflow(history(OPENING))


@pytest.mark.parametrize("name", NAMES)
def test_a_history_says_nothing_of_people_or_machines(name: str) -> None:
    written = file_of(name).read_text(encoding="utf-8")
    assert "example.org" not in written
    assert "@" not in written.replace("recorder@", "")
    assert len(written) < 150_000
