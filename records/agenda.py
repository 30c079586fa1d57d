"""Whose turn it is: the open work of every colleague who is there today, for their morning digest."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, not_
from sqlmodel import Session, col, select

from models.alerting import APPROVERS, OF_THE_AREA
from models.case import Case
from models.inquiry import ActorId, Area
from models.policy import Policy
from models.sight import Kept
from models.tables import CaseRow, StaffRow
from models.terms import Place
from records import colleagues, visibility

IDLE = ('"proposal":null', '"referrals":[]')
"""How the saved state of a case reads that waits for nobody's approval and no area's findings."""

NO_SECRET = col(CaseRow.compartment) == ""
"""What lies in a compartment is told in no mail."""


FOLLOW_UP = "follow-up"
"""What an item is that is no promise: a date on which somebody is to look at a case again."""


class Item(NamedTuple):
    """One thing to do: which case, a code of what, by when (aware UTC, or None), and the area asked, if one is."""

    reference: str
    what: str
    due: datetime | None
    area: Area = ""


@dataclass
class Work:
    """What waits for one colleague: what is due soon of theirs, what they may approve, what their area is asked.

    `total` counts the open cases that are theirs; `follow_ups` are those that somebody is to look at again.
    """

    person: StaffRow
    total: int = 0
    owned: list[Item] = field(default_factory=list)
    approvals: list[Item] = field(default_factory=list)
    referrals: list[Item] = field(default_factory=list)
    follow_ups: list[Item] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """True when there is nothing to tell."""
        return not (self.total or self.owned or self.approvals or self.referrals or self.follow_ups)


def agenda(session: Session, policy: Policy, now: datetime, until: datetime) -> list[Work]:
    """Return the open work by colleague, ids in order; what is due by `until` is named. Who is away is stood in for."""
    gathering = _Gathering(session, policy, now)
    gathering.own(until)
    gathering.look_again()
    gathering.wait()
    return [one for _, one in sorted(gathering.works.items()) if not one.idle]


class _Gathering:
    def __init__(self, session: Session, policy: Policy, now: datetime) -> None:
        self.session, self.policy, self.now = session, policy, now
        self.works: dict[ActorId, Work] = {}
        self._known: dict[tuple[object, ...], StaffRow | None] = {}

    def own(self, until: datetime) -> None:
        """What is whose: how many, and what is due soon."""
        still_open = and_(col(CaseRow.closed_at).is_(None), NO_SECRET)
        counted = select(CaseRow.owner, CaseRow.area, CaseRow.about, func.count()).where(still_open)
        whose = (CaseRow.owner, CaseRow.area, CaseRow.about)
        for owner, area, about, count in self.session.exec(counted.group_by(*whose)):
            if work := self._work(("owner",), _kept(area, about), owner):
                work.total += count
        due = select(CaseRow.reference, CaseRow.next_obligation, CaseRow.next_due_at, *whose)  # type: ignore[call-overload]
        soon = due.where(still_open, col(CaseRow.due_order) <= until)
        for reference, what, at, owner, area, about in self.session.exec(
            soon.order_by(col(CaseRow.due_order), col(CaseRow.reference))
        ):
            if work := self._work(self.policy.reminders.order, _kept(area, about), owner):
                work.owned.append(Item(reference, what, at))

    def look_again(self) -> None:
        """The follow-ups whose date has come by the end of today."""
        days = self.policy.whole_calendar()
        today = days.end_of(days.local_date(self.now))
        looked = select(  # type: ignore[call-overload]
            CaseRow.reference, CaseRow.follow_up_at, CaseRow.owner, CaseRow.area, CaseRow.about
        )
        query = looked.where(col(CaseRow.closed_at).is_(None), NO_SECRET, col(CaseRow.follow_up_at) <= today)
        for reference, at, owner, area, about in self.session.exec(
            query.order_by(col(CaseRow.follow_up_at), col(CaseRow.reference))
        ):
            if work := self._work(self.policy.reminders.order, _kept(area, about), owner):
                work.follow_ups.append(Item(reference, FOLLOW_UP, at))

    def wait(self) -> None:
        """What waits for an approval, or for an area's findings."""
        for case in self._waiting():
            due = case.final_term.due if case.final_term else None
            kept = Kept.of(case)
            if case.proposal:
                approver = self._work(APPROVERS, kept, case.owner, spared=(case.proposal.proposer.id,))
                if approver:
                    approver.approvals.append(Item(case.reference, case.proposal.command, due))
            for referral in case.referrals:
                if not referral.open:
                    continue
                if asked := self._work(OF_THE_AREA, kept, case.owner, area=referral.area):
                    asked.referrals.append(Item(case.reference, referral.area, due, referral.area))

    def _waiting(self) -> Iterator[Case]:
        idle = and_(*(col(CaseRow.state).contains(one, autoescape=True) for one in IDLE))
        query = select(CaseRow.state).where(col(CaseRow.closed_at).is_(None), NO_SECRET, not_(idle))
        for state in self.session.exec(query.order_by(col(CaseRow.due_order), col(CaseRow.reference))):
            yield Case.model_validate_json(state)

    def _work(
        self, order: tuple[Place, ...], kept: Kept, owner: ActorId, *, area: Area = "", spared: tuple[ActorId, ...] = ()
    ) -> Work | None:
        """Whoever is to be told of a case and may see it; of its own area, or of the `area` that is asked."""
        key = (order, kept, owner, area, spared)
        if key not in self._known:
            found = colleagues.find(
                self.session,
                self.policy,
                order,
                area=area or kept.area,
                owner=owner,
                spared=spared,
                now=self.now,
                kept=kept,
            )
            self._known[key] = found.person
        person = self._known[key]
        return self.works.setdefault(person.id, Work(person)) if person else None


def _kept(area: Area, about: str) -> Kept:
    return Kept(area, None, visibility.people(about))
