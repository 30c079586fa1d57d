"""What the tests look up, in the records and in the mailroom, and how they wait for it."""

import asyncio
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx2
from sqlmodel import col, func, select

from models.ledger import Event
from models.tables import CaseRow, Notice, StoredMessage
from records import ledger, messages, notices
from tests.faults.senders import Person, letter, post_mail, taken
from tests.faults.town import Town
from tests.waiting import PATIENCE

NUMBERS = count(100_000)


def somebody() -> Person:
    """Somebody who has not written before."""
    return Person(next(NUMBERS), by_form=False, twice=False, follows_up=False, noted=False)


async def write(town: Town, person: Person, *, follows: int = 0) -> str:
    """Have somebody write, and return the reference."""
    answer = await post_mail(town.web, letter(person, follows=follows))
    assert answer.status_code == 200, answer.text
    person.reference = str(taken(answer)["reference"])
    return person.reference


async def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a condition. The time is generous: other processes may have the machine."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain until {what}"
        await asyncio.sleep(0.1)


async def note(town: Town, reference: str, key: str) -> httpx2.Response:
    """Have an agent note something; the same key is the same command."""
    headers = {"Authorization": f"Bearer {town.key}", "Idempotency-Key": key}
    return await town.web.post(f"/api/inquiries/{reference}/note", json={"text": "seen"}, headers=headers)


def acknowledgement(town: Town, reference: str) -> Notice | None:
    """The acknowledgement as it is kept, or None while it is not."""
    with town.database.read() as session:
        return session.get(Notice, f"{reference}/acknowledgement/1")


def kept(town: Town, reference: str) -> Notice:
    """The acknowledgement, which must have been begun."""
    notice = acknowledgement(town, reference)
    assert notice is not None
    return notice


def tries(town: Town, reference: str) -> int:
    """How often it was handed over."""
    notice = acknowledgement(town, reference)
    return notice.tries if notice else 0


def channels(town: Town, reference: str) -> set[str]:
    """The channels of every letter of a case."""
    with town.database.read() as session:
        return {notice.channel for notice in notices.of_case(session, reference)}


def acknowledged(town: Town, reference: str) -> bool:
    """Whether the channel accepted it."""
    notice = acknowledgement(town, reference)
    return notice is not None and notice.accepted_at is not None


def story(town: Town, reference: str) -> list[Event]:
    """A case's chain, verified."""
    with town.database.read() as session:
        ledger.verify(session, reference)
        return ledger.of_case(session, reference)


def told(town: Town, reference: str, type_: str) -> list[Event]:
    """The events of a type."""
    return [event for event in story(town, reference) if event.type == type_]


def stored(town: Town, person: Person) -> tuple[int, int]:
    """How many messages and cases somebody has."""
    with town.database.read() as session:
        mine = select(StoredMessage.reference).where(col(StoredMessage.sender) == person.address)
        references = session.exec(mine).all()
        held = select(func.count()).where(col(CaseRow.reference).in_(references))
        return len(references), session.exec(held).one()


def heard(town: Town, reference: str) -> list[str]:
    """The ids of the messages that the case was told of, in the order of its chain."""
    return [event.data["message"] for event in told(town, reference, "message.received")]


def follow_ups(town: Town, reference: str) -> list[str]:
    """The ids of a case's messages after the first, in stored order."""
    with town.database.read() as session:
        return [message.id for message in messages.of_case(session, reference)][1:]


async def copies(town: Town, reference: str) -> list[dict[str, Any]]:
    """The acknowledgement's copies in the mailroom."""
    answer = await town.mailroom.get("/api/letters", params={"notice": f"{reference}/acknowledgement/1"})
    found: list[dict[str, Any]] = answer.json()
    return found
