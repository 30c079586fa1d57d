"""The same counts by another way: a plain loop over the events of the ledger, and nothing but them.

It shares no code with the reports. What it knows of the rules is written here once more, in Python instead of SQL.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from models.ledger import Event
from tests.cases import policy

ZONE = ZoneInfo("America/El_Salvador")
SECOND = timedelta(seconds=1)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
MEETS = {
    "acknowledgement": {"acknowledgement"},
    "acknowledgement_late": {"acknowledgement", "missed-term notice"},
    "reopened": {"acknowledgement"},
    "referral": {"referral notice"},
    "external": {"external estimate"},
    "re_estimate": {"external estimate"},
    "missed": {"missed-term notice"},
    "channel_change": {"channel-change notice"},
    "withdrawn": {"withdrawal notice"},
    "authority_reply": {"answer to the authority"},
    "remedy_done": {"promised remedy"},
}


@dataclass
class Owed:
    """One promise, as the ledger tells it."""

    kind: str
    due: datetime
    made: datetime
    why: str
    starts: datetime
    met: datetime | None = None
    ended: datetime | None = None
    by: int | None = None
    ended_why: str = ""
    exhausted: datetime | None = None

    def open_at(self, at: datetime) -> bool:
        return self.made < at and all(end is None or end >= at for end in (self.met, self.ended, self.exhausted))

    def fate(self, now: datetime) -> str:
        over = self.due + SECOND
        end = self.met or self.ended or self.exhausted
        if self.met:
            return "kept" if self.met < over else "late"
        if end is None:
            return "unmet" if over <= now else "running"
        if end >= over:
            return "lapsed"
        if self.exhausted:
            return "exhausted"
        return "moved" if self.by else "released"


@dataclass
class Told:
    """One inquiry, as the ledger tells it."""

    channel: str = ""
    kind: str = ""
    area: str = "cx"
    starts: datetime = NEVER
    owed: dict[int, Owed] = field(default_factory=dict)
    facts: list[tuple[datetime, str, str]] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    """The letters of its final answers."""
    causes: dict[str, str] = field(default_factory=dict)
    """By letter, as corrected since."""
    answered: list[tuple[datetime, str, str]] = field(default_factory=list)
    """When, by which letter, with which outcome."""
    promised: dict[int, dict[str, Any]] = field(default_factory=dict)
    done: list[tuple[datetime, int]] = field(default_factory=list)


def read(events: Iterable[Event]) -> Told:
    """Follow one chain from its beginning."""
    told, letters, voided = Told(), {}, []
    for event in events:
        what, data, at = event.type, event.data, event.at
        if what.startswith("case."):
            _moved(told, what, data)
        elif what.startswith("obligation."):
            _owed(told, what, data, at)
        elif what == "letter.owed":
            letters[data["key"]] = (data["kind"], data.get("due"))
        elif what == "letter.void" and data["why"] == "attempts exhausted":
            voided.append(letters[data["key"]])
        elif what == "attempts.exhausted":
            _exhaust(told, voided, at)
            voided = []
        elif what == "acceptance.revised":
            _take_back(told, data["undone"])
        _counted(told, what, data, at)
        code = next((str(data[name]) for name in ("outcome", "by", "result") if name in data), "")
        told.facts.append((at, what, code))
    return told


def _moved(told: Told, what: str, data: dict[str, Any]) -> None:
    if what == "case.opened":
        told.channel, told.kind = data["channel"], data["kind"]
        told.starts = min(datetime.fromisoformat(data[name]) for name in ("received_at", "submitted_at"))
    elif what == "case.reopened":
        told.starts = datetime.fromisoformat(data["received_at"])
    elif what == "case.assigned":
        told.area = data["area"]
    elif what == "case.reclassified":
        told.kind = data["kind"]


def _counted(told: Told, what: str, data: dict[str, Any], at: datetime) -> None:
    if what in {"case.resolved", "cause.corrected"}:
        told.causes[data["letter"]] = data.get("cause", "")
        told.decided.append(data["letter"])
    elif what == "case.answered":
        told.answered.append((at, told.decided[-1], data["outcome"]))
    elif what == "remedy.promised":
        told.promised[data["remedy"]] = data
    elif what == "remedy.done":
        told.done.append((at, data["remedy"]))


def _owed(told: Told, what: str, data: dict[str, Any], at: datetime) -> None:
    if what == "obligation.owed":
        due = datetime.fromisoformat(data["due"])
        told.owed[data["n"]] = Owed(data["kind"], due, at, data["why"], told.starts)
    elif what in {"obligation.met", "obligation.met-late"}:
        told.owed[data["n"]].met = at
    elif what == "obligation.superseded":
        one = told.owed[data["n"]]
        one.ended, one.by, one.ended_why = at, data.get("by"), data["why"]


def _exhaust(told: Told, voided: list[tuple[str, str | None]], at: datetime) -> None:
    """The ledger does not number the promises that were signed off: they are those that the void letters were for."""
    for kind, due in voided:
        kinds = {"final response"} if kind.startswith("final_") else MEETS.get(kind, set())
        for one in told.owed.values():
            still = one.met is None and one.exhausted is None and (one.ended is None or one.ended == at)
            again = one.kind == "re-send after a bounce" and due == one.due.isoformat()
            if still and one.ended_why in {"", "attempts exhausted"} and (one.kind in kinds or again):
                one.exhausted, one.ended, one.by = at, None, None


def _take_back(told: Told, undone: list[str]) -> None:
    for said in undone:
        what, _, number = said.partition(" ")
        if what in {"obligation.met", "obligation.met-late"}:
            told.owed[int(number)].met = None
        elif what == "obligation.superseded":
            told.owed[int(number)].ended = None
        elif what == "obligation.owed":
            del told.owed[int(number)]


def month(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%Y-%m}"


def local(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def fates(inquiries: Iterable[Told], start: datetime, end: datetime, now: datetime) -> Counter[tuple[str, ...]]:
    """Promises due in the period, by kind, fate, month, channel, area and kind of inquiry."""
    return Counter(
        (one.kind, one.fate(now), month(one.due), told.channel, told.area, told.kind)
        for told in inquiries
        for one in told.owed.values()
        if start <= one.due < end
    )


def finals(inquiries: Iterable[Told]) -> Iterator[Owed]:
    return (one for told in inquiries for one in told.owed.values() if one.kind == "final response")


def happened(inquiries: Iterable[Told], what: str, start: datetime, end: datetime) -> Counter[str]:
    """How often a fact happened, by its code."""
    return Counter(code for told in inquiries for at, name, code in told.facts if name == what and start <= at < end)


def caused(inquiries: Iterable[Told], start: datetime, end: datetime) -> Counter[tuple[str, str]]:
    """Final answers by cause and outcome."""
    return Counter(
        (told.causes[letter], outcome)
        for told in inquiries
        for at, letter, outcome in told.answered
        if start <= at < end
    )


def remedied(inquiries: Iterable[Told], start: datetime, end: datetime) -> dict[tuple[str, str, str], list[Decimal]]:
    """The amounts of the remedies done, by the cause of the last answer, kind and currency; 0 where it is no money."""
    found: dict[tuple[str, str, str], list[Decimal]] = {}
    for told in inquiries:
        cause = told.causes[told.decided[-1]] if told.decided else ""
        for at, n in told.done:
            if start <= at < end:
                promise = told.promised[n]
                currency, amount = promise.get("amount", " 0").split(" ")
                found.setdefault((cause, promise.get("kind", ""), currency), []).append(Decimal(amount))
    return found


def business_days(first: datetime, last: datetime) -> int:
    """Business days after the first day, up to and with the last, counted one by one."""
    calendar = policy().whole_calendar()
    span = (local(last) - local(first)).days
    return sum(calendar.is_business_day(local(first) + timedelta(days=n)) for n in range(1, span + 1))
