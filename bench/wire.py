"""The wire: HTTP/1.1 over connections that stay open, so plain that the senders take little of the machine."""

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PATIENCE = 30.0
"""Seconds that an answer may take."""


class Answered(NamedTuple):
    """An answer's status, and its body as JSON where it is one of success; status 0: none came."""

    status: int
    body: Any = None

    @property
    def good(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


def request(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Put a POST together."""
    named = {"Host": "bench", "Content-Length": str(len(body)), "Content-Type": "application/json", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class Wire:
    """Connections to local ports, which take turns: as many as there are requests under way, each used again."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._turns = itertools.cycle(ports)
        self._free: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {port: [] for port in ports}

    async def send(self, sent: bytes) -> Answered:
        """Send a request and wait for its answer."""
        port = next(self._turns)
        free = self._free[port]
        try:
            # Where a connection lay idle for long the server has hung up.
            while free and free[-1][0].at_eof():
                free.pop()[1].close()
            reader, writer = free.pop() if free else await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(PATIENCE):
                writer.write(sent)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
                body = await reader.readexactly(length)
        except (OSError, ValueError, EOFError, TimeoutError):
            return Answered(0)
        status = int(head.split(b" ", 2)[1])
        if b"connection: close" in head.lower():
            writer.close()
        else:
            free.append((reader, writer))
        return Answered(status, json.loads(body) if status < 300 else None)

    def close(self) -> None:
        """Hang up."""
        for _, writer in itertools.chain.from_iterable(self._free.values()):
            writer.close()
