"""Slow callers: who does not finish asking is sent away, and who asks in their own time is not."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from settings import Settings
from starter.http import connections
from starter.http.connections import Guarded, guarded
from starter.http.outside import networks
from starter.http.serving import serving as web_serving

SHORT = 0.1
"""Seconds after which somebody is to be sent away."""
ASKED = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a body to its end and say so."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@contextmanager
def serving(kind: type[Guarded]) -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=kind, log_config=None, lifespan="off", timeout_keep_alive=60)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join()


def said(caller: socket.socket) -> bytes:
    """What comes until the other side ends it."""
    found = b""
    while more := caller.recv(4096):
        found += more
    return found


def answer(caller: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"ok"):
        more = caller.recv(4096)
        assert more, found
        found += more
    return found


def drip(caller: socket.socket, stop: threading.Event) -> None:
    """A request whose headers come one after another, without end."""
    n, line = 0, b"GET / HTTP/1.1\r\nHost: here\r\n"
    while not stop.wait(0.02):
        try:
            caller.sendall(line)
        except OSError:
            return
        n += 1
        line = f"X-{n}: y\r\n".encode()


@pytest.mark.parametrize("before", [b"", ASKED], ids=["at once", "after a request that went well"])
def test_who_drips_headers_without_end_is_sent_away(before: bytes) -> None:
    kind = guarded(10, "", within=30 if before else SHORT)
    with serving(kind) as place, socket.create_connection(place, timeout=60) as slow:
        if before:
            slow.sendall(before)
            answer(slow)
            kind.within = SHORT
        stop = threading.Event()
        dripping = threading.Thread(target=drip, args=(slow, stop))
        dripping.start()
        try:
            assert said(slow) == b""
        except ConnectionResetError:
            pass  # it was still dripping when it was sent away
        finally:
            stop.set()
            dripping.join()


def test_who_says_nothing_is_sent_away() -> None:
    with serving(guarded(10, "", within=SHORT)) as place, socket.create_connection(place, timeout=60) as silent:
        assert said(silent) == b""


def test_a_body_takes_its_own_time_and_a_connection_is_kept() -> None:
    async def slowly(place: tuple[str, int]) -> None:
        reader, writer = await asyncio.open_connection(*place)
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n")
            for part in (b"a", b"b"):
                await asyncio.sleep(2 * SHORT)
                writer.write(part)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            # From now on: the first request must get there at all, on however busy a machine.
            kind.within = SHORT
        writer.close()
        await writer.wait_closed()

    kind = guarded(10, "", within=30)
    with serving(kind) as place:
        asyncio.run(slowly(place))


def test_one_address_holds_only_so_many_and_gets_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "is_loopback", lambda host: False)
    kind = guarded(2, "10.0.0.0/8", within=30)
    with serving(kind) as place:
        first, second = (socket.create_connection(place, timeout=60) for _ in range(2))
        for caller in (first, second):
            caller.sendall(ASKED)
            answer(caller)
        with socket.create_connection(place, timeout=60) as third:
            assert said(third).startswith(b"HTTP/1.1 503")
        first.sendall(ASKED)
        answer(first)
        first.close()
        second.close()
        while kind.open:
            threading.Event().wait(0.01)
        with socket.create_connection(place, timeout=60) as fourth:
            fourth.sendall(ASKED)
            answer(fourth)


def test_the_web_process_serves_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZO_EDGE_CONNECTIONS", "7")
    settings = Settings()
    config = web_serving(FastAPI(), settings)
    kind = config.http
    assert isinstance(kind, type)
    assert issubclass(kind, Guarded)
    assert (kind.most, kind.trusted, kind.within) == (7, networks(settings.trusted_proxies), 15)
    assert config.ws == "none", "nobody leaves the count by changing over to a web socket"


@pytest.mark.parametrize("trusted", ["127.0.0.1", "10.0.0.1, 127.0.0.0/8"])
def test_a_trusted_proxy_holds_as_many_as_it_wants(trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "is_loopback", lambda host: False)
    with serving(guarded(1, trusted)) as place:
        callers = [socket.create_connection(place, timeout=60) for _ in range(3)]
        for caller in callers:
            caller.sendall(ASKED)
            answer(caller)
            caller.close()
