"""What the user was asked for: its reminder, the day it passes, its end. No term ever waits for it (M3.4)."""

from datetime import datetime

from models.agenda import Asked
from models.case import Case
from models.due_dates import warnings
from models.inquiry import Actor
from models.letters import Letter, LetterKind


def watch(case: Case, request: Letter, by: datetime, actor: Actor, now: datetime) -> None:
    """The user was asked for something in a letter: policy may want a reminder before `by`, so many business days."""
    before = case.terms.information_reminder_business_days
    if not before:
        return
    ahead = [at for at in warnings(case.terms, case.days(now), by, (before,)) if at > now]
    new = Asked(n=len(case.asked) + 1, letter=request.key, asked_at=now, by=by, remind_at=ahead[0] if ahead else None)
    case.asked.append(new)
    case.record(now, "information.asked", actor=actor, rule="M3.8", request=new.n, until=by, letter=request.key)


def await_information(case: Case, now: datetime) -> None:
    """Remind the user where it is time; say so where the day has passed, so that the owner goes on without it."""
    for asked in case.unheard:
        if asked.remind_at and asked.remind_at <= now < asked.by:
            _remind(case, asked, now)
        if asked.by < now and asked.passed_at is None:
            _put(case, asked, passed_at=now, remind_at=None)
            case.record(asked.by, "information.due", rule="M3.8", request=asked.n, until=asked.by, owner=case.owner)


def information_came(case: Case, now: datetime, *, message: str = "") -> None:
    """The user wrote, or the case begins anew: nobody waits for it any more, and reminders do not leave."""
    for asked in case.asked:
        if asked.ended_at is None:
            _put(case, asked, ended_at=now)
            case.record(now, "information.ended", rule="M3.8", request=asked.n, message=message or None)
    for letter in case.waiting():
        if letter.kind is LetterKind.INFORMATION_REMINDER:
            case.void(letter, now, why="nobody waits for it any more")


def _remind(case: Case, asked: Asked, now: datetime) -> None:
    """A reminder of a letter that never left would be the first the user hears of it."""
    _put(case, asked, remind_at=None)
    request = case.letter(asked.letter)
    if request is None or request.accepted_at is None:
        return
    facts = {"by": asked.by.isoformat(), "requested": asked.asked_at.isoformat()}
    case.write(LetterKind.INFORMATION_REMINDER, now, facts=facts, draft=request.draft)


def _put(case: Case, asked: Asked, **changes: object) -> None:
    case.asked[asked.n - 1] = case.asked[asked.n - 1].model_copy(update=changes)
