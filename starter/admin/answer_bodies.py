"""The bodies of a final answer, and of the points that it answers (M3.4, M3.8, M3.9)."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from models.causes import CauseCode
from models.inquiry import Outcome
from models.messages import Id, Reasons
from starter.admin.bodies import MOST, Body, Content, Short


class Point(Body):
    """One point the user raised, and what we answer.

    `id` names a point kept with the case, whose words need not be given again. A point that is rejected wants what M3.9
    asks: the facts verified, their source, the rule applied, and why it fails.
    """

    id: Id | None = None
    point: Short | None = None
    answer: Content
    finding: Short | None = None
    facts_verified: Content | None = None
    source: Short | None = None
    rule: Short | None = None
    why: Content | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not (self.id or self.point):
            raise ValueError("give the point's words, or the id of one that the case keeps")
        return self


class Remedy(Body):
    """What the user gets, how much, and by when."""

    what: Short
    amount: Short | None = None
    by: date | None = None


class ResolveBody(Body):
    """The final answer: each point raised with its answer, and the actions taken (M3.4, M3.8, M3.9)."""

    outcome: Outcome
    points: tuple[Point, ...] = Field(default=(), max_length=MOST)
    actions: tuple[Short, ...] = Field(default=(), max_length=MOST)
    reasons: Content | None = None
    remedy: Remedy | None = None
    where_else: Short | None = None
    despite_incident: Reasons | None = None
    despite_language: Reasons | None = None
    cause: CauseCode | None = None


class CorrectCauseBody(Body):
    """The matter had another cause than the final answer says: a code of the taxonomy, and why."""

    cause: CauseCode
    reasons: Reasons


class RaisedBody(Body):
    """One point that the user raised: a proposed one by its `id`, or a new one in words; `dropped` says why it is none.

    `message` is the one that raised it.
    """

    id: Id | None = None
    point: Short | None = None
    message: Id | None = None
    dropped: Short | None = None


class SetPointsBody(Body):
    """Keep the points that the user raised, word them anew, or put them aside (M3.8). What is not named stays."""

    points: tuple[RaisedBody, ...] = Field(min_length=1, max_length=MOST)
