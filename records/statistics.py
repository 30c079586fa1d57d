"""Everything that a report says of a period, read in one consistent view: see `records.figures` and its neighbours."""

import hashlib
from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from sqlmodel import Session

from models.obligations import ObligationKind
from records import (
    figures_causes,
    figures_days,
    figures_escalations,
    figures_events,
    figures_misses,
    figures_terms,
    verdicts,
)
from records.figures import Window
from records.figures_causes import CauseCount, Kept
from records.figures_days import Clocks
from records.figures_escalations import Escalations
from records.figures_events import ChannelChanges, Extensions, Letters, Reviews
from records.figures_misses import Miss
from records.figures_terms import Flow, TermCount, Waiting
from records.verdicts import Judged


class Basis(NamedTuple):
    """What the figures rest on: inquiries by version of policy and calendar, and the ledger as it stood.

    `fingerprint` is the SHA-256 of a line `<reference> <events> <head>` for each inquiry, in the order of references.
    """

    policies: dict[str, int]
    calendars: dict[str, int]
    inquiries: int
    events: int
    fingerprint: str


class Statistics(NamedTuple):
    """The figures of a period. `acknowledged`, `answered` and `ages` are business days, ascending."""

    terms: list[TermCount]
    misses: list[Miss]
    acknowledged: tuple[int, ...]
    answered: tuple[int, ...]
    flow: Flow
    waiting: list[Waiting]
    ages: tuple[int, ...]
    answers: dict[str, int]
    causes: list[CauseCount]
    remedies: list[Kept]
    judged: list[Judged]
    extensions: Extensions
    escalations: Escalations
    reviews: Reviews
    letters: list[Letters]
    channels: ChannelChanges
    basis: Basis


def statistics(session: Session, window: Window) -> Statistics:
    """Count everything. `session` must be one consistent view, as `Database.read` gives."""
    clocks = Clocks(session, window)
    taken = figures_days.taken(session, window, clocks)
    facts = figures_events.happened(session, window)
    answers = [one for one in taken if one.kind == ObligationKind.FINAL]
    causes = figures_causes.causes(session, window, {one.letter: one.days for one in answers})
    return Statistics(
        terms=figures_terms.terms(session, window),
        misses=figures_misses.misses(session, window),
        acknowledged=tuple(sorted(one.days for one in taken if one.kind == ObligationKind.ACKNOWLEDGEMENT)),
        answered=tuple(sorted(one.days for one in answers)),
        flow=figures_terms.flow(session, window),
        waiting=figures_terms.waiting(session, window),
        ages=tuple(sorted(figures_days.ages(session, window, clocks))),
        answers=facts.by("case.answered"),
        causes=causes.answers,
        remedies=causes.remedies,
        judged=verdicts.judged(session, window),
        extensions=figures_events.extensions(session, window, clocks, facts),
        escalations=figures_escalations.escalations(session, window, clocks, facts),
        reviews=figures_events.reviews(facts),
        letters=figures_events.letters(session, window),
        channels=figures_events.channel_changes(session, window, facts),
        basis=_basis(session, clocks),
    )


def percentile(ascending: Sequence[int], percent: int) -> int | None:
    """Return the smallest value that so many percent do not exceed (nearest rank); None of nothing."""
    return ascending[max(0, ceil(len(ascending) * percent / 100) - 1)] if ascending else None


def _basis(session: Session, clocks: Clocks) -> Basis:
    chains = figures_events.chains(session)
    lines = "".join(f"{reference} {events} {head}\n" for reference, events, head in chains)
    policies, calendars = clocks.versions
    return Basis(
        policies=dict(sorted(policies.items())),
        calendars=dict(sorted(calendars.items())),
        inquiries=len(chains),
        events=sum(events for _, events, _ in chains),
        fingerprint=hashlib.sha256(lines.encode()).hexdigest(),
    )
