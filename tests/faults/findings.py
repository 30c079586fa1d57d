"""What stands after the faults: the records, the mailroom and the engine, compared with what the senders were told."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sqlalchemy import make_url
from sqlmodel import Session, col, func, select
from temporalio.client import Client, WorkflowExecutionStatus

from engine import connect
from models.episodes import Answer
from models.errors import LedgerError
from models.letters import LetterKind
from models.reference import workflow_id
from models.tables import CaseRow, Dispatch, EventRow, Notice, StoredMessage
from records import case_list, cases, dispatches, ledger
from settings import Settings
from tests.faults.senders import Load
from tests.faults.town import Town

ACKNOWLEDGING = (LetterKind.ACKNOWLEDGEMENT.value, LetterKind.ACKNOWLEDGEMENT_LATE.value)
AT_ONCE = 8
MOST_ATTEMPTS = 3
"""A workflow task that needs more is stuck."""


@dataclass
class Findings:
    """Figures for people, and what breaks the promise."""

    figures: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note a figure that is not as it must be."""
        if found != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    def none(self, what: str, found: Iterable[object]) -> None:
        """Note what must not be there."""
        shown = [str(one) for one in found]
        if shown:
            self.wrong.append(f"{what}: {len(shown)}, such as {', '.join(shown[:5])}")


async def quiet(town: Town, seconds: float) -> None:
    """Wait until nothing is on its way any more. Raises TimeoutError when nothing moves for so many seconds."""
    least = restless(town)
    while least:
        async with asyncio.timeout(seconds):
            while (now := restless(town)) >= least:
                await asyncio.sleep(0.5)
        least = now


def restless(town: Town) -> int:
    """Count what is on its way: rows for Temporal that are due, and cases whose acknowledgement is not accepted."""
    with town.database.read() as session:
        rows = session.exec(
            select(func.count()).where(col(Dispatch.done_at).is_(None), col(Dispatch.name) != dispatches.DELIVERED)
        ).one()
        acknowledged = select(Notice.reference).where(
            col(Notice.kind).in_(ACKNOWLEDGING), col(Notice.accepted_at).is_not(None)
        )
        owing = session.exec(select(func.count()).where(col(CaseRow.reference).not_in(acknowledged))).one()
        return rows + owing


async def inspect(town: Town, load: Load, only: Collection[str] | None = None) -> Findings:
    """Compare everything with everything. The town must be up and quiet.

    `only`: the references whose workflows are asked, where not all of them are.
    """
    found = Findings(wrong=list(load.wrong))
    counts = (await town.mailroom.get("/api/counts")).json()
    with town.database.read() as session:
        _intake(session, load, found)
        _letters(session, counts, found)
        _chains(session, load, found)
        references = cases.open_references(session)
    client = await connect(town.settings)
    gate = asyncio.Semaphore(AT_ONCE)
    asked = references if only is None else [one for one in references if one in only]
    states = await asyncio.gather(*(engine_state(client, town, gate, reference) for reference in asked))
    found.none("not in order in the engine", [one for state in states for one in state])
    running = {one.id async for one in client.list_workflows("WorkflowType = 'Inquiry'")}
    found.none("workflows of no case", running - {workflow_id(one) for one in references})
    return found


def intact(settings: Settings) -> dict[str, str]:
    """What SQLite says of the engine's database, and of the records where they are a file; it must say `ok`."""
    said = {}
    files = [str(settings.var / "temporal.db")]
    records = make_url(settings.records_url)
    if records.get_backend_name() == "sqlite":
        files.append(str(records.database))
    for file in files:
        connection = sqlite3.connect(file)
        try:
            said[file] = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        finally:
            connection.close()
    return said


