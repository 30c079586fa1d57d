"""The same complaint on two ways in becomes one case: what the leading one takes over, and what both tell (M3.1)."""

from datetime import datetime

from models.answering import drop_promises, unanswered
from models.arriving import join
from models.case import Case
from models.case_orders import Merge
from models.errors import Refused
from models.extensions import drop_extension
from models.inquiry import Actor
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.promises import replace_final
from models.ways import tell_all_ways

SOONER = "merged: the earlier date holds"


def merge(case: Case, order: Merge, actor: Actor, now: datetime) -> None:
    """The same complaint on two ways in: the leading case takes the earliest reception and every promise.

    Each tells where it was answered so far; the final answer leaves from the leading one for both.
    """
    if order.contact != case.contact:
        raise Refused("merge.other-person", "the two come from different persons; bind them first", field="other")
    if order.other == case.reference:
        raise Refused("merge.itself", "a case cannot be merged with itself", field="other")
    if not case.calendar.first <= case.calendar.local_date(order.received_at) <= case.calendar.local_date(now):
        raise Refused("merge.absurd", f"must lie after {case.calendar.first}, and not ahead", field="received_at")
    unanswered(case)
    case.record(now, "case.merged", actor=actor, rule="M3.1", other=order.other, leads=order.leads)
    if order.leads:
        _lead(case, order, actor, now)
    elif order.ways_in is None:
        _end_as_before(case, order, actor, now)
    else:
        _end(case, order, actor, now)


def _lead(case: Case, order: Merge, actor: Actor, now: datetime) -> None:
    case.received_at = min(case.received_at, order.received_at)
    for owed in case.owed(ObligationKind.ACKNOWLEDGEMENT):
        if order.acknowledgement_due and order.acknowledgement_due < owed.due:
            new = case.owe(owed.kind, order.acknowledgement_due, now, why=SOONER, actor=actor)
            case.supersede(owed, now, why=SOONER, actor=actor, by=new.n)
    _sooner_final(case, order, actor, now)
    case.write(LetterKind.MERGED, now, tells=case.resolution_due, facts={"other": order.other}, actor=actor)
    if order.ways_in:
        case.ways_in = tuple(dict.fromkeys((*case.ways_in, *(one.id for one in order.ways_in))))
        join(case, order.ways_in, now)


def _end(case: Case, order: Merge, actor: Actor, now: datetime) -> None:
    """What was promised is told as it holds from now on, on every way that led here.

    What came in here is acknowledged here still: no other letter confirms its receipt (M3.2).
    """
    case.merged_into = order.other
    _sooner_final(case, order, actor, now)
    receipt = frozenset({ObligationKind.ACKNOWLEDGEMENT})
    drop_promises(case, now, actor, why=f"merged into {order.other}", keeps=receipt)
    received = min(case.received_at, order.received_at)
    facts = {"leading": order.other, "received": received.isoformat()}
    letter = case.write(LetterKind.MERGED, now, tells=case.resolution_due, facts=facts, actor=actor)
    tell_all_ways(case, letter)


def _end_as_before(case: Case, order: Merge, actor: Actor, now: datetime) -> None:
    """By an order of before the ways in were told; the cases that were ended so must replay."""
    case.merged_into = order.other
    drop_promises(case, now, actor, why=f"merged into {order.other}")
    case.write(LetterKind.MERGED, now, facts={"leading": order.other}, actor=actor)


def _sooner_final(case: Case, order: Merge, actor: Actor, now: datetime) -> None:
    """Of two dates for the final answer the earlier one holds."""
    running = case.final_term
    if running and order.final_due and order.final_due < running.due:
        drop_extension(case, now, why=SOONER)
        replace_final(case, order.final_due, now, why=SOONER, actor=actor)
