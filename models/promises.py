"""The promises of a reception and what takes their place: each is counted by the case's own terms and calendar."""

from datetime import datetime

from models.case import Case
from models.due_dates import acknowledgement_due, final_due, warnings
from models.inquiry import SYSTEM, Actor
from models.obligations import Obligation, ObligationKind


def promise(
    case: Case, received: datetime, at: datetime, *, why: str, actor: Actor = SYSTEM
) -> tuple[Obligation, Obligation]:
    """Make the two promises of every reception: acknowledge (M3.2) and answer (M3.4)."""
    terms, calendar = case.terms, case.days(at)
    soon, late = acknowledgement_due(terms, calendar, received), final_due(terms, calendar, received)
    return (
        case.owe(
            ObligationKind.ACKNOWLEDGEMENT,
            soon,
            at,
            why=why,
            actor=actor,
            warnings=warnings(terms, calendar, soon, terms.acknowledgement_warnings),
        ),
        owe_final(case, late, at, why=why, actor=actor),
    )


def owe_final(
    case: Case, due: datetime, at: datetime, *, why: str, actor: Actor = SYSTEM, subject: str = ""
) -> Obligation:
    """Promise the final answer by `due` (M3.4), with the warnings that the policy wants before it."""
    days = warnings(case.terms, case.days(at), due, case.terms.final_warnings)
    return case.owe(ObligationKind.FINAL, due, at, why=why, actor=actor, subject=subject, warnings=days)


def replace_final(
    case: Case, due: datetime, at: datetime, *, why: str, actor: Actor = SYSTEM, subject: str = ""
) -> None:
    """Put another date in the place of the running one: letters on their way tell it, notices about the old one end.

    A date that was extended in time was not missed, even where that became known later (reading 5).
    """
    for running in case.owed(ObligationKind.FINAL):
        new = owe_final(case, due, at, why=why, actor=actor, subject=subject)
        case.supersede(running, at, why=why, actor=actor, by=new.n)
        end_notices(case, running, at, why=why)
        if at < running.ends:
            case.put(case.obligations[running.n - 1], missed_at=None)
        for letter in case.waiting():
            if letter.tells == running.due:
                case.post(letter, tells=due)


def end_notices(case: Case, obligation: Obligation, at: datetime, *, why: str) -> None:
    """Missed-term notices about an obligation that have not left will not leave."""
    for notice in case.owed(ObligationKind.MISSED):
        if notice.subject == str(obligation.n):
            case.supersede(notice, at, why=why)
            for letter in case.waiting():
                if notice.n in letter.meets:
                    case.void(letter, at, why=why)
