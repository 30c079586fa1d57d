"""Taking back a letter that a person ordered, within the policy's seconds and before it leaves, with its decision."""

from datetime import datetime, timedelta

from models.area_work import BY_ACT
from models.case import Case
from models.errors import Refused
from models.extensions import drop_extension
from models.inquiry import Actor
from models.letters import Letter
from models.messages import Order, Reasons


class Undo(Order):
    """Take back the reply, extension or final answer that waits to leave, and what it decided."""

    reasons: Reasons


def hold_back(case: Case, letter: Letter, now: datetime) -> None:
    """Let a letter wait for the policy's seconds; at once where any due date would pass meanwhile."""
    until = now + timedelta(seconds=case.terms.undo_seconds)
    if until > now and all(until < one.due for one in case.owed()):
        for one in case.waiting():
            if letter.key in {one.key, one.copy_of}:
                case.post(one, not_before=until, undoable=True)


def undo(case: Case, order: Undo, actor: Actor, now: datetime) -> None:
    """M5.7: what has not left yet leaves not at all, and what it decided is undecided again."""
    held = [one for one in case.waiting() if one.undoable and not one.copy_of and _waits(one, now)]
    if not held:
        raise Refused("undo.nothing", "no letter waits that could be taken back; what has left has left", rule="M5.7")
    letter = held[-1]
    pending = case.extension_pending
    if pending and pending.letter == letter.key:
        drop_extension(case, now, why="taken back")
    if case.final and case.final.letter == letter.key:
        case.final = None
        case.unverify(now, BY_ACT)
    case.void(letter, now, why="taken back")
    case.record(now, "letter.taken-back", actor=actor, rule="M5.7", letter=letter.key, texts={"reasons": order.reasons})


def _waits(letter: Letter, now: datetime) -> bool:
    return letter.not_before is not None and now < letter.not_before
