"""The one Temporal plugin: converter, codec, failure converter, interceptor and sandbox, for every process alike.

The client has it and hands it to the workers made from it; replayers and tests use the same one, so none can drift.
"""

import copy
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

import structlog
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, SerializationContext
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, is_cancelled_exception
from temporalio.plugin import SimplePlugin
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from codec import SealingCodec
from keys import KeyRing
from sandbox import sandboxed
from tracing import reference_in, step

WORKFLOW_TASK = 9
"""Seconds that a step of a workflow may take; after ten the server gives it to another worker."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def plazo_plugin(ring: KeyRing) -> SimplePlugin:
    """Return the plugin that seals with `ring`. Give it to the Client (never to its workers) or a Replayer."""
    return PlazoPlugin(
        "plazo",
        data_converter=data_converter(ring),
        interceptors=[ActivityTraces(), FailureLog()],
        workflow_runner=sandboxed,
    )


class PlazoPlugin(SimplePlugin):
    """Gives a worker's workflows time for what may wait for them.

    The SDK stops a step of a workflow after two seconds and tries it again for ever: a few thousand signals that came
    while no worker ran, or a machine with too much to do, would stop a case for good.
    """

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002
        """Run the worker with the longer limit; the SDK has no setting for it."""
        workflows = worker._workflow_worker  # noqa: SLF001
        if workflows is not None:
            workflows._deadlock_timeout_seconds = WORKFLOW_TASK  # noqa: SLF001
        await super().run_worker(worker, next)


def data_converter(ring: KeyRing) -> DataConverter:
    """Return the pydantic converter with the sealing codec; messages and traces of failures are sealed too."""
    return HereConverter(
        payload_converter_class=pydantic_data_converter.payload_converter_class,
        payload_codec=SealingCodec(ring),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


class HereConverter(DataConverter):
    """All our payloads are here: one that claims to be stored elsewhere is handed on as it came, to be refused.

    The SDK would raise instead, before any of our code sees the message, and one such signal would stop a case for
    ever.
    """

    def with_context(self, context: SerializationContext) -> Self:
        """Return the converter of one workflow: only the codec knows it.

        The SDK asks with nearly every payload, and its own way makes all other parts anew each time.
        """
        if not isinstance(self.payload_codec, SealingCodec):
            return super().with_context(context)
        bound = copy.copy(self)
        object.__setattr__(bound, "payload_codec", self.payload_codec.with_context(context))
        return bound

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


class FailureLog(Interceptor):
    """Logs an error at a failing activity's attempts 1, 10, 100 and so on, and when it fails for good.

    The SDK logs retries as warnings, so one that fails for ever would drown unseen. Only the error's type and code are
    written: its text may hold personal data. Failures declared benign are expected, and left out.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Put the log around every activity; `next` is the SDK's name for the parameter."""
        return _FailureLog(next)


class _FailureLog(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # the SDK's name
        try:
            return await super().execute_activity(input)
        except Exception as error:
            _log_failure(error, activity.info())
            raise


class ActivityTraces(Interceptor):
    """Tells of each activity, where traces are wanted. Workflows need nothing: their steps are told outside of them."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """Put the span around every activity."""
        return _ActivityTraces(next)


class _ActivityTraces(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  # the SDK's name
        info = activity.info()
        name = f"activity {info.activity_type}"
        with step(name, reference_in(info.workflow_id or ""), "CONSUMER", attempt=info.attempt):
            return await super().execute_activity(input)


def _log_failure(error: Exception, info: activity.Info) -> None:
    benign = isinstance(error, ApplicationError) and error.category == ApplicationErrorCategory.BENIGN
    if benign or is_cancelled_exception(error):
        return
    final = is_final(error, info)
    if final or is_milestone(info.attempt):
        log.error(
            "activity.failed_for_good" if final else "activity.failing",
            activity=info.activity_type,
            workflow=info.workflow_id,
            attempt=info.attempt,
            error=type(error).__name__,
            code=error_code(error),
        )


def is_milestone(attempt: int) -> bool:
    """Tell whether the attempt is the 1st, 10th, 100th, 1000th and so on."""
    return str(attempt).rstrip("0") == "1"


def is_final(error: Exception, info: activity.Info) -> bool:
    """Tell whether the engine will not try again: declared so, excluded by the retry policy, or the last attempt."""
    if isinstance(error, ApplicationError) and error.non_retryable:
        return True
    policy = info.retry_policy
    if policy is None:
        return False
    if error_code(error) in (policy.non_retryable_error_types or ()):
        return True
    return 0 < policy.maximum_attempts <= info.attempt


def error_code(error: Exception) -> str:
    """Return the stable name of an error: the type an ApplicationError declares, else the class's name."""
    return error.type if isinstance(error, ApplicationError) and error.type else type(error).__name__
