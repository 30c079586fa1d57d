"""Where letters go when the first channel fails, and what is said where everybody can read it."""

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Page
from sqlmodel import col, select

from models.tables import ChatSession, StoredMessage
from records import messages
from tests.faults.town import Town
from tests.faults.voices import Heard
from tests.trials.agent import Agent, heard, reference_of, until
from tests.trials.people import REFERENCE, MailUser, PageVisitor, Person, TelegramUser, XUser
from tests.trials.trip import WORDS

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORD = WORDS["es"]
CHANGED = "A partir de ahora le escribiremos por otro de nuestros canales"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
AWAY = timedelta(minutes=10)


async def begin(person: Person, agent: Agent) -> str:
    """Somebody writes and is acknowledged where they wrote."""
    await person.arrive()
    await person.write(WORD.complaint)
    reference = reference_of((await heard(person, 1))[0])
    await agent.status(reference, "open")
    return reference


async def mailbox(here: Town, person: Person, agent: Agent, reference: str) -> MailUser:
    """The mailbox registered on somebody's account, once they have shown whose it is."""
    owner = MailUser(here)
    await owner.arrive()
    code, links = await agent.bind(f"account-{person.n}", owner.address)
    await person.show(code, links.get(person.channel, ""))
    await agent.happened(reference, "identity.bound")
    return owner


def told(letters: list[Heard], *words: str) -> None:
    """So many letters, each with its words."""
    assert len(letters) == len(words)
    for letter, wanted in zip(letters, words, strict=True):
        assert wanted in letter.text


@pytest.mark.rule("M4.2")
async def test_who_blocks_the_bot_is_told_by_mail_where_letters_go_now(here: Town, agent: Agent) -> None:
    person = TelegramUser(here)
    reference = await begin(person, agent)
    owner = await mailbox(here, person, agent, reference)
    (await person.do(f"/people/{person.address}/block", {})).raise_for_status()
    told(await heard(owner, 1), CHANGED)
    await agent.command(reference, "reply", text=WORD.reply)
    told(await heard(owner, 2), CHANGED, WORD.reply)
    assert len(await person.letters()) == 1, "the acknowledgement, from before"


@pytest.mark.rule("M4.2")
async def test_who_closes_direct_messages_is_told_by_mail_where_letters_go_now(here: Town, agent: Agent) -> None:
    person = XUser(here)
    reference = await begin(person, agent)
    owner = await mailbox(here, person, agent, reference)
    closed = await here.mailroom.put(f"/x/api/people/{person.address}/open", json={"open": False})
    closed.raise_for_status()
    await agent.command(reference, "reply", text=WORD.reply)
    letters = sorted(await heard(owner, 2), key=lambda one: CHANGED not in one.text)
    told(letters, CHANGED, WORD.reply)
    assert len(await person.letters()) == 1
    assert (await agent.letters(reference))[1:] == [("channel_change", "email"), ("reply", "email")]


@pytest.mark.rule("M4.2")
async def test_who_leaves_the_chat_is_told_by_mail_where_letters_go_now(here: Town, agent: Agent, page: Page) -> None:
    person, owner = PageVisitor(here, "es", page), MailUser(here)
    await owner.arrive()
    reference = await begin(person, agent)
    await person.leave_address(owner.address)
    await agent.happened(reference, "address.added")
    await page.context.close()
    leave(here, reference)
    await agent.command(reference, "reply", text=WORD.reply)
    letters = sorted(await heard(owner, 2), key=lambda one: CHANGED not in one.text)
    told(letters, CHANGED, WORD.pointer)
    assert WORD.reply not in letters[1].text, "whoever left an address has not shown who they are"


