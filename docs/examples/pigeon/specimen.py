"""What the contract suite needs to try the pigeons: a loft that answers, is away, refuses or hangs up."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from channels.message import InboundMessage
from channels.port import Post
from tests.channels.contract.specimen import Known, Point, Said, Specimen, Trouble

SECRET = "loft-secret-of-the-tests"  # noqa: S105 - opens nothing but the loft below


class Loft(Specimen):
    """A loft on this machine."""

    channel = "pigeon"
    way = "loft"
    excused: ClassVar[Mapping[Point, str]] = {
        Point.KNOCK: "the signature is over the body",
        Point.FEED: "the loft posts until we take it",
        Point.FORM: "what a house is called is the loft's to say",
        Point.SHAKE: "the loft asks for none",
        Point.PARTS: "a pigeon carries a letter whole",
        Point.PUBLIC: "a pigeon flies to one house",
        Point.GREET: "pigeons do not chat",
        Point.FILES: "pigeons carry words alone",
        Point.LINK: "a code is written down",
    }
    someone = "house-12"
    production: ClassVar[Mapping[str, str]] = {
        "PLAZO_PIGEON_SECRET": SECRET,
        "PLAZO_PIGEON_HOST": "https://loft.example.org",
    }
    away: ClassVar[Mapping[str, str]] = {"PLAZO_PIGEON_HOST": "http://127.0.0.1:9"}
    refused: ClassVar[Mapping[str, str]] = {"PLAZO_PIGEON_SECRET": "revoked"}
    wait = 60

    def __init__(self, host: str) -> None:
        """Stand at `host`, well."""
        self.host, self.flights, self.status, self.people = host, list[dict[str, Any]](), 0, 0

    @classmethod
    @contextmanager
    def opened(cls, var: Path, records_url: str) -> Iterator["Loft"]:  # noqa: ARG003 - a loft keeps nothing
        """Open a loft."""

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                flight = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status = 200 if self.headers["authorization"] == f"Bearer {SECRET}" else 401
                status = loft.status or status
                if status == 200 or loft.status == 1:  # noqa: PLR2004 - what HTTP calls success
                    loft.flights.append(flight)
                if status == 1:
                    return  # hangs up
                self.send_response(status)
                self.send_header("retry-after", str(int(loft.wait)))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        loft = cls(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield loft
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)

    def environment(self) -> Mapping[str, str]:
        """Point the channel at this loft."""
        return {"PLAZO_PIGEON_SECRET": SECRET, "PLAZO_PIGEON_HOST": self.host}

    def posts(self, now: datetime) -> Mapping[str, Post]:
        """One kind of post."""
        return {"message": self.post(Said(self.someone, "Hola", now), now)}

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        """By a stranger, and by nobody."""
        genuine = self.posts(now)["message"]
        stranger = self.post(Said(self.someone, "Hola", now), now, "another secret")
        return {"signed by a stranger": stranger, "not signed": Post("loft", {}, genuine.body)}

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        """Post it, and read it."""
        [message] = self.adapter.parse(self.post(said, now), now).messages
        return message

    def identities(self, now: datetime) -> Mapping[str, Known]:
        """A known house, and none."""
        house = self.receive(Said(self.someone, "Hola", now, name="Ana <help@example.org>"), now)
        none = self.receive(Said("", "Hola", now), now)
        return {"a house": Known(house, verified=True, bound=False), "none": Known(none, verified=False, bound=False)}

    def answer(self, address: str, now: datetime) -> InboundMessage:
        """Answer the last letter."""
        last = [one for one in self.flights if one["to"] == address][-1]
        return self.receive(Said(address, "Gracias", now, n=77, answers=last["id"]), now)

    def person(self) -> str:
        """Build another house."""
        self.people += 1
        return f"house-{100 + self.people}"

    def delivered(self, address: str) -> list[str]:
        """What was carried there."""
        return [one["text"] for one in self.flights if one["to"] == address]

    def threaded_to(self, address: str) -> str:
        """What the last letter there answers."""
        return str([one for one in self.flights if one["to"] == address][-1]["answers"])

    @contextmanager
    def trouble(self, trouble: Trouble, address: str) -> Iterator[str]:
        """Answer with a status; 1 means that the loft hangs up."""
        self.status = {Trouble.GONE: 404, Trouble.RATE: 429, Trouble.HANG_UP: 1}[trouble]
        yield address
        self.status = 0

    @staticmethod
    def post(said: Said, now: datetime, secret: str = SECRET) -> Post:
        """A signed post."""
        told = {"ring": f"r{said.n}", "from": said.sender, "name": said.name, "text": said.text}
        body = json.dumps({**told, "at": said.at.timestamp(), "answers": said.answers}).encode()
        time = str(int(now.timestamp()))
        signature = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
        return Post("loft", {"x-loft-time": time, "x-loft-signature": signature}, body)


WAYS = (Loft,)
