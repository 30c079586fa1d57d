"""One promise: when it is kept, late or open, and when it next wants attention."""

from datetime import timedelta
from typing import Any

import pytest

from models.obligations import RULES, TERMS, Obligation, ObligationKind
from tests.cases import AGENT, DAY, MONDAY

SECOND = timedelta(seconds=1)
DUE = MONDAY + 5 * DAY


def obligation(**more: Any) -> Obligation:
    base: dict[str, Any] = {"n": 1, "kind": ObligationKind.FINAL, "due": DUE, "created_at": MONDAY, "starts": MONDAY}
    return Obligation(**base | {"actor": AGENT, "why": "received"} | more)


@pytest.mark.rule("M3.11")
def test_each_kind_keeps_a_rule_of_the_manual() -> None:
    assert set(RULES) == set(ObligationKind)
    assert [RULES[kind] for kind in TERMS] == ["M3.2", "M3.4"]
    assert obligation().rule == "M3.4"


@pytest.mark.rule("M3.4")
@pytest.mark.parametrize(
    ("state", "kept", "late", "is_open"),
    [
        ({}, False, False, True),
        ({"met_at": DUE}, True, False, False),
        ({"met_at": DUE + timedelta(milliseconds=999)}, True, False, False),
        ({"met_at": DUE + SECOND}, False, True, False),
        ({"missed_at": DUE}, False, True, True),
        ({"missed_at": DUE, "met_at": MONDAY}, True, False, False),
        ({"missed_at": DUE, "superseded_at": DUE}, False, True, False),
        ({"superseded_at": MONDAY}, False, False, False),
        ({"exhausted_at": MONDAY}, False, False, False),
    ],
)
def test_kept_late_open(state: dict[str, Any], kept: bool, late: bool, is_open: bool) -> None:  # noqa: FBT001
    one = obligation(**state)
    assert (one.kept, one.late, one.open) == (kept, late, is_open)


@pytest.mark.rule("M3.11")
def test_the_next_alarm_is_a_warning_then_the_end_then_nothing() -> None:
    warnings = (MONDAY + DAY, MONDAY + 2 * DAY)
    assert obligation(warnings=warnings).next_alarm() == MONDAY + DAY
    assert obligation(warnings=warnings, warned=1).next_alarm() == MONDAY + 2 * DAY
    assert obligation(warnings=warnings, warned=2).next_alarm() == DUE + SECOND
    assert obligation(warnings=warnings, missed_at=DUE).next_alarm() is None, "too late to warn"
    assert obligation(met_at=MONDAY).next_alarm() is None


@pytest.mark.rule("M3.11")
def test_what_begins_later_wakes_when_it_begins() -> None:
    assert obligation(starts=MONDAY + 4 * DAY, begun=False).next_alarm() == MONDAY + 4 * DAY
    assert obligation(starts=MONDAY + 4 * DAY, begun=False, missed_at=DUE).next_alarm() == MONDAY + 4 * DAY