def leave(here: Town, reference: str) -> None:
    """Let the time pass after which a visitor counts as gone."""
    with here.database.write() as session:
        (sender,) = {row.sender for row in messages.of_case(session, reference)}
        row = session.exec(select(ChatSession).where(col(ChatSession.id) == sender)).one()
        row.seen_at -= AWAY
        session.add(row)


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.1")
async def test_a_post_in_the_group_is_invited_in_private_and_answered_there(here: Town, agent: Agent) -> None:
    person = TelegramUser(here)
    await person.arrive()
    group = (await here.mailroom.post("/telegram/api/groups", json={"title": "Comunidad"})).json()["id"]
    await person.do(f"/people/{person.address}/messages", {"text": WORD.complaint, "chat": group})

    async def public() -> list[dict[str, Any]]:
        posts = (await here.mailroom.get(f"/telegram/api/chats/{group}/messages")).json()
        return [one for one in posts if one["from"]["is_bot"]]

    await until(public, "the invitation is posted")
    reference = await only_case(here, person.address)
    assert await person.letters() == []
    await person.write(WORD.more)
    acknowledgement = (await heard(person, 1))[0]
    assert reference_of(acknowledgement) == reference, "one inquiry, from its first reception"
    await agent.command(reference, "reply", text=WORD.reply)
    told(await heard(person, 2), WORD.acknowledgement, WORD.pointer)
    (invitation,) = await public()
    assert "Escríbanos" in invitation["text"] or "escríbanos" in invitation["text"]
    assert_says_nothing(invitation["text"])
    assert invitation["reply_to_message"]["text"] == WORD.complaint


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.1")
async def test_a_public_mention_is_invited_in_private_and_answered_there(here: Town, agent: Agent) -> None:
    person = XUser(here)
    await person.arrive()
    path = f"/x/api/people/{person.address}/posts"
    mention = (await here.mailroom.post(path, json={"text": f"@roxomxyz {WORD.complaint}"})).json()

    async def public() -> list[dict[str, Any]]:
        return [one for one in (await here.mailroom.get("/x/api/posts")).json() if one["to"] == mention["id"]]

    await until(public, "the invitation is posted")
    reference = await only_case(here, person.address)
    assert await person.letters() == []
    await person.write(WORD.more)
    acknowledgement = (await heard(person, 1))[0]
    assert reference_of(acknowledgement) == reference
    await agent.command(reference, "reply", text=WORD.reply)
    told(await heard(person, 2), WORD.acknowledgement, WORD.pointer)
    (invitation,) = await public()
    assert_says_nothing(invitation["text"])
    assert len(invitation["text"]) <= 280


def assert_says_nothing(text: str) -> None:
    """What everybody can read holds nothing of the case."""
    assert not REFERENCE.search(text)
    assert WORD.complaint not in text
    assert WORD.reply not in text


async def only_case(here: Town, sender: str) -> str:
    """The inquiry that somebody's message opened."""
    with here.database.read() as session:
        (reference,) = session.exec(select(StoredMessage.reference).where(col(StoredMessage.sender) == sender)).all()
    assert reference
    return reference


@pytest.mark.rule("M2.1")
async def test_an_encrypted_message_is_acknowledged_and_its_sender_told_that_nobody_can_read_it(
    here: Town, agent: Agent
) -> None:
    person = XUser(here)
    await person.arrive()
    (await here.mailroom.post(f"/x/api/people/{person.address}/chats")).raise_for_status()
    letters = await heard(person, 2)
    reference = reference_of(letters[0])
    assert sorted(await agent.letters(reference)) == [("acknowledgement", "x"), ("unreadable", "x")]
    assert any("no podemos leer" in one.text or "cannot read" in one.text for one in letters)
    await person.write(WORD.complaint)
    await agent.happened(reference, "message.received")


@pytest.mark.rule("M2.1")
async def test_a_photo_is_fetched_and_kept_with_its_message(here: Town, agent: Agent) -> None:
    person = TelegramUser(here)
    await person.arrive()
    photo = {"name": "recibo.png", "content_type": "image/png", "content": base64.b64encode(PICTURE).decode()}
    await person.do(f"/people/{person.address}/messages", {"text": WORD.complaint, "files": [photo]})
    reference = reference_of((await heard(person, 1))[0])

    async def files() -> list[dict[str, Any]]:
        (message,) = (await agent.case(reference))["messages"]
        return list(message["attachments"])

    await until(files, "the picture is fetched")
    (file,) = await files()
    assert (file["size"], file["sha256"]) == (len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert (await agent.get("/inbox"))["files"] == []
