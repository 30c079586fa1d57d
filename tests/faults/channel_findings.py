"""What stands after the trial of all channels: records, stand-ins, engine and commands, compared with what was said."""

import asyncio
import json
from collections import Counter
from typing import Any

from sqlmodel import Session, col, func, select

from engine import connect
from models.errors import LedgerError
from models.reference import workflow_id
from models.tables import CaseRow, Dispatch, Notice, RemoteFile, StoredMessage
from records import cases, chat, dispatches, ledger
from tests.faults.conversations import Conversation, Talk
from tests.faults.findings import ACKNOWLEDGING, AT_ONCE, Findings, engine_state
from tests.faults.town import Town


async def restless(town: Town, talk: Talk) -> int:
    """Count what is on its way: messages not stored, rows for Temporal, files, letters, and what the stand-ins hold."""
    telegram = (await town.mailroom.get("/telegram/api/updates")).json()["waiting"]
    x = (await town.mailroom.get("/x/api/account")).json()["waiting"]
    with town.database.read() as session:
        stored = session.exec(select(func.count()).select_from(StoredMessage)).one()
        rows = session.exec(select(func.count()).where(col(Dispatch.done_at).is_(None))).one()
        files = session.exec(select(func.count()).where(col(RemoteFile.done_at).is_(None))).one()
        acknowledged = select(Notice.reference).where(
            col(Notice.kind).in_(ACKNOWLEDGING), col(Notice.accepted_at).is_not(None)
        )
        owing = session.exec(select(func.count()).where(col(CaseRow.reference).not_in(acknowledged))).one()
    wanted = sum(len(one.times) for one in talk.all)
    return int(telegram + x + rows + files + owing + max(0, wanted - stored))


async def inspect(town: Town, talk: Talk) -> Findings:
    """Compare everything with everything. The town must be up and quiet."""
    found = Findings(wrong=list(talk.wrong))
    with town.database.read() as session:
        theirs = _intake(session, talk, found)
        letters = _letters(session, found)
        _chains(session, theirs, found)
        found.none("gaps in chats", chat.gaps(session))
    await _heard(talk, theirs, letters, found)
    await _engine(town, found)
    await _commands(town, found)
    account = (await town.mailroom.get("/x/api/account")).json()
    found.figures["events X gave up, found by asking"] = account["lost"]
    return found


def _intake(session: Session, talk: Talk, found: Findings) -> dict[int, list[StoredMessage]]:
    """Every message once, in its own inquiry, in the order in which it was said; by the number of its person."""
    rows = session.exec(select(StoredMessage).order_by(col(StoredMessage.n))).all()
    opened = session.exec(select(CaseRow.reference)).all()
    resumed = session.exec(select(Dispatch.reference).where(col(Dispatch.name) == dispatches.RESUME)).all()
    by_sender: dict[str, list[StoredMessage]] = {}
    for row in rows:
        by_sender.setdefault(row.sender, []).append(row)
    theirs = {one.voice.n: by_sender.get(one.voice.address, []) for one in talk.all}
    found.figures |= {
        "conversations": len(talk.all),
        "messages": sum(len(one.times) for one in talk.all),
        "posts": sum(talk.posts.values()),
        "posts without a 2xx": sum(talk.unanswered.values()),
        "messages stored": len(rows),
        "inquiries": len(opened),
        **{f"inquiries by {way}": count for way, count in sorted(Counter(one.by for one in talk.all).items())},
    }
    found.expect("messages stored", len(rows), found.figures["messages"])
    found.expect("inquiries", len(opened), len(talk.all))
    found.none("not done", [one.voice.n for one in talk.all if not one.done])
    found.none("in quarantine", [row.sender for row in rows if row.reference is None])
    found.none("in several inquiries", [n for n, own in theirs.items() if len({row.reference for row in own}) != 1])
    found.none("lost, twice or out of order", [one.voice.n for one in talk.all if _told(one, theirs) != one.texts])
    found.none("taken for lost although it ran", resumed)
    return theirs


