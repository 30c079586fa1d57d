"""People on each channel: how they write, and what they hold in their hands of our letters.

A message has a number of its person's own; said again under the same number it is the same message.
"""

import uuid
from abc import ABC, abstractmethod
from email.message import EmailMessage
from typing import Any, ClassVar, NamedTuple

import httpx2

from tests.faults.senders import post_mail
from tests.faults.town import Town


class Heard(NamedTuple):
    """A letter as its reader has it.

    `answers` is what it is a reply to, where the channel knows replies; `back` where an answer to it goes.
    """

    text: str
    answers: str = ""
    id: str = ""
    back: str = ""


class Voice(ABC):
    """One person on one channel. `address` is what they are known by there, once they have arrived."""

    channel: ClassVar[str]
    """Where their letters come."""

    def __init__(self, town: Town, n: int) -> None:
        self.town, self.n, self.address = town, n, ""

    @abstractmethod
    async def arrive(self) -> httpx2.Response:
        """Get what is needed to write there: an account, a session."""

    @abstractmethod
    async def say(self, k: int, text: str) -> httpx2.Response:
        """Try once to send the message number `k`; anything but a 2xx means: try again."""

    @abstractmethod
    async def letters(self) -> list[Heard]:
        """What came from us, oldest first."""


class Writer(Voice):
    """By e-mail, each mail in the thread of those before."""

    channel = "email"

    async def arrive(self) -> httpx2.Response:
        """Have an address."""
        self.address = f"person-{self.n}@example.org"
        return httpx2.Response(200)

    async def say(self, k: int, text: str) -> httpx2.Response:
        """Write a mail."""
        return await self.deliver(self.mail(k, text))

    async def deliver(self, mail: EmailMessage) -> httpx2.Response:
        """Post a mail as Inbound Parse does."""
        return await post_mail(self.town.web, mail.as_bytes())

    def mail(self, k: int, text: str, subject: str = "Retiro") -> EmailMessage:
        """The mail number `k`."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self.address, "help@example.org"
        mail["Subject"] = f"Re: {subject}" if k else subject
        mail["Message-ID"] = self.id(k)
        if k:
            mail["In-Reply-To"] = self.id(k - 1)
            mail["References"] = " ".join(self.id(earlier) for earlier in range(k))
        mail.set_content(text)
        return mail

    def id(self, k: int) -> str:
        """The Message-ID of the mail number `k`."""
        return f"<{self.n}-{k}@mail.example.org>"

    async def letters(self) -> list[Heard]:
        """Look into the mailroom."""
        found = (await self.town.mailroom.get("/api/letters", params={"to": self.address})).json()
        return [
            Heard(
                one["text"],
                one["headers"].get("In-Reply-To", ""),
                one["message_id"],
                one["request"]["reply_to"]["email"],
            )
            for one in found[::-1]
        ]


class Filler(Writer):
    """By the form on the web; what follows comes as mail that names the reference."""

    reference = ""

    async def say(self, k: int, text: str) -> httpx2.Response:
        """Post the form, or a mail with the reference in its subject, which is all that a form leaves one with."""
        if k:
            mail = self.mail(k, text, f"Retiro {self.reference}")
            del mail["In-Reply-To"], mail["References"]
            return await self.deliver(mail)
        form = {"email": self.address, "text": text, "subject": "Retiro"}
        return await self.town.web.post("/intake/web", json=form, headers={"Idempotency-Key": f"form-{self.n}"})


class Telegrammer(Voice):
    """By Telegram, whose stand-in keeps what they write until the bot takes it."""

    channel = "telegram"

    async def arrive(self) -> httpx2.Response:
        """Have Telegram on the telephone."""
        answer = await self.do("/people", {"first_name": f"Ana {self.n}"})
        self.address = str(answer.json()["id"])
        return answer

    async def say(self, k: int, text: str) -> httpx2.Response:
        """Write to the bot."""
        return await self.do(f"/people/{self.address}/messages", {"text": text})

    async def letters(self) -> list[Heard]:
        """What the bot wrote to them."""
        return [
            Heard(one["text"], str(one.get("reply_to_message", {}).get("message_id", "")), str(one["message_id"]))
            for one in await self.chat()
            if one["from"]["is_bot"]
        ]

    async def chat(self) -> list[dict[str, Any]]:
        """Their chat with the bot, oldest first."""
        return list((await self.town.mailroom.get(f"/telegram/api/chats/{self.address}/messages")).json())

    async def do(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """Do something with their telephone."""
        return await self.town.mailroom.post(f"/telegram/api{path}", json=body)


class Poster(Voice):
    """By direct message on X, whose stand-in calls our webhook until it takes them."""

    channel = "x"

    async def arrive(self) -> httpx2.Response:
        """Join X."""
        body = {"name": f"Ana {self.n}", "username": f"ana_{self.n}"}
        answer = await self.town.mailroom.post("/x/api/people", json=body)
        self.address = str(answer.json()["id"])
        return answer

    async def say(self, k: int, text: str) -> httpx2.Response:
        """Write us a direct message."""
        return await self.town.mailroom.post(f"/x/api/people/{self.address}/messages", json={"text": text})

    async def letters(self) -> list[Heard]:
        """What stands of us in their direct messages."""
        found = (await self.town.mailroom.get(f"/x/api/people/{self.address}/messages")).json()
        return [Heard(one["text"], id=one["id"]) for one in found if one["author"] != self.address]


class Visitor(Voice):
    """By the chat on the web."""

    channel = "chat"
    token = ""

    async def arrive(self) -> httpx2.Response:
        """Open a session. One whose answer is lost is left behind, and says nothing."""
        answer = await self.town.web.post("/chat/v1/sessions", json={"locale": "es"})
        if answer.is_success:
            self.address, self.token = answer.json()["session"], answer.json()["token"]
        return answer

    async def say(self, k: int, text: str) -> httpx2.Response:
        """Say something under an id of its own."""
        said = {"client_msg_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.n}/{k}")), "text": text}
        return await self.town.web.post("/chat/v1/messages", json=said, headers=self.headers)

    async def letters(self) -> list[Heard]:
        """The letters in their conversation."""
        answer = await self.town.web.get("/chat/v1/history", headers=self.headers)
        return [Heard(one["text"], id=str(one["seq"])) for one in answer.json()["events"] if one["event"] == "letter"]

    @property
    def headers(self) -> dict[str, str]:
        """What shows whose session it is."""
        return {"Authorization": f"Bearer {self.token}"}


VOICES: dict[str, type[Voice]] = {
    "email": Writer,
    "web": Filler,
    "telegram": Telegrammer,
    "x": Poster,
    "chat": Visitor,
}
"""Every channel that people write by."""
