"""A case's life as `plazo demo` tells it: what happened, the letters that left because of it, what is owed now."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from models.calendar import BusinessCalendar
from models.case import Case
from models.inquiry import Actor, Role
from records import cases, documents, ledger
from starter.commands.rehearsal import Rehearsal

AGENT = Actor(id="agent-1", role=Role.AGENT)


SECOND = Actor(id="cx-lead", role=Role.REPRESENTATIVE)


FINANCE = Actor(id="finance-lead", role=Role.REPRESENTATIVE)


SETTLED_AFTER = 90.0
"""Seconds of real time within which a step must have come to rest."""


ANSWER = {
    "points": [
        {
            "point": "The closing was delayed for more than two months",
            "answer": "The delay arose outside the company",
            "facts_verified": "dates of every request and of every answer of the institution",
            "source": "the operation's file and the institution's letter",
            "rule": "terms and conditions, section on third parties",
            "why": "each step that was ours was taken within its time",
        },
        {
            "point": "The deposit should be returned",
            "answer": "The deposit paid for an appraisal that was made",
            "facts_verified": "the invoice and the appraisal report",
            "source": "finance",
            "rule": "schedule of fees",
            "why": "the service it paid for was received",
        },
    ],
    "actions": ["finance verified every movement", "the institution was asked and answered"],
    "reasons": "Both points were checked against the records of the company and of the institution.",
}


@dataclass
class Story:
    """A case on its way, and how far the telling has come."""

    house: Rehearsal
    console: Console
    reference: str
    calendar: BusinessCalendar
    told_letters: int = 0

    def case(self) -> Case:
        """The case as the records know it."""
        with self.house.database.read() as session:
            return cases.load(session, self.reference)

    async def tell(self, sentence: str) -> None:
        """Say what happened and when, then every letter that left because of it, then what is owed now."""
        await self.settle()
        now = await self.house.env.get_current_time()
        self.console.rule(f"[bold]{self.day(now)}[/bold]", align="left")
        self.console.print(sentence, highlight=False)
        for letter in self.house.postbox.letters[self.told_letters :]:
            body = Text(letter.text.strip())
            self.console.print(Panel(body, title=Text(letter.subject), subtitle=letter.kind, title_align="left"))
        self.told_letters = len(self.house.postbox.letters)
        owed = [f"{o.kind.value} ({o.rule}) by {self.day(o.due)}" for o in self.case().owed()]
        self.console.print(Text("Owed now: " + ("; ".join(owed) or "nothing"), style="italic"))
        self.console.print()

    async def command(self, name: str, actor: Actor = AGENT, **order: Any) -> None:
        """Give a command as the admin API does, and let the seconds pass in which it can be taken back."""
        handle = self.house.client.get_workflow_handle(f"inquiry/{self.reference}")
        await handle.execute_update(name, {**order, "actor": actor.model_dump(mode="json")})
        await self.house.skip(seconds=self.case().terms.undo_seconds)

    async def days(self, n: int) -> None:
        """Let days pass."""
        await self.house.skip(days=n)

    async def settle(self) -> None:
        """Wait until nothing is on its way: no letter can leave and every fact is in the ledger."""
        handle = self.house.client.get_workflow_handle(f"inquiry/{self.reference}")
        async with asyncio.timeout(SETTLED_AFTER):
            while True:
                facts = len(await handle.query("timeline"))
                with self.house.database.read() as session:
                    written = len(ledger.of_case(session, self.reference))
                if facts == written:
                    return
                await asyncio.sleep(0.02)

    def ahead(self, n: int) -> str:
        """The date n business days after the running date of the answer."""
        due = self.case().resolution_due
        return "" if due is None else self.calendar.after(self.calendar.local_date(due), n).isoformat()

    def day(self, at: datetime) -> str:
        """A local date in words."""
        return f"{self.calendar.local_date(at):%A %d %B %Y}"

    def draft(self) -> dict[str, Any]:
        """Keep what the agent wrote and return what travels of it."""
        with self.house.database.write() as session:
            now = self.case().opened_at
            kept = documents.save_draft(session, self.reference, "resolve", ANSWER, author=AGENT, now=now)
        return kept.model_dump(mode="json")
