"""What goes to a specialised team goes through the incident tool, and its outcome comes back as evidence (M5.6)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.area_work import Incident, IncidentState
from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.errors import Refused
from models.incidents import incident_key, known_matter, tracked
from models.inquiry import SYSTEM, Actor, Role, Status
from models.ledger import Fact
from models.work import Told
from tests.cases import (
    AGENT,
    CX_LEAD,
    DAY,
    FULL,
    MONDAY,
    OPERATIONS_LEAD,
    OTHER,
    SUPERVISOR,
    acknowledged,
    answered,
    closed,
    do,
    draft,
    policy,
    send_all,
)

HOUR = timedelta(hours=1)
JIRA = Actor(id="tracker:jira", role=Role.SYSTEM)
TEXT = draft("text")


def opened(case: Case | None = None, now: datetime = MONDAY) -> Case:
    return do(case or acknowledged(), "open_incident", now, area="operations", matter="withdrawal", draft=TEXT)


def linked(**more: Any) -> Case:
    case = opened(acknowledged(**more))
    tracked(case, Told(n=1, at=MONDAY, tracker="jira", id="10001", url="https://jira.example.org/browse/OPS-1"), MONDAY)
    return case


def changed(case: Case, state: str, at: datetime, **more: Any) -> Case:
    return do(case, "incident_changed", max(at, MONDAY), JIRA, incident=1, state=state, at=at.isoformat(), **more)


def facts(case: Case) -> list[Fact]:
    return [fact for fact in case.pending if fact.type.startswith("incident.")]


def over(case: Case) -> bool:
    return case.status is Status.CLOSED


def refused(case: Case, name: str, now: datetime = MONDAY, **order: Any) -> str:
    with pytest.raises(Refused) as caught:
        do(case, name, now, **order)
    return caught.value.code


@pytest.mark.rule("M5.6")
def test_an_incident_is_opened_linked_moved_and_closed_and_all_of_it_stands_in_the_ledger() -> None:
    case = linked()
    case = changed(case, "in_progress", MONDAY + HOUR)
    case = changed(case, "resolved", MONDAY + 2 * HOUR, words="The payment left on Tuesday.", outcome="Done")
    assert [(fact.type, fact.rule, fact.actor) for fact in facts(case)] == [
        ("incident.opened", "M5.6", AGENT),
        ("incident.linked", "M5.6", SYSTEM),
        ("incident.changed", "M5.6", JIRA),
        ("incident.closed", "M5.6", JIRA),
    ]
    opening, link, _, end = facts(case)
    assert opening.data == {
        "incident": 1,
        "area": "operations",
        "matter": "withdrawal",
        "draft": TEXT["id"],
        "draft_digest": TEXT["digest"],
    }
    assert link.data["id"] == "10001"
    assert (end.at, end.data["state"]) == (MONDAY + 2 * HOUR, "resolved")
    assert end.texts == {"words": "The payment left on Tuesday.", "outcome": "Done"}
    assert not case.open_incidents
    assert not case.untold


@pytest.mark.rule("M5.6")
def test_a_final_answer_waits_for_an_open_incident_unless_somebody_says_why_not() -> None:
    case = linked()
    order: dict[str, Any] = {"outcome": "upheld", "draft": FULL}
    assert refused(case, "resolve", **order) == "resolve.incident-open"
    with pytest.raises(Refused, match="incident 1 is open") as caught:
        do(case, "resolve", MONDAY, **order)
    assert (caught.value.field, caught.value.rule) == ("despite_incident", "M5.6")
    despite = do(case, "resolve", MONDAY, **order, despite_incident="The refund does not hang on it.")
    (told,) = [fact for fact in despite.pending if fact.type == "case.resolved"]
    assert told.texts == {"despite_incident": "The refund does not hang on it."}
    over = do(changed(case, "rejected", MONDAY + HOUR), "resolve", MONDAY + HOUR, **order)
    (plain,) = [fact for fact in over.pending if fact.type == "case.resolved"]
    assert plain.texts == {}


@pytest.mark.rule("M5.6")
def test_the_second_pair_of_eyes_does_not_pass_by_an_incident_opened_meanwhile() -> None:
    order = {"outcome": "unfounded", "draft": FULL}
    case = do(acknowledged(), "propose", MONDAY, command="resolve", order=order)
    case = opened(case)
    with pytest.raises(Refused, match="incident 1 is open"):
        do(case, "approve", MONDAY, OTHER)


@pytest.mark.rule("M5.6")
def test_an_incident_that_the_case_closes_is_told_to_the_tracker_and_its_echo_changes_nothing() -> None:
    case = do(linked(), "close_incident", MONDAY + HOUR, incident=1, outcome="rejected", evidence="It was a typo.")
    end = facts(case)[-1]
    assert (end.type, end.data["state"], end.texts) == ("incident.closed", "rejected", {"evidence": "It was a typo."})
    assert [one.n for one in case.untold] == [1]
    assert case.busy
    tracked(case, Told(n=1, at=MONDAY + HOUR, tracker="jira", id="10001", over=True), MONDAY + HOUR)
    assert facts(case)[-1].type == "incident.told"
    assert not case.untold
    after = changed(case, "resolved", MONDAY + 2 * HOUR, outcome="Done")
    assert facts(after) == facts(case)
    assert after.incidents[0].state is IncidentState.REJECTED
    again = changed(case, "in_progress", MONDAY + 2 * HOUR)
    assert [one.n for one in again.open_incidents] == [1]
    assert not again.untold


def test_what_is_older_than_the_last_change_is_no_news_but_its_words_are() -> None:
    case = changed(linked(), "blocked", MONDAY + 2 * HOUR)
    assert facts(changed(case, "in_progress", MONDAY + HOUR)) == facts(case)
    noted = changed(case, "in_progress", MONDAY + HOUR, words="Started.")
    assert (facts(noted)[-1].type, facts(noted)[-1].texts) == ("incident.noted", {"words": "Started."})
    assert noted.incidents[0].state is IncidentState.BLOCKED
    same = changed(case, "blocked", MONDAY + 3 * HOUR, words="Still waiting for the bank.")
    assert facts(same)[-1].type == "incident.noted"


def test_a_foreign_clock_moves_nothing_before_the_incident_or_into_the_future() -> None:
    early = changed(linked(), "in_progress", MONDAY - DAY)
    assert early.incidents[0].changed_at == MONDAY
    order = read("incident_changed", {"incident": 1, "state": "blocked", "at": (MONDAY + DAY).isoformat()})
    late = decide(linked(), "incident_changed", order, MONDAY + HOUR, trusted=True, signal=True)
    assert late.incidents[0].changed_at == MONDAY + HOUR


def test_a_reopened_incident_holds_up_the_answer_again() -> None:
    case = changed(changed(linked(), "resolved", MONDAY + HOUR), "open", MONDAY + 2 * HOUR)
    assert refused(case, "resolve", outcome="upheld", draft=FULL) == "resolve.incident-open"


def test_a_link_that_comes_twice_is_one() -> None:
    case = linked()
    tracked(case, Told(n=1, at=MONDAY + HOUR, tracker="jira", id="10002"), MONDAY + HOUR)
    assert case.incidents[0].id == "10001"
    assert len(facts(case)) == 2


def test_an_incident_closed_before_any_tracker_heard_of_it_needs_none() -> None:
    case = do(opened(), "close_incident", MONDAY, incident=1, outcome="resolved", evidence="Found at once.")
    tracked(case, Told(n=1, at=MONDAY, over=True), MONDAY)
    assert case.incidents[0].linked_at is None
    assert not case.untold


def test_a_case_does_not_close_before_its_tracker_knows() -> None:
    case = opened(answered(), MONDAY + DAY)
    wake(case, MONDAY + 200 * DAY)
    assert not over(case)
    assert case.next_alarm() is None
    tracked(case, Told(n=1, at=MONDAY + 200 * DAY, tracker="builtin", id="x"), MONDAY + 200 * DAY)
    wake(case, MONDAY + 200 * DAY)
    assert over(case)
    late = changed(case, "resolved", MONDAY + 201 * DAY, words="Paid.")
    assert late.closed_at == case.closed_at
    assert facts(late)[-1].type == "incident.closed"


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"area": "nobody", "matter": "withdrawal", "draft": TEXT}, "incident.unknown-area"),
        ({"area": "operations", "matter": "withdrawal", "draft": draft()}, "gate.empty"),
        ({"area": "operations", "matter": "Ana Pérez", "draft": TEXT}, "command.malformed"),
    ],
)
def test_what_cannot_be_opened(order: dict[str, Any], code: str) -> None:
    assert refused(acknowledged(), "open_incident", **order) == code


def test_a_case_that_is_over_opens_none() -> None:
    order: dict[str, Any] = {"area": "operations", "matter": "withdrawal", "draft": TEXT}
    assert refused(closed(), "open_incident", MONDAY + 101 * DAY, **order) == "case.closed"
    withdrawn = do(acknowledged(), "withdraw", MONDAY, reasons="never mind", message="ms_1")
    assert refused(withdrawn, "open_incident", **order) == "case.closed"


def test_only_a_known_open_incident_is_closed() -> None:
    order: dict[str, Any] = {"outcome": "resolved", "evidence": "x"}
    assert refused(opened(), "close_incident", incident=2, **order) == "incident.unknown"
    case = changed(linked(), "resolved", MONDAY)
    assert refused(case, "close_incident", incident=1, **order) == "incident.closed"


@pytest.mark.rule("M5.4")
def test_an_incident_ends_by_its_own_area_a_supervisor_or_its_tracker_alone() -> None:
    order: dict[str, Any] = {"incident": 1, "outcome": "resolved", "evidence": "Confirmed at 18:31."}
    for stranger in (AGENT, CX_LEAD):
        with pytest.raises(Refused, match=r"incident\.not-theirs: only somebody of operations"):
            do(linked(), "close_incident", MONDAY, stranger, **order)
    for own in (OPERATIONS_LEAD, SUPERVISOR):
        assert not do(linked(), "close_incident", MONDAY, own, **order).open_incidents
    assert not do(linked(), "close_incident", MONDAY, AGENT, **order, stands_in=["operations"]).open_incidents
    assert not changed(linked(), "resolved", MONDAY).open_incidents
    assert not do(linked(incidents_by_area=False), "close_incident", MONDAY, AGENT, **order).open_incidents


def test_nobody_outside_says_what_came_of_an_incident() -> None:
    order = read("incident_changed", {"incident": 1, "state": "resolved", "at": MONDAY.isoformat()})
    with pytest.raises(Refused, match="only our own intake"):
        decide(linked(), "incident_changed", order, MONDAY, trusted=False, signal=True)


@pytest.mark.rule("M5.6")
def test_a_title_is_made_of_the_reference_and_the_policys_words_alone() -> None:
    tracker = policy().tracker
    assert tracker.title("RX-7KQ4-M2PD", 1, "withdrawal") == "RX-7KQ4-M2PD incident 1: withdrawal not completed"
    assert tracker.title("RX-7KQ4-M2PD", 2, "ana_perez") == "RX-7KQ4-M2PD incident 2"
    assert incident_key("RX-7KQ4-M2PD", 1) == "RX-7KQ4-M2PD/inc-1"
    known_matter(tracker.matters, "fee")
    with pytest.raises(Refused, match=r"incident\.unknown-matter"):
        known_matter(tracker.matters, "ana_perez")


def test_incidents_count_on_and_stand_in_the_saved_case() -> None:
    case = opened(opened())
    assert [one.n for one in case.incidents] == [1, 2]
    send_all(case, MONDAY)
    again = Case.model_validate_json(case.model_dump_json())
    assert again.incidents == case.incidents
    assert again.incident(3) is None
    assert isinstance(again.incident(2), Incident)
