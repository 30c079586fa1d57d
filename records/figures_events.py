"""What happened within a period, counted from the ledger: answers, extensions, reviews, letters, channels."""

from collections import Counter
from typing import NamedTuple

from sqlalchemy import and_, case, distinct, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.obligations import ObligationKind
from models.tables import CaseRow, EventRow, Notice, ObligationRow
from records.figures import Window, final
from records.figures_days import Clocks

EXTENDED = "extended"
"""Why a promise is superseded whose extension took effect."""

CODES = {
    "case.answered": "outcome",
    "review.noted": "by",
    "review.decided": "result",
    "extension.announced": "",
    "extension.void": "",
    "extension.told-late": "",
    "estimate.changed": "",
    "channel.changed": "new",
}
"""The facts that are counted, each with the code in its data by which it is."""


class Happened(NamedTuple):
    """How often each fact happened within the period, by fact and code; and how often ever before the cut."""

    within: Counter[tuple[str, str]]
    ever: Counter[str]

    def by(self, what: str) -> dict[str, int]:
        """How often a fact happened within the period, by its code."""
        return {code: count for (name, code), count in sorted(self.within.items()) if name == what}

    def count(self, what: str) -> int:
        """How often a fact happened within the period."""
        return sum(self.by(what).values())


class Extensions(NamedTuple):
    """Extensions announced, in effect, void and told late within the period.

    `days` are the business days of each that took effect; `external` of those were told beside an institution.
    """

    announced: int
    void: int
    told_late: int
    external: int
    days: tuple[int, ...]


class Reviews(NamedTuple):
    """Reviews noted, by who asked; decided, by result; and how many are open at the end."""

    noted: dict[str, int]
    decided: dict[str, int]
    open: int


class Letters(NamedTuple):
    """Letters of one channel within the period, each counted once; `refused` are those it would never take."""

    channel: str
    accepted: int
    delivered: int
    returned: int
    refused: int


class ChannelChanges(NamedTuple):
    """Changes of channel that users were owed word of, and those of them that a person decided, by the new channel."""

    owed: int
    decided: dict[str, int]


def happened(session: Session, window: Window) -> Happened:
    """Count the facts of `CODES` in one walk through the ledger."""
    codes = [(col(EventRow.type) == what, col(EventRow.data)[code].as_string()) for what, code in CODES.items() if code]
    code = func.coalesce(case(*codes), "").label("code")
    within = func.sum(case((col(EventRow.at) >= window.start, 1), else_=0))
    query = (
        select(EventRow.type, code, within, func.count())
        .where(col(EventRow.type).in_(CODES), col(EventRow.at) < window.cut)
        .group_by("type", "code")
    )
    found = Happened(Counter(), Counter())
    for what, name, inside, ever in session.connection().execute(query).all():
        found.ever[what] += ever
        if inside:
            found.within[what, name] += inside
    return found


def extensions(session: Session, window: Window, clocks: Clocks, facts: Happened) -> Extensions:
    """Count extensions (M3.5); one took effect when its letter was accepted in time."""
    old, new = ObligationRow, aliased(ObligationRow)
    follows = and_(col(new.reference) == col(old.reference), col(new.n) == col(old.superseded_by))
    query = (
        select(old.reference, old.due, new.due, new.subject)
        .join(new, follows)
        .where(final(), col(old.superseded_why) == EXTENDED, window.saw(old.superseded_at))
    )
    found = session.connection().execute(query).all()
    return Extensions(
        facts.count("extension.announced"),
        facts.count("extension.void"),
        facts.count("extension.told-late"),
        sum("/extension/" not in letter for *_, letter in found),
        tuple(sorted(clocks.between(reference, before, until) for reference, before, until, _ in found)),
    )


def reviews(facts: Happened) -> Reviews:
    """Count reviews (M3.10). An inquiry has one open at a time, so what was not decided is open."""
    still = facts.ever["review.noted"] - facts.ever["review.decided"]
    return Reviews(facts.by("review.noted"), facts.by("review.decided"), still)


def letters(session: Session, window: Window) -> list[Letters]:
    """Count letters by channel, copies included: taken, delivered, come back, refused for good (M3.7, reading 10)."""
    types = ("letter.accepted", "letter.delivered", "letter.bounced", "letter.failed")
    key, channel = col(EventRow.data)["key"].as_string(), func.coalesce(col(Notice.channel), "").label("channel")
    query = (
        select(channel, EventRow.type, func.count(distinct(key)))
        .outerjoin(Notice, col(Notice.key) == key)
        .where(col(EventRow.type).in_(types), window.saw(EventRow.at))
        .group_by(channel, col(EventRow.type))
    )
    found: dict[str, dict[str, int]] = {}
    for name, what, count in session.connection().execute(query).all():
        found.setdefault(name, {})[what] = count
    return [Letters(name, *(found[name].get(what, 0) for what in types)) for name in sorted(found)]


def channel_changes(session: Session, window: Window, facts: Happened) -> ChannelChanges:
    """Count the changes of channel (M4.2): the word about each is owed, whoever or whatever brought it about."""
    row = ObligationRow
    owed = select(func.count()).where(col(row.kind) == ObligationKind.CHANNEL_CHANGE.value, window.saw(row.created_at))
    return ChannelChanges(session.connection().execute(owed).scalar_one(), facts.by("channel.changed"))


def chains(session: Session) -> list[tuple[str, int, str]]:
    """Every inquiry's reference, the number of its events and the head of its chain, in the order of references."""
    query = select(CaseRow.reference, CaseRow.seq, CaseRow.head).order_by(col(CaseRow.reference))
    return [tuple(found) for found in session.connection().execute(query).all()]  # type: ignore[misc]
