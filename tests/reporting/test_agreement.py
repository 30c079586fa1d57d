"""The figures agree with the ledger: counted by SQL over the tables, and again by a plain loop over the events."""

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.case import Case
from models.errors import Refused
from models.inquiry import Actor
from models.post import Acceptance, accept, fail
from models.work import Written, absorb
from records import cases, ledger
from records.database import Database
from records.figures import Window
from records.statistics import Statistics, statistics
from starter.reporting.periods import read_period
from tests.cases import (
    BANK,
    FULL,
    MONDAY,
    ORIGIN,
    OTHER,
    SUPERVISOR,
    TELEGRAM,
    back,
    do,
    new_case,
    policy,
    send_all,
)
from tests.databases import Template
from tests.models.test_work import as_fact
from tests.reporting import plain
from tests.reporting.conftest import FIRST, LATER
from tests.reporting.past import everyone, merged_leads, pass_time, store

QUARTER = "2026Q1"


def window(name: str, now: datetime) -> Window:
    return read_period(name).window(policy().whole_calendar(), now)


def counted(database: Database, name: str, now: datetime) -> Statistics:
    with database.read() as session:
        return statistics(session, window(name, now))


def told(database: Database) -> list[plain.Told]:
    with database.read() as session:
        return [plain.read(ledger.of_case(session, one)) for one in ledger.references(session)]


def agree(database: Database, name: str, now: datetime) -> None:
    """Hold everything that both ways can count against each other."""
    period, found, ledgered = window(name, now), counted(database, name, now), told(database)
    start, end, cut = period.start, period.end, period.cut
    months = read_period(name).months
    assert {
        (one.kind, one.fate, months[one.month], one.channel, one.area, one.inquiry): one.number for one in found.terms
    } == plain.fates(ledgered, start, end, now)
    lost = Counter(
        one.kind
        for told in ledgered
        for one in told.owed.values()
        if start <= one.due < end and one.fate(now) in {"late", "unmet", "lapsed"}
    )
    assert sum((Counter({one.kind: one.number}) for one in found.misses), Counter()) == lost
    _agree_on_waiting(found, list(plain.finals(ledgered)), start, cut)
    assert found.answers == plain.happened(ledgered, "case.answered", start, cut)
    assert found.reviews.noted == plain.happened(ledgered, "review.noted", start, cut)
    assert found.reviews.decided == plain.happened(ledgered, "review.decided", start, cut)
    assert {
        (one.cause, outcome): number for one in found.causes for outcome, number in one.outcomes.items()
    } == plain.caused(ledgered, start, cut)
    assert sum(len(one.days) for one in found.causes) <= sum(found.answers.values())
    assert {(one.cause, one.kind, one.currency): (one.number, one.amount) for one in found.remedies} == {
        group: (len(some), sum(some)) for group, some in plain.remedied(ledgered, start, cut).items()
    }
    for figure, what in (
        (found.extensions.announced, "extension.announced"),
        (found.extensions.void, "extension.void"),
        (found.extensions.told_late, "extension.told-late"),
        (found.escalations.begun, "case.escalated"),
        (found.escalations.estimates_moved, "estimate.changed"),
        (sum(found.channels.decided.values()), "channel.changed"),
        (sum(one.accepted for one in found.letters), "letter.accepted"),
        (sum(one.returned for one in found.letters), "letter.bounced"),
        (sum(one.refused for one in found.letters), "letter.failed"),
    ):
        assert figure == plain.happened(ledgered, what, start, cut).total(), what
    assert found.basis.events == sum(len(one.facts) for one in ledgered)


def _agree_on_waiting(found: Statistics, finals: list[plain.Owed], start: datetime, cut: datetime) -> None:
    waiting = [one for one in finals if one.open_at(cut)]
    flow = found.flow
    assert (flow.before, flow.after) == (sum(one.open_at(start) for one in finals), len(waiting))
    assert sum(one.number for one in found.waiting) == len(waiting) == len(found.ages)
    assert sum(one.overdue for one in found.waiting) == sum(one.due + plain.SECOND <= cut for one in waiting)
    came = flow.before + flow.received + flow.reopened
    went = flow.answered + flow.withdrawn + flow.merged + flow.exhausted + flow.other
    assert came - went == flow.after
    assert flow.answered == sum(one.met is not None and start <= one.met < cut for one in finals)
    assert flow.other == 0
    extended = [one for one in finals if one.ended_why == "extended" and one.ended and start <= one.ended < cut]
    assert len(found.extensions.days) == len(extended)


