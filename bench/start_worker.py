"""A worker for the inquiry's workflow alone: `python -m bench.start_worker sandboxed|unsandboxed`.

Its queue is `starts-<word>`. The two differ in nothing but the sandbox.
"""

import asyncio
import os
import signal
import sys

import uvloop
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import worker
from engine import connect
from settings import load_settings
from workflows.inquiry import InquiryWorkflow


async def run(kind: str) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await connect(load_settings())
    runner = SandboxedWorkflowRunner() if kind == "sandboxed" else UnsandboxedWorkflowRunner()
    async with Worker(
        client,
        task_queue=f"starts-{kind}",
        workflows=[InquiryWorkflow],
        workflow_runner=runner,
        workflow_task_poller_behavior=worker.POLLERS,
    ):
        await stop.wait()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1]))
    os._exit(0)
