"""Internal verification: no final answer without the word of an area's representative, where policy wants it (M5.3).

A verification is about the facts: an answer whose wording changes afterwards keeps it. A case that is reopened has new
facts, and what was verified before counts no longer.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from models.answering import unanswered
from models.area_work import Verification, VerifiedBy
from models.case import Case
from models.consulting import Verify
from models.errors import Refused
from models.inquiry import Actor, Area, Outcome
from models.terms import Terms


class Word(NamedTuple):
    """Who takes part in a final answer, for which areas they stand in today, and by which act."""

    actor: Actor
    stands_in: tuple[Area, ...]
    how: VerifiedBy


def speaks_for(terms: Terms, area: Area, actor: Actor, stands_in: Collection[Area]) -> bool:
    """Whether an actor speaks for an area: its representative, its deputy, or who stands in for them (M5.4).

    Anybody does for an area without named persons.
    """
    return actor.id in terms.representatives.get(area, (actor.id,)) or area in stands_in


def verify(case: Case, order: Verify, actor: Actor, now: datetime) -> None:
    """M5.3: an area has looked into the matter, or into some of its points, and says what it found."""
    unanswered(case)
    areas = verifying_areas(case)
    if order.area not in areas:
        raise Refused("verification.unknown-area", f"one of {', '.join(areas)} is needed", field="area", rule="M5.3")
    if not speaks_for(case.terms, order.area, actor, order.stands_in):
        raise Refused(
            "verification.not-theirs",
            f"only the representative of {order.area} or the deputy verifies for it",
            field="area",
            rule="M5.4",
        )
    texts = {"findings": order.findings} | {f"point_{n}": point for n, point in enumerate(order.points, 1)}
    how = VerifiedBy.FINDINGS
    case.record(now, "case.verified", actor=actor, rule="M5.3", area=order.area, how=how.value, texts=texts)
    keep(case, order.area, actor, now, how)


def verifying_areas(case: Case) -> list[Area]:
    """The areas whose word counts, the one that has the case first."""
    areas = [area for area in case.terms.areas if area not in case.terms.unverifying_areas]
    return sorted(areas, key=lambda area: area != case.area)


def keep(case: Case, area: Area, actor: Actor, now: datetime, how: VerifiedBy) -> None:
    """Keep an area's word, where it counts."""
    if area in verifying_areas(case):
        case.verifications.append(Verification(area=area, actor=actor, at=now, how=how))


def verify_by_act(case: Case, outcome: Outcome, words: Collection[Word], now: datetime) -> None:
    """Who speaks for an area and gives the final answer, or approves it, verifies by that act (M5.3)."""
    if outcome not in case.terms.verified_outcomes or case.verified:
        return
    for word in words:
        for area in verifying_areas(case):
            if area in case.terms.representatives and speaks_for(case.terms, area, word.actor, word.stands_in):
                case.record(now, "case.verified", actor=word.actor, rule="M5.3", area=area, how=word.how.value)
                keep(case, area, word.actor, now, word.how)
                return


def require_verified(case: Case, outcome: Outcome) -> None:
    """Refuse a final answer that no area has verified, where policy wants that (M5.3)."""
    if outcome in case.terms.verified_outcomes and not case.verified:
        raise Refused(
            "verification.missing",
            "no representative of an area has verified what is answered; let one verify it, or give or approve it",
            rule="M5.3",
        )
