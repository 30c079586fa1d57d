"""Correcting the cause that a final answer named (M3.11): an event beside the answer, which stays as it is."""

from datetime import datetime

from models.case import Case
from models.causes import NamedCause
from models.errors import Refused
from models.inquiry import Actor, Role
from models.messages import Order, Reasons


class CorrectCause(Order):
    """The matter had another cause than the final answer says, or one where it says none."""

    cause: NamedCause
    reasons: Reasons


def correct_cause(case: Case, order: CorrectCause, actor: Actor, now: datetime) -> None:
    """M3.11: a supervisor counts the answer under another cause from now on; the user is told nothing of it."""
    if actor.role is not Role.SUPERVISOR:
        raise Refused("cause.supervisor", "only a supervisor corrects the cause of an answer", rule="M3.11")
    if case.final is None:
        raise Refused("cause.no-answer", "the case has no final answer whose cause could be corrected", rule="M3.11")
    before = case.final.cause
    if before == order.cause:
        raise Refused("cause.same", "that is its cause already", field="cause", rule="M3.11")
    case.final = case.final.model_copy(update={"cause": order.cause})
    case.record(
        now,
        "cause.corrected",
        actor=actor,
        rule="M3.11",
        letter=case.final.letter,
        cause=order.cause.code,
        taxonomy=order.cause.taxonomy,
        former=before.code if before else None,
        texts={"reasons": order.reasons},
    )
