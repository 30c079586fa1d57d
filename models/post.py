"""What becomes of a letter, and what that does to the case: accepted, refused for good, delivered, bounced."""

from datetime import datetime

from models.case import Case, owe_final
from models.clock import close_if_over, repeat_missed
from models.inquiry import Wire
from models.letters import Letter, LetterKind, LetterState
from models.obligations import Obligation, ObligationKind
from models.terms import appeal_window_end, channel_change_due, resend_due


class Acceptance(Wire):
    """A channel took a letter: when (aware UTC, the channel's or our clock at that moment) and under which id of its own."""

    key: str
    at: datetime
    provider_id: str = ""
    duplicate: bool = False


def accept(case: Case, acceptance: Acceptance) -> None:
    """A letter was accepted for delivery: it meets what it was written for (reading 10). A second acceptance changes nothing."""
    letter, at = case.letter(acceptance.key), acceptance.at
    if letter is None or letter.accepted_at is not None:
        return
    letter = case.post(
        letter,
        state=LetterState.ACCEPTED,
        accepted_at=at,
        provider_id=acceptance.provider_id,
        duplicate=acceptance.duplicate,
    )
    case.record(
        at,
        "letter.accepted",
        rule="M3.7",
        key=letter.key,
        kind=letter.kind.value,
        address=letter.address.id if letter.address else None,
        provider_id=acceptance.provider_id or None,
        possible_duplicate=acceptance.duplicate or None,
    )
    for number in letter.meets:
        obligation = case.obligations[number - 1]
        if obligation.open:
            case.meet(obligation, letter, at)
            _take_back_notice(case, case.obligations[number - 1], at)
    if letter.copy_of:
        close_if_over(case, at)
        return
    _take_effect(case, letter, at)
    if letter.tells:
        tell(case, letter, letter.tells, at)
    close_if_over(case, at)


def _take_back_notice(case: Case, obligation: Obligation, at: datetime) -> None:
    """An acceptance in time that became known late: what was missed was kept, so its notice is not owed any more."""
    if obligation.missed_at is None or not obligation.kept:
        return
    for notice in case.owed(ObligationKind.MISSED):
        if notice.subject == str(obligation.n):
            case.supersede(notice, at, why="accepted in time after all")
            for letter in case.letters:
                if letter.state is LetterState.OWED and notice.n in letter.meets:
                    case.void(letter, at, why="accepted in time after all")


def tell(case: Case, letter: Letter, date: datetime, at: datetime) -> None:
    """Keep the date of the answer that the user has in writing (reading 4)."""
    if case.told != date:
        case.told = date
        case.record(at, "date.told", rule="M3.11", letter=letter.key, date=date)


def _take_effect(case: Case, letter: Letter, at: datetime) -> None:
    """Some letters do more than meet an obligation: they make a new date real, or end the case."""
    _extend(case, letter, at)
    if letter.kind in {LetterKind.EXTERNAL, LetterKind.RE_ESTIMATE}:
        _told_estimate(case, letter, at)
    if letter.kind is LetterKind.MISSED:
        repeat_missed(case, at)
    if case.final and letter.key == case.final.letter:
        _answered(case, at)
    if letter.kind in {LetterKind.WITHDRAWN, LetterKind.MERGED} and (case.withdrawn_at or case.merged_into):
        case.window_ends = at


def _extend(case: Case, letter: Letter, at: datetime) -> None:
    """M3.5, reading 5: the extension is real once its letter is accepted before the running due date.

    The acceptance may become known after that date; what counts is when it happened, so a void extension may revive.
    """
    extension = next((e for e in case.extensions if e.letter == letter.key and e.effective_at is None), None)
    running = case.final_term
    if extension is None:
        return
    index = case.extensions.index(extension)
    if running is None or at > running.due:
        if extension.void_at is None:
            case.extensions[index] = extension.model_copy(update={"void_at": at})
            case.record(
                at, "extension.void", rule="M3.5", until=extension.until, why="its letter was accepted too late"
            )
        return
    case.extensions[index] = extension.model_copy(update={"effective_at": at, "void_at": None})
    _move_final(case, running, extension.until, at, why="extended", letter=letter)
    tell(case, letter, extension.until, at)


def _move_final(case: Case, running: Obligation, due: datetime, at: datetime, *, why: str, letter: Letter) -> None:
    new = owe_final(case, due, at, why=why, subject=letter.key)
    case.supersede(running, at, why=why, by=new.n)


def _told_estimate(case: Case, letter: Letter, at: datetime) -> None:
    """M3.6: the user knows the new estimate; the next word is owed before it passes (reading 6)."""
    current = case.escalated
    if current is None:
        return
    case.escalation = current.model_copy(update={"told": current.estimate})
    case.record(at, "estimate.told", rule="M3.6", letter=letter.key, estimate=current.estimate)
    case.owe(ObligationKind.EXTERNAL, current.estimate, at, why="the estimate told", subject=letter.key)


