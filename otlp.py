"""Records spans with OpenTelemetry's SDK and sends them by OTLP over HTTP, as its own variables (OTEL_*) say.

What cannot be sent is dropped: nothing ever waits for whoever collects traces.
"""

import hashlib
import os
import threading
from contextvars import ContextVar

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from tracing import Happening

LAST_WORDS = 3.0
"""Seconds that what is left may take to be handed over when a process ends."""

_ids: ContextVar[tuple[int, int] | None] = ContextVar("ids", default=None)


class CaseIds(RandomIdGenerator):
    """Random ids, but for the span in which an inquiry began: it has the ids that its reference gives."""

    def generate_trace_id(self) -> int:
        """Return the trace's id."""
        known = _ids.get()
        return known[0] if known else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Return the span's id."""
        known = _ids.get()
        return known[1] if known else super().generate_span_id()


class OtlpRecorder:
    """Keeps spans for a moment and sends them in batches, in a thread of its own."""

    def __init__(self, process: str) -> None:
        name = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: f"plazo-{process}"}
        self._provider = TracerProvider(resource=Resource.create(name), id_generator=CaseIds(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("plazo")

    def begin(self, what: Happening, parent: Span | None) -> Span:
        """Begin a span."""
        trace, root = ids(what.reference)
        token = _ids.set((trace, root) if what.opened else None)
        try:
            return self._tracer.start_span(
                what.name,
                context=Context() if what.opened else set_span_in_context(parent or self._root(trace, root), Context()),
                kind=SpanKind[what.kind],
                attributes={"plazo.reference": what.reference, **what.told},
                start_time=what.began,
                record_exception=False,
                set_status_on_exception=False,
            )
        finally:
            _ids.reset(token)

    def _root(self, trace: int, root: int) -> Span:
        """The span in which an inquiry began, whoever made it; every process finds alike whether the trace is kept."""
        kept = self._provider.sampler.should_sample(Context(), trace, "case").decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if kept else TraceFlags.DEFAULT)
        return NonRecordingSpan(SpanContext(trace, root, is_remote=True, trace_flags=flags))

    def end(self, what: Happening, span: Span) -> None:
        """End a span."""
        if what.error:
            span.set_attribute("error.type", what.error)
            span.set_status(Status(StatusCode.ERROR))
        span.set_attributes(what.told)
        span.end(what.ended)

    def close(self) -> None:
        """Hand over what is left, or give up after some seconds, and end the thread."""
        last = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(LAST_WORDS)


def ids(reference: str) -> tuple[int, int]:
    """The ids of an inquiry's trace and of the span in which it began."""
    digest = hashlib.sha256(f"plazo trace {reference}".encode()).digest()
    return int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")
