"""What the admin API shows of an answer in the making: the points raised, what it lacks, what waits for approval."""

from typing import Any

from pydantic import AwareDatetime

from starter.admin.letter_views import PreviewView
from starter.admin.views import View
from starter.http.problems import Fault


class ProposedPoint(View):
    """A point that a message seems to raise; keep it, or put it aside, by its id."""

    id: str
    point: str
    message: str


class PointView(ProposedPoint):
    """A point kept with the inquiry; with `dropped`, the reason why it is none, it wants no answer."""

    dropped: str
    at: AwareDatetime


class PointsView(View):
    """What the user raised: what people keep, and what the messages seem to raise besides."""

    points: tuple[PointView, ...]
    proposed: tuple[ProposedPoint, ...]


class GateView(View):
    """What a final answer lacks. `second_pair`: another person must approve it; `refused`: what else forbids it."""

    ready: bool
    second_pair: bool
    missing: tuple[Fault, ...]
    refused: Fault | None


class ProposalView(View):
    """What waits for a second pair of eyes, and what would be sent. `due`: by when it is owed all the same.

    `stale`: the user wrote after it was proposed, so it must be proposed anew; `refused`: why it could not be decided
    as things stand. `dropped` are the points that the user raised and somebody put aside, each with the reason.
    """

    command: str
    order: dict[str, Any]
    draft: dict[str, Any]
    proposer: str
    at: AwareDatetime
    due: AwareDatetime | None
    stale: bool
    refused: Fault | None
    dropped: tuple[PointView, ...]
    letters: tuple[PreviewView, ...]