def _intake(session: Session, load: Load, found: Findings) -> None:
    """Every 2xx has its message and its case, and there is nothing else."""
    stored = session.exec(select(StoredMessage.sender, StoredMessage.reference)).all()
    opened = session.exec(select(CaseRow.reference)).all()
    by_sender = Counter(sender for sender, _ in stored)
    found.figures |= {
        "people": len(load.people),
        "posts": sum(person.tries for person in load.people),
        "posts without a 2xx": load.unanswered,
        "messages that got their 2xx": sum(person.messages for person in load.people),
        "messages stored": len(stored),
        "cases": len(opened),
    }
    found.none("not done", [person.n for person in load.people if not person.done])
    found.none("in quarantine", [sender for sender, reference in stored if reference is None])
    found.none(
        "stored too often or not at all",
        [person.n for person in load.people if by_sender[person.address] != person.messages],
    )
    resumed = session.exec(select(Dispatch.reference).where(col(Dispatch.name) == dispatches.RESUME)).all()
    found.none("taken for lost although it ran", resumed)
    found.expect("cases", sorted(opened), sorted(person.reference for person in load.people))
    theirs = {person.address: person.reference for person in load.people}
    found.none("in another's case", [sender for sender, reference in stored if theirs.get(sender) != reference])


def _letters(session: Session, counts: dict[str, dict[str, int]], found: Findings) -> None:
    """One acknowledgement a case; a second copy only where the records say that there may be one, same Message-ID."""
    kept = session.exec(select(Notice)).all()
    acknowledged = Counter(row.reference for row in kept if row.kind in ACKNOWLEDGING and row.accepted_at)
    doubled = {key for key, count in counts["by_notice"].items() if count > 1}
    possible = {row.key for row in kept if row.possible_duplicate}
    found.figures |= {
        "acknowledgements accepted": sum(acknowledged.values()),
        "letters in the mailroom": sum(counts["by_notice"].values()),
        "possible duplicates recorded": len(possible),
        "letters that left twice": len(doubled),
    }
    found.none("not acknowledged once", [one for one, count in acknowledged.items() if count != 1])
    found.expect("acknowledged", len(acknowledged), found.figures["cases"])
    found.none("second letters not recorded", doubled - possible)
    found.none("more copies than tries", [row.key for row in kept if counts["by_notice"].get(row.key, 0) > row.tries])
    # The counts agree only where every copy of a letter bears its one Message-ID.
    found.expect(
        "letters by Message-ID",
        counts["by_message_id"],
        {f"<{row.message_id}>": counts["by_notice"].get(row.key, 0) for row in kept},
    )
    told = _accepted_as_duplicates(session)
    found.expect("possible duplicates in the ledger", sorted(told), sorted(possible))


def _accepted_as_duplicates(session: Session) -> set[str]:
    rows = session.exec(select(EventRow).where(col(EventRow.type) == "letter.accepted")).all()
    return {str(row.data["key"]) for row in rows if row.data.get("possible_duplicate")}


def _chains(session: Session, load: Load, found: Findings) -> None:
    """Every chain verifies, and tells each fact once."""
    facts: Counter[tuple[str, str]] = Counter(session.exec(select(EventRow.reference, EventRow.type)).all())
    found.figures["events in the ledger"] = sum(facts.values())
    broken = []
    for person in load.people:
        try:
            ledger.verify(session, person.reference)
        except LedgerError as error:
            broken.append(str(error))
    found.none("broken chains", broken)
    for type_ in ("message.received", "case.noted", "letter.accepted"):
        off = [person.reference for person in load.people if facts[person.reference, type_] != person.facts[type_]]
        found.none(f"{type_} too often or not at all", off)
    found.figures["steps that took several tries"] = sum(
        n for (_, type_), n in facts.items() if type_ == "step.retried"
    )


async def engine_state(client: Client, town: Town, gate: asyncio.Semaphore, reference: str) -> list[str]:
    """What is wrong with one running workflow: it must run, not be stuck, and say what the records say."""
    async with gate:
        handle = client.get_workflow_handle(workflow_id(reference))
        description = await handle.describe()
        raw = description.raw_description
        answer = await handle.query("status", result_type=Answer)
        with town.database.read() as session:
            row = case_list.line(session, reference)
    wrong = []
    if description.status is not WorkflowExecutionStatus.RUNNING:
        wrong.append(f"{reference} does not run")
    if raw.pending_workflow_task.attempt > MOST_ATTEMPTS:
        wrong.append(f"{reference} is stuck")
    if raw.pending_activities:
        wrong.append(f"{reference} still works at {len(raw.pending_activities)} things")
    if (row.status, row.version) != (answer.status.value, answer.version):
        wrong.append(
            f"{reference} is {row.status} {row.version} in the records, {answer.status.value} {answer.version}"
        )
    return wrong