def _answered(case: Case, at: datetime) -> None:
    """M5.7: the definitive answer is out; what only made sense before it falls away."""
    if case.final is None:
        return
    case.final = case.final.model_copy(update={"accepted_at": at})
    case.window_ends = appeal_window_end(case.terms, case.calendar, at)
    for obligation in case.owed(ObligationKind.EXTERNAL):
        case.supersede(obligation, at, why="answered")
    for obligation in case.owed(ObligationKind.MISSED):
        if not obligation.begun:
            case.supersede(obligation, at, why="answered")
    if case.escalated:
        case.escalation = case.escalated.model_copy(update={"ended_at": at})
    case.record(at, "case.answered", rule="M5.7", outcome=case.final.outcome.value, window_ends=case.window_ends)


def fail(case: Case, key: str, at: datetime, reason: str) -> None:
    """The address will never take the letter: the next address gets it, told about by M4.2; none left is a flag (reading 10)."""
    letter = case.letter(key)
    if letter is None or letter.state is not LetterState.OWED:
        return
    case.post(letter, state=LetterState.FAILED)
    case.record(at, "letter.failed", rule="M4.2", key=key, reason=reason)
    if not letter.copy_of:
        _elsewhere(case, letter, at, meets=letter.meets)


def deliver(case: Case, key: str, at: datetime) -> None:
    """The channel says the letter reached its mailbox. *Sent in time* and *reached the user* are two facts (reading 10)."""
    letter = case.letter(key)
    if letter is None or letter.delivered_at is not None:
        return
    if letter.accepted_at is None:
        accept(case, Acceptance(key=key, at=at))
        letter = case.letter(key) or letter
    case.post(letter, delivered_at=at)
    case.record(at, "letter.delivered", rule="M3.7", key=key)


def bounce(case: Case, key: str, at: datetime, *, hard: bool, reason: str) -> None:
    """A letter came back: what it met stays met, sending it elsewhere is owed the next business day (reading 10)."""
    letter = case.letter(key)
    if letter is None or letter.bounced_at is not None:
        return
    if letter.accepted_at is None:
        accept(case, Acceptance(key=key, at=at))
        letter = case.letter(key) or letter
    letter = case.post(letter, bounced_at=at)
    case.record(at, "letter.bounced", rule="M4.2", key=key, hard=hard, reason=reason)
    if letter.copy_of:
        return
    if hard and letter.address:
        case.dead = (*case.dead, letter.address.id)
    if _extension_returns(case, letter, at):
        return
    owed = case.owe(
        ObligationKind.RESEND,
        resend_due(case.terms, case.calendar, at),
        at,
        why="bounced",
        subject=letter.key,
    )
    _elsewhere(case, letter, at, meets=(owed.n,))


def _extension_returns(case: Case, letter: Letter, at: datetime) -> bool:
    """Reading 5: bounced before the old date, that date is back; after it the new date stands and was told late."""
    extension = next((e for e in case.extensions if e.letter == letter.key and e.effective_at and not e.void_at), None)
    running = case.final_term
    if extension is None or running is None or running.due != extension.until:
        return False
    index = case.extensions.index(extension)
    if at > extension.replaces:
        case.extensions[index] = extension.model_copy(update={"told_late": True})
        case.record(at, "extension.told-late", rule="M3.5", until=extension.until)
        return False
    case.extensions[index] = extension.model_copy(update={"void_at": at})
    case.record(at, "extension.void", rule="M3.5", until=extension.until, why="its letter bounced before the old date")
    _move_final(case, running, extension.replaces, at, why="the extension's letter bounced", letter=letter)
    tell(case, letter, extension.replaces, at)
    return letter.kind is LetterKind.EXTENSION


def _elsewhere(case: Case, letter: Letter, at: datetime, *, meets: tuple[int, ...]) -> None:
    """Owe the same letter again at the next address that works."""
    if letter.address and letter.address.id not in case.dead and letter.bounced_at is None:
        case.dead = (*case.dead, letter.address.id)
    target = case.address()
    if target and letter.address and target.channel != letter.address.channel:
        announce_change(
            case, letter.address.channel, target.channel, at, why="the earlier channel failed", old_works=False
        )
    again = case.write(
        letter.kind,
        at,
        meets=meets,
        tells=letter.tells,
        facts={**letter.facts, "again": letter.key},
        texts=letter.texts,
        draft=letter.draft,
    )
    if case.final and case.final.letter == letter.key and case.final.accepted_at is None:
        case.final = case.final.model_copy(update={"letter": again.key})
    pending = case.extension_pending
    if pending and pending.letter == letter.key:
        case.extensions[case.extensions.index(pending)] = pending.model_copy(update={"letter": again.key})
    if target is None:
        case.record(at, "letter.undeliverable", rule="M3.7", key=again.key)


def announce_change(case: Case, old: str, new: str, at: datetime, *, why: str, old_works: bool) -> None:
    """M4.2, reading 8: the change of channel is told with its first use, on the old channel too if it still works."""
    owed = case.owe(
        ObligationKind.CHANNEL_CHANGE,
        channel_change_due(case.terms, case.calendar, at),
        at,
        why="channel changed",
    )
    former = case.address(old) if old_works else None
    case.channel_now = new
    facts = {"old": old, "new": new}
    case.write(LetterKind.CHANNEL_CHANGE, at, meets=(owed.n,), facts=facts, texts={"reasons": why})
    if former and former.channel == old:
        case.write(LetterKind.CHANNEL_CHANGE, at, facts=facts, texts={"reasons": why}, to=former)
