"""Telegram by webhook and by long polling, over the stand-in for its Bot API."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from channels.message import InboundMessage, RemoteFile
from channels.port import Post
from channels.telegram.adapter import UPDATES
from channels.telegram.verify import HEADER
from tests.channels.contract.specimen import Known, Point, Said, Specimen, Trouble, nothing
from tests.channels.telegram.town import SECRET, TOKEN, Town, file, open_town

BOT_ID = int(TOKEN.partition(":")[0])
NO_SIGNATURE = "Telegram signs nothing: a post bears the secret of the webhook, and an id that makes a repetition known"


class Webhook(Specimen):
    channel = "telegram"
    way = "webhook"
    excused: ClassVar[Mapping[Point, str]] = {
        Point.SIGNED: NO_SIGNATURE,
        Point.FRESH: NO_SIGNATURE,
        Point.FEED: "Telegram holds an update back until the webhook has taken it",
        Point.SHAKE: "Telegram tries a webhook by posting to it",
    }
    someone = "5000000777"
    production: ClassVar[Mapping[str, str]] = {
        "PLAZO_TELEGRAM_TOKEN": TOKEN,
        "PLAZO_TELEGRAM_BOT": "plazo_test_bot",
        "PLAZO_TELEGRAM_GROUP": "-1001",
    }
    away: ClassVar[Mapping[str, str]] = {"PLAZO_TELEGRAM_HOST": "http://127.0.0.1:9"}
    refused: ClassVar[Mapping[str, str]] = {"PLAZO_TELEGRAM_TOKEN": f"{BOT_ID}:AAtoken-that-was-revoked"}
    wait = 60

    def __init__(self, town: Town) -> None:
        self.town, self.update_id = town, 0

    @classmethod
    @contextmanager
    def opened(cls, var: Path, records_url: str) -> Iterator[Specimen]:
        with open_town() as town:
            yield cls(town)

    def environment(self) -> Mapping[str, str]:
        return {**self.production, "PLAZO_TELEGRAM_HOST": self.town.url, "PLAZO_TELEGRAM_SECRET": SECRET}

    def posts(self, now: datetime) -> Mapping[str, Post]:
        said = self.post(self.body(Said(self.someone, "Hola", now)))
        group = {"id": -1001, "type": "supergroup", "title": "Comunidad"}
        edit = {"edit_date": int(now.timestamp()), "text": "Hola de nuevo"}
        blocked = {
            "chat": {"id": int(self.someone), "type": "private"},
            "date": int(now.timestamp()),
            "new_chat_member": {"user": {"id": BOT_ID}, "status": "kicked"},
        }
        message = self.body(Said(self.someone, "Hola", now))["message"]
        return {
            "message": said,
            "group": self.post({"update_id": 2, "message": {**message, "chat": group}}),
            "edit": self.post({"update_id": 3, "edited_message": {**message, **edit}}),
            "block": self.post({"update_id": 4, "my_chat_member": blocked}),
            "document": self.post({"update_id": 5, "message": {**message, "document": {"file_id": "BQAC"}}}),
        }

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        body = self.posts(now)["message"].body
        return {
            "no secret": Post(UPDATES, {}, body),
            "another secret": Post(UPDATES, {HEADER: "t" * 40}, body),
            "the secret where addresses show it": Post(UPDATES, {"x-original-url": f"/?secret={SECRET}"}, body),
            "the token as secret": Post(UPDATES, {HEADER: TOKEN}, body),
            "the secret as a bearer": Post(UPDATES, {"authorization": f"Bearer {SECRET}"}, body),
        }

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        [message] = self.adapter.parse(self.post(self.body(said)), now).messages
        return message

    def identities(self, now: datetime) -> Mapping[str, Known]:
        private = self.receive(Said(self.someone, "Hola", now), now)
        impostor = self.receive(Said(self.someone, "Hola", now, name="Roxom <help@example.org>"), now)
        nobody = {"update_id": 9, "message": {"message_id": 1, "date": 1, "text": "Hola", "chat": {"id": 1}}}
        [unnamed] = self.adapter.parse(self.post(nobody), now).messages
        return {
            "a person": Known(private, verified=True, bound=False),
            "a name that says more": Known(impostor, verified=True, bound=False),
            "nobody": Known(unnamed, verified=False, bound=False),
        }

    def answer(self, address: str, now: datetime) -> InboundMessage:
        said = self.town.said(int(address))[-1]
        self.drop()
        self.town.write(int(address), "Gracias", reply_to=said["message_id"])
        [update] = self.town.call("getUpdates").json()["result"]
        [message] = self.adapter.parse(self.post(update), now).messages
        return message

    def file(self) -> tuple[RemoteFile, bytes]:
        person = int(self.person())
        [message] = self.town.write(person, "", files=[file("recibo.pdf", b"%PDF-1.4")])
        post = self.post({"update_id": 1, "message": message})
        [read] = self.adapter.parse(post, datetime.fromtimestamp(message["date"]).astimezone()).messages
        return read.files[0], b"%PDF-1.4"

    def person(self) -> str:
        person = self.town.person()
        self.town.write(person, "/start")
        return str(person)

    def delivered(self, address: str) -> list[str]:
        return [self.words(one) for one in self.town.said(int(address.partition("/")[0]))]

    def threaded_to(self, address: str) -> str:
        answered: int = self.town.said(int(address))[-1]["reply_to_message"]["message_id"]
        return f"{address}/{answered}"

    def place(self) -> str:
        group = self.town.group()
        [message] = self.town.write(self.town.person(), "¿Y mi retiro?", chat=group)
        return f"{group}/{message['message_id']}"

    @contextmanager
    def trouble(self, trouble: Trouble, address: str) -> Iterator[str]:
        if trouble is Trouble.GONE:
            self.town.block(int(address))
        for method in ("sendMessage", "sendDocument"):
            if trouble is Trouble.RATE:
                self.town.fault("status", method=method, status=429, retry_after=self.wait)
            if trouble is Trouble.HANG_UP:
                self.town.fault("hang_up_after_accept", method=method)
        with nothing(address):
            yield address
        self.town.unblock(int(address))
        self.town.http.delete("/api/faults")

    def post(self, update: dict[str, Any]) -> Post:
        return Post(UPDATES, {HEADER: SECRET, "content-type": "application/json"}, json.dumps(update).encode())

    def body(self, said: Said) -> dict[str, Any]:
        sender = int(said.sender)
        answered = {"reply_to_message": {"message_id": int(said.answers.partition("/")[2])}} if said.answers else {}
        message = {
            "message_id": said.n,
            "from": {"id": sender, "is_bot": False, "first_name": said.name, "language_code": "es"},
            "chat": {"id": sender, "type": "private", "first_name": said.name},
            "date": int(said.at.timestamp()),
            "text": said.text,
            **answered,
        }
        return {"update_id": 100 + said.n, "message": message}

    def words(self, message: dict[str, Any]) -> str:
        """What a message says, be it a document."""
        if "document" not in message:
            return str(message["text"])
        content = self.town.http.get(f"/files/{message['document']['file_id']}").raise_for_status().content
        return content.decode("utf-8-sig")

    def drop(self) -> None:
        self.town.call("deleteWebhook", drop_pending_updates=True)


class Polling(Webhook):
    way = "polling"
    excused: ClassVar[Mapping[Point, str]] = {
        Point.DOOR: "without a secret of a webhook nothing posted is believed",
        Point.KNOCK: "the same",
        Point.SIGNED: "the same",
        Point.FRESH: "the same",
        Point.SHAKE: "Telegram tries a webhook by posting to it",
    }

    def environment(self) -> Mapping[str, str]:
        return {**self.production, "PLAZO_TELEGRAM_HOST": self.town.url}

    def posts(self, now: datetime) -> Mapping[str, Post]:
        return {}

    def forgeries(self, now: datetime) -> Mapping[str, Post]:
        # What an open door would take: the header of a webhook whose secret is empty.
        body = json.dumps(self.body(Said(self.someone, "Hola", now))).encode()
        return {"an empty secret": Post(UPDATES, {HEADER: ""}, body), "a secret": Post(UPDATES, {HEADER: SECRET}, body)}

    def receive(self, said: Said, now: datetime) -> InboundMessage:
        self.drop()
        self.town.http.post("/api/updates", json=self.body(said)).raise_for_status()
        [feed] = self.adapter.feeds()
        try:
            [message] = feed.look("", lambda _: False, now).arrivals.messages
        finally:
            feed.close()
            self.drop()
        return message

    def bring(self, address: str, text: str) -> None:
        self.town.write(int(address), text)


WAYS = (Webhook, Polling)
