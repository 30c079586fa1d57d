"""Lives of inquiries as they end in the records: made by the rules alone, then stored as the house stores them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from models.case import Case
from models.clock import wake
from models.inquiry import Address
from models.letters import LetterState
from models.post import fail
from models.tables import Notice
from records import cases, ledger
from records.database import Database
from tests.cases import (
    BANK,
    FULL,
    ORIGIN,
    OTHER,
    SUPERVISOR,
    TELEGRAM,
    back,
    do,
    new_case,
    public_case,
    send_all,
)

HOUR = timedelta(hours=1)
BOTH: tuple[Address, ...] = (ORIGIN, TELEGRAM)


def later(case: Case, days: float) -> datetime:
    """So many calendar days after the inquiry was opened."""
    return case.opened_at + timedelta(days=days)


def pass_time(case: Case, since: datetime, until: datetime, *, sending: bool = True) -> None:
    """Let time pass from alarm to alarm, as the workflow's timers do; what can leave then leaves."""
    now = since
    while True:
        wake(case, now)
        if sending and send_all(case, now):
            continue
        alarm = case.next_alarm()
        if alarm is None or alarm > until:
            wake(case, until)
            return
        now = max(alarm, now)


def stay(case: Case, days: float, *, since: float = 0, sending: bool = True) -> None:
    """Nothing happens but time, so many calendar days after the inquiry was opened."""
    pass_time(case, later(case, since), later(case, days), sending=sending)


def order(case: Case, name: str, days: float, *, send: bool = True, **payload: Any) -> Case:
    """Let time pass until then, decide a command, and let its letters leave."""
    now = later(case, days)
    last = max((fact.at for fact in case.pending), default=case.opened_at)
    pass_time(case, min(last, now), now)
    after = do(case, name, now, **payload)
    if send:
        send_all(after, now)
    return after


