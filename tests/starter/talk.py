"""What people say on channels that are a conversation, and a case that hears what waits for it."""

from typing import Any

from channels.message import InboundMessage
from channels.port import Arrivals, Claim
from models.case import Case
from models.commands import read
from models.deciding import decide
from models.inquiry import Channel
from records import cases, contacts, dispatches, messages, notices
from tests.cases import FULL, do, send_all
from tests.starter.mailbag import Bench, left, message

ANA, EVA = "1001", "2002"


def said(n: int = 1, text: str = "Mi retiro no ha llegado.", **changes: Any) -> InboundMessage:
    """The nth message of somebody on a channel: a handle, verified as every provider's is, and nobody's account."""
    channel, sender = changes.pop("channel", "telegram"), changes.pop("sender", ANA)
    place = f"{sender}/{n}"
    plain = {
        "channel": channel,
        "provider_id": f"7:{place}",
        "message_id": place,
        "sender": sender,
        "bound": False,
        "recipients": (),
        "spf": "",
        "subject": text[:80],
        "text": text,
        "full_text": text,
        "raw": f"{channel} {place} {text} {sorted(changes)}".encode(),
    }
    return message(n, **{**plain, **changes})


def edit(n: int, text: str, *, times: int = 1, **changes: Any) -> InboundMessage:
    """New words in the place of the nth message."""
    sender = changes.get("sender", ANA)
    marks = {"provider_id": f"7:{sender}/{n}/edit/{times}", "edit_of": f"7:{sender}/{n}"}
    return said(n, text, **{**marks, **changes})


def shown(code: str, address: str = ANA, **changes: Any) -> Arrivals:
    """A deep link was opened."""
    return Arrivals(claims=(Claim(code, address, "Ana", changes.pop("at", message().received_at)),))


def load(bench: Bench, reference: str | None) -> Case:
    """The case as the records have it."""
    with bench.database.read() as session:
        return cases.load(session, str(reference))


def save(bench: Bench, case: Case) -> None:
    """Put a case into the records as its workflow does."""
    with bench.database.write() as session:
        cases.project(session, case)


def answer(bench: Bench, reference: str) -> Case:
    """Everything leaves, the final answer too."""
    case = load(bench, reference)
    send_all(case, bench.now)
    case = do(case, "resolve", bench.now, outcome="upheld", draft=FULL)
    send_all(case, bench.now)
    save(bench, case)
    return case


def close(bench: Bench, reference: str) -> Case:
    """The case is answered and over."""
    case = answer(bench, reference)
    case.closed_at = bench.now
    save(bench, case)
    return case


def hear(bench: Bench, reference: str, *, done: bool = True) -> Case:
    """Let a case hear what waits for it, as its workflow does; return how it stands then."""
    case = load(bench, reference)
    with bench.database.write() as session:
        for row in dispatches.undone(session, reference):
            if row.name != dispatches.START:
                case = decide(case, row.name, read(row.name, row.payload), bench.now, trusted=True, signal=True)
            if done:
                dispatches.done(session, row.number, bench.now)
        cases.project(session, case)
    return case


def told(bench: Bench, reference: str) -> list[dict[str, Any]]:
    """What waits for a case besides its start: each order with its name."""
    with bench.database.read() as session:
        rows = dispatches.undone(session, reference)
    return [{**row.payload, "name": row.name} for row in rows if row.name != dispatches.START]


def letter_of(bench: Bench, reference: str, provider_id: str, *, channel: Channel = "telegram", n: int = 1) -> str:
    """A letter of ours of which the channel took one more part under that id; its key."""
    row = left(reference)
    row.channel = channel
    with bench.database.write() as session:
        notices.begin(session, row)
        notices.take_part(session, row.key, n, channel=channel, provider_id=provider_id, now=bench.now)
    return row.key


def contact_of(bench: Bench, channel: Channel, value: str) -> str | None:
    """Who stands behind an address."""
    with bench.database.read() as session:
        return contacts.known(session, channel, value)


def texts(bench: Bench, reference: str) -> list[str]:
    """The words of a case's messages in stored order."""
    with bench.database.read() as session:
        return [row.text for row in messages.of_case(session, reference)]
