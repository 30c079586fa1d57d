"""Whoever makes the order of one case for one actor: what they wrote is stored, the records are at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from models.assignment import not_of_the_staff
from models.case import Case
from models.inquiry import Actor, ActorId
from models.policy import Policy
from models.sight import Eyes, Kept
from records import cases, colleagues, documents, staff

OrderData = dict[str, Any]
"""An order as JSON, without actor, key and version."""


@dataclass(frozen=True)
class Writer:
    """Makes an order inside one write transaction of the records database.

    `now` is aware UTC, `secret` that of reply addresses, of which the codes of links are made.
    """

    session: Session
    reference: str
    actor: Actor
    now: datetime
    policy: Policy
    secret: bytes

    @property
    def case(self) -> Case:
        """The case as last saved."""
        return cases.load(self.session, self.reference)

    def draft(self, kind: str, content: Mapping[str, Any]) -> OrderData:
        """Store what the person wrote, and return the order's name for it."""
        draft = documents.save_draft(self.session, self.reference, str(kind), content, author=self.actor, now=self.now)
        return draft.model_dump(mode="json")

    def sees(self, who: ActorId, kept: Kept) -> bool:
        """Whether somebody of the staff may see a case."""
        row = staff.person(self.session, who)
        closed = frozenset(self.policy.rights.closed_areas)
        unknown = Eyes(who, closed, speaks=self.policy.spoken_for(who))
        return not kept.hidden(colleagues.eyes(self.policy, row) if row else unknown)

    def is_of_the_staff(self) -> None:
        """Raises Refused where the actor is nobody whom the records know."""
        if staff.person(self.session, self.actor.id) is None:
            raise not_of_the_staff()
