"""What becomes of a letter, and what that does to the case: accepted, refused for good, delivered, bounced."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from models.case import Case
from models.clock import close_if_over, repeat_missed
from models.due_dates import appeal_window_end, resend_due
from models.episodes import FinalAnswer
from models.extensions import ABOUT_DATES, came_back, drop_extension, follow, take_effect
from models.inquiry import Wire
from models.letters import Letter, LetterKind, LetterState
from models.obligations import ObligationKind
from models.promises import end_notices
from models.resending import bury, elsewhere, leave


class Acceptance(Wire):
    """A channel took a letter: when (aware UTC, the channel's clock or ours) and under which id of its own.

    `wording` names the templates it was written from, each with the SHA-256 of the text that was approved.
    """

    key: str
    at: AwareDatetime
    provider_id: str = ""
    duplicate: bool = False
    wording: dict[str, str] = Field(default_factory=dict)


def accept(case: Case, acceptance: Acceptance) -> None:
    """A letter was accepted for delivery: it meets what it was written for (reading 10).

    A second acceptance changes nothing, unless it turns out the earlier one: then what it met was met that early.
    """
    letter, at = case.letter(acceptance.key), acceptance.at
    if letter is None or (letter.accepted_at is not None and letter.accepted_at <= at):
        return
    first, waited = letter.accepted_at is None, letter.state is LetterState.OWED
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
        wording=acceptance.wording or None,
    )
    for number in letter.meets:
        obligation = case.obligations[number - 1]
        sooner = obligation.met_at is not None and at < obligation.met_at
        if obligation.open or sooner:  # an acceptance may become known after the one that took its place
            case.meet(obligation, letter, at)
            if case.obligations[number - 1].kept:
                end_notices(case, obligation, at, why="accepted in time")
    if first and not letter.copy_of:
        _arrived_after_all(case, letter, at)
        if letter.tells and (waited or case.told is None):  # another may have told since, and later
            case.tell(letter, letter.tells, at)
        _take_effect(case, letter, at)
    close_if_over(case, at)


def _arrived_after_all(case: Case, letter: Letter, at: datetime) -> None:
    """The letter that was to leave in its place need not."""
    for again in case.waiting():
        if again.replaces == letter.key:
            if case.terms.copies_follow:
                case.hand_copies(again, letter, at)
            case.void(again, at, why="the earlier letter was accepted after all")
            follow(case, again, letter.key)
            if case.final and case.final.letter == again.key:
                case.final = case.final.model_copy(update={"letter": letter.key})


def _take_effect(case: Case, letter: Letter, at: datetime) -> None:
    """Some letters do more than meet an obligation: they make a new date real, or end the case."""
    take_effect(case, letter, at)
    if letter.kind in {LetterKind.EXTERNAL, LetterKind.RE_ESTIMATE}:
        _told_estimate(case, letter, at)
    if letter.kind is LetterKind.MISSED:
        repeat_missed(case, at)
    if case.final and letter.key == case.final.letter:
        _answered(case, case.final, at)
    if letter.kind in {LetterKind.WITHDRAWN, LetterKind.MERGED} and (case.withdrawn_at or case.merged_into):
        case.window_ends = at


def _told_estimate(case: Case, letter: Letter, at: datetime) -> None:
    """M3.6: the user knows the new estimate; the next word is owed before it passes (reading 6)."""
    current = case.escalated
    if current is None:
        return
    estimate = datetime.fromisoformat(letter.facts["estimate"])
    case.escalation = current.model_copy(update={"told": estimate})
    case.record(at, "estimate.told", rule="M3.6", letter=letter.key, estimate=estimate)
    promised = [o for o in case.owed(ObligationKind.EXTERNAL) if o.subject]
    if any(o.due == estimate for o in promised):
        return
    for earlier in promised:
        case.meet(earlier, letter, at)
    case.owe(ObligationKind.EXTERNAL, estimate, at, why="the estimate told", subject=letter.key)


def _answered(case: Case, final: FinalAnswer, at: datetime) -> None:
    """M5.7: the definitive answer is out; what only made sense before it falls away."""
    case.final = final.model_copy(update={"accepted_at": at})
    case.window_ends = appeal_window_end(case.terms, case.days(at), at)
    settle(case, at, why="answered")
    case.record(at, "case.answered", rule="M5.7", outcome=final.outcome.value, window_ends=case.window_ends)


def settle(case: Case, at: datetime, *, why: str) -> None:
    """No answer is owed any more: estimates, repeated notices and a pending extension fall away."""
    drop_extension(case, at, why=why)
    announced = [letter for letter in case.waiting() if letter.kind in ABOUT_DATES]
    carried = {n for letter in announced for n in letter.meets}
    for letter in announced:
        case.void(letter, at, why=why)
    for obligation in case.owed():
        repeat = obligation.kind is ObligationKind.MISSED and not obligation.begun
        if obligation.kind is ObligationKind.EXTERNAL or obligation.n in carried or repeat:
            case.supersede(obligation, at, why=why)
    if case.escalated:
        case.escalation = case.escalated.model_copy(update={"ended_at": at})


def fail(case: Case, key: str, at: datetime, reason: str) -> None:
    """The address will never take the letter: the next one gets it, told by M4.2; none left is a flag (reading 10).

    An invitation is posted where the user wrote, or nowhere.
    """
    letter = case.letter(key)
    if letter is None or letter.state is not LetterState.OWED:
        return
    case.post(letter, state=LetterState.FAILED)
    case.record(at, "letter.failed", rule="M4.2", key=key, texts={"reason": reason})
    if letter.kind is LetterKind.INVITATION:
        return
    bury(case, letter)
    if not letter.copy_of:
        elsewhere(case, letter, at, meets=letter.meets)
    _leave_dead(case, letter, at)


def deliver(case: Case, key: str, at: datetime) -> None:
    """The channel says it reached its mailbox. *Sent in time* and *reached the user* are two facts (reading 10)."""
    letter = case.letter(key)
    if letter is None or letter.delivered_at is not None:
        return
    if letter.accepted_at is None:
        accept(case, Acceptance(key=key, at=at))
    case.post(case.letter(key) or letter, delivered_at=at)
    case.record(at, "letter.delivered", rule="M3.7", key=key)


def bounce(case: Case, key: str, at: datetime, *, hard: bool, reason: str) -> None:
    """A letter came back: what it met stays met, sending it elsewhere is owed the next business day (reading 10).

    One that came back softly goes to the same address once more. A closed case is open again until that is done. An
    invitation goes nowhere else, nor does a letter whose words and addresses are erased.
    """
    letter = case.letter(key)
    if letter is None or letter.bounced_at is not None:
        return
    if letter.accepted_at is None:
        accept(case, Acceptance(key=key, at=at))
    letter = case.post(case.letter(key) or letter, bounced_at=at)
    case.record(at, "letter.bounced", rule="M4.2", key=key, hard=hard, texts={"reason": reason})
    if letter.kind is LetterKind.INVITATION or (case.erasure and case.erasure.erased_at):
        return
    earlier = case.letter(letter.replaces)
    if hard or (earlier and earlier.bounced_at and earlier.address == letter.address):
        bury(case, letter)
    if not letter.copy_of and not came_back(case, letter, at):
        case.closed_at = None
        due = resend_due(case.terms, case.days(at), at)
        owed = case.owe(ObligationKind.RESEND, due, at, why="bounced", subject=letter.key)
        elsewhere(case, letter, at, meets=(owed.n,))
    _leave_dead(case, letter, at)


def _leave_dead(case: Case, letter: Letter, at: datetime) -> None:
    """Nothing else goes where this letter found nobody."""
    if letter.address and letter.address.id in case.dead:
        leave(case, letter.address, at)
