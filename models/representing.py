"""Who the user is, and who may read their letters for them: the identity is asked for, a power of attorney accepted."""

from datetime import datetime

from models.answering import require
from models.case import Case
from models.dates import moment
from models.desk_orders import AcceptRepresentative, EndRepresentative, RequestIdentity
from models.errors import Refused
from models.identity import Representative
from models.inquiry import SYSTEM, Actor
from models.letters import ONE_PLACE, LetterKind
from models.resending import write_again


def request_identity(case: Case, order: RequestIdentity, actor: Actor, now: datetime) -> None:
    """The answer needs account content and nobody vouches for the person; the terms run on."""
    _open(case)
    if case.bound:
        raise Refused("identity.known", "the person is known already")
    require(order.draft, ("reasons", "link"), "M3.7")
    case.record(now, "identity.requested", actor=actor, rule="M3.7", draft=order.draft.id)
    case.write(LetterKind.IDENTITY_REQUEST, now, draft=order.draft.id, actor=actor)


def accept_representative(case: Case, order: AcceptRepresentative, actor: Actor, now: datetime) -> None:
    """A person has checked the power of attorney: letters go to its holder, and say what they would say to the user."""
    _open(case)
    if case.representative and case.representative.ended_at is None:
        raise Refused("representative.open", "there is one already; end that first")
    until = moment(case, order.until, now, field="until")
    if until <= now:
        raise Refused("representative.past", "the power has ended already", field="until")
    case.representative = Representative(
        address=order.address, document=order.document, until=until, accepted_at=now, accepted_by=actor.id
    )
    case.record(
        now,
        "representative.accepted",
        actor=actor,
        rule="M3.7",
        address=order.address.id,
        document=order.document,
        until=until,
        texts={"reasons": order.reasons},
    )


def end_representative(case: Case, order: EndRepresentative, actor: Actor, now: datetime) -> None:
    """The power is withdrawn: letters go to the user again."""
    current = case.representative
    if current is None or current.ended_at:
        raise Refused("representative.none", "nobody represents the user")
    _end(case, current, now, actor, reasons=order.reasons)


def end_power(case: Case, now: datetime) -> None:
    """A power that has run out ends by itself."""
    current = case.representative
    if current and current.ended_at is None and current.until < now:
        _end(case, current, now, SYSTEM)


def _open(case: Case) -> None:
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")


def _end(case: Case, current: Representative, now: datetime, actor: Actor, *, reasons: str = "") -> None:
    """What waits to go to them goes to the user."""
    case.representative = current.model_copy(update={"ended_at": now})
    texts = {"reasons": reasons} if reasons else {}
    case.record(now, "representative.ended", actor=actor, rule="M3.7", address=current.address.id, texts=texts)
    for letter in case.waiting():
        if letter.address == current.address and letter.kind not in ONE_PLACE:
            case.void(letter, now, why="the power of attorney has ended", copies=not case.terms.copies_follow)
            write_again(case, letter, now, meets=letter.meets, facts=letter.facts)
