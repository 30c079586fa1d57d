"""How a worker is from outside its event loop: whether the loop turns, Temporal answers, and what the SDK counts."""

import asyncio
import socket
import urllib.request
from collections.abc import Awaitable, Callable
from concurrent.futures import TimeoutError as TooLate
from typing import NamedTuple, TypeVar

from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from health import AWAY, OK
from settings import Settings

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
BEAT = 10.0
"""Seconds in which a loop that lives gets round to a question, however much it has to do."""

ANSWER = 2.0
"""Seconds that Temporal, and the SDK's own figures, get to answer."""


class Pulse:
    """Asks a running loop from another thread. `client` is there once Temporal has answered for the first time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch this loop."""
        self._loop = loop
        self.client: Client | None = None

    def beats(self) -> bool:
        """Say whether the loop turns."""
        try:
            self._ask(_nothing, BEAT)
        except (TooLate, RuntimeError):
            return False
        return True

    def temporal(self) -> str:
        """Say whether Temporal answers: `ok` or `away`."""
        if self.client is None:
            return AWAY
        try:
            healthy = self._ask(self.client.service_client.check_health, ANSWER)
        except (TooLate, RuntimeError, RPCError):
            return AWAY
        return OK if healthy else AWAY

    def _ask(self, question: Callable[[], Awaitable[T]], patience: float) -> T:
        async def asked() -> T:
            async with asyncio.timeout(patience):
                return await question()

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result(patience + 1)


class Sdk(NamedTuple):
    """The SDK's runtime and where it gives its figures, on this machine alone: our own listener passes them on."""

    runtime: Runtime | None = None
    url: str = ""

    @classmethod
    def wanted(cls, settings: Settings) -> "Sdk":
        """Make a runtime that gives figures where somebody may ask for them; else the SDK uses its own."""
        if settings.metrics_port is None:
            return cls()
        # The SDK cannot say which port it took, so a free one is chosen for it.
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            address = f"{LOOPBACK}:{probe.getsockname()[1]}"
        prometheus = PrometheusConfig(address, durations_as_seconds=True, counters_total_suffix=True, unit_suffix=True)
        return cls(Runtime(telemetry=TelemetryConfig(metrics=prometheus)), f"http://{address}/metrics")

    def exposition(self) -> bytes:
        """Return the SDK's figures in Prometheus' text format; nothing where there are none."""
        if not self.url:
            return b""
        with urllib.request.urlopen(self.url, timeout=ANSWER) as answer:  # noqa: S310  our own address
            body: bytes = answer.read()
            return body


async def _nothing() -> None:
    """Take one turn of the loop."""
