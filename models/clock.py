"""What the passing of time does to a case: warnings, missed terms, repeated notices, the end of the appeal window."""

from datetime import datetime

from models.case import Case
from models.letters import Letter, LetterKind, LetterState
from models.obligations import TERMS, Obligation, ObligationKind
from models.terms import missed_estimate, missed_notice_due, missed_repeat_due


def wake(case: Case, now: datetime) -> None:
    """Bring a case up to `now` (aware UTC). Called on every wake; doing it twice changes nothing more.

    M3.11 and reading 9: a missed term is told by the next business day. Reading 5: an extension not accepted in time is void.
    """
    for obligation in case.owed():
        _warn(case, obligation, now)
        if obligation.due < now and obligation.missed_at is None:
            _miss(case, obligation)
    for repeated in case.owed(ObligationKind.MISSED):
        if not repeated.begun and repeated.starts <= now:
            case.put(repeated, begun=True)
            _tell_final_missed(case, repeated, now)
    close_if_over(case, now)


def close_if_over(case: Case, now: datetime) -> None:
    """Close a case that owes nothing and whose appeal window has passed (reading 11)."""
    if case.closed_at is None and case.window_ends is not None and case.window_ends <= now and not case.busy:
        case.closed_at = now
        case.record(now, "case.closed", rule="M5.7", status=case.status.value)


def _warn(case: Case, obligation: Obligation, now: datetime) -> None:
    passed = sum(1 for warning in obligation.warnings if warning <= now)
    if passed > obligation.warned and obligation.missed_at is None:
        case.put(obligation, warned=passed)
        case.record(
            now,
            "obligation.warned",
            rule=obligation.rule,
            n=obligation.n,
            kind=obligation.kind.value,
            due=obligation.due,
        )


def _miss(case: Case, obligation: Obligation) -> None:
    """Record that a due date passed unmet, as of that date, and owe what follows from it."""
    at = obligation.due
    missed = case.put(case.obligations[obligation.n - 1], missed_at=at)
    case.record(at, "obligation.missed", rule=missed.rule, n=missed.n, kind=missed.kind.value, due=missed.due)
    if missed.kind not in TERMS:
        return
    notice = case.owe(
        ObligationKind.MISSED,
        missed_notice_due(case.terms, case.calendar, at),
        at,
        why=f"{missed.kind.value} missed",
        subject=str(missed.n),
    )
    if missed.kind is ObligationKind.ACKNOWLEDGEMENT:
        _acknowledge_late(case, missed, notice, at)
        return
    _void_extension(case, at)
    _tell_final_missed(case, notice, at)


def _acknowledge_late(case: Case, missed: Obligation, notice: Obligation, at: datetime) -> None:
    for waiting in _owed(case, LetterKind.ACKNOWLEDGEMENT, LetterKind.REOPENED):
        case.void(waiting, at, why="its term has passed; the late acknowledgement takes its place")
    case.write(
        LetterKind.ACKNOWLEDGEMENT_LATE,
        at,
        meets=(missed.n, notice.n),
        tells=case.resolution_due,
        facts={"promised": missed.due.isoformat()},
        first=True,
    )


def _void_extension(case: Case, at: datetime) -> None:
    """Reading 5: unaccepted by the running due date an extension is void, and its letter must not leave any more."""
    pending = case.extension_pending
    if pending is None:
        return
    case.extensions[case.extensions.index(pending)] = pending.model_copy(update={"void_at": at})
    case.record(at, "extension.void", rule="M3.5", until=pending.until, why="its letter was not accepted in time")
    letter = case.letter(pending.letter)
    if letter and letter.state is LetterState.OWED and letter.kind is LetterKind.EXTENSION:
        case.void(letter, at, why="the extension it announces is void")


def _tell_final_missed(case: Case, notice: Obligation, at: datetime) -> None:
    running = case.final_term
    if running is None:
        case.supersede(notice, at, why="answered")
        return
    estimate = missed_estimate(case.terms, case.calendar, at)
    work = "external" if case.escalated else "referred" if case.referred else "review"
    case.write(
        LetterKind.MISSED,
        at,
        meets=(notice.n,),
        facts={"missed": running.due.isoformat(), "estimate": estimate.isoformat(), "work": work},
        first=True,
    )


def repeat_missed(case: Case, at: datetime) -> None:
    """Reading 9: after a missed-term notice for the final answer the next one follows five business days later."""
    if case.final_term is None or case.final_term.missed_at is None:
        return
    due = missed_repeat_due(case.terms, case.calendar, at)
    case.owe(
        ObligationKind.MISSED,
        due,
        at,
        why="still unanswered",
        subject=str(case.final_term.n),
        starts=case.calendar.at(case.calendar.local_date(due), case.terms.working_hour),
    )


def _owed(case: Case, *kinds: LetterKind) -> list[Letter]:
    return [one for one in case.letters if one.kind in kinds and one.state is LetterState.OWED]
