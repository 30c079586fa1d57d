"""`plazo demo`: one real complaint through a whole life in a few seconds, told as a story.

Everything is real but two things: time is skipped by Temporal's test server, and letters end in a postbox.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

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
from models.inquiry import EMAIL
from models.ledger import verify
from models.obligations import Obligation
from models.policy_reading import load_policy
from records import cases, ledger
from records.documents import FolderStore
from records.migrate import upgrade
from settings import Settings, load_settings
from starter.commands.rehearsal import QUEUE, Rehearsal, rehearsal
from starter.commands.samples import Sample, samples
from starter.commands.story import FINANCE, SECOND, Story
from starter.reception.intake import Intake
from starter.temporal.engine import start_case
from worker import stationery


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
