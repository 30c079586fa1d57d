"""Senders who behave as the provider does: what got no 2xx is sent again, sometimes so is what got one."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import httpx2

from counterparts.inbound_parse import basic, inbound_body
from tests.faults.town import Town

SECRET = "development"
Post = Callable[[], Awaitable[httpx2.Response]]
BY_FORM, TWICE, FOLLOWS_UP, NOTED = 0.2, 0.2, 0.2, 0.1
MESSAGES_EACH = 1 + TWICE + FOLLOWS_UP
"""On average, what got no answer and is sent again not counted."""

AGAIN = 0.5
"""Seconds until a sender tries again; SendGrid waits longer, but people wait for this."""

UNREAD, LONGEST = 0.2, 5.0
"""Seconds until a post that is stored and not read yet is sent again to be told its inquiry; the pause doubles."""


@dataclass
class Person:
    """One sender: a first message by mail or form, and perhaps more of each kind of trouble."""

    n: int
    by_form: bool
    twice: bool
    """The message comes a second time although it was taken."""
    follows_up: bool
    noted: bool
    """An agent notes something about the case."""
    reference: str = ""
    tries: int = 0
    done: bool = False

    @property
    def address(self) -> str:
        """An address of its own."""
        return f"person-{self.n}@example.org"

    @property
    def messages(self) -> int:
        """Messages of its own that are in the records once it is done."""
        return 1 + self.follows_up

    @property
    def facts(self) -> dict[str, int]:
        """How often some facts stand in the chain once it is done."""
        return {"message.received": int(self.follows_up), "case.noted": int(self.noted), "letter.accepted": 1}


@dataclass
class Load:
    """People who send `rate` messages a second together. What contradicts the promise meanwhile is kept in `wrong`."""

    town: Town
    chance: random.Random
    rate: float = 5.0
    people: list[Person] = field(default_factory=list)
    unanswered: int = 0
    """Posts that got no 2xx."""
    wrong: list[str] = field(default_factory=list)

    async def run(self, enough: asyncio.Event) -> None:
        """Send until there is enough, then until everybody got a 2xx."""
        clock = asyncio.get_running_loop().time
        begun = clock()
        async with asyncio.TaskGroup() as group:
            while not enough.is_set():
                person = self._next()
                self.people.append(person)
                group.create_task(self.live(person))
                await asyncio.sleep(max(0.0, begun + len(self.people) * MESSAGES_EACH / self.rate - clock()))

    def _next(self) -> Person:
        draw = self.chance.random
        return Person(
            len(self.people) + 1,
            by_form=draw() < BY_FORM,
            twice=draw() < TWICE,
            follows_up=draw() < FOLLOWS_UP,
            noted=draw() < NOTED,
        )

    async def live(self, person: Person) -> None:
        """Send all that one person sends, each until it is taken."""
        first = (lambda: self._form(person)) if person.by_form else (lambda: self._mail(person))
        person.reference = await self._taken(person, first)
        if person.twice:
            self._same(person, await self._taken(person, first))
        if person.follows_up:
            # A form has no thread to answer in: its letter's subject names the reference.
            self._same(person, await self._taken(person, lambda: self._mail(person, follows=1)))
        if person.noted:
            await self._until_2xx(person, lambda: self._note(person))
        person.done = True

    async def _taken(self, person: Person, post: Post) -> str:
        return str(taken(await self._until_2xx(person, post))["reference"])

    async def _until_2xx(self, person: Person, post: Post) -> httpx2.Response:
        while True:
            person.tries += 1
            try:
                answer = await post()
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                return answer
            if answer is not None and answer.status_code != httpx2.codes.SERVICE_UNAVAILABLE:
                self.wrong.append(f"person {person.n} was answered {answer.status_code}: {answer.text[:200]}")
            self.unanswered += 1
            await asyncio.sleep(AGAIN)

    def _same(self, person: Person, reference: str) -> None:
        if reference != person.reference:
            self.wrong.append(f"person {person.n} has {person.reference} and then {reference}")

    async def _mail(self, person: Person, *, follows: int = 0) -> httpx2.Response:
        return await post_mail(self.town.web, letter(person, follows=follows))

    async def _form(self, person: Person) -> httpx2.Response:
        form = {"email": person.address, "text": f"Mi retiro {person.n} no ha llegado.", "subject": "Retiro"}
        headers = {"Idempotency-Key": f"form-{person.n}"}
        return await until_read(lambda: self.town.web.post("/intake/web", json=form, headers=headers))

    async def _note(self, person: Person) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.town.key}", "Idempotency-Key": f"note-{person.n}"}
        path = f"/api/inquiries/{person.reference}/note"
        return await self.town.web.post(path, json={"text": "seen by an agent"}, headers=headers)


def letter(person: Person, *, follows: int = 0) -> bytes:
    """A person's first mail, or the nth that goes on from it."""
    mail = EmailMessage()
    mail["From"] = person.address
    mail["To"] = "help@example.org"
    mail["Subject"] = f"Re: Retiro {person.reference}" if follows else "Retiro"
    mail["Message-ID"] = f"<{person.n}-{follows}@mail.example.org>"
    if follows:
        mail["In-Reply-To"] = f"<{person.n}-0@mail.example.org>"
        mail["References"] = f"<{person.n}-0@mail.example.org>"
    mail.set_content(f"Mi retiro {person.n} no ha llegado.{' Todavía.' * follows}")
    return mail.as_bytes()


def taken(answer: httpx2.Response) -> dict[str, Any]:
    """What became of the one message of a post: a form's answer says it itself, a channel's door in a list."""
    told: dict[str, Any] = answer.json()
    return dict(told["messages"][0]) if "messages" in told else told


async def post_mail(web: httpx2.AsyncClient, mail: bytes) -> httpx2.Response:
    """Post a mail as Inbound Parse does, until it is known which inquiry it belongs to."""
    headers, body = inbound_body(mail)
    return await until_read(lambda: web.post("/intake/email/inbound", content=body, headers=headers | basic(SECRET)))


async def until_read(post: Post) -> httpx2.Response:
    """Post the same again while it is stored and not read."""
    pause = UNREAD
    while True:
        answer = await post()
        told = answer.json() if answer.is_success else {}
        if not (told.get("waiting") or told.get("disposition") == "waiting"):
            return answer
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST)
