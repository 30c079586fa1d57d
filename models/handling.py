"""Commands that move a case about: assign, claim, note, reclassify, change channel, split, exhaust."""

from datetime import datetime

from models.answering import require
from models.case import Case
from models.case_orders import Assign, AttemptsExhausted, ChangeChannel, Claim, Note, Reclassify, Split
from models.errors import Refused
from models.extensions import drop_extension
from models.inquiry import TEMPORAL_OPERATOR, Actor, Kind, Role
from models.letters import ONE_PLACE, LetterKind
from models.obligations import Obligation, ObligationKind
from models.owning import give, still_theirs
from models.post import settle
from models.resending import announce_change, write_again


def assign(case: Case, order: Assign, actor: Actor, now: datetime) -> None:
    """M3.3: a representative has the case."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if order.area and order.area not in case.terms.areas:
        raise Refused(
            "assign.unknown-area", f"one of {', '.join(case.terms.areas)} is needed", field="area", rule="M5.4"
        )
    if order.instead_of is not None:
        still_theirs(case, order.instead_of, "instead_of")
    case.area = order.area or case.area
    give(case, order.owner, actor, now, found=order.found, reasons=order.reasons)


def claim(case: Case, order: Claim, actor: Actor, now: datetime) -> None:
    """M3.3: somebody takes the case; whether they may is known to the records, so the API asks there first."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if actor.id == TEMPORAL_OPERATOR.id:
        raise Refused("claim.nobody", "who claims must be somebody: use the API with a key of your own", rule="M3.3")
    if case.owner == actor.id:
        raise Refused("claim.own", "it is yours already", rule="M3.3")
    if case.owner != order.owner:
        raise Refused("claim.moved", f"it is {case.owner}'s by now", rule="M3.3")
    give(case, actor.id, actor, now, claimed_from=case.owner)


def note(case: Case, order: Note, actor: Actor, now: datetime) -> None:
    """M5.5: what was found or done, for colleagues."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    case.record(now, "case.noted", actor=actor, rule="M5.5", texts={"text": order.text})


def reclassify(case: Case, order: Reclassify, actor: Actor, now: datetime) -> None:
    """An inquiry turns out a complaint, its reception unchanged; the reverse is a supervisor's act, and told."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if order.kind is case.kind:
        raise Refused("reclassify.same", f"it is a {case.kind.value} already", field="kind", rule="M1.2")
    if order.kind is Kind.INQUIRY:
        if actor.role is not Role.SUPERVISOR:
            raise Refused("reclassify.supervisor", "only a supervisor makes a complaint an inquiry", rule="M1.2")
        if order.draft is None:
            raise Refused(
                "reclassify.untold", "the user must be told: give the draft of a reply", field="draft", rule="M1.2"
            )
        require(order.draft, ("text",), "M1.2")
        case.write(LetterKind.REPLY, now, draft=order.draft.id, actor=actor)
        drop_extension(case, now, why="only a complaint's term can be extended")
    case.kind = order.kind
    case.record(
        now, "case.reclassified", actor=actor, rule="M1.2", kind=order.kind.value, texts={"reasons": order.reasons}
    )


def change_channel(case: Case, order: ChangeChannel, actor: Actor, now: datetime) -> None:
    """M4.2: go on elsewhere; letters that have not left go there too."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    target = next((a for a in case.addresses if a.channel == order.channel and a.id not in case.dead), None)
    if target is None:
        raise Refused(
            "channel.no-address", f"the person has no working address on {order.channel}", field="channel", rule="M4.2"
        )
    if order.channel == case.channel_now:
        raise Refused("channel.same", "letters go there already", field="channel", rule="M4.2")
    waiting = [one for one in case.waiting() if not one.copy_of and one.kind not in ONE_PLACE]
    case.record(now, "channel.changed", actor=actor, rule="M4.2", old=case.channel_now, new=order.channel)
    announce_change(case, case.channel_now, order.channel, now, why=order.reasons, old_works=True)
    for letter in waiting:
        case.void(letter, now, why="it goes over the new channel", copies=not case.terms.copies_follow)
        write_again(case, letter, now, meets=letter.meets, facts=letter.facts)


def split(case: Case, order: Split, actor: Actor, now: datetime) -> None:
    """Some points go on as a case of their own, which refers to this one."""
    if case.closed_at or case.merged_into or case.withdrawn_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if order.other == case.reference:
        raise Refused("split.itself", "the points must go to another case", field="other")
    points = {f"point_{n}": point for n, point in enumerate(order.points, 1)}
    case.record(now, "case.split", actor=actor, rule="M3.8", other=order.other, texts=points)
    case.write(LetterKind.SPLIT, now, facts={"other": order.other}, texts=points, actor=actor)


def attempts_exhausted(case: Case, order: AttemptsExhausted, actor: Actor, now: datetime) -> None:
    """Reading 10: no address works, and a supervisor signs so; the promise was tried, not kept."""
    if actor.role is not case.terms.attempts_exhausted_role:
        raise Refused(
            "exhausted.supervisor", f"only a {case.terms.attempts_exhausted_role.value} may sign this", rule="M3.7"
        )
    stuck = [one for one in case.waiting() if one.address is None]
    if not stuck:
        raise Refused("exhausted.deliverable", "there is an address that works, or nothing is owed", rule="M3.7")
    for letter in stuck:
        case.void(letter, now, why="attempts exhausted")
        for number in letter.meets:
            _exhaust(case, case.obligations[number - 1], now)
    if case.withdrawn_at or case.merged_into:
        case.window_ends = now
    case.record(now, "attempts.exhausted", actor=actor, rule="M3.7", texts={"reasons": order.reasons})


def _exhaust(case: Case, obligation: Obligation, now: datetime) -> None:
    if obligation.open:
        case.put(obligation, exhausted_at=now)
        if obligation.kind is ObligationKind.FINAL:
            case.window_ends = now
            settle(case, now, why="attempts exhausted")
