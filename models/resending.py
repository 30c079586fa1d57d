"""A letter leaves again at another address, and the user is told where letters go from now on (M4.2, reading 8)."""

from datetime import datetime

from models.case import Case
from models.extensions import follow, still_true
from models.inquiry import AUTHORITY, Address, Channel
from models.letters import Letter, LetterKind
from models.obligations import Obligation, ObligationKind
from models.terms import channel_change_due

FAILED = "the earlier channel failed"


def elsewhere(case: Case, letter: Letter, at: datetime, *, meets: tuple[int, ...]) -> None:
    """Owe the same letter again at the next address that works; none left is a flag (reading 10)."""
    told = _tell_new_channel(case, at)
    if told and letter.kind is LetterKind.CHANNEL_CHANGE:
        for number in meets:
            case.supersede(case.obligations[number - 1], at, why="the next channel is told instead", by=told.n)
        return
    again = write_again(case, letter, at, meets=meets, facts={**still_true(case, letter), "again": letter.key})
    if again.address is None:
        case.record(at, "letter.undeliverable", rule="M3.7", key=again.key)


def write_again(case: Case, letter: Letter, at: datetime, *, meets: tuple[int, ...], facts: dict[str, str]) -> Letter:
    """Owe the same letter under a new key, where letters go now. A letter to the authority waits for a person."""
    again = case.write(
        letter.kind,
        at,
        meets=meets,
        tells=letter.tells and case.resolution_due,
        facts=facts,
        texts=letter.texts,
        draft=letter.draft,
        replaces=letter,
        not_before=letter.not_before,
    )
    if letter.address == AUTHORITY:
        again = case.post(again, address=None)
    if case.final and case.final.letter == letter.key and case.final.accepted_at is None:
        case.final = case.final.model_copy(update={"letter": again.key})
    follow(case, letter, again.key)
    return again


def bury(case: Case, letter: Letter) -> None:
    """An address is dead. The authority's is policy, which a person must mend."""
    if letter.address and letter.address != AUTHORITY and letter.address.id not in case.dead:
        case.dead = (*case.dead, letter.address.id)


def move_others(case: Case, letter: Letter, at: datetime) -> None:
    """Whatever else waits to go to a dead address goes elsewhere."""
    if letter.address and letter.address.id in case.dead:
        _move(case, letter.address, at)


def leave(case: Case, address: Address, at: datetime) -> None:
    """The person shut an address to us: what waits goes elsewhere, and so will what comes, as the user is told."""
    _move(case, address, at)
    _tell_new_channel(case, at)


def _move(case: Case, address: Address, at: datetime) -> None:
    for one in case.waiting():
        if one.address == address:
            case.void(one, at, why="its address is dead")
            if not one.copy_of:
                elsewhere(case, one, at, meets=one.meets)


def found_address(case: Case, at: datetime) -> None:
    """The user wrote from an address that works: letters that had nowhere to go leave for it."""
    stuck = [one for one in case.waiting() if one.address is None and one.kind is not LetterKind.AUTHORITY_REPLY]
    target = case.address()
    if stuck and target:
        _tell_new_channel(case, at)
        for one in stuck:
            case.post(one, address=target)


def _tell_new_channel(case: Case, at: datetime) -> Obligation | None:
    target = case.address()
    if target is None or target.channel == case.channel_now:
        return None
    return announce_change(case, case.channel_now, target.channel, at, why=FAILED, old_works=False)


def announce_change(case: Case, old: Channel, new: Channel, at: datetime, *, why: str, old_works: bool) -> Obligation:
    """M4.2, reading 8: the change of channel is told with its first use, on the old channel too if it still works."""
    owed = case.owe(
        ObligationKind.CHANNEL_CHANGE,
        channel_change_due(case.terms, case.days(at), at),
        at,
        why="channel changed",
    )
    former = case.address(old) if old_works else None
    case.channel_now = new
    letter = case.write(
        LetterKind.CHANNEL_CHANGE, at, meets=(owed.n,), facts={"old": old, "new": new}, texts={"reasons": why}
    )
    if former and former.channel == old:
        case.copy_letter(letter, f"{letter.key}/old/copy", former)
    return owed
