"""Traces for whoever collects them: all that the processes do for one inquiry is one trace, from the first request on.

Off until `OTEL_EXPORTER_OTLP_ENDPOINT` is set. A trace's id is a hash of the inquiry's reference, so each process knows
it by itself: nothing of it is kept in the records, travels in Temporal's headers or stands in a history, and a trace
outlives restarts and weeks of waiting. Told are references, channels, names of ours and types of errors; never a
path, an address, a word that somebody wrote, or what an error says.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from models.errors import SettingsError, UnknownInquiry
from models.reference import is_reference, reference_of

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
HTTP = "http/protobuf"

Kind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
"""Which side of a call a span is, by OpenTelemetry's names."""


@dataclass
class Happening:
    """What a span tells. Times are nanoseconds since 1970; `opened`: it is the one in which the inquiry began."""

    name: str
    kind: Kind
    reference: str
    told: dict[str, str | int]
    opened: bool = False
    began: int = field(default_factory=time.time_ns)
    ended: int | None = None
    error: str = ""


class Recorder(Protocol):
    """What keeps spans until they are collected (`otlp.py`)."""

    def begin(self, what: Happening, parent: Any) -> Any:
        """Begin a span below another, or below the inquiry's own where that is None; return it."""

    def end(self, what: Happening, span: Any) -> None:
        """End a span."""

    def close(self) -> None:
        """Hand over what is left and stop; it takes some seconds at most."""


@dataclass
class Occasion:
    """Something that begins before anybody knows which inquiries it is about: a request, a look at a provider."""

    name: str
    kind: Kind
    told: dict[str, str | int]
    began: int = field(default_factory=time.time_ns)
    about: dict[str, bool] = field(default_factory=dict)
    """References, and whether it opened them."""


_recorders: list[Recorder] = []
"""The one that records, or none."""
_step: ContextVar[tuple[Happening, Any] | None] = ContextVar("step", default=None)
_occasion: ContextVar[Occasion | None] = ContextVar("occasion", default=None)


def configure_traces(process: str) -> None:
    """Begin to record where the environment asks for it; `process` names us. Raises SettingsError."""
    if wanted := recorder_wanted():
        _recorders[:] = [wanted(process)]


def recorder_wanted() -> Callable[[str], Recorder] | None:
    """Return what records for a process, where the environment asks for it. Raises SettingsError."""
    if not _wanted():
        return None
    try:
        from otlp import OtlpRecorder  # noqa: PLC0415  an extra that not everybody installs
    except ImportError:
        raise SettingsError(
            f"{ENDPOINTS[-1]} asks for traces, and OpenTelemetry is not installed; "
            "install the extra `otel`, or unset it"
        ) from None
    return OtlpRecorder


def _wanted() -> bool:
    """Say whether the environment asks for traces, and for such as are made here. Raises SettingsError."""
    endpoint = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    exporter = os.environ.get("OTEL_TRACES_EXPORTER") or "otlp"
    if endpoint is None or exporter == "none" or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if exporter != "otlp":
        raise SettingsError("OTEL_TRACES_EXPORTER: otlp and none are known here")
    protocol = next((name for name in PROTOCOLS if os.environ.get(name)), None)
    if protocol and os.environ[protocol] != HTTP:
        raise SettingsError(f"{protocol}: {HTTP} is spoken here; collectors take it on port 4318")
    said = urlsplit(os.environ[endpoint])
    if said.scheme not in {"http", "https"} or not said.hostname:
        raise SettingsError(f"{endpoint}: want an address that begins with http:// or https://")
    return True


def is_tracing() -> bool:
    """Say whether this process records."""
    return bool(_recorders)


def end_traces() -> None:
    """Hand over what is left before the process ends, and record no more."""
    while _recorders:
        _recorders.pop().close()


@contextmanager
def step(name: str, reference: str = "", kind: Kind = "INTERNAL", **told: str | int) -> Iterator[None]:
    """Tell what is done inside for an inquiry; without a reference it is part of the step around it, if any.

    Of an error only its type is told.
    """
    around = _step.get()
    reference = reference or (around[0].reference if around else "")
    if not _recorders or not reference:
        yield
        return
    recorder = _recorders[0]
    what = Happening(name, kind, reference, {f"plazo.{key}": value for key, value in told.items()})
    span = recorder.begin(what, around[1] if around and around[0].reference == reference else None)
    token = _step.set((what, span))
    try:
        yield
    except BaseException as error:
        what.error = getattr(error, "type", None) or type(error).__name__
        raise
    finally:
        _step.reset(token)
        recorder.end(what, span)


def reference_in(workflow: str) -> str:
    """The reference in a workflow's id; empty for a workflow that is no inquiry's."""
    try:
        return reference_of(workflow)
    except UnknownInquiry:
        return ""


@contextmanager
def occasion(name: str, kind: Kind = "INTERNAL") -> Iterator[Occasion]:
    """Something that may turn out to be about inquiries (`concerns`): told then, once for each, and else not at all."""
    made = Occasion(name, kind, {})
    token = _occasion.set(made)
    try:
        yield made
    finally:
        _occasion.reset(token)
        ended = time.time_ns()
        for recorder in _recorders:
            for reference, opened in made.about.items():
                what = Happening(made.name, made.kind, reference, made.told, opened, made.began, ended)
                recorder.end(what, recorder.begin(what, None))


def concerns(reference: str | None, *, opened: bool = False) -> None:
    """Say that the occasion is about an inquiry, and whether it opened it."""
    made = _occasion.get()
    if made is not None and reference and is_reference(reference):
        made.about[reference] = opened or made.about.get(reference, False)
