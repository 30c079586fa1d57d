"""X by webhook and reconciliation, over the stand-in for its API."""

import base64
import copy
import hashlib
import hmac
import html
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from channels.message import InboundMessage, RemoteFile
from channels.port import Post
from channels.x.adapter import EVENTS
from channels.x.verify import BY_CLIENT_SECRET, BY_CONSUMER_SECRET
from counterparts.x.account import Credentials
from counterparts.x.app import Arrangement
from tests.channels.contract.specimen import Known, Point, Said, Specimen, Trouble
from tests.channels.x.envelopes import ANA, CHAT, DIRECT, MENTION, US, changed
from tests.channels.x.places import Standin, open_standin

CONSUMER, CLIENT = "consumer-secret-of-the-tests", "client-secret-of-the-tests"
ACCESS, REFRESH = "access-token-of-the-tests", "refresh-token-of-the-tests"
ONE_LOOK = 15
"""Letters in 15 minutes."""


class Webhook(Specimen):
    channel = "x"
    way = "webhook"
    excused: ClassVar[Mapping[Point, str]] = {
        Point.KNOCK: "the signature is over the body, so nothing tells before it is read",
        Point.FRESH: "X signs no time: an event bears an id that makes a repetition known",
        Point.ANSWER: "a direct message names none that it answers; the open inquiry of its sender takes it",
        Point.THREAD: "X's API sends no direct message as an answer to another",
        Point.GREET: "nobody opens a conversation without a message",
        Point.LINK: "X knows no links that bring a code along; it is typed in",
    }
    someone = ANA
    production: ClassVar[Mapping[str, str]] = {
        "PLAZO_X_CLIENT_ID": "client-of-the-tests",
        "PLAZO_X_CLIENT_SECRET": CLIENT,
        "PLAZO_X_CONSUMER_SECRET": CONSUMER,
        "PLAZO_X_ACCESS_TOKEN": ACCESS,
        "PLAZO_X_REFRESH_TOKEN": REFRESH,
        "PLAZO_X_USER_ID": US,
    }
    away: ClassVar[Mapping[str, str]] = {"PLAZO_X_HOST": "http://127.0.0.1:9"}
    refused: ClassVar[Mapping[str, str]] = {
        "PLAZO_X_ACCESS_TOKEN": "revoked-access",
        "PLAZO_X_REFRESH_TOKEN": "revoked-refresh",
    }
    wait = 901

    def __init__(self, standin: Standin, var: Path) -> None:
        self.standin, self.var, self.people = standin, var, 0

    @classmethod
    @contextmanager
    def opened(cls, var: Path, records_url: str) -> Iterator[Specimen]:
        credentials = Credentials(cls.production["PLAZO_X_CLIENT_ID"], CLIENT, CONSUMER, ACCESS, REFRESH)
        with open_standin(Arrangement(user_id=US, credentials=credentials)) as standin:
            yield cls(standin, var)

    def environment(self) -> Mapping[str, str]:
        return {**self.production, "PLAZO_X_HOST": f"http://127.0.0.1:{self.standin.port}/x"}

    def posts(self, now: datetime) -> Mapping[str, Post]:
        return {
            "direct message": signed(DIRECT),
            "encrypted chat": signed(CHAT),
            "mention": signed(MENTION),
            "reply": signed(changed(MENTION, "event_type", to="post.reply.create")),
            "read": signed(changed(DIRECT, "event_type", to="dm.read")),
        }

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        genuine = signed(DIRECT)
        signature = genuine.headers[BY_CONSUMER_SECRET]
        other = json.dumps(DIRECT, indent=1).encode()
        return {
            "no signature": Post(EVENTS, {}, genuine.body),
            "signed with another secret": signed(DIRECT, consumer="x" * 30),
            "signed with the other header's secret": Post(
                EVENTS, {BY_CONSUMER_SECRET: signature_of(CLIENT, genuine.body)}, genuine.body
            ),
            "the JSON written anew": Post(EVENTS, genuine.headers, other),
            "no scheme": Post(EVENTS, {BY_CONSUMER_SECRET: signature.removeprefix("sha256=")}, genuine.body),
            "another scheme": Post(EVENTS, {BY_CONSUMER_SECRET: signature.replace("sha256", "sha1")}, genuine.body),
            "another case": Post(EVENTS, {BY_CONSUMER_SECRET: signature.lower()}, genuine.body),
        }

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        [message] = self.adapter.parse(signed(self.event(said)), now).messages
        return message

    def identities(self, now: datetime) -> Mapping[str, Known]:
        def read(event: dict[str, Any]) -> InboundMessage:
            [message] = self.adapter.parse(signed(event), now).messages
            return message

        nobody = changed(DIRECT, "payload", "direct_message_events", 0, "message_create", "sender_id", to=None)
        return {
            "a person": Known(read(DIRECT), verified=True, bound=False),
            "an encrypted chat": Known(read(CHAT), verified=True, bound=False),
            "a public post": Known(read(MENTION), verified=True, bound=False),
            "nobody": Known(read(nobody), verified=False, bound=False),
        }

    def bring(self, address: str, text: str) -> None:
        self.standin.says(address, text)

    def file(self) -> tuple[RemoteFile, bytes]:
        person, picture = self.person(), b"\x89PNG..."
        self.standin.says(person, "", picture=base64.b64encode(picture).decode())
        feed = self.adapter.feeds()[0]
        found = feed.look("", lambda _: False, now=later()).arrivals.messages
        return found[-1].files[0], picture

    def person(self) -> str:
        self.people += 1
        return self.standin.join(f"ana{self.people}")

    def delivered(self, address: str) -> list[str]:
        messages = self.standin.ask("GET", f"/x/api/people/{address}/messages") if self.joined(address) else []
        posts = self.standin.ask("GET", "/x/api/posts")
        said = [one for one in messages if one["author"] == US]
        said += [one for one in posts if one["author"] == US and one["to"] == address]
        return [html.unescape(one["text"]) for one in said]

    def joined(self, address: str) -> bool:
        return self.standin.http.get(f"/x/api/people/{address}/messages").is_success

    def place(self) -> str:
        post: dict[str, str] = self.standin.ask(
            "POST", f"/x/api/people/{self.person()}/posts", text="@help ¿y mi retiro?"
        )
        return post["id"]

    @contextmanager
    def trouble(self, trouble: Trouble, address: str) -> Iterator[str]:
        if trouble is Trouble.GONE:
            self.standin.ask("PUT", f"/x/api/people/{address}/open", open=False)
        if trouble is Trouble.RATE:
            for _ in range(ONE_LOOK):
                self.spend_one()
            self.standin.set(limited=True)
        if trouble is Trouble.HANG_UP:
            self.standin.fault("hang_up_after_accept")
        yield address
        self.standin.ask("PUT", f"/x/api/people/{address}/open", open=True)
        self.standin.set(limited=False)

    def spend_one(self) -> None:
        """Use up one of the letters that are allowed, with one that goes nowhere."""
        token = {"Authorization": f"Bearer {ACCESS}"}
        answer = self.standin.http.post("/x/2/dm_conversations/with/0/messages", json={"text": "x"}, headers=token)
        assert answer.status_code == 400, answer.text

    def event(self, said: Said) -> dict[str, Any]:
        event = copy.deepcopy(DIRECT)
        payload = event["data"]["payload"]
        [created] = payload["direct_message_events"]
        created |= {
            "id": str(2_080_765_901_528_535_096 + said.n),
            "created_timestamp": str(int(said.at.timestamp() * 1000)),
        }
        created["message_create"]["sender_id"] = said.sender
        # X escapes what a person writes.
        created["message_create"]["message_data"] = {"text": html.escape(said.text, quote=False), "entities": {}}
        payload["users"][said.sender] = {"data": {"id": said.sender, "name": said.name, "username": "ana_x"}}
        return event


def later() -> datetime:
    """A little later, when messages of now are no longer left to the webhook."""
    return datetime.now().astimezone() + timedelta(minutes=5)


def signed(event: dict[str, Any], consumer: str = CONSUMER) -> Post:
    body = json.dumps(event, ensure_ascii=True, separators=(",", ":")).encode()
    headers = {BY_CONSUMER_SECRET: signature_of(consumer, body)}
    if consumer == CONSUMER:
        headers[BY_CLIENT_SECRET] = signature_of(CLIENT, body)
    return Post(EVENTS, headers, body)


def signature_of(secret: str, body: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


WAYS = (Webhook,)
