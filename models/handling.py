"""Commands that move a case about: assign, note, reclassify, change channel, merge, split; and what arrives from outside."""

from datetime import datetime

from models.answering import drop_promises, require
from models.case import Case, owe_final
from models.errors import Refused
from models.inquiry import Actor, Kind, Role
from models.letters import LetterKind, LetterState
from models.messages import (
    Assign,
    AttemptsExhausted,
    ChangeChannel,
    Merge,
    Note,
    NoticeBounced,
    NoticeDelivered,
    ReceiveMessage,
    Reclassify,
    Split,
)
from models.obligations import Obligation, ObligationKind
from models.post import announce_change, bounce, deliver


def assign(case: Case, order: Assign, actor: Actor, now: datetime) -> None:
    """M3.3: a representative has the case."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    if order.area and order.area not in case.terms.areas:
        raise Refused(
            "assign.unknown-area", f"one of {', '.join(case.terms.areas)} is needed", field="area", rule="M5.4"
        )
    case.owner, case.area = order.owner, order.area or case.area
    case.record(
        now,
        "case.assigned",
        actor=actor,
        rule="M3.3",
        owner=case.owner,
        area=case.area,
        texts={"reasons": order.reasons},
    )


def note(case: Case, order: Note, actor: Actor, now: datetime) -> None:
    """M5.5: what was found or done, for colleagues."""
    if case.closed_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    case.record(now, "case.noted", actor=actor, rule="M5.5", texts={"text": order.text})


def reclassify(case: Case, order: Reclassify, actor: Actor, now: datetime) -> None:
    """An inquiry turns out a complaint with its original reception; the reverse is a supervisor's act, and the user is told."""
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
    waiting = [one for one in case.letters if one.state is LetterState.OWED and not one.copy_of]
    announce_change(case, case.channel_now, order.channel, now, why=order.reasons, old_works=True)
    for letter in waiting:
        case.post(letter, address=target)


def merge(case: Case, order: Merge, actor: Actor, now: datetime) -> None:
    """The same complaint on two ways in: the leading case takes the earliest reception and every promise."""
    if order.contact != case.contact:
        raise Refused("merge.other-person", "the two come from different persons; bind them first", field="other")
    if order.other == case.reference:
        raise Refused("merge.itself", "a case cannot be merged with itself", field="other")
    if case.closed_at or case.merged_into or case.withdrawn_at:
        raise Refused("case.closed", "the case is closed; reopen it first")
    case.record(now, "case.merged", actor=actor, rule="M3.1", other=order.other, leads=order.leads)
    if not order.leads:
        case.merged_into = order.other
        drop_promises(case, now, actor, why=f"merged into {order.other}")
        case.write(LetterKind.MERGED, now, facts={"leading": order.other}, actor=actor)
        return
    case.received_at = min(case.received_at, order.received_at)
    _sooner(case, order.final_due, actor, now)
    running = case.final_term
    case.write(
        LetterKind.MERGED, now, tells=running.due if running else None, facts={"other": order.other}, actor=actor
    )


def _sooner(case: Case, due: datetime | None, actor: Actor, now: datetime) -> None:
    running = case.final_term
    if due and running and due < running.due:
        new = owe_final(case, due, now, why="merged: the earlier date holds", actor=actor)
        case.supersede(running, now, why="merged: the earlier date holds", actor=actor, by=new.n)


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
    stuck = [one for one in case.letters if one.state is LetterState.OWED and one.address is None]
    if not stuck:
        raise Refused("exhausted.deliverable", "there is an address that works, or nothing is owed", rule="M3.7")
    for letter in stuck:
        case.void(letter, now, why="attempts exhausted")
        for number in letter.meets:
            _exhaust(case, case.obligations[number - 1], now)
    case.record(now, "attempts.exhausted", actor=actor, rule="M3.7", texts={"reasons": order.reasons})


def _exhaust(case: Case, obligation: Obligation, now: datetime) -> None:
    if obligation.open:
        case.put(obligation, exhausted_at=now)
    if obligation.kind is ObligationKind.FINAL:
        case.window_ends = now


def receive_message(case: Case, order: ReceiveMessage, actor: Actor, now: datetime) -> None:
    """M5.5: a message of the user joins the case; the words stay in the records database."""
    known = {a.id for a in case.addresses}
    case.addresses = (*case.addresses, *(a for a in order.addresses if a.id not in known))
    case.unread += 1
    case.record(now, "message.received", actor=actor, rule="M5.5", message=order.message, received_at=order.at)


def notice_delivered(case: Case, order: NoticeDelivered, _actor: Actor, _now: datetime) -> None:
    """Reading 10: what reached the user's mailbox."""
    for key in order.notices:
        _known(case, key)
        deliver(case, key, order.at)


def notice_bounced(case: Case, order: NoticeBounced, _actor: Actor, _now: datetime) -> None:
    """Reading 10: what came back."""
    _known(case, order.notice)
    bounce(case, order.notice, order.at, hard=order.hard, reason=order.reason)


def _known(case: Case, key: str) -> None:
    if case.letter(key) is None:
        raise Refused("notice.unknown", f"this case wrote no letter {key[:80]}", field="notice")
