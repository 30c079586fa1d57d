"""Commands that move a date: extend, escalate, re-estimate, the institution's answer (M3.5, M3.6, readings 5, 6)."""

from datetime import date, datetime

from models.answer_orders import Escalate, Extend, InstitutionAnswered, ReEstimate
from models.case import Case
from models.due_dates import extension_limit, external_notice_due, institution_answered_due
from models.episodes import Escalation, Extension
from models.errors import Refused
from models.extensions import drop_extension
from models.inquiry import Actor
from models.letters import Letter, LetterKind
from models.messages import When
from models.obligations import Obligation, ObligationKind
from models.promises import replace_final
from models.undoing import hold_back


def moment(case: Case, when: When, now: datetime, *, field: str, code: str = "date.absurd") -> datetime:
    """A bare date means the end of that day in the operator's zone; both come back as aware UTC. Raises Refused."""
    at, known = when if isinstance(when, datetime) else case.calendar.end_of(when), case.days(now)
    if not known.first <= known.local_date(at) <= known.last:
        raise Refused(code, f"must lie between {known.first} and {known.last}", field=field)
    return at


def extend(case: Case, order: Extend, actor: Actor, now: datetime) -> None:
    """M3.5: a complaint's term grows once its reasoned letter is accepted before the running due date."""
    running, until = extendable(case, order.until, actor, now)
    letter = case.write(
        LetterKind.EXTENSION,
        now,
        facts=extension_facts(case, running, until),
        texts={"reasons": order.reasons},
        actor=actor,
    )
    hold_back(case, letter, now)
    announce(case, running, until, letter, actor=actor, now=now, reasons=order.reasons)


def extendable(case: Case, when: When, actor: Actor, now: datetime) -> tuple[Obligation, datetime]:
    """The running term, if it may be extended to that moment by this actor at `now`. Raises Refused."""
    running, until = case.final_term, moment(case, when, now, field="until")
    if case.kind not in case.terms.extension_kinds:
        raise Refused(
            "extension.not-a-complaint", "only a complaint's term can be extended; reclassify it first", rule="M3.5"
        )
    if running is None or case.final:
        raise Refused(
            "extension.nothing-runs", "no final answer is owed any more, so there is no term to extend", rule="M3.5"
        )
    if now >= running.ends:
        raise Refused("extension.too-late", f"the term ended at {running.due.isoformat()}", rule="M3.5")
    if case.extension_pending:
        raise Refused("extension.pending", "an extension is already on its way to the user", rule="M3.5")
    if until <= running.due:
        raise Refused(
            "extension.not-later",
            f"must be later than the running date {running.due.isoformat()}",
            field="until",
            rule="M3.5",
        )
    limit = extension_limit(case.terms, case.days(running.due), running.due)
    if until > limit:
        raise Refused(
            "extension.too-long",
            f"at most {case.terms.extension_max_business_days} business days: until {limit.isoformat()}",
            field="until",
            rule="M3.5",
        )
    granted = sum(1 for e in case.extensions if e.effective_at and not e.void_at)
    if granted >= case.terms.extensions_by_agent and actor.role is not case.terms.further_extension_role:
        raise Refused("extension.over-the-cap", "a further extension is a supervisor's act", rule="M3.5")
    return running, until


def extension_facts(case: Case, running: Obligation, until: datetime) -> dict[str, str]:
    """What the letter must say about an extension."""
    number = 1 + sum(1 for e in case.extensions if e.effective_at and not e.void_at)
    return {"old": running.due.isoformat(), "new": until.isoformat(), "number": str(number)}


def announce(
    case: Case, running: Obligation, until: datetime, letter: Letter, *, actor: Actor, now: datetime, reasons: str
) -> None:
    """Note the extension that a letter announces; it is not real yet."""
    case.extensions.append(Extension(until=until, replaces=running.due, letter=letter.key, actor=actor))
    case.record(
        now,
        "extension.announced",
        actor=actor,
        rule="M3.5",
        old=running.due,
        until=until,
        letter=letter.key,
        texts={"reasons": reasons},
    )


