"""Which of what Temporal keeps was sealed with a key: read from the histories, where the key's id stands in clear."""

from collections.abc import Callable
from typing import NamedTuple

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from codec import KEY_ID
from starter.temporal.engine import answering

LISTING = 3600.0
"""Seconds that all histories may take."""

SAID_EVERY = 200


class Sealed(NamedTuple):
    """Workflows whose history holds something sealed with a key: those that run, and those that have ended."""

    open: int
    ended: int


async def sealed_under(client: Client, key_id: str, told: Callable[[str], None]) -> Sealed:
    """Look through the history of every workflow that Temporal keeps, of any type. Raises EngineUnavailable.

    What is begun while it looks is not seen, and is sealed with the key that is in front by then.
    """
    # How a pair of a payload's metadata is written: field 1, the name, field 2, the value.
    name, value = KEY_ID.encode(), key_id.encode()
    written = b"\n" + bytes([len(name)]) + name + b"\x12" + bytes([len(value)]) + value
    found, n = {True: 0, False: 0}, 0
    async with answering(LISTING):
        async for one in client.list_workflows():
            n += 1
            if await _holds(client, one.id, one.run_id, written):
                found[one.close_time is None] += 1
            if n % SAID_EVERY == 0:
                told(f"histories read: {n}")
    return Sealed(open=found[True], ended=found[False])


async def _holds(client: Client, workflow: str, run: str, written: bytes) -> bool:
    try:
        async for event in client.get_workflow_handle(workflow, run_id=run).fetch_history_events():
            if written in event.SerializeToString():
                return True
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # its retention has ended since it was listed
            raise
    return False
