"""Traces: asked for by OpenTelemetry's own variables, one for each inquiry, and with nothing of any person in them."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

import tracing
from models.errors import SettingsError
from otlp import OtlpRecorder, ids
from plugin import plazo_plugin
from tests.lives import ring
from tests.otlp_receiver import Receiver, Told, receiving
from tracing import concerns, configure_traces, end_traces, is_tracing, occasion, recorder_wanted, reference_in, step
from workflows.digest import DigestWorkflow
from workflows.inquiry import InquiryWorkflow

HISTORIES = sorted((Path(__file__).parent / "replay" / "histories").rglob("*.json"))
ONE, OTHER = "RX-7KQ4-M2PD", "RX-6MYW-V4A9"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    end_traces()
    assert not [one for one in threading.enumerate() if one.name.startswith("Otel")], "a sender goes on"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        configure_traces("test")
        yield receiver


def told(there: Receiver) -> dict[str, Told]:
    end_traces()
    return {one.name: one for one in there.spans()}


def test_nothing_is_recorded_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    configure_traces("test")
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    for name, value in (("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")):
        with monkeypatch.context() as asked:
            asked.setenv(name, value)
            configure_traces("test")
    assert not is_tracing()
    with step("nothing", ONE), occasion("nothing"):
        concerns(ONE)
    end_traces()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ENDPOINT, "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "//collector"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_EXPORTER", "console"),
    ],
)
def test_what_is_not_spoken_here_is_refused_at_the_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        configure_traces("test")


def test_the_protocol_of_traces_wins_and_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    for signals, ours in (("grpc", "http/protobuf"), ("", ""), ("http/protobuf", "")):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", signals)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", ours)
        assert recorder_wanted()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")
    with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"):
        recorder_wanted()


def test_traces_without_the_extra_are_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "otlp", None)
    with pytest.raises(SettingsError, match="extra `otel`"):
        configure_traces("test")


def test_what_every_process_tells_of_an_inquiry_is_one_trace(there: Receiver) -> None:
    with occasion("request", "SERVER") as request:
        request.told["http.response.status_code"] = 202
        concerns(ONE, opened=True)
        concerns(ONE)
    with step("hand over", ONE, "PRODUCER"), step("send", kind="CLIENT"):
        pass
    with step("of another", OTHER):
        pass
    spans = told(there)
    trace, root = ids(ONE)
    one, handed, sent = spans["request"], spans["hand over"], spans["send"]
    assert {one.trace, handed.trace, sent.trace} == {f"{trace:032x}"}
    assert (one.id, one.parent, handed.parent, sent.parent) == (f"{root:016x}", "", one.id, handed.id)
    assert (one.kind, one.told) == ("SERVER", {"plazo.reference": ONE, "http.response.status_code": "202"})
    assert one.service == "plazo-test"
    assert spans["of another"].trace != one.trace


def test_of_an_error_its_type_is_told_alone(there: Receiver) -> None:
    with pytest.raises(ValueError, match="ana@"), step("send", ONE, attempt=3):
        raise ValueError("ana@example.org does not exist")
    sent = told(there)["send"]
    assert sent.failed
    assert sent.told == {"plazo.reference": ONE, "plazo.attempt": "3", "error.type": "ValueError"}
    assert not any(b"ana@" in body for _, body in there.bodies)


def test_what_is_about_no_inquiry_is_not_told(there: Receiver) -> None:
    with occasion("request"), step("part of nothing"), step("digest", reference_in("digest")):
        concerns(None)
        concerns("ana@example.org")
    concerns(ONE)
    assert not told(there)


def test_a_trace_is_kept_by_all_or_by_none(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    end_traces()
    tracing._recorders[:] = [OtlpRecorder("test")]
    for n in range(40):
        for name in ("one", "another"):
            with step(name, f"case {n}"):
                pass
    end_traces()
    kept = [one.told["plazo.reference"] for one in there.spans()]
    assert 0 < len(kept) < 80
    assert all(kept.count(reference) == 2 for reference in kept)


async def test_a_replay_tells_nothing_and_finds_its_commands_unchanged(there: Receiver) -> None:
    replayer = Replayer(workflows=[InquiryWorkflow, DigestWorkflow], plugins=[plazo_plugin(ring())])
    history = WorkflowHistory.from_json("inquiry/RX-7KQ4-M2PD", HISTORIES[0].read_text(encoding="utf-8"))
    await replayer.replay_workflow(history)
    assert not told(there)
