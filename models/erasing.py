"""Erasing what a person wrote and gave: asked for by the user, decided by two colleagues, done once the case is closed.

The ledger stays: it holds digests, dates and codes alone. What is asked of an open case is held until it closes; then
the answer is owed, and either a letter says that it is erased or a reply refuses it with reasons. Nothing goes before
that letter has left, since its address goes too. The records are emptied by an activity; here lies what the case knows.
"""

from datetime import datetime

from pydantic import AwareDatetime

from models.case import Case
from models.due_dates import erasure_due, warnings
from models.episodes import Erasure, RaisedPoint
from models.errors import Missing, Refused
from models.gate import hold
from models.inquiry import Actor, Wire
from models.letters import LetterKind
from models.messages import Draft, Id, Order
from models.obligations import ObligationKind


class RequestErasure(Order):
    """The user asks that what they wrote and gave be erased, in a message of theirs."""

    message: Id


class Erase(Order):
    """Do so. It cannot be undone."""


class RefuseErasure(Order):
    """Refuse it; the draft says why."""

    draft: Draft


class Wiped(Wire):
    """What the records gave up: how many texts and files, and the addresses that nobody else needs, by their ids."""

    at: AwareDatetime
    texts: int = 0
    files: int = 0
    addresses: tuple[str, ...] = ()


def request_erasure(case: Case, order: RequestErasure, actor: Actor, now: datetime) -> None:
    """Note what the user asks, and owe the answer once the case is closed."""
    before = case.erasure
    written_since = before is not None and before.erased_at is not None and case.heard > before.heard
    if before and not before.refused_at and not written_since:
        raise Refused("erasure.asked", "it is asked for already", field="message")
    case.points = remembered(case)
    case.erasure = Erasure(message=order.message, asked_at=now)
    case.record(now, "erasure.asked", actor=actor, message=order.message)
    await_erasure(case, now)


def erase(case: Case, _order: Erase, actor: Actor, now: datetime) -> None:
    """Decide it: the letter that says so leaves, and then all of it goes."""
    asked = _awaited(case)
    if case.closed_at is None:
        raise Refused("erasure.open", "the case is open; what was written is needed until it is closed")
    case.erasure = asked.model_copy(update={"decided_at": now, "decided_by": actor})
    case.record(now, "erasure.decided", actor=actor)
    facts = {"requested": asked.asked_at.isoformat()}
    case.write(LetterKind.ERASURE_DONE, now, meets=_owed(case), facts=facts, actor=actor)


def refuse_erasure(case: Case, order: RefuseErasure, actor: Actor, now: datetime) -> None:
    """Refuse it in writing, with reasons; it may be asked for again."""
    asked = _awaited(case)
    if "text" not in order.draft.filled:
        hold([Missing("text", "why it is refused")], code="gate.empty")
    case.erasure = asked.model_copy(update={"refused_at": now})
    case.record(now, "erasure.refused", actor=actor, draft=order.draft.id, draft_digest=order.draft.digest)
    case.write(LetterKind.REPLY, now, meets=_owed(case), draft=order.draft.id, actor=actor)


def await_erasure(case: Case, now: datetime) -> None:
    """Owe the answer as soon as the case is closed, and hold it again where the case goes on."""
    asked = case.erasure
    if asked is None or asked.answered:
        return
    owed = case.owed(ObligationKind.ERASURE)
    if case.closed_at is None:
        for one in owed:
            case.supersede(one, now, why="the case is open again")
    elif not owed:
        begins = max(asked.asked_at, case.closed_at)
        due = erasure_due(case.terms, case.days(begins), begins)
        before = warnings(case.terms, case.days(begins), due, case.terms.erasure_warnings)
        case.owe(ObligationKind.ERASURE, due, now, why="erasure asked for", warnings=before)


def erased(case: Case, wiped: Wiped) -> None:
    """The records hold it no more: the case forgets its own short texts, and writes to none of the addresses."""
    asked = case.erasure
    if asked is None or asked.erased_at:
        return
    forget(case)
    case.erasure = asked.model_copy(update={"erased_at": wiped.at, "heard": case.heard})
    case.points = remembered(case)
    case.dead = tuple(dict.fromkeys((*case.dead, *wiped.addresses)))
    case.record(wiped.at, "case.erased", texts_erased=wiped.texts, files_erased=wiped.files)


def forget(case: Case) -> None:
    """Empty every text that a case carries itself; dates, codes and numbers stay."""
    case.letters = [one.model_copy(update={"texts": {}}) if one.texts else one for one in case.letters]
    case.remedies = [one.model_copy(update={"what": ""}) for one in case.remedies]
    case.proposal = None


def remembered(case: Case) -> list[RaisedPoint]:
    """The points raised since the case was erased; the words of those before are gone, and nobody can answer them."""
    until = case.erasure.erased_at if case.erasure else None
    return [one for one in case.points if until is None or one.at > until]


def _awaited(case: Case) -> Erasure:
    if case.erasure is None or case.erasure.answered:
        raise Refused("erasure.none", "no erasure is asked for that waits for its answer")
    return case.erasure


def _owed(case: Case) -> tuple[int, ...]:
    return tuple(one.n for one in case.owed(ObligationKind.ERASURE))