def escalate(case: Case, order: Escalate, actor: Actor, now: datetime) -> None:
    """M3.6: an external institution takes part; the user is told which and the new estimated date."""
    if case.closed_at or case.merged_into:
        raise Refused("case.closed", "the case is closed; reopen it first", rule="M3.6")
    if case.final or case.withdrawn_at:
        raise Refused("escalation.answered", "the case is answered; reopen it first", rule="M3.6")
    if case.escalated:
        raise Refused("escalation.open", f"already with {case.escalated.institution}; re-estimate instead", rule="M3.6")
    estimate = _estimate(case, order.estimate, now)
    told = {"reasons": order.reasons, "institution": order.institution, "asked": order.asked, "shared": order.shared}
    texts = {name: text for name, text in told.items() if text}
    current = case.escalation = Escalation(institution=order.institution, estimate=estimate, opened_at=now)
    notice = case.owe(
        ObligationKind.EXTERNAL,
        external_notice_due(case.terms, case.days(now), case.start, now),
        now,
        why="escalated",
        actor=actor,
    )
    case.record(
        now,
        "case.escalated",
        actor=actor,
        rule="M3.6",
        estimate=estimate,
        texts=texts,
    )
    _tell_estimate(case, current, order, texts, meets=(notice.n,), actor=actor, now=now)


def re_estimate(case: Case, order: ReEstimate, actor: Actor, now: datetime) -> None:
    """M3.6: every later change of the estimate is told before the old one passes."""
    current = case.escalated
    if current is None:
        raise Refused("escalation.none", "no external institution is involved; escalate first", rule="M3.6")
    estimate = _estimate(case, order.estimate, now)
    if estimate == current.estimate:
        raise Refused("estimate.unchanged", "the estimate is that date already", field="estimate", rule="M3.6")
    case.record(
        now,
        "estimate.changed",
        actor=actor,
        rule="M3.6",
        old=current.estimate,
        estimate=estimate,
        texts={"reasons": order.reasons},
    )
    owed = tuple(o.n for o in case.owed(ObligationKind.EXTERNAL))
    moved = case.escalation = current.model_copy(update={"estimate": estimate, "moved": current.moved + 1})
    texts = {"reasons": order.reasons, "institution": current.institution}
    _tell_estimate(case, moved, order, texts, meets=owed, actor=actor, now=now, old=current.estimate)


def institution_answered(case: Case, order: InstitutionAnswered, actor: Actor, now: datetime) -> None:
    """M3.6: an early answer of the institution makes ours due within five business days, never later than it was."""
    current = case.escalated
    if current is None:
        raise Refused("escalation.none", "no external institution is involved", rule="M3.6")
    case.escalation = current.model_copy(update={"ended_at": now})
    case.record(now, "institution.answered", actor=actor, rule="M3.6", texts={"summary": order.summary})
    for obligation in case.owed(ObligationKind.EXTERNAL):
        if obligation.subject:
            case.supersede(obligation, now, why="the institution answered", actor=actor)
    running = case.final_term
    sooner = institution_answered_due(case.terms, case.days(now), now)
    if running and sooner < running.due and not case.final:
        drop_extension(case, now, why="the institution answered")
        replace_final(case, sooner, now, why="the institution answered", actor=actor)


def _estimate(case: Case, when: date | datetime, now: datetime) -> datetime:
    estimate = moment(case, when, now, field="estimate", code="estimate.absurd")
    if estimate <= now:
        raise Refused("estimate.past", "the estimated date lies in the past", field="estimate", rule="M3.6")
    return estimate


def _tell_estimate(
    case: Case,
    current: Escalation,
    order: Escalate | ReEstimate,
    texts: dict[str, str],
    *,
    meets: tuple[int, ...],
    actor: Actor,
    now: datetime,
    old: datetime | None = None,
) -> None:
    """Owe the letter; an estimate beyond the running term needs the extension in the same command (reading 6).

    Once that term is missed nothing can extend it, and the user is told the new estimate all the same.
    """
    running, until = case.final_term, None
    facts = {"estimate": current.estimate.isoformat(), "moved": str(current.moved)}
    facts |= {"old_estimate": old.isoformat()} if old else {}
    if order.until is not None:
        running, until = extendable(case, order.until, actor, now)
        facts |= extension_facts(case, running, until)
    elif running and now < running.ends and current.estimate > running.due:
        raise Refused(
            "escalation.needs-extension",
            f"the estimate lies beyond the running date {running.due.isoformat()}; extend it in the same command",
            field="until",
            rule="M3.6",
        )
    if until and until < current.estimate:
        raise Refused("escalation.needs-extension", "must reach the estimate", field="until", rule="M3.6")
    letter = case.write(
        LetterKind.RE_ESTIMATE if old else LetterKind.EXTERNAL,
        now,
        meets=meets,
        facts=facts,
        texts=texts,
        actor=actor,
    )
    if until and running:
        announce(case, running, until, letter, actor=actor, now=now, reasons=order.reasons)
