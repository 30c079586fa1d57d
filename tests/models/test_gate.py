"""The gate before a final answer: all that is missing is named, and nothing passes without it."""

from typing import Any

import pytest

from models.errors import Refused
from models.gate import GROUNDS, groundless, rule_of, too_short, unconsidered
from models.inquiry import Outcome
from models.raising import MOST_POINTS
from tests.cases import FULL, MONDAY, acknowledged, answered, do, draft

POINTS = [{"id": "ms_1.1", "message": "ms_1"}, {"id": "pt_2"}]
GROUNDED = dict.fromkeys(GROUNDS, "x")


def refused(name: str, case: Any, **payload: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY, **payload)
    return caught.value


@pytest.mark.rule("M3.8")
def test_a_kept_point_wants_its_answer() -> None:
    case = do(acknowledged(), "set_points", MONDAY, draft=draft("points"), points=POINTS)
    assert [(one.id, one.message, one.dropped) for one in case.points] == [
        ("ms_1.1", "ms_1", False),
        ("pt_2", "", False),
    ]
    refusal = refused("resolve", case, outcome="upheld", draft=FULL, answers=["pt_2"])
    assert (refusal.code, refusal.field, refusal.rule) == ("gate.points", "points", "M3.8")
    assert [one.detail for one in refusal.missing] == ["the point ms_1.1 has no answer"]
    done = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL, answers=["ms_1.1", "pt_2"])
    fact = next(fact for fact in done.pending if fact.type == "case.resolved")
    assert fact.data["answers"] == ["ms_1.1", "pt_2"]


def test_a_point_put_aside_wants_none_and_can_be_taken_up_again() -> None:
    case = do(acknowledged(), "set_points", MONDAY, draft=draft("points"), points=[{"id": "pt_1"}])
    aside = do(case, "set_points", MONDAY, draft=draft("points"), points=[{"id": "pt_1", "dropped": True}])
    assert do(aside, "resolve", MONDAY, outcome="upheld", draft=FULL).final
    again = do(aside, "set_points", MONDAY, draft=draft("points"), points=[{"id": "pt_1"}])
    assert refused("resolve", again, outcome="upheld", draft=FULL).code == "gate.points"


@pytest.mark.rule("M3.8")
def test_why_a_point_was_put_aside_stands_in_the_timeline() -> None:
    points = [{"id": "pt_1"}, {"id": "pt_2", "dropped": True, "why": "It is about another account."}]
    case = do(acknowledged(), "set_points", MONDAY, draft=draft("points"), points=points)
    fact = case.pending[-1]
    assert (fact.data["kept"], fact.data["dropped"]) == (["pt_1"], ["pt_2"])
    assert fact.texts == {"dropped_1": "It is about another account."}


@pytest.mark.rule("M3.8")
def test_what_messages_raise_and_nobody_considers_is_named() -> None:
    assert [(one.field, one.rule) for one in unconsidered(["ms_1.1"])] == [("points", "M3.8")]
    assert "ms_1.1" in unconsidered(["ms_1.1"])[0].detail
    assert not unconsidered([])


@pytest.mark.rule("M3.9")
def test_what_is_filled_with_next_to_nothing_is_named() -> None:
    written = {"points": [{"point": "x", "answer": "no"}, {"answer": "It was paid back.", "why": "d"}], "reasons": "r"}
    short = too_short(written, {"answer": 10, "why": 10, "reasons": 10, "source": 3}, "M3.9")
    assert [(one.field, one.rule) for one in short] == [
        ("points.0.answer", "M3.9"),
        ("points.1.why", "M3.9"),
        ("reasons", "M3.9"),
    ]
    assert short[0].detail == "it must have at least 10 characters"
    assert not too_short(written, {}, "M3.9")
    assert not too_short({"dropped": None}, {"dropped": 10}, "M3.8")


def test_points_are_set_before_the_answer_and_are_not_too_many() -> None:
    assert refused("set_points", answered(), draft=FULL, points=POINTS).code == "case.answered"
    full = [{"id": f"pt_{n}"} for n in range(MOST_POINTS)]
    case = do(acknowledged(), "set_points", MONDAY, draft=FULL, points=full)
    assert refused("set_points", case, draft=FULL, points=[{"id": "pt_more"}]).code == "points.too-many"


@pytest.mark.rule("M3.8")
@pytest.mark.rule("M3.9")
def test_everything_that_is_empty_is_named_at_once() -> None:
    refusal = refused("resolve", acknowledged(), outcome="partial", draft=draft("text"))
    assert refusal.code == "gate.empty"
    assert [one.field for one in refusal.missing] == ["points", "actions", "reasons"]
    assert rule_of(Outcome.UPHELD) == "M3.8"


@pytest.mark.rule("M3.9")
@pytest.mark.parametrize("outcome", [Outcome.UNFOUNDED, Outcome.INADMISSIBLE])
@pytest.mark.parametrize("ground", GROUNDS)
def test_each_ground_that_a_rejected_point_lacks_is_named(outcome: Outcome, ground: str) -> None:
    points = [GROUNDED, GROUNDED | {ground: ""}]
    assert [(one.field, one.rule) for one in groundless(outcome, points)] == [(f"points.1.{ground}", "M3.9")]
    assert not groundless(outcome, [GROUNDED])


def test_of_a_partial_answer_the_points_rejected_want_grounds() -> None:
    assert [one.field for one in groundless(Outcome.PARTIAL, [{"answer": "x"}])] == ["points"]
    assert not groundless(Outcome.PARTIAL, [])
    assert not groundless(Outcome.PARTIAL, [{"answer": "x"}, GROUNDED])
    wanting = groundless(Outcome.PARTIAL, [{"answer": "x"}, {"why": "x"}])
    assert [one.field for one in wanting] == ["points.1.facts_verified", "points.1.source", "points.1.rule"]
    assert not groundless(Outcome.UPHELD, [{}])
    assert not groundless(Outcome.INQUIRY, [{}])
