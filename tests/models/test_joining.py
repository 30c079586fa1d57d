"""A case that joins an incident stands to it as to one of its own, and is answered for itself (M5.6)."""

from datetime import timedelta
from typing import Any

import pytest

from models.area_work import IncidentState
from models.case import Case
from models.clock import wake
from models.errors import Refused
from models.inquiry import Actor, Role, Status
from models.joining import incident_as_we_write_it
from models.ledger import Fact
from tests.cases import AGENT, DAY, FULL, MONDAY, acknowledged, answered, closed, do, draft

HOUR = timedelta(hours=1)
KEY = "RX-3F8H-KKXC/inc-2"
JIRA = Actor(id="tracker:jira", role=Role.SYSTEM)
STANDS: dict[str, Any] = {
    "incident": KEY,
    "area": "operations",
    "matter": "withdrawal",
    "state": "in_progress",
    "opened_at": (MONDAY - DAY).isoformat(),
    "changed_at": (MONDAY - HOUR).isoformat(),
    "heard": 4,
}


def joined(case: Case | None = None, **more: Any) -> Case:
    return do(case or acknowledged(), "join_incident", MONDAY, **STANDS | more)


def changed(case: Case, state: str, n: int = 1, **more: Any) -> Case:
    at = MONDAY + HOUR
    return do(case, "incident_changed", at, JIRA, incident=n, state=state, at=at.isoformat(), **more)


def facts(case: Case) -> list[Fact]:
    return [fact for fact in case.pending if fact.type.startswith("incident.")]


def refused(case: Case, name: str, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY, **order)
    return caught.value.code


@pytest.mark.rule("M5.6")
def test_a_joined_incident_holds_the_final_answer_up_until_its_outcome_is_evidence() -> None:
    case = joined()
    (fact,) = facts(case)
    assert (fact.type, fact.rule, fact.actor, fact.texts) == ("incident.joined", "M5.6", AGENT, {})
    assert fact.data == {
        "incident": 1,
        "key": KEY,
        "area": "operations",
        "matter": "withdrawal",
        "state": "in_progress",
        "heard": 4,
    }
    assert not case.untold
    order: dict[str, Any] = {"outcome": "upheld", "draft": FULL}
    assert refused(case, "resolve", **order) == "resolve.incident-open"
    do(case, "resolve", MONDAY, **order, despite_incident="The refund does not hang on it.")
    over = changed(case, "resolved", words="All withdrawals left at 18:31.")
    assert (facts(over)[-1].type, facts(over)[-1].texts) == (
        "incident.closed",
        {"words": "All withdrawals left at 18:31."},
    )
    do(over, "resolve", MONDAY + HOUR, **order)


@pytest.mark.rule("M5.6")
def test_joined_after_its_end_it_brings_the_outcome_along_and_holds_nothing_up() -> None:
    case = joined(state="resolved", words="All withdrawals left at 18:31.", outcome="Done")
    (fact,) = facts(case)
    assert fact.texts == {"words": "All withdrawals left at 18:31.", "outcome": "Done"}
    assert case.incidents[0].state is IncidentState.RESOLVED
    do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)


def test_one_word_is_heard_once_however_often_it_is_handed_over() -> None:
    case = changed(joined(), "in_progress", words="The bank is asked.", key="iw_1")
    again = changed(case, "in_progress", words="The bank is asked.", key="iw_1")
    assert [fact.type for fact in facts(again)] == ["incident.joined", "incident.noted"]


@pytest.mark.rule("M5.6")
def test_left_again_it_holds_nothing_up_and_says_nothing_more() -> None:
    case = do(joined(), "leave_incident", MONDAY, incident=1, reasons="It was another network.")
    left = facts(case)[-1]
    assert (left.type, left.data, left.texts) == (
        "incident.left",
        {"incident": 1, "key": KEY},
        {"reasons": "It was another network."},
    )
    assert facts(changed(case, "resolved", words="All left.")) == facts(case)
    do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    again = joined(case)
    assert [(one.n, one.joined, one.left_at) for one in again.incidents] == [(1, KEY, MONDAY), (2, KEY, None)]
    assert [one.n for one in again.open_incidents] == [2]


def test_its_own_incidents_and_joined_ones_are_counted_together() -> None:
    own: dict[str, Any] = {"area": "operations", "matter": "fee", "draft": draft("text")}
    case = do(joined(), "open_incident", MONDAY, **own)
    assert [(one.n, one.joined) for one in case.incidents] == [(1, KEY), (2, "")]
    assert [one.n for one in case.untold] == [2]


def test_a_case_closes_without_waiting_for_the_tracker_of_a_joined_one() -> None:
    case = joined(answered())
    wake(case, MONDAY + 200 * DAY)
    assert case.status is Status.CLOSED


def test_what_is_refused() -> None:
    case = joined()
    assert refused(case, "join_incident", **STANDS) == "incident.joined"
    own: dict[str, Any] = {"area": "operations", "matter": "fee", "draft": draft("text")}
    other = do(case, "open_incident", MONDAY, **own)
    itself = STANDS | {"incident": f"{case.reference}/inc-2"}
    assert refused(other, "join_incident", **itself) == "incident.joined"
    assert refused(case, "join_incident", **STANDS | {"incident": "Ana Pérez"}) == "command.malformed"
    assert refused(other, "leave_incident", incident=2, reasons="x") == "incident.not-joined"
    assert refused(case, "leave_incident", incident=2, reasons="x") == "incident.unknown"
    left = do(case, "leave_incident", MONDAY, incident=1, reasons="x")
    assert refused(left, "leave_incident", incident=1, reasons="x") == "incident.not-joined"
    end: dict[str, Any] = {"incident": 1, "outcome": "resolved", "evidence": "x"}
    assert refused(case, "close_incident", **end) == "incident.not-own"
    with pytest.raises(Refused, match="closed"):
        do(closed(), "join_incident", MONDAY + 101 * DAY, **STANDS)
    withdrawn = do(acknowledged(), "withdraw", MONDAY, reasons="never mind", message="ms_1")
    assert refused(withdrawn, "join_incident", **STANDS) == "case.closed"


def test_a_key_is_written_in_capitals() -> None:
    assert incident_as_we_write_it(" rx-3f8h-kkxc/INC-2 ") == KEY
    assert incident_as_we_write_it("rx") == "rx"
    assert incident_as_we_write_it(7) == 7
