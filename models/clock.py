"""What the passing of time does to a case: warnings, missed terms, late referrals, the end of the appeal window."""

from datetime import datetime

from models.asking import await_information
from models.case import Case
from models.due_dates import missed_estimate, missed_notice_due, missed_repeat_due
from models.erasing import await_erasure
from models.extensions import drop_extension
from models.following import call_up
from models.letters import LetterKind
from models.obligations import TERMS, Obligation, ObligationKind
from models.referrals import mind_referrals
from models.representing import end_power


def wake(case: Case, now: datetime) -> None:
    """Bring a case up to `now` (aware UTC). Called on every wake; doing it twice changes nothing more.

    M3.11, reading 9: a missed term is told by the next business day. Reading 5: an extension not accepted is void.
    """
    for letter in case.waiting():
        if letter.not_before and letter.not_before <= now:
            case.post(letter, not_before=None)
    mind_referrals(case, now)
    before = -1
    while before != len(case.pending):  # what is owed for an old miss may itself be overdue
        before = len(case.pending)
        _pass(case, now)
    await_information(case, now)
    call_up(case, now)
    end_power(case, now)
    close_if_over(case, now)
    await_erasure(case, now)


def _pass(case: Case, now: datetime) -> None:
    for obligation in case.owed():
        if obligation.missed_at:
            continue
        if obligation.ends <= now:
            _miss(case, obligation, now)
        else:
            _warn(case, obligation, now)
    for repeated in case.owed(ObligationKind.MISSED):
        if not repeated.begun and repeated.starts <= now:
            case.put(repeated, begun=True)
            _tell_final_missed(case, repeated, now)


def close_if_over(case: Case, now: datetime) -> None:
    """Close a case that owes nothing and whose appeal window has passed (reading 11)."""
    if case.closed_at is None and case.window_ends is not None and case.window_ends <= now and not case.busy:
        case.closed_at = now
        case.record(now, "case.closed", rule="M5.7", status=case.status.value)


def _warn(case: Case, obligation: Obligation, now: datetime) -> None:
    passed = sum(1 for warning in obligation.warnings if warning <= now)
    if passed > obligation.warned:
        case.put(obligation, warned=passed)
        case.record(
            now,
            "obligation.warned",
            rule=obligation.rule,
            n=obligation.n,
            kind=obligation.kind.value,
            due=obligation.due,
        )


def _miss(case: Case, obligation: Obligation, now: datetime) -> None:
    """Record that a due date passed unmet, as of that date, and owe what follows from it."""
    at = obligation.due
    missed = case.put(obligation, missed_at=at)
    case.record(at, "obligation.missed", rule=missed.rule, n=missed.n, kind=missed.kind.value, due=missed.due)
    if missed.kind not in TERMS:
        return
    notice = case.owe(
        ObligationKind.MISSED,
        missed_notice_due(case.terms, case.days(at), at),
        at,
        why=f"{missed.kind.value} missed",
        subject=str(missed.n),
    )
    if missed.kind is ObligationKind.ACKNOWLEDGEMENT:
        _acknowledge_late(case, missed, notice, now)
        return
    drop_extension(case, at, why="its letter was not accepted in time")
    _tell_final_missed(case, notice, now)


def _acknowledge_late(case: Case, missed: Obligation, notice: Obligation, now: datetime) -> None:
    facts = {"promised": missed.due.isoformat()}
    for letter in case.waiting():
        if missed.n not in letter.meets:
            continue
        if received := letter.facts.get("received"):
            facts["received"] = received
        if letter.kind is LetterKind.ACKNOWLEDGEMENT:
            case.void(letter, now, why="its term has passed; the late acknowledgement takes its place")
    case.write(LetterKind.ACKNOWLEDGEMENT_LATE, now, meets=(missed.n, notice.n), tells=case.resolution_due, facts=facts)


def _tell_final_missed(case: Case, notice: Obligation, now: datetime) -> None:
    """Owe the letter about a missed final answer; its estimate is a new one each time, and no new term (reading 9)."""
    missed = case.obligations[int(notice.subject) - 1]
    estimate = missed_estimate(case.terms, case.days(now), now)
    work = "external" if case.escalated else "referred" if case.referred else "review"
    facts = {"missed": missed.due.isoformat(), "estimate": estimate.isoformat(), "work": work}
    case.write(LetterKind.MISSED, now, meets=(notice.n,), facts=facts)


def repeat_missed(case: Case, at: datetime) -> None:
    """Reading 9: after a missed-term notice for the final answer the next one follows five business days later."""
    running = case.final_term
    if running is None or running.missed_at is None:
        return
    if any(notice.subject == str(running.n) for notice in case.owed(ObligationKind.MISSED)):
        return
    calendar = case.days(at)
    due = missed_repeat_due(case.terms, calendar, at)
    case.owe(
        ObligationKind.MISSED,
        due,
        at,
        why="still unanswered",
        subject=str(running.n),
        starts=calendar.at(calendar.local_date(due), case.terms.working_hour),
    )
