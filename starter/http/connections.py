"""Connections: how long a caller may take to ask, and how many one network address may hold open.

The server gives a connection no time of its own to send what it asks for: whoever drips a letter now and then would
hold one for ever, and with some hundreds of them keep everybody else out.
"""

import asyncio
from collections import Counter
from ipaddress import ip_address
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from networks import is_loopback
from starter.http.limits import network
from starter.http.outside import Network, networks

HEAD_WITHIN = 15.0
"""Seconds for a request's line and headers, from the first byte or, on a new connection, from its beginning."""

TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Guarded(H11Protocol):
    """One connection. Those of this machine and of trusted proxies are not counted: they speak for many."""

    within: ClassVar[float] = HEAD_WITHIN
    most: ClassVar[int] = 0
    """Connections of one network address."""
    trusted: ClassVar[tuple[Network, ...]] = ()
    open: ClassVar[Counter[str]] = Counter()

    _deadline: asyncio.TimerHandle | None = None
    _counted = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Let a caller in, or turn them away."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        if host and not self._is_trusted(host):
            self._counted = network(host)
            self.open[self._counted] += 1
            if self.open[self._counted] > self.most:
                transport.write(TOO_MANY)
                transport.close()
                return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take what came; the time runs until the head of a request is whole."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._deadline is None and self.conn.trailing_data[0]:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self._counted:
            self.open[self._counted] -= 1
            if not self.open[self._counted]:
                del self.open[self._counted]
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self.within, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.conn.their_state is h11.IDLE:
            self.transport.close()

    def _is_trusted(self, host: str) -> bool:
        if is_loopback(host):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return True
        return any(address in one for one in self.trusted)


def guarded(most: int, trusted: str, *, within: float = HEAD_WITHIN) -> type[Guarded]:
    """Return the protocol for one server: at most `most` connections of one network address, `within` in seconds.

    `trusted` are networks with commas between them.
    """

    class Here(Guarded):
        pass

    Here.most, Here.trusted, Here.within, Here.open = most, networks(trusted), within, Counter()
    return Here
