"""`plazo demo`: one real complaint through a whole life in a few seconds, told as a story.

Everything is real but two things: time is skipped by Temporal's test server, and letters end in a postbox.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from channels.email.adapter import INBOUND
from channels.port import Post
from channels.registry import load_channels
from counterparts.inbound_parse import inbound_body
from keys import KeyRing, development_key, read_keys
from logs import configure_logs
from models.calendar import BusinessCalendar
from models.case import Case
from models.inquiry import EMAIL, Actor, Role
from models.ledger import verify
from models.obligations import Obligation
from models.policy_reading import load_policy
from records import cases, documents, ledger
from records.documents import FolderStore
from records.migrate import upgrade
from settings import Settings, load_settings
from starter.commands.rehearsal import QUEUE, Rehearsal, rehearsal
from starter.commands.samples import Sample, samples
from starter.reception.intake import Intake
from starter.temporal.engine import start_case
from worker import stationery

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
        """Give a command as the admin API does."""
        handle = self.house.client.get_workflow_handle(f"inquiry/{self.reference}")
        await handle.execute_update(name, {**order, "actor": actor.model_dump(mode="json")})

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


async def play(sample: Sample, console: Console, settings: Settings, ring: KeyRing, folder: Path) -> None:
    """Let the complaint live and tell of it."""
    paper = stationery(settings)
    url = f"sqlite:///{folder / 'records.db'}"
    upgrade(url)
    async with rehearsal(folder, url, paper, ring) as house:
        story = await receive(house, sample, console, settings, folder)
        await story.tell(
            "A complaint arrives by e-mail. It is stored, two promises are made, and it is acknowledged at once."
        )
        await story.days(3)
        await story.command("refer", area="finance", question="Was the deposit spent on the appraisal?")
        await story.tell("The agent refers it to finance; the user is told which area has it.")
        await story.days(4)
        await story.command("answer_referral", FINANCE, area="finance", findings="the appraisal was made and paid")
        await story.command("extend", until=story.ahead(20), reasons="The records of the operation span two years.")
        await story.tell(
            "The representative of finance answers, which verifies what will be said. The matter is complex: the term"
            " is extended, with reasons."
        )
        await story.days(2)
        await story.command(
            "escalate",
            institution="the settlement bank",
            reasons="Only the bank can confirm when the documents arrived.",
            estimate=_in(story, await house.env.get_current_time(), 20),
        )
        await story.tell("An outside institution must take part; the user is told which, and the new estimate.")
        await story.days(10)
        await story.command(
            "re_estimate",
            estimate=_in(story, await house.env.get_current_time(), 25),
            reasons="The bank needs one more week.",
        )
        await story.tell("The bank needs longer. The new estimate is told before the old one passes.")
        await story.days(14)
        await story.command("institution_answered", summary="The documents arrived complete in the tenth week.")
        cause = {"code": "account.verification_stuck", "taxonomy": "1"}
        order = {"outcome": "unfounded", "draft": story.draft(), "cause": cause}
        await story.command("propose", command="resolve", order=order)
        await story.tell("The bank answers. One agent proposes to find the complaint unfounded; nothing leaves yet.")
        await story.days(1)
        await story.command("approve", SECOND)
        await story.tell(
            "The representative approves. The final answer leaves, point by point, with its justification."
        )
        await story.days(8)
        await story.command("appeal", text="I do not agree and went to the consumer office.", file_number="SS-0001")
        await story.tell("The user goes to the Consumer Protection Office, which notifies a review.")
        await story.days(3)
        await story.command("appeal_decided", result="upheld", text="The office confirmed the decision.")
        await story.tell("The review ends; the user hears how.")
        await story.days(100)
        await house.client.get_workflow_handle(f"inquiry/{story.reference}").result()
        await story.tell("The appeal window has passed and nothing is owed. The case closes.")
        _ledger_of_promises(story)


def _in(story: Story, now: datetime, days: int) -> str:
    return story.calendar.on_or_before(story.calendar.local_date(now + timedelta(days=days))).isoformat()


async def receive(house: Rehearsal, sample: Sample, console: Console, settings: Settings, folder: Path) -> Story:
    """Take the complaint in as the webhook does, and start its workflow as the dispatcher does."""
    policy = load_policy(settings.policy)
    now = await house.env.get_current_time()
    headers, body = inbound_body(sample.mail(now), mode="raw")
    email = load_channels(policy, settings, lambda: now)[EMAIL]
    arrivals = email.parse(Post(INBOUND, {"content-type": headers["Content-Type"]}, body), now)
    secret = settings.reply_secret.get_secret_value().encode()
    intake = Intake(house.database, policy, FolderStore(folder), lambda: now, lambda: None, reply_secret=secret)
    [receipt] = intake.take(EMAIL, arrivals).receipts
    reference = receipt.reference or ""
    with house.database.read() as session:
        case = cases.load(session, reference)
    console.print(Panel(Text(sample.words), title=Text(sample.subject), subtitle="the complaint", title_align="left"))
    await start_case(house.client, QUEUE, case)
    return Story(house, console, reference, case.calendar)


def _ledger_of_promises(story: Story) -> None:
    """What was owed, and what met it; and the proof that nothing was changed since."""
    table = Table(title="What was owed and what met it", title_justify="left")
    for heading in ("owed", "rule", "by", "how it ended"):
        table.add_column(heading)
    case = story.case()
    for one in case.obligations:
        table.add_row(one.kind.value, one.rule, story.day(one.due), _ending(one, story.day))
    story.console.print(table)
    with story.house.database.read() as session:
        events = ledger.of_case(session, story.reference)
    head = verify(events, salt=case.salt)
    story.console.print(f"{len(events)} events, one chain, verified; its head is {head[:16]}…", highlight=False)


def _ending(one: Obligation, day: Callable[[datetime], str]) -> str:
    if one.met_at:
        return f"{'met' if one.kept else 'met late'} on {day(one.met_at)} by {one.met_by.partition('/')[2]}"
    if one.superseded_at:
        return f"superseded: {one.superseded_why}"
    return "open"


def demo_command(
    complaint: Annotated[int, typer.Option(min=1, max=9, help="which of the nine complaints to play")] = 1,
) -> None:
    """Play one real complaint through a whole life, from its receipt to the end of a review, in a few seconds."""
    began = time.perf_counter()
    configure_logs("development", level=logging.WARNING)
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="plazo-demo-") as name:
        folder = Path(name)
        settings = load_settings()
        ring = read_keys(development_key(folder))
        asyncio.run(play(samples()[complaint - 1], console, settings, ring, folder))
    console.print(f"{time.perf_counter() - began:.1f} seconds for the whole life.", highlight=False)
