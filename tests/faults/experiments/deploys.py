"""New code on running cases: experiment 23, and a rolling deploy under load."""

import asyncio
import sys
import time
from collections.abc import Iterable

from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from models.reference import workflow_id
from tests.faults.experiments.stage import STILL, Guest, Stage, slowest, timed
from tests.faults.findings import Findings

A_WHILE = 5.0
"""Seconds, at least, that the wrong code works."""

RATE = 2.0
"""Messages a second."""


async def incompatible_code(stage: Stage) -> Findings:
    """A worker comes that cannot replay the running cases; then the old one comes back."""
    guests = await stage.open(stage.count(50))
    await stage.rest()
    await stage.town.stop("worker")
    stage.town.change("worker", sys.executable, "-m", "tests.faults.experiments.variant", "careless")
    await stage.town.up("worker")
    waiting = asyncio.create_task(stage.noted(guests, "incompatible"))
    await asyncio.sleep(max(A_WHILE, stage.seconds(60)))
    attempts = [await _attempts(stage, guest) for guest in guests]
    obeyed = waiting.done()
    await stage.town.stop("worker")
    stage.town.restore("worker")
    await stage.town.up("worker")
    back = time.monotonic()
    await waiting
    found = Findings({"cases": len(guests), "stuck meanwhile": sum(one > 1 for one in attempts)})
    found.figures |= {
        "tries of a step": max(attempts),
        "all obeyed s after the rollback": round(time.monotonic() - back, 1),
    }
    found.expect("commands obeyed by the wrong code", obeyed, wanted=False)
    found.none("failed", await _not_running(stage, guests))
    return found


async def _attempts(stage: Stage, guest: Guest) -> int:
    handle = (await stage.client()).get_workflow_handle(workflow_id(guest.reference))
    return int((await handle.describe()).raw_description.pending_workflow_task.attempt)


async def _not_running(stage: Stage, guests: Iterable[Guest]) -> list[str]:
    client = await stage.client()
    states = [(one, await client.get_workflow_handle(workflow_id(one.reference)).describe()) for one in guests]
    return [one.reference for one, state in states if state.status is not WorkflowExecutionStatus.RUNNING]


async def rolling(stage: Stage) -> Findings:
    """Version A takes over from workers without one, then B from A, each by SIGTERM, while people write."""
    client = await stage.client()
    old = await stage.open(stage.count(50))
    await stage.rest()
    guests: list[Guest] = []
    enough = asyncio.Event()
    writing = asyncio.create_task(_write(stage, guests, enough))
    try:
        await stage.town.add_worker(PLAZO_BUILD_ID="a")
        await _make_current(client, "a")
        await asyncio.sleep(stage.seconds(30))
        codes = [await stage.town.stop("worker")]
        stage.town.change("worker", PLAZO_BUILD_ID="b")
        await stage.town.up("worker")
        await _make_current(client, "b")
        await asyncio.sleep(stage.seconds(30))
        codes.append(await stage.town.stop("worker2"))
        moved = await stage.noted(old, "on-b")
        await asyncio.sleep(stage.seconds(30))
    finally:
        enough.set()
        await writing
    resting = await timed(stage.rest)
    found = Findings(
        {"messages meanwhile": len(guests), "slowest to its 2xx s": slowest(one.seconds for one in guests)}
    )
    found.figures |= {
        "cases from before on B": len(old),
        "slowest command s": slowest(moved),
        "at rest after s": resting,
    }
    found.expect("exit codes of the drained", codes, [0, 0])
    # The workers that follow have no version again.
    await stage.town.stop("worker")
    stage.town.restore("worker")
    await stage.town.up("worker")
    await _make_current(client, "")
    return found


async def _write(stage: Stage, guests: list[Guest], enough: asyncio.Event) -> None:
    """People write until there is enough, however long each waits for its 2xx."""
    async with asyncio.TaskGroup() as group:
        while not enough.is_set():
            group.create_task(_one(stage, guests))
            await asyncio.sleep(1 / RATE)


async def _one(stage: Stage, guests: list[Guest]) -> None:
    guests += await stage.open(1)


async def _make_current(client: Client, build: str) -> None:
    """Say which version gets the work; one whose workers have only just come may not be known yet."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name="plazo", build_id=build, identity="faults"
    )
    async with asyncio.timeout(STILL):
        while True:
            try:
                await client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                await asyncio.sleep(0.2)
            else:
                return
