"""Telling a tracker, step by step: what is kept before a call, what keeps two from making it, what may leave."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.tracker import Incidents
from models.area_work import Incident, IncidentState
from models.case import Case
from models.errors import OperatorError
from models.incidents import incident_key
from models.work import Errand, Told
from records import cases, documents, incidents
from records.database import Database
from tests.cases import AGENT, MONDAY, do, new_case, policy
from tests.workflows.test_incidents import Stub
from trackers.builtin import BuiltIn
from trackers.registry import Trackers


@pytest.fixture
def case(database: Database) -> Case:
    made = new_case()
    with database.write() as session:
        cases.add(session, made, subject="", excerpt="", status_token="t")
        content = {"text": "Broadcast at 14:02."}
        draft = documents.save_draft(session, made.reference, "incident", content, author=AGENT, now=MONDAY)
    order: dict[str, Any] = {"area": "operations", "matter": "withdrawal", "draft": draft.model_dump()}
    return do(made, "open_incident", MONDAY, **order)


class House:
    """A tracker and a clock, and a port between them."""

    def __init__(self, database: Database) -> None:
        self.database, self.stub, self.now = database, Stub(), MONDAY

    def tell(self, case: Case, *, leaves: str = "reference", trackers: Trackers | None = None, **more: Any) -> Told:
        settings = policy().tracker.model_copy(update={"leaves": leaves})
        both = trackers or Trackers({"jira": self.stub, "builtin": BuiltIn()}, "jira")
        port = Incidents(self.database, both, settings, self.clock)
        incident: Incident = case.incidents[0].model_copy(update=more)
        return port.track(Errand(reference=case.reference, incident=incident))

    def clock(self) -> datetime:
        return self.now

    def row(self, case: Case) -> Any:
        with self.database.read() as session:
            return incidents.get(session, incident_key(case.reference, 1))


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.mark.rule("M5.6")
def test_the_description_leaves_only_where_policy_lets_it(house: House, case: Case) -> None:
    house.tell(case, leaves="reference_and_description")
    assert house.stub.taken[0].description == "Broadcast at 14:02."


def test_telling_twice_is_telling_once(house: House, case: Case) -> None:
    first, again = house.tell(case), house.tell(case)
    assert (first.id, again.id, len(house.stub.taken)) == ("T-1", "T-1", 1)
    assert house.row(case).tries == 1


def test_while_one_tries_another_waits_and_a_try_that_died_holds_nobody_for_long(house: House, case: Case) -> None:
    class Died(BaseException):
        pass

    house.stub.after, house.stub.shown = [Died()], False  # type: ignore[list-item]
    with pytest.raises(Died):
        house.tell(case)
    assert house.row(case).unsure
    house.stub.settles = timedelta()  # type: ignore[misc]
    with pytest.raises(ApplicationError, match="under way") as caught:
        house.tell(case)
    assert caught.value.next_retry_delay == timedelta(seconds=10)
    house.now += timedelta(seconds=61)
    assert house.tell(case).id == "T-2"


def test_a_draft_of_another_inquiry_never_leaves(house: House, case: Case) -> None:
    for draft in ("dr_none", "dr_other"):
        with pytest.raises(ApplicationError, match="not among this inquiry's drafts"):
            house.tell(case, leaves="reference_and_description", draft=draft)
    assert not house.stub.taken
    assert house.row(case).failing_since == MONDAY


def test_an_incident_stays_with_the_tracker_that_has_it(house: House, case: Case) -> None:
    house.tell(case)
    board = Trackers({"builtin": BuiltIn()}, "builtin")
    ended: dict[str, Any] = {"state": IncidentState.RESOLVED, "closed_here": True}
    with pytest.raises(ApplicationError, match="the tracker jira has this incident, and is switched off"):
        house.tell(case, trackers=board, **ended)
    assert house.tell(case, **ended).over
    assert house.stub.closed == ["T-1 resolved"]


def test_one_that_no_tracker_took_goes_to_the_one_that_policy_names_now(house: House, case: Case) -> None:
    house.stub.faults = [OperatorError("answered 401")]
    with pytest.raises(ApplicationError):
        house.tell(case)
    told = house.tell(case, trackers=Trackers({"builtin": BuiltIn()}, "builtin"))
    assert (told.tracker, told.id) == ("builtin", "RX-7KQ4-M2PD/inc-1")
    assert house.row(case).tracker == "builtin"
