"""The gate before a final answer: what it must hold (M3.8, M3.9, M3.11), found missing field by field.

What the user's messages seem to raise is considered, one way or the other: answered, kept, or put aside with a reason.

What was written is known to the records database and looked at there, with `missing_of`; the case itself sees which
parts of a draft are filled and which of its points are answered, and refuses on that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from models.causes import NamedCause
from models.episodes import RaisedPoint
from models.errors import Missing, Refused
from models.inquiry import Outcome

GATE: dict[Outcome, tuple[str, ...]] = {
    Outcome.UPHELD: ("points", "actions"),
    Outcome.PARTIAL: ("points", "actions", "reasons"),
    Outcome.UNFOUNDED: ("points", "actions", "reasons"),
    Outcome.INADMISSIBLE: ("points", "actions", "reasons"),
    Outcome.INQUIRY: ("points", "actions"),
}
"""What the draft of a final answer must hold (M3.8, M3.9): `points` means each point raised with its answer."""

WANTED = {
    "points": "each point that was raised, with its answer",
    "actions": "what was done to reach the answer",
    "reasons": "why it is not all granted",
}
GROUNDS = {
    "facts_verified": "the facts that were verified",
    "source": "where those facts come from",
    "rule": "the rule that applies",
    "why": "why the point fails",
}
"""What M3.9 wants of a point that is rejected."""
ALL_REJECTED = frozenset({Outcome.UNFOUNDED, Outcome.INADMISSIBLE})


def empty(outcome: Outcome, filled: Sequence[str]) -> list[Missing]:
    """The parts of a final answer that say nothing."""
    rule = rule_of(outcome)
    return [Missing(part, WANTED[part], rule) for part in GATE[outcome] if part not in filled]


def unanswered_points(points: Iterable[RaisedPoint], answered: Sequence[str]) -> list[Missing]:
    """The points kept with the case that lack their answer (M3.8)."""
    return [
        Missing("points", f"the point {one.id} has no answer", "M3.8")
        for one in points
        if not one.dropped and one.id not in answered
    ]


def unconsidered(raised: Iterable[str]) -> list[Missing]:
    """The points, by id, that the user's messages seem to raise and nobody answers, keeps or puts aside (M3.8)."""
    return [
        Missing("points", f"a message raises the point {one}: answer it, or put it aside with set_points", "M3.8")
        for one in raised
    ]


def too_short(content: Mapping[str, Any], least: Mapping[str, int], rule: str) -> list[Missing]:
    """The parts that are filled and say too little to be read: fewer characters than policy wants at `least`."""
    points = [(f"points.{n}.", one) for n, one in enumerate(content.get("points", ()))]
    return [
        Missing(f"{place}{part}", f"it must have at least {fewest} characters", rule)
        for place, written in (*points, ("", content))
        for part, fewest in least.items()
        if isinstance(text := written.get(part), str) and 0 < len(text) < fewest
    ]


def groundless(outcome: Outcome, points: Sequence[Mapping[str, Any]]) -> list[Missing]:
    """What M3.9 wants of each rejected point and is not there: all of an unfounded answer are rejected."""
    if outcome not in {*ALL_REJECTED, Outcome.PARTIAL}:
        return []
    rejected = [n for n, one in enumerate(points) if outcome in ALL_REJECTED or rejects(one)]
    if not rejected:
        return [Missing("points", "say which point is rejected, and why: not all is granted", "M3.9")] if points else []
    return [
        Missing(f"points.{n}.{part}", wanted, "M3.9")
        for n in rejected
        for part, wanted in GROUNDS.items()
        if not points[n].get(part)
    ]


def uncaused(wanted: Collection[Outcome], outcome: Outcome, cause: NamedCause | None) -> list[Missing]:
    """The cause, where policy wants answers with this outcome counted by it (M3.11)."""
    if cause or outcome not in wanted:
        return []
    return [Missing("cause", "what it was about, and why it came up: a code of the taxonomy", "M3.11")]


def rejects(point: Mapping[str, Any]) -> bool:
    """Whether a point of a partial answer is one that is rejected."""
    return any(point.get(part) for part in GROUNDS)


def rule_of(outcome: Outcome) -> str:
    """The rule that an answer with this outcome must keep first."""
    return "M3.9" if "reasons" in GATE[outcome] else "M3.8"


def hold(missing: Sequence[Missing], code: str) -> None:
    """Refuse an answer that lacks anything, naming all of it."""
    if missing:
        fields = ", ".join(dict.fromkeys(one.field for one in missing))
        raise Refused(
            code, f"the answer lacks {fields}", field=missing[0].field, rule=missing[0].rule, missing=tuple(missing)
        )