@pytest.mark.rule("M3.11")
@pytest.mark.parametrize("now", [LATER, datetime(2026, 3, 5, 15, tzinfo=UTC)], ids=["later", "while it runs"])
@pytest.mark.parametrize("name", [QUARTER, "2026Q2", "2026-02", "2026-02-11..2026-04-07"])
def test_every_figure_agrees_with_the_ledger(peopled: Database, name: str, now: datetime) -> None:
    if window(name, LATER).start < now:
        agree(peopled, name, now)


def test_every_fate_and_every_way_to_come_and_go_is_among_them(peopled: Database) -> None:
    found = counted(peopled, QUARTER, LATER)
    assert {one.fate for one in found.terms} == {"kept", "late", "unmet", "lapsed", "moved", "released", "exhausted"}
    running = counted(peopled, QUARTER, datetime(2026, 3, 5, 15, tzinfo=UTC))
    assert "running" in {one.fate for one in running.terms}
    flow = counted(peopled, "2026Q1", LATER).flow
    assert min(flow.received, flow.reopened, flow.answered, flow.withdrawn, flow.merged, flow.after) >= 1
    assert counted(peopled, "2026Q2", LATER).flow.before == flow.after


@pytest.mark.rule("M3.11")
def test_days_agree_with_a_walk_from_day_to_day(database: Database) -> None:
    store(database, *(case for case in everyone(FIRST) if case.received_at >= case.opened_at or _found_late(case)))
    found, ledgered = counted(database, QUARTER, LATER), told(database)
    start, end = window(QUARTER, LATER).start, window(QUARTER, LATER).end
    for kind, days in (("acknowledgement", found.acknowledged), ("final response", found.answered)):
        expected = [
            plain.business_days(one.starts, one.met)
            for inquiry in ledgered
            for one in inquiry.owed.values()
            if one.kind == kind and one.met and start <= one.due < end
        ]
        assert list(days) == sorted(expected)
        assert len(days) > 5
    waiting = [one for one in plain.finals(ledgered) if one.open_at(end)]
    assert list(found.ages) == sorted(plain.business_days(one.starts, end) for one in waiting)


def _found_late(case: Case) -> bool:
    """Its own chain tells its reception; that of a merged inquiry stands in the other's chain."""
    return not any(fact.type == "case.merged" for fact in case.pending)


def test_a_merged_inquiry_counts_from_the_earliest_reception(database: Database) -> None:
    case = merged_leads(MONDAY)
    store(database, case)
    found = counted(database, "2026-03", LATER)
    assert found.answered == (plain.business_days(MONDAY - timedelta(hours=72), MONDAY + timedelta(days=30)),)


def test_what_was_written_too_soon_does_not_count(database: Database) -> None:
    """Withdrawn while its acknowledgement was on its way: the chain takes back that the term was met."""
    case = new_case()
    worker, flown = case.model_copy(deep=True), len(case.pending)
    acceptance = Acceptance(key=case.letters[0].key, at=MONDAY + timedelta(hours=1))
    accept(worker, acceptance)
    written = worker.seal()
    with database.write() as session:
        cases.add(session, worker, subject="", excerpt="", status_token="t")
        ledger.append(session, written)
    facts = tuple(as_fact(event) for event in written[flown:])
    case = do(case, "withdraw", MONDAY + timedelta(minutes=30), reasons="settled", message="ms_1")
    absorb(case, Written(flown=flown, facts=facts, seq=worker.seq, head=worker.head, acceptance=acceptance))
    send_all(case, MONDAY + timedelta(hours=2))
    with database.write() as session:
        ledger.append(session, case.seal())
        cases.project(session, case)
    assert any(fact[1] == "acceptance.revised" for one in told(database) for fact in one.facts)
    agree(database, "2026-02", LATER)
    assert {one.fate for one in counted(database, "2026-02", LATER).terms if one.kind == "acknowledgement"} == {
        "released"
    }


