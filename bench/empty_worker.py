"""A plain worker for the empty workflow: `python -m bench.empty_worker HOST:PORT QUEUE`. Nothing of ours is in it."""

import asyncio
import os
import signal
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from bench.empty_workflow import EmptyWorkflow


async def run(address: str, queue: str) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(address)
    async with Worker(client, task_queue=queue, workflows=[EmptyWorkflow]):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:3]))
    os._exit(0)
