"""A letter leaves again at another address, and the user is told where letters go from now on (M4.2, reading 8)."""

from datetime import datetime

from models.case import Case
from models.due_dates import channel_change_due
from models.extensions import follow, still_true
from models.inquiry import AUTHORITY, Address, Channel
from models.letters import ONE_PLACE, Letter, LetterKind
from models.obligations import Obligation, ObligationKind

FAILED = "the earlier channel failed"


def elsewhere(case: Case, letter: Letter, at: datetime, *, meets: tuple[int, ...]) -> None:
    """Owe the same letter again at the next address that works; none left is a flag (reading 10)."""
    told = tell_new_channel(case, at)
    if told and letter.kind is LetterKind.CHANNEL_CHANGE:
        _told_instead(case, meets, told, at)
        return
    again = write_again(case, letter, at, meets=meets, facts={**still_true(case, letter), "again": letter.key})
    if again.address is None:
        case.record(at, "letter.undeliverable", rule="M3.7", key=again.key)


def _told_instead(case: Case, meets: tuple[int, ...], told: Obligation, at: datetime) -> None:
    """Word about a channel that is none any more gives way to word about the one that is."""
    for number in meets:
        case.supersede(case.obligations[number - 1], at, why="the next channel is told instead", by=told.n)


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
    if case.terms.copies_follow:
        case.hand_copies(letter, again, at)
    return again


def bury(case: Case, letter: Letter) -> None:
    """An address is dead. The authority's is policy, which a person must mend."""
    if letter.address and letter.address != AUTHORITY and letter.address.id not in case.dead:
        case.dead = (*case.dead, letter.address.id)


def leave(case: Case, address: Address, at: datetime) -> None:
    """Whatever waits to go to a dead address goes elsewhere, and so will what comes, as the user is told."""
    for one in case.waiting():
        if one.address == address:
            told = one.kind is LetterKind.CHANNEL_CHANGE  # its copy tells the channel left of one that is none any more
            case.void(one, at, why="its address is dead", copies=told or not case.terms.copies_follow)
            if not one.copy_of:
                elsewhere(case, one, at, meets=one.meets)
    tell_new_channel(case, at)


def found_address(case: Case, at: datetime) -> None:
    """An address works: letters that had nowhere to go leave for it, behind the word about a new channel."""
    stuck = [one for one in case.waiting() if one.address is None and one.kind not in ONE_PLACE]
    told = tell_new_channel(case, at)
    for one in stuck:
        if told and one.kind is LetterKind.CHANNEL_CHANGE:
            case.void(one, at, why="the next channel is told instead")
            _told_instead(case, one.meets, told, at)
        else:
            case.post(one, address=case.address())


def tell_new_channel(case: Case, at: datetime) -> Obligation | None:
    """Tell where letters go from now on, if it is not where they went.

    A closed case has nothing more to say; if it goes on, the channel is told then. Letters of a
    representative's are no change of the user's channel.
    """
    target = case.address()
    if case.closed_at or target is None or case.represented or target.channel == case.channel_now:
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