def test_an_empty_period_counts_nothing(database: Database) -> None:
    found = counted(database, QUARTER, LATER)
    assert not any((found.terms, found.misses, found.acknowledged, found.waiting, found.letters, found.answers))
    assert set(found.flow) == {0}
    agree(database, QUARTER, LATER)


Move = tuple[str, dict[str, Any]]
MOVES: tuple[Move, ...] = (
    ("assign", {"owner": "agent-3", "area": "compliance", "reasons": "x"}),
    ("refer", {"area": "compliance", "question": "?"}),
    ("answer_referral", {"area": "compliance", "findings": "x"}),
    ("extend", {"until": "2026-04-20", "reasons": "x"}),
    ("extend", {"until": "2026-05-05", "reasons": "x", "actor": SUPERVISOR}),
    ("escalate", BANK),
    ("escalate", {**BANK, "estimate": "2026-04-02", "until": "2026-04-15"}),
    ("re_estimate", {"estimate": "2026-03-25", "reasons": "x"}),
    ("institution_answered", {"summary": "x"}),
    ("resolve", {"outcome": "upheld", "draft": FULL}),
    ("propose", {"command": "resolve", "order": {"outcome": "unfounded", "draft": FULL}}),
    ("approve", {"actor": OTHER}),
    ("resolve", {"outcome": "partial", "draft": FULL, "cause": {"code": "fees.too_much", "taxonomy": "1"}}),
    ("correct_cause", {"cause": {"code": "fees.not_told", "taxonomy": "1"}, "reasons": "x"}),
    ("promise_remedy", {"what": "x", "kind": "refund", "amount": "2.50", "currency": "USD", "by": "2026-06-20"}),
    ("promise_remedy", {"what": "x", "by": "2026-06-20"}),
    ("remedy_done", {"remedy": 1, "evidence": "x"}),
    ("appeal", {"text": "x"}),
    ("appeal", {"text": "x", "by": "authority", "file_number": "1"}),
    ("appeal_decided", {"result": "settled", "text": "x"}),
    ("change_channel", {"channel": "telegram", "reasons": "x"}),
    ("withdraw", {"reasons": "x", "message": "ms_1"}),
    ("reopen", {"reasons": "x"}),
    ("reclassify", {"kind": "inquiry", "reasons": "x", "draft": FULL, "actor": SUPERVISOR}),
    ("attempts_exhausted", {"reasons": "x", "actor": SUPERVISOR}),
    ("fail", {}),
    ("bounce", {}),
    ("send", {}),
)

step = st.tuples(st.sampled_from(MOVES), st.integers(1, 400), st.booleans())


def random_life(reference: str, steps: list[tuple[Move, int, bool]]) -> tuple[Case, datetime]:
    """Whatever may happen to an inquiry, in any order, hours apart, and when it ended.

    What the rules refuse does not happen.
    """
    case = new_case(reference=reference, addresses=(ORIGIN, TELEGRAM))
    now = MONDAY
    for (name, payload), hours, sending in steps:
        since, now = now, now + timedelta(hours=hours)
        pass_time(case, since, now, sending=sending)
        case = _moved(case, name, now, payload)
    return case, now


def _moved(case: Case, name: str, now: datetime, payload: dict[str, Any]) -> Case:
    gone = [one.key for one in case.letters if one.accepted_at and not one.bounced_at]
    if name == "send":
        send_all(case, now)
    elif name == "fail" and (letter := case.outbox(now)):
        fail(case, letter.key, now, "550")
    elif name == "bounce" and gone:
        back(case, gone[-1], now)
    elif name not in {"fail", "bounce"}:
        actor: Actor = payload.get("actor", SUPERVISOR)
        try:
            return do(case, name, now, actor, **{key: value for key, value in payload.items() if key != "actor"})
        except Refused:
            pass
    return case


QUIET = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.rule("M3.11")
@QUIET
@given(lives=st.lists(st.lists(step, max_size=10), min_size=1, max_size=4), days=st.integers(0, 120))
def test_random_lives_agree_with_the_ledger(blank_records: Template, lives: list[Any], days: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(blank_records.copy(Path(folder)))
        try:
            made = [random_life(f"RX-{n:04}", steps) for n, steps in enumerate(lives)]
            store(database, *(case for case, _ in made))
            agree(database, "2026-02-01..2026-04-10", max(now for _, now in made) + timedelta(days=days, seconds=1))
        finally:
            database.close()
