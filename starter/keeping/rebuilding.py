"""Bringing records that were put back up to what the workflows know, inquiry by inquiry."""

from datetime import datetime
from typing import NamedTuple

from temporalio.client import Client

from models.errors import LedgerError
from records import cases, rebuilding
from records.copying import Progress
from records.database import Database
from records.documents import AttachmentStore
from records.rebuilding import Loss
from starter.temporal.histories import inquiries, story

SAID_EVERY = 200
"""Inquiries between two words of progress."""


class Rebuilt(NamedTuple):
    """How many inquiries were looked at, what each lacked, and which could not be brought up, and why."""

    looked_at: int
    losses: tuple[Loss, ...]
    stuck: dict[str, str]


async def rebuild(
    client: Client, database: Database, files: AttachmentStore, since: datetime, *, now: datetime, told: Progress
) -> Rebuilt:
    """Compare every inquiry that Temporal knows and that went on after `since` with the records, and mend these.

    It can be done again, and while others work: an inquiry is mended in one transaction of its own, and one that needs
    nothing is left alone. Raises EngineUnavailable, RecordsUnavailable.
    """
    found = await inquiries(client, since)
    losses: list[Loss] = []
    stuck: dict[str, str] = {}
    for n, (reference, runs) in enumerate(sorted(found.items()), 1):
        with database.read() as session:
            after = rebuilding.known(session, reference)
            missing = not cases.reference_exists(session, reference)
        try:
            tale = await story(client, reference, runs, after, missing=missing)
            if tale is not None:
                with database.write() as session:
                    losses.append(rebuilding.bring_up(session, tale.case, tale.facts, files, now))
        except LedgerError as error:
            stuck[reference] = str(error)
        if n % SAID_EVERY == 0:
            told(f"inquiries compared: {n} of {len(found)}")
    return Rebuilt(len(found), tuple(losses), stuck)
