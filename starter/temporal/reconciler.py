"""The reconciler: finds every open inquiry without a running workflow and has it resumed, at start and every hour.

Whatever took the workflow away (a lost engine database, a stray terminate), the records know the promise, and the saved
Case goes on from there. Each one found is reported, because none should be.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.errors import EngineUnavailable, RecordsUnavailable
from models.reference import workflow_id
from records import cases, dispatches
from records.database import Database
from starter.temporal.engine import WORKFLOW, answering

HOUR = 3600.0
AGAIN = 15.0
"""Seconds to the next try when the database or Temporal was away."""

LISTING = 120.0
"""Seconds that the list of all running inquiries may take."""

SHOWN = 100
"""References in one line of the log."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Reconciler:
    """Compares the records with Temporal. `clock` gives aware UTC; `wake` tells the dispatcher."""

    def __init__(
        self,
        client: Client,
        database: Database,
        clock: Callable[[], datetime],
        executor: Executor,
        wake: Callable[[], None],
    ) -> None:
        self._client, self._database, self._clock = client, database, clock
        self._executor, self._wake = executor, wake

    async def run(self) -> None:
        """Reconcile now and every hour, until cancelled; sooner again while something is away."""
        while True:
            try:
                await self.reconcile()
                pause = HOUR
            except (EngineUnavailable, RecordsUnavailable) as error:
                log.warning("reconcile.later", why=type(error).__name__)
                pause = AGAIN
            except Exception:
                log.exception("reconcile.failed")
                pause = HOUR
            await asyncio.sleep(pause)

    async def reconcile(self) -> tuple[str, ...]:
        """Ask for a resumption of every open inquiry that does not run; return their references.

        Raises EngineUnavailable, RecordsUnavailable.
        """
        loop = asyncio.get_running_loop()
        # Read before Temporal is asked: one that opens meanwhile, or waits to be started, is the dispatcher's.
        expected = await loop.run_in_executor(self._executor, self._expected)
        running = await self._running()
        unseen = [reference for reference in expected if workflow_id(reference) not in running]
        # Visibility lags by seconds; the workflow itself does not.
        unseen = [reference for reference in unseen if not await self._runs(reference)]
        lost = await loop.run_in_executor(self._executor, self._resume, unseen) if unseen else ()
        if lost:
            self._wake()
            log.error("reconcile.resumed", count=len(lost), references=list(lost[:SHOWN]))
        return lost

    def _expected(self) -> list[str]:
        with self._database.read() as session:
            starting = dispatches.starting(session)
            return [reference for reference in cases.open_references(session) if reference not in starting]

    async def _running(self) -> set[str]:
        query = f"WorkflowType = '{WORKFLOW}' AND ExecutionStatus = 'Running'"
        async with answering(LISTING):
            return {execution.id async for execution in self._client.list_workflows(query)}

    async def _runs(self, reference: str) -> bool:
        try:
            async with answering():
                description = await self._client.get_workflow_handle(workflow_id(reference)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.status is WorkflowExecutionStatus.RUNNING

    def _resume(self, unseen: list[str]) -> tuple[str, ...]:
        """Queue the resumption of those that are still open and that nothing is on its way to."""
        now = self._clock()
        with self._database.write() as session:
            open_now = set(cases.open_references(session)) - dispatches.starting(session)
            lost = tuple(one for one in unseen if one in open_now)
            for reference in lost:
                dispatches.add(session, reference, dispatches.RESUME, {}, now)
        return lost