def _told(one: Conversation, theirs: dict[int, list[StoredMessage]]) -> list[str]:
    return [row.text.strip() for row in theirs[one.voice.n]]


def _letters(session: Session, found: Findings) -> dict[str, Notice]:
    """One acknowledgement for each inquiry and no other letter; by reference."""
    kept = session.exec(select(Notice)).all()
    accepted = Counter(row.reference for row in kept if row.kind in ACKNOWLEDGING and row.accepted_at)
    found.figures |= {
        "acknowledgements accepted": accepted.total(),
        "possible duplicates recorded": sum(row.possible_duplicate for row in kept),
    }
    found.none("not acknowledged once", [one for one, count in accepted.items() if count != 1])
    found.expect("acknowledged", len(accepted), found.figures["inquiries"])
    found.none("letters nobody owed", [row.key for row in kept if row.kind not in ACKNOWLEDGING])
    return {row.reference: row for row in kept}


async def _heard(
    talk: Talk, theirs: dict[int, list[StoredMessage]], letters: dict[str, Notice], found: Findings
) -> None:
    """Each acknowledgement is in its reader's hands, once, on the channel that they write by."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def look(one: Conversation) -> str | None:
        async with gate:
            heard = await one.voice.letters()
        own = theirs[one.voice.n]
        letter = letters.get(own[0].reference or "") if own else None
        if letter is None or letter.channel != one.voice.channel:
            return f"{one.by} {one.voice.n}: by {letter and letter.channel}"
        copies = 1 if not letter.possible_duplicate else letter.tries
        if not 1 <= len(heard) <= copies or any(letter.reference not in each.text for each in heard):
            return f"{one.by} {one.voice.n}: {len(heard)} letters"
        return None

    looked = await asyncio.gather(*(look(one) for one in talk.all))
    found.figures["acknowledgements in their readers' hands"] = looked.count(None)
    found.none("not acknowledged on its channel", [one for one in looked if one])


def _chains(session: Session, theirs: dict[int, list[StoredMessage]], found: Findings) -> None:
    """Every chain verifies, and tells each later message once, in stored order."""
    broken, off = [], []
    for own in theirs.values():
        reference = (own[0].reference if own else None) or "none"
        try:
            ledger.verify(session, reference)
        except LedgerError as error:
            broken.append(str(error))
        events = [one for one in ledger.of_case(session, reference) if one.type == "message.received"]
        if [one.data["message"] for one in events] != [row.id for row in own[1:]]:
            off.append(reference)
    found.none("broken chains", broken)
    found.none("told of messages in another order", off)


async def _engine(town: Town, found: Findings) -> None:
    """One running workflow an inquiry and no other, none stuck, each of one mind with the records."""
    with town.database.read() as session:
        references = cases.open_references(session)
    client, gate = await connect(town.settings), asyncio.Semaphore(AT_ONCE)
    states = await asyncio.gather(*(engine_state(client, town, gate, reference) for reference in references))
    found.none("not in order in the engine", [one for state in states for one in state])
    running = {one.id async for one in client.list_workflows("WorkflowType = 'Inquiry'")}
    found.expect("workflows", len(running & {workflow_id(one) for one in references}), len(running))


async def _commands(town: Town, found: Findings) -> None:
    """What a person is told: nothing waits, nothing is missing, every chain is whole."""
    code, printed = await town.plazo("inbox", "--json")
    found.expect("exit code of plazo inbox", code, 0)
    inbox: dict[str, list[dict[str, Any]]] = json.loads(printed)
    feeds = inbox.pop("feeds")
    found.none("in plazo inbox", [f"{name}: {one}" for name, rows in inbox.items() for one in rows])
    found.none("feeds that fail", [one["name"] for one in feeds if one["failing_since"]])
    found.figures["messages found late"] = sum(one["late"] for one in feeds)
    code, printed = await town.plazo("verify", "--all", "--json")
    found.expect("exit code of plazo verify --all", code, 0)
    found.expect(
        "chains that plazo verify finds whole", len(json.loads(printed)["verified"]), found.figures["inquiries"]
    )
