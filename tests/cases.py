"""A case to start from, and the few moves that tests make over and over."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.inquiry import EMAIL, Actor, Address, Channel, Kind, Language, Role
from models.letters import Letter, LetterKind
from models.obligations import ObligationKind
from models.opening import open_case
from models.policy import Policy
from models.policy_reading import load_policy
from models.post import Acceptance, accept, bounce
from models.terms import Terms

ROXOM = Path(__file__).resolve().parent.parent / "policies" / "roxom"
MONDAY = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
"""10:30 in San Salvador; +5 business days 2026-02-09, +30 2026-03-16 (golden)."""

AGENT = Actor(id="agent-1", role=Role.AGENT)
CX_LEAD = Actor(id="cx-lead", role=Role.REPRESENTATIVE)
OTHER = Actor(id="cx-deputy", role=Role.REPRESENTATIVE)
"""The two who speak for Customer Experience: what they answer or approve is verified by that (M5.3)."""

OPERATIONS_LEAD = Actor(id="operations-lead", role=Role.REPRESENTATIVE)
"""Speaks for the area of the tests' incidents."""

SUPERVISOR = Actor(id="supervisor-1", role=Role.SUPERVISOR)
AUDITOR = Actor(id="auditor-1", role=Role.AUDITOR)
ORIGIN = Address(id="ad_origin", channel=EMAIL)
DIGEST = "0" * 64


@cache
def policy() -> Policy:
    """The operator's policy as it is shipped."""
    return load_policy(ROXOM)


@cache
def terms() -> Terms:
    """What the tests' cases carry of it. A test of what is eased here says so itself."""
    shipped = policy().terms()
    approvals = tuple(one for one in shipped.approvals if one != "withdraw")
    return shipped.model_copy(update={"approvals": approvals, "undo_seconds": 0})


def draft(*filled: str) -> dict[str, Any]:
    """A draft that holds these parts."""
    return {"id": "dr_1", "digest": DIGEST, "filled": filled}


FULL = draft("text", "points", "actions", "reasons", "items")


def new_case(
    received: datetime = MONDAY,
    *,
    now: datetime | None = None,
    kind: Kind = Kind.COMPLAINT,
    language: Language = Language.ES,
    addresses: tuple[Address, ...] = (ORIGIN,),
    reference: str = "RX-7KQ4-M2PD",
    bound: bool = True,
    channel: Channel = EMAIL,
    unreadable: bool = False,
    in_public: bool = False,
    **other_terms: object,
) -> Case:
    """An inquiry as intake opens it."""
    return open_case(
        Case(
            reference=reference,
            kind=kind,
            language=language,
            channel=channel,
            channel_now=channel,
            contact="ct_1",
            salt="5a" * 16,
            addresses=addresses,
            bound=bound,
            received_at=received,
            submitted_at=received,
            opened_at=now or received,
            terms=terms().model_copy(update=other_terms),
            calendar=policy().snapshot(received),
        ),
        unreadable=unreadable,
        in_public=in_public,
    )


def usual(name: str, payload: Mapping[str, Any]) -> Actor:
    """Who gives a command where a test names nobody: an agent, or who speaks for the area, as M5.3 wants it."""
    if name == "answer_referral":
        return Actor(id=f"{payload['area']}-lead", role=Role.REPRESENTATIVE)
    if name == "close_incident":
        return OPERATIONS_LEAD
    return CX_LEAD if name == "resolve" else AGENT


CAUSE = "withdrawal.delayed"
NAMED_CAUSE = {"code": CAUSE, "taxonomy": "1"}


def with_cause(name: str, payload: Mapping[str, Any], cause: object = NAMED_CAUSE) -> dict[str, Any]:
    """A final answer, or the proposal of one, with a cause where a test gives none, as the policy wants it (M3.11)."""
    if name == "resolve":
        return {"cause": cause, **payload}
    if name == "propose" and payload.get("command") == "resolve":
        return {**payload, "order": {"cause": cause, **payload["order"]}}
    return dict(payload)


def do(case: Case, name: str, now: datetime, actor: Actor | None = None, **payload: object) -> Case:
    """Decide a command as one of our own services would send it."""
    order = read(name, {**with_cause(name, payload), "actor": (actor or usual(name, payload)).model_dump(mode="json")})
    return decide(case, name, order, now, trusted=True)


def public_case(**more: Any) -> Case:
    """An inquiry that somebody posted on X where everybody can read it; nobody knows where else to write to them."""
    return new_case(**{"channel": "x", "addresses": (), "bound": False, "in_public": True, **more})


def send_all(case: Case, now: datetime) -> list[Letter]:
    """Let the channel accept everything that can leave."""
    sent = []
    while letter := case.outbox(now):
        accept(case, Acceptance(key=letter.key, at=now, provider_id="p"))
        sent.append(letter)
    return sent


def letters(case: Case, kind: LetterKind) -> list[Letter]:
    """The case's letters of a kind, in order."""
    return [one for one in case.letters if one.kind is kind]


DAY = timedelta(days=1)
REGISTERED = Address(id="ad_registered", channel=EMAIL, registered=True)
TELEGRAM = Address(id="ad_telegram", channel="telegram")


def acknowledged(**more: Any) -> Case:
    """A case whose acknowledgement was accepted at once."""
    case = new_case(**more)
    send_all(case, case.opened_at)
    return case


def answered(**more: Any) -> Case:
    """A case whose final answer was accepted the next day."""
    case = do(acknowledged(**more), "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    send_all(case, MONDAY + DAY)
    return case


def closed(**more: Any) -> Case:
    """A case whose appeal window has passed."""
    case = answered(**more)
    wake(case, MONDAY + 100 * DAY)
    return case


def end_of(case: Case, year: int, month: int, day: int) -> datetime:
    """The last second of a local day, aware UTC."""
    return case.calendar.end_of(date(year, month, day))


def days_of(case: Case, kind: ObligationKind) -> list[date]:
    """The local due dates of every obligation of a kind, in the order in which they were made."""
    return [case.calendar.local_date(o.due) for o in case.obligations if o.kind is kind]


def live(case: Case, until: datetime, *, sending: bool = True) -> datetime:
    """Let time pass from alarm to alarm, as the workflow's timers do; return when it stopped."""
    now = case.opened_at
    while True:
        wake(case, now)
        if sending and send_all(case, now):
            continue
        alarm = case.next_alarm()
        if alarm is None or alarm > until:
            wake(case, until)
            return now
        now = max(alarm, now)


SECOND_MAIL = Address(id="ad_second", channel=EMAIL)
BANK: dict[str, Any] = {"institution": "a bank", "reasons": "x", "estimate": "2026-03-10"}


def back(case: Case, key: str, at: datetime, *, hard: bool = True) -> None:
    """A letter comes back."""
    bounce(case, key, at, hard=hard, reason="550")
