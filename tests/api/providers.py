"""A real sign-in provider on a free port, and tokens that it signed or somebody else did."""

import base64
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from fastapi import FastAPI
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from counterparts.issuer.app import Arrangement, Keys, issuer
from tests.api.world import now
from tests.waiting import until


@dataclass
class Provider:
    """A running provider; `app` tells how often it was asked."""

    url: str
    app: FastAPI

    @property
    def keys(self) -> Keys:
        keys: Keys = self.app.state.keys
        return keys

    @property
    def asked(self) -> int:
        """How often its documents were fetched."""
        return sum(self.app.state.asked.values())

    def claims(self, **other: Any) -> dict[str, Any]:
        at = int(now().timestamp())
        good = {"iss": self.url, "aud": "plazo", "sub": "agent-1", "role": "agent", "areas": ["cx"]}
        made = {**good, "iat": at, "nbf": at, "exp": at + 300, **other}
        return {name: value for name, value in made.items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, key: Key | None = None, **claims: Any) -> str:
        signer = key or self.keys.all[0]
        head = {"alg": "RS256", "kid": self.keys.all[0].kid, **(header or {})}
        return signed(head, self.claims(**claims), signer)


def signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    """A token with any header, whatever a careful library would say of it."""
    alg = header["alg"]
    body = f"{_part(header)}.{_part(claims)}"
    algorithm = JWSRegistry(algorithms=[alg]).get_alg(alg)
    signature = algorithm.sign(body.encode(), key)
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token signed with a secret, which a careful library would not take for one."""
    body = f"{_part(header)}.{_part(claims)}"
    signature = hmac.digest(secret, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_part(header)}.{_part(claims)}."


@contextmanager
def open_provider() -> Iterator[Provider]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = issuer(Arrangement(url=url))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started, "the provider is up")
        try:
            yield Provider(url, app)
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def open_documents() -> Iterator[Callable[[bytes], str]]:
    """Give documents that answer every GET with the same bytes; each has an address of its own."""
    servers: list[ThreadingHTTPServer] = []

    def says(document: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                with suppress(ConnectionError):
                    self.wfile.write(document)

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    try:
        yield says
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
