"""An incident that many cases joined: what is said of it is queued for each of them, once, at a pace (M5.6)."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from models.area_work import IncidentState
from models.case import Case
from models.errors import TransientError
from models.incidents import incident_key
from models.inquiry import Actor, Role
from models.reference import new_reference
from models.sight import Eyes
from models.tables import Dispatch, IncidentJoin, IncidentRow
from records import cases, incident_joins, incident_words, incidents
from records.database import Database
from records.incident_words import News
from starter.collecting.counting import SELDOM, tell_counts
from tests.cases import FULL, MONDAY, acknowledged, do, draft, new_case
from trackers.builtin import BuiltIn
from trackers.registry import Trackers

JIRA = Actor(id="tracker:jira", role=Role.SYSTEM)
DONE = News(IncidentState.RESOLVED, MONDAY, "All left at 18:31.", "Done")
LEAD = Actor(id="supervisor-1", role=Role.SUPERVISOR)
EYES = Eyes("agent-1")
COMPLIANCE = Actor(id="compliance-1", role=Role.COMPLIANCE)


class Counting:
    """References one after the other, the same in every run."""

    def __init__(self) -> None:
        self.n = 0

    def choice(self, seq: Any, /) -> Any:
        self.n += 7
        return seq[(self.n * self.n // 11) % len(seq)]


class House:
    """Records with one incident, and cases that join it."""

    def __init__(self, database: Database) -> None:
        self.database, self.random = database, Counting()
        self.first = self.saved(new_case())
        order: dict[str, Any] = {"area": "operations", "matter": "withdrawal", "draft": draft("text")}
        opened = do(self.first, "open_incident", MONDAY, **order)
        self.key = incident_key(self.first.reference, 1)
        with database.write() as session:
            incidents.place(
                session,
                opened.incidents[0],
                key=self.key,
                reference=self.first.reference,
                tracker="builtin",
                title="withdrawal",
            )

    def saved(self, case: Case) -> Case:
        with self.database.write() as session:
            assert cases.add(session, case, subject="", excerpt="", status_token=case.reference)
        return case

    def another(self) -> Case:
        return self.saved(acknowledged().model_copy(update={"reference": new_reference("RX", self.random)}))

    def join(self, case: Case, heard: int = 0, **more: Any) -> Case:
        stands: dict[str, Any] = {
            "incident": self.key,
            "area": "operations",
            "matter": "withdrawal",
            "state": "open",
            "opened_at": MONDAY.isoformat(),
            "changed_at": MONDAY.isoformat(),
            "heard": heard,
        }
        return self.write_down(do(case, "join_incident", MONDAY, **stands | more))

    def write_down(self, case: Case) -> Case:
        """As the worker does it."""
        with self.database.write() as session:
            events = case.seal()
            cases.project(session, case)
            incident_joins.note(session, events, MONDAY)
        return case

    def say(self, news: News) -> bool:
        with self.database.write() as session:
            return incidents.changed(session, self.row(session), news, actor=JIRA, now=MONDAY)

    def row(self, session: Any) -> IncidentRow:
        return incidents.get(session, self.key)

    def queued(self) -> list[Dispatch]:
        with self.database.read() as session:
            query = select(Dispatch).where(col(Dispatch.name) == incident_words.CHANGED).order_by(col(Dispatch.id))
            return list(session.exec(query))


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


@pytest.mark.rule("M5.6")
def test_a_word_is_queued_for_every_case_that_it_is_about_at_a_pace(house: House) -> None:
    joined = [house.join(house.another()) for _ in range(incident_words.A_SECOND + 5)]
    assert house.say(DONE)
    rows = house.queued()
    assert [row.reference for row in rows] == [house.first.reference, *(case.reference for case in joined)]
    assert len({row.payload["key"] for row in rows}) == 1
    assert {row.payload["words"] for row in rows} == {DONE.words}
    assert [row.not_before for row in rows].count(None) == incident_words.A_SECOND
    assert rows[-1].not_before == MONDAY + timedelta(seconds=1)
    assert not house.say(DONE._replace(words=""))
    assert len(house.queued()) == len(rows)


@pytest.mark.rule("M5.6")
def test_what_is_said_while_a_join_is_on_its_way_is_told_with_it(house: House) -> None:
    house.say(News(IncidentState.IN_PROGRESS, MONDAY, "The bank is asked."))
    with house.database.read() as session:
        last = incident_words.last(session, house.key)
    assert (last.words, last.outcome) == ("The bank is asked.", "")
    case = house.another()
    house.say(DONE)
    house.join(case, last.heard)
    (told,) = [row for row in house.queued() if row.reference == case.reference]
    assert (told.payload["state"], told.payload["words"], told.payload["outcome"]) == (
        "resolved",
        DONE.words,
        DONE.outcome,
    )


def test_the_echo_of_what_the_case_closed_itself_is_no_news_to_the_others(house: House) -> None:
    case = house.join(house.another())
    order: dict[str, Any] = {"area": "operations", "matter": "withdrawal", "draft": draft("text")}
    end: dict[str, Any] = {"incident": 1, "outcome": "rejected", "evidence": "A typo."}
    house.write_down(do(do(house.first, "open_incident", MONDAY, **order), "close_incident", MONDAY, LEAD, **end))
    house.say(DONE._replace(words=""))
    told = [row.payload for row in house.queued() if row.reference == case.reference]
    assert [(one["state"], one["words"]) for one in told] == [("rejected", "A typo.")]


def test_what_is_said_last_is_what_a_case_gets_that_joins(house: House) -> None:
    house.say(DONE)
    house.say(News(IncidentState.IN_PROGRESS, MONDAY))
    with house.database.read() as session:
        assert incident_words.last(session, house.key) == (2, DONE.words, DONE.outcome)


@pytest.mark.rule("M5.6")
def test_the_list_counts_what_can_be_answered(house: House) -> None:
    rest, answered, withdrawn, left = (house.join(house.another()) for _ in range(4))
    end: dict[str, Any] = {"outcome": "upheld", "draft": FULL, "despite_incident": "It does not hang on it."}
    house.write_down(do(answered, "resolve", MONDAY, **end))
    house.write_down(do(withdrawn, "withdraw", MONDAY, reasons="never mind", message="ms_1"))
    house.write_down(do(left, "leave_incident", MONDAY, incident=1, reasons="another network"))

    def page(**more: Any) -> incident_joins.JoinedPage:
        with house.database.read() as session:
            return incident_joins.page(session, house.row(session), EYES, **more)

    assert (page().joined, page().answerable, page(answerable=True).items) == (3, 0, ())
    house.say(DONE)
    assert (page().joined, page().answerable) == (3, 1)
    assert [one.line.reference for one in page(answerable=True).items] == [rest.reference]
    assert {one.line.reference for one in page(answerable=False).items} == {answered.reference, withdrawn.reference}
    with house.database.read() as session:
        assert incident_joins.counts(session, [house.key], EYES) == {house.key: 3}
        assert incident_joins.counts(session, [], EYES) == {}


class Counter(BuiltIn):
    """A tracker outside that takes numbers, or fails."""

    outside = True

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.away = False

    def count(self, id_: str, key: str, cases: int, now: datetime) -> None:
        if self.away:
            raise TransientError("away")
        self.told.append((id_, cases))


@pytest.mark.rule("M5.6")
def test_a_tracker_outside_is_told_how_many_joined_and_seldom(house: House) -> None:
    jira, now = Counter(), MONDAY
    trackers = Trackers({"builtin": BuiltIn(), "jira": jira}, "jira")

    def tell() -> int:
        return tell_counts(house.database, trackers, lambda: now)

    cases_ = [house.join(house.another()) for _ in range(2)]
    assert tell() == 0, "our own board counts them itself"
    with house.database.write() as session:
        row = house.row(session)
        row.tracker, row.tracker_id = "jira", "10001"
        session.add(row)
    assert (tell(), tell(), jira.told) == (1, 0, [("10001", 2)])
    house.join(house.another())
    assert tell() == 0, "not before its time"
    now += SELDOM
    jira.away = True
    assert tell() == 0
    now += SELDOM
    jira.away = False
    secret = do(cases_[0], "compartment", MONDAY, COMPLIANCE, people=["ana"], reasons="x")
    house.write_down(secret)
    assert (tell(), jira.told[1:]) == (0, []), "what lies in a compartment is not counted, so it is two as before"
    house.join(house.another())
    assert (tell(), jira.told[1:]) == (1, [("10001", 3)])
    house.join(house.another())
    house.say(DONE)
    now += SELDOM
    assert tell() == 0, "it is over"


def test_what_a_case_closes_before_its_tracker_heard_of_it_is_told_to_nobody(house: House) -> None:
    order: dict[str, Any] = {"area": "operations", "matter": "fee", "draft": draft("text")}
    case = do(house.another(), "open_incident", MONDAY, **order)
    house.write_down(do(case, "close_incident", MONDAY, incident=1, outcome="resolved", evidence="Found at once."))
    assert house.queued() == []


def test_a_thousand_cases_do_not_block_the_door(house: House) -> None:
    with house.database.write() as session:
        for n in range(1_000):
            reference = f"RX-{n:04d}-AAAA"
            session.add(IncidentJoin(incident=house.key, reference=reference, n=1, joined_at=MONDAY))
    began = time.perf_counter()
    assert house.say(DONE)
    assert time.perf_counter() - began < 5
    rows = house.queued()
    assert len(rows) == 1_001
    assert rows[-1].not_before == MONDAY + timedelta(seconds=1_000 // incident_words.A_SECOND)
