"""Letters that leave a channel in the running workflow: given back by the chat, refused by a person who shut it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from channels.chat.adapter import Chat
from channels.chat.post import ChatPost, Visitor, message_of
from channels.letter import Accepted, OutboundLetter
from channels.port import Arrivals, Parts
from channels.report import Reach
from models.case import Case
from models.errors import RecipientError
from models.inquiry import CHAT, EMAIL, Flag, Status
from models.ledger import verify
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.policy_reading import load_policy
from records import chat, chat_sessions, dispatches
from records.chat import Transcript
from records.database import Database
from records.documents import FolderStore
from starter.chat.abandoned import give_back
from starter.commands.rehearsal import QUEUE, Rehearsal, rehearsal
from starter.reception.intake import Intake
from starter.temporal.engine import Signal, signal_case, start_case
from tests.eased import eased_policy
from tests.lives import Life, ring, stationery, until
from tests.starter.mailbag import REPLY_SECRET
from tests.starter.talk import ANA, said

AWAY = timedelta(minutes=3)
"""Longer than a visitor counts as present."""


@dataclass
class Bot:
    """A channel whose person may have shut it."""

    clock: Callable[[], datetime]
    letters: list[OutboundLetter] = field(default_factory=list)
    shut: bool = False

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        if self.shut:
            raise RecipientError("403: the bot was blocked by the user")
        parts.take(f"{letter.to}/{len(self.letters)}")
        self.letters.append(letter)
        return Accepted(provider_id=parts.taken[0], at=self.clock())


class House(Life):
    """A life with intake in front of it; what intake queues is handed over by hand."""

    def settle(self, house: Rehearsal, folder: Path, bot: Bot) -> None:
        self.bot = bot
        self.intake = Intake(
            house.database,
            load_policy(eased_policy(folder)),
            FolderStore(folder / "documents"),
            house.clock,
            lambda: None,
            reply_secret=REPLY_SECRET,
        )

    async def taken(self, do: Callable[[], Any]) -> Any:
        """Do something that asks for the time, which the loop must be free to tell."""
        return await asyncio.to_thread(do)

    async def hand_over(self, reference: str) -> WorkflowHandle[Any, Any]:
        """What the dispatcher does."""
        handle = self.client.get_workflow_handle(f"inquiry/{reference}")
        with self.database.read() as session:
            rows = dispatches.undone(session, reference)
        for row in rows:
            if row.name == dispatches.START:
                await start_case(self.client, QUEUE, self.saved(handle))
            else:
                signal = Signal(row.name, row.payload)
                await signal_case(self.client, QUEUE, reference, signal, lambda: asyncio.to_thread(self.saved, handle))
            with self.database.write() as session:
                dispatches.done(session, row.number, row.created_at)
        return handle


@asynccontextmanager
async def house_in(folder: Path, records_url: str) -> AsyncIterator[House]:
    bots: list[Bot] = []

    def bot(_database: Database, clock: Callable[[], datetime]) -> Bot:
        bots.append(Bot(clock))
        return bots[0]

    def book(database: Database, clock: Callable[[], datetime]) -> Chat:
        return Chat(Transcript(database), clock)

    async with rehearsal(folder, records_url, stationery(), ring(), more={"telegram": bot, CHAT: book}) as house:
        life = House(house.env, house.client, house.database, house.postbox, house.clock)
        life.settle(house, folder, bots[0])
        yield life


@pytest.fixture
async def house(tmp_path: Path, records_url: str) -> AsyncIterator[House]:
    async with house_in(tmp_path, records_url) as one:
        yield one


def kinds(case: Case, state: LetterState) -> list[tuple[str, str]]:
    return [(one.kind.value, one.address.channel if one.address else "") for one in case.letters if one.state is state]


# -- the chat ---------------------------------------------------------------------------------------------------------


async def visit(house: House, *, email: str = "ana@example.org") -> tuple[str, str]:
    """Somebody writes in the chat, leaving an e-mail address; the session and the inquiry."""

    def write() -> tuple[str, str]:
        now = house.clock()
        with house.database.write() as session:
            row, _ = chat_sessions.open_session(session, now, lives=timedelta(days=30), email=email)
        visitor = Visitor(session=row.id, name="Ana", email=email, bound=False, language=None)
        post = ChatPost.model_validate(
            {"client_msg_id": "5f0c5c1e-6b0f-4d55-9a58-2a8f0c6f2c11", "text": "Mi retiro no ha llegado."}
        )
        receipt = house.intake.receive(message_of(visitor, post, now, 1000))
        if email:
            with house.database.write() as session:
                chat_sessions.told(session, row.id, email)
        return row.id, str(receipt.reference)

    found: tuple[str, str] = await house.taken(write)
    return found


@pytest.mark.rule("M4.2")
async def test_what_lay_unseen_in_the_chat_leaves_again_by_mail(house: House) -> None:
    session_id, reference = await visit(house)
    handle = await house.hand_over(reference)
    case = await house.quiet(handle)
    assert kinds(case, LetterState.ACCEPTED) == [("acknowledgement", CHAT)]
    await house.skip(minutes=AWAY.total_seconds() / 60)
    now = await house.env.get_current_time()
    assert await house.taken(lambda: give_back(house.database, house.intake, now)) == 1
    assert await house.taken(lambda: give_back(house.database, house.intake, now)) == 0
    await house.hand_over(reference)

    async def sent() -> bool:
        return house.postbox.kinds == ["channel_change", "acknowledgement"]

    await until(sent)
    case = await house.quiet(handle)
    first = case.letters[0]
    assert first.bounced_at
    assert case.obligations[0].met_at, "it was told in time; that stays (reading 10)"
    assert [o.kept for o in case.obligations if o.kind is ObligationKind.RESEND] == [True]
    assert {one.to for one in house.postbox.letters} == {"ana@example.org"}
    assert verify(house.events(handle), salt=case.salt) == case.head
    with house.database.read() as session:
        assert chat.abandoned(session, now + timedelta(days=1)) == []
        assert chat.events(session, session_id, 0, 10)


async def test_a_closed_inquiry_is_open_again_until_what_came_back_has_left(house: House) -> None:
    _, reference = await visit(house)
    handle = await house.hand_over(reference)
    await house.quiet(handle)
    draft = await house.taken(lambda: house.draft(handle))
    await house.command(handle, "resolve", outcome="upheld", draft=draft)
    await house.quiet(handle)
    await house.skip(days=100)
    await handle.result()
    assert house.saved(handle).status is Status.CLOSED
    now = await house.env.get_current_time()
    assert await house.taken(lambda: give_back(house.database, house.intake, now)) == 2
    await house.hand_over(reference)

    async def sent() -> bool:
        return "final_upheld" in house.postbox.kinds

    await until(sent)
    case = await house.quiet(handle)
    assert house.postbox.kinds[0] == "channel_change"
    assert not case.owed(ObligationKind.RESEND)
    assert kinds(case, LetterState.OWED) == []


async def test_without_another_address_it_stays_where_it_can_be_read(house: House) -> None:
    _, reference = await visit(house, email="")
    handle = await house.hand_over(reference)
    await house.quiet(handle)
    await house.skip(days=1)
    now = await house.env.get_current_time()
    assert await house.taken(lambda: give_back(house.database, house.intake, now)) == 0
    assert house.saved(handle).flags == ()


# -- a bot that is blocked --------------------------------------------------------------------------------------------


async def write_to_bot(house: House, **changes: Any) -> tuple[WorkflowHandle[Any, Any], str]:
    now = await house.env.get_current_time()
    receipt = await house.taken(lambda: house.intake.receive(said(received_at=now, **changes)))
    return await house.hand_over(receipt.reference), receipt.reference


@pytest.mark.rule("M4.2")
@pytest.mark.parametrize("told", ["a refusal", "an event"])
async def test_a_bot_that_is_blocked_gives_way_to_the_mailbox(house: House, told: str) -> None:
    house.bot.shut = told == "a refusal"
    handle, reference = await write_to_bot(house, further=((EMAIL, "ana@example.org"),))
    if told == "an event":
        await house.quiet(handle)
        at = await house.env.get_current_time()
        reach = Reach(event_id="7:1", channel="telegram", address=ANA, open=False, at=at, reason="blocked the bot")
        for _ in range(3):
            await house.taken(lambda: house.intake.take("telegram", Arrivals(reaches=(reach,))))
        await house.hand_over(reference)
    wanted = ["channel_change"] if told == "an event" else ["channel_change", "acknowledgement"]

    async def sent() -> bool:
        return house.postbox.kinds == wanted

    await until(sent)
    case = await house.quiet(handle)
    assert house.postbox.kinds == wanted, "told once"
    assert case.channel_now == EMAIL
    await house.command(handle, "reply", draft=await house.taken(lambda: house.draft(handle)))

    async def replied() -> bool:
        return "reply" in house.postbox.kinds

    await until(replied)
    assert [one.kind for one in house.bot.letters] == (["acknowledgement"] if told == "an event" else [])


@pytest.mark.rule("M4.2")
async def test_with_nowhere_else_to_go_it_waits_until_they_write_again(house: House) -> None:
    house.bot.shut = True
    handle, reference = await write_to_bot(house)

    async def flagged() -> bool:
        return Flag.UNDELIVERED in house.saved(handle).flags

    await until(flagged)
    house.bot.shut = False
    now = await house.env.get_current_time()
    receipt = await house.taken(lambda: house.intake.receive(said(2, "Ya los desbloqueé.", received_at=now)))
    assert receipt.reference == reference
    await house.hand_over(reference)

    async def sent() -> bool:
        return [one.kind for one in house.bot.letters] == [LetterKind.ACKNOWLEDGEMENT]

    await until(sent)
    assert (await house.quiet(handle)).flags == ()
