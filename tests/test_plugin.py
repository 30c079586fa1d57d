import base64
import dataclasses
import sysconfig
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio import activity
from temporalio.activity import Info
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue, RetryPolicy, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Replayer,
    UnsandboxedWorkflowRunner,
    Worker,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, UnintentionalPassthroughError

from engine import connect, register_search_attributes
from keys import parse_keys
from models.errors import EngineUnavailable, SettingsError
from models.search import INQUIRY_STATUS, SEARCH_ATTRIBUTES, cli_arguments
from plugin import FailureLog, error_code, is_final, is_milestone, plazo_plugin
from sandbox import sandboxed
from settings import Settings
from tests.careless_workflow import Careless
from tests.sealed_workflow import Sealed
from tests.waiting import UP

RING = parse_keys(f"one:{base64.b64encode(b'k' * 32).decode()}", "test")
CANARY = "ana.canary@example.org"
SCRIPTS = Path(sysconfig.get_path("scripts"))


@activity.defn
async def fail(canary: str) -> None:
    raise ApplicationError(f"no row for {canary}", canary, type="NoSuchRow")


@pytest.fixture
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_startup_timeout=UP,
        test_server_existing_path=str(SCRIPTS / "temporal-test-server"),
        plugins=[plazo_plugin(RING)],
    ) as environment:
        yield environment


def worker(client: Client, queue: str) -> Worker:
    return Worker(client, task_queue=queue, workflows=[Sealed], activities=[fail])


async def start(client: Client, queue: str) -> WorkflowHandle[Sealed, str]:
    return await client.start_workflow(Sealed.run, CANARY, id=f"sealed/{queue}", task_queue=queue)


async def test_the_client_hands_the_plugin_to_its_worker_and_the_replayer_takes_the_same(
    env: WorkflowEnvironment,
) -> None:
    queue = uuid.uuid4().hex
    async with worker(env.client, queue):
        handle = await start(env.client, queue)
        assert await handle.execute_update(Sealed.finish, CANARY) == f"result {CANARY}"
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.message == f"failure {CANARY}"
    history = await handle.fetch_history()
    # Written out by the server, everything that was said is sealed, down to the failures' words.
    written = history.to_json()
    assert "canary" not in written
    assert base64.b64encode(CANARY.encode()).decode()[:12] not in written
    assert "no row for" not in written
    assert written.count("Encoded failure") >= 2
    await Replayer(workflows=[Sealed], plugins=[plazo_plugin(RING)]).replay_workflow(history)


async def test_workflow_code_can_tell_who_sealed_a_signal(env: WorkflowEnvironment) -> None:
    queue = uuid.uuid4().hex
    stranger = Client(env.client.service_client)
    async with worker(env.client, queue):
        handle = await start(env.client, queue)
        await handle.signal("ours", "x")
        await stranger.get_workflow_handle(handle.id).signal("plain", "x")
        forged = stranger.data_converter.payload_converter.to_payload("x")
        forged.metadata["plazo-sealed"] = b"1"
        await stranger.get_workflow_handle(handle.id).signal("forged", RawValue(forged))
        garbage = RawValue(forged.__class__(metadata={"encoding": b"binary/encrypted"}, data=b"garbage"))
        await stranger.get_workflow_handle(handle.id).signal("garbage", garbage)
        other = await env.client.start_workflow(Sealed.run, CANARY, id=f"other/{queue}", task_queue=queue)
        await other.signal("for another", "x")
        assert await other.execute_update(Sealed.heard, 1) == [("for another", True)]
        history = await other.fetch_history()
        [sealed_for_other] = [
            event.workflow_execution_signaled_event_attributes.input.payloads[0]
            for event in history.events
            if event.HasField("workflow_execution_signaled_event_attributes")
        ]
        assert sealed_for_other.metadata["encoding"] == b"binary/encrypted"
        await stranger.get_workflow_handle(handle.id).signal("copied", RawValue(sealed_for_other))
        assert await handle.execute_update(Sealed.heard, 5) == [
            ("ours", True),
            ("plain", False),
            ("forged", False),
            ("garbage", False),
            ("copied", False),
        ]


async def test_a_failing_activity_is_logged_by_type_and_code_alone(env: WorkflowEnvironment) -> None:
    queue = uuid.uuid4().hex
    with capture_logs() as lines:
        async with worker(env.client, queue):
            handle = await start(env.client, queue)
            await handle.execute_update(Sealed.finish, CANARY)
            with pytest.raises(WorkflowFailureError):
                await handle.result()
    # This server does not say when it gives up; tests/test_codec_server.py shows the last attempt.
    assert lines == [
        {
            "event": "activity.failing",
            "log_level": "error",
            "activity": "fail",
            "workflow": handle.id,
            "attempt": 1,
            "error": "ApplicationError",
            "code": "NoSuchRow",
        }
    ]


