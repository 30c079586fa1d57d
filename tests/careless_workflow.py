"""A workflow that forgot to pass an import through, for the test that such a worker does not start."""

import structlog
from temporalio import workflow


@workflow.defn
class Careless:
    @workflow.run
    async def run(self) -> str:
        return structlog.__name__