def on_time(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    stay(case, 2)
    case = order(case, "assign", 2, owner="agent-3", area="cx", reasons="who is there")
    return order(case, "resolve", 9, outcome="upheld", draft=FULL)


def unanswered(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    stay(case, 70)
    return case


def not_sent(received: datetime, **more: Any) -> Case:
    """Nothing ever leaves."""
    case = new_case(received, **more)
    stay(case, 50, sending=False)
    return case


def late_for_an_area(received: datetime, **more: Any) -> Case:
    case = order(new_case(received, **more), "refer", 3, area="compliance", question="?")
    case = order(case, "answer_referral", 50, area="compliance", findings="found")
    return order(case, "resolve", 51, outcome="partial", draft=FULL)


def extended(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    until = case.calendar.local_date(later(case, 60)).isoformat()
    case = order(case, "extend", 20, until=until, reasons="complex")
    return order(case, "resolve", 50, outcome="upheld", draft=FULL)


def extension_void(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    until = case.calendar.local_date(later(case, 60)).isoformat()
    case = order(case, "extend", 20, until=until, reasons="complex", send=False)
    stay(case, 50, since=20, sending=False)
    send_all(case, later(case, 50))
    return order(case, "resolve", 52, outcome="inadmissible", draft=FULL)


def escalated(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    estimate = case.calendar.local_date(later(case, 25)).isoformat()
    case = order(case, "escalate", 5, **{**BANK, "estimate": estimate})
    moved = case.calendar.local_date(later(case, 30)).isoformat()
    case = order(case, "re_estimate", 15, estimate=moved, reasons="slow")
    case = order(case, "institution_answered", 22, summary="paid")
    return order(case, "resolve", 24, outcome="upheld", draft=FULL)


def with_an_institution(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    estimate = case.calendar.local_date(later(case, 30)).isoformat()
    case = order(case, "escalate", 5, **{**BANK, "institution": "Notary Somebody", "estimate": estimate})
    stay(case, 55)
    return case


def withdrawn(received: datetime, **more: Any) -> Case:
    return order(new_case(received, **more), "withdraw", 8, reasons="settled", message="ms_1")


def withdrawn_late(received: datetime, **more: Any) -> Case:
    return order(new_case(received, **more), "withdraw", 60, reasons="settled", message="ms_1")


def merged_away(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    return order(case, "merge", 4, other="RX-LEAD", leads=False, contact=case.contact, received_at=received - 48 * HOUR)


def merged_sooner(received: datetime, **more: Any) -> Case:
    """Ended by a merger, with the sooner date of the one that leads; its receipt is acknowledged all the same."""
    case = new_case(received, **more)
    due = case.resolution_due
    assert due
    sides: dict[str, Any] = {"contact": case.contact, "received_at": received - 72 * HOUR, "ways_in": ()}
    return order(case, "merge", 4, other="RX-LEAD", leads=False, final_due=due - 72 * HOUR, **sides)


def merged_leads(received: datetime, **more: Any) -> Case:
    case = new_case(received, **more)
    due = case.resolution_due
    assert due
    case = order(
        case,
        "merge",
        4,
        other="RX-GONE",
        leads=True,
        contact=case.contact,
        received_at=received - 72 * HOUR,
        final_due=due - 72 * HOUR,
    )
    return order(case, "resolve", 30, outcome="upheld", draft=FULL)


def reopened(received: datetime, **more: Any) -> Case:
    case = order(on_time(received, **more), "reopen", 20, reasons="new facts", received_at=later_text(received, 18))
    return order(case, "resolve", 30, outcome="partial", draft=FULL)


def reviewed(received: datetime, **more: Any) -> Case:
    case = order(on_time(received, **more), "appeal", 15, text="I disagree", by="authority", file_number="17/26")
    return order(case, "appeal_decided", 30, result="overturned", text="paid")


def in_review(received: datetime, **more: Any) -> Case:
    return order(on_time(received, **more), "appeal", 15, text="I disagree")


def elsewhere(received: datetime, **more: Any) -> Case:
    """The mail comes back, and letters go on over Telegram."""
    case = new_case(received, **{"addresses": BOTH, **more})
    stay(case, 1)
    back(case, case.letters[0].key, later(case, 1))
    send_all(case, later(case, 1.1))
    case = order(case, "resolve", 9, outcome="inquiry", draft=FULL, send=False)
    fail(case, case.letters[-1].key, later(case, 9), "blocked")
    stay(case, 12, since=9)
    return case


def moved_by_a_person(received: datetime, **more: Any) -> Case:
    return order(
        new_case(received, **{"addresses": BOTH, **more}), "change_channel", 3, channel="telegram", reasons="y"
    )


def exhausted(received: datetime, **more: Any) -> Case:
    """No address ever works."""
    case = new_case(received, **more)
    fail(case, case.letters[0].key, later(case, 0.1), "550")
    return order(case, "attempts_exhausted", 3, actor=SUPERVISOR, reasons="everything was tried")


def nowhere(received: datetime, **more: Any) -> Case:
    """No address works, and nobody signs it."""
    case = new_case(received, **more)
    fail(case, case.letters[0].key, later(case, 0.1), "550")
    stay(case, 40, since=0.1)
    return case


def found_late(received: datetime, **more: Any) -> Case:
    case = new_case(received, now=received + timedelta(days=12), **more)
    stay(case, 1)
    return order(case, "resolve", 3, outcome="upheld", draft=FULL)


def proposed(received: datetime, **more: Any) -> Case:
    case = order(new_case(received, **more), "propose", 20, command="resolve", order=UNFOUNDED)
    case = order(case, "approve", 60, actor=OTHER)
    return order(case, "reclassify", 61, kind="inquiry", actor=SUPERVISOR, reasons="a question", draft=FULL)


def in_public(received: datetime, **more: Any) -> Case:
    case = public_case(received=received, **{name: value for name, value in more.items() if name != "channel"})
    stay(case, 10)
    return case


def unseen(received: datetime, **more: Any) -> Case:
    """Withdrawn when its terms had passed and nobody had noticed yet: the ledger knows of no miss."""
    case = new_case(received, **more)
    case = do(case, "withdraw", later(case, 60), reasons="settled", message="ms_1")
    send_all(case, later(case, 60))
    return case


def remedied(received: datetime, **more: Any) -> Case:
    """Two remedies, one of them money, done before and after an answer whose cause was corrected."""
    case = new_case(received, **more)
    by = case.calendar.local_date(later(case, 40)).isoformat()
    promise: dict[str, Any] = {"what": "The fee is paid back.", "by": by}
    case = order(case, "promise_remedy", 3, **promise, kind="refund", amount="2.50", currency="USD")
    case = order(case, "promise_remedy", 3, **promise)
    case = order(case, "remedy_done", 5, remedy=2, evidence="Seen.", actor=SUPERVISOR)
    case = order(case, "resolve", 9, outcome="partial", draft=FULL)
    case = order(case, "remedy_done", 12, remedy=1, evidence="Paid.", actor=SUPERVISOR)
    cause = {"code": "fees.too_much", "taxonomy": "1"}
    return order(case, "correct_cause", 14, cause=cause, reasons="It was a fee.", actor=SUPERVISOR)


def of_old(received: datetime, **more: Any) -> Case:
    """Answered before causes were named."""
    case = new_case(received, **{"cause_outcomes": (), **more})
    return order(case, "resolve", 11, outcome="upheld", draft=FULL, cause=None)


UNFOUNDED = {"outcome": "unfounded", "draft": FULL}
LIVES: tuple[Callable[..., Case], ...] = (
    on_time,
    unanswered,
    not_sent,
    late_for_an_area,
    extended,
    extension_void,
    escalated,
    with_an_institution,
    withdrawn,
    withdrawn_late,
    merged_away,
    merged_leads,
    reopened,
    reviewed,
    in_review,
    elsewhere,
    moved_by_a_person,
    exhausted,
    nowhere,
    found_late,
    proposed,
    in_public,
    unseen,
    remedied,
    of_old,
    merged_sooner,
)


def later_text(at: datetime, days: float) -> str:
    return (at + timedelta(days=days)).isoformat()


def store(database: Database, *made: Case) -> None:
    """Put inquiries into the records as their workflows leave them there."""
    with database.write() as session:
        for case in made:
            assert cases.add(session, case, subject="Retiro", excerpt="", status_token=case.reference)
            ledger.append(session, case.seal())
            cases.project(session, case)
            for letter in case.letters:
                if letter.address and letter.state in {LetterState.ACCEPTED, LetterState.FAILED}:
                    session.add(_notice(case, letter.key, letter.address, letter.accepted_at))


def _notice(case: Case, key: str, address: Address, at: datetime | None) -> Notice:
    return Notice(
        key=key,
        reference=case.reference,
        kind=key.split("/")[1],
        address_id=address.id,
        channel=address.channel,
        template="t",
        version="1",
        language="es",
        subject="",
        text="",
        html="",
        sha256="",
        message_id=key,
        head="",
        created_at=case.opened_at,
        accepted_at=at,
    )


def everyone(first: datetime, *, apart: timedelta = timedelta(days=3), rounds: int = 1) -> list[Case]:
    """Each life once a round, received one after another, on several channels and of both kinds."""
    made = []
    for n, life in enumerate(LIVES * rounds):
        more: dict[str, Any] = {"reference": f"RX-{n:04}", "channel": ("email", "chat", "telegram")[n % 3]}
        if n % 4 == 0 and life in {on_time, unanswered, withdrawn, reopened}:
            more["kind"] = "inquiry"
        case = life(first + n * apart, **more)
        made.append(case.model_copy(update={"contact": f"ct_{n}"}))
    return made