@pytest.mark.parametrize(
    "error", [ApplicationError("x", category=ApplicationErrorCategory.BENIGN), CancelledError("stopping")]
)
async def test_what_is_expected_is_not_logged(error: Exception) -> None:
    class Raising(ActivityInboundInterceptor):
        def __init__(self) -> None:
            pass

        async def execute_activity(self, input: ExecuteActivityInput) -> None:  # noqa: A002
            raise error

    async def execute() -> None:
        await FailureLog().intercept_activity(Raising()).execute_activity(ExecuteActivityInput(fail, (), None, {}))

    with capture_logs() as lines, pytest.raises(type(error)):
        await ActivityEnvironment().run(execute)
    assert lines == []


def test_milestones_are_the_powers_of_ten() -> None:
    assert [number for number in range(1, 20_000) if is_milestone(number)] == [1, 10, 100, 1000, 10_000]


def info(attempt: int = 1, policy: RetryPolicy | None = None) -> Info:
    return dataclasses.replace(ActivityEnvironment.default_info(), attempt=attempt, retry_policy=policy)


@pytest.mark.parametrize(
    ("error", "attempt", "policy", "final"),
    [
        (ValueError(), 1, None, False),
        (ValueError(), 999, RetryPolicy(), False),
        (ValueError(), 2, RetryPolicy(maximum_attempts=3), False),
        (ValueError(), 3, RetryPolicy(maximum_attempts=3), True),
        (ApplicationError("x", non_retryable=True), 1, None, True),
        (ApplicationError("x", type="Recipient"), 1, RetryPolicy(non_retryable_error_types=["Recipient"]), True),
        (ValueError(), 1, RetryPolicy(non_retryable_error_types=["ValueError"]), True),
    ],
)
def test_a_failure_is_final_when_the_engine_will_not_try_again(
    *, error: Exception, attempt: int, policy: RetryPolicy | None, final: bool
) -> None:
    assert is_final(error, info(attempt, policy)) is final


def test_the_code_of_an_error_is_its_declared_type() -> None:
    assert error_code(ApplicationError("x", type="NoSuchRow")) == "NoSuchRow"
    assert error_code(ApplicationError("x")) == "ApplicationError"
    assert error_code(ValueError("x")) == "ValueError"


async def test_a_worker_whose_workflow_forgot_to_pass_an_import_through_does_not_start(
    env: WorkflowEnvironment,
) -> None:
    with pytest.raises(RuntimeError) as refused:
        Worker(env.client, task_queue="careless", workflows=[Careless])
    assert isinstance(refused.value.__cause__, UnintentionalPassthroughError)
    assert "structlog" in str(refused.value.__cause__)


def test_a_runner_that_is_no_sandbox_is_left_alone() -> None:
    bare = UnsandboxedWorkflowRunner()
    assert sandboxed(bare) is bare
    assert isinstance(sandboxed(None), SandboxedWorkflowRunner)


async def test_search_attributes_are_registered_once_however_often_asked(env: WorkflowEnvironment) -> None:
    await register_search_attributes(env.client)
    await register_search_attributes(env.client)
    queue = uuid.uuid4().hex
    pairs = TypedSearchAttributes([SearchAttributePair(INQUIRY_STATUS, "open")])
    handle = await env.client.start_workflow(
        Sealed.run, CANARY, id=f"sealed/{queue}", task_queue=queue, search_attributes=pairs
    )
    assert (await handle.describe()).typed_search_attributes.get(INQUIRY_STATUS) == "open"


def test_the_command_line_names_of_the_search_attributes() -> None:
    assert len(cli_arguments()) == len(SEARCH_ATTRIBUTES) == 8
    assert {"InquiryStatus=Keyword", "NextDueAt=Datetime", "InquiryFlags=KeywordList"} <= set(cli_arguments())


async def test_the_embedded_server_is_where_the_settings_say(
    env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    address = env.client.service_client.config.target_host
    port = int(address.rpartition(":")[2])
    assert (await connect(Settings(var=tmp_path, temporal_port=port))).namespace == "default"
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    assert (await connect(Settings(var=tmp_path, temporal_port=1))).namespace == "default"
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    client = await connect(Settings(var=tmp_path, temporal=address, namespace="other"))
    assert client.namespace == "other"
    assert client.data_converter.payload_codec is not None
    assert (await connect(Settings(var=tmp_path), lazy=True)).namespace == "default"
    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1:1;"):
        await connect(Settings(var=tmp_path))
    monkeypatch.setenv("TEMPORAL_PROFILE", "absent")
    with pytest.raises(SettingsError, match="TEMPORAL_CONFIG_FILE"):
        await connect(Settings(var=tmp_path))
