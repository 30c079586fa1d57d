"""Cases as people look them up, and the state they are resumed from."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlmodel import Session, text

from models.case import Case
from models.clock import wake
from models.erasing import Wiped, erased
from models.errors import Malformed, UnknownInquiry
from models.inquiry import Kind, Status
from models.tables import FAR, CaseRow
from records import case_list, cases, contact_cases, obligations
from records.database import Database
from tests.cases import DAY, MONDAY, OTHER, closed, do, new_case, send_all

CLOSED = MONDAY + 100 * DAY
TOKEN = "k" * 43


def add(session: Session, case: Case, subject: str = "Retiro", excerpt: str = "Mi retiro no llega.") -> bool:
    return cases.add(session, case, subject=subject, excerpt=excerpt, status_token=f"{TOKEN}{case.reference}")


def test_a_case_comes_back_as_it_was(database: Database) -> None:
    case = new_case()
    with database.write() as session:
        assert add(session, case)
    with database.read() as session:
        assert cases.load(session, case.reference) == case
        assert cases.reference_exists(session, case.reference)
        assert not cases.reference_exists(session, "RX-2222-2222")
        line = case_list.line(session, case.reference)
    assert (line.status, line.kind, line.flags) == ("received", "complaint", ())
    assert (line.next_obligation, line.next_due_at) == ("acknowledgement", case.owed()[0].due)
    assert line.resolution_due_at == case.resolution_due
    assert (line.received_at, line.opened_at, line.closed_at) == (MONDAY, MONDAY, None)
    assert (line.subject, line.excerpt, line.contact) == ("Retiro", "Mi retiro no llega.", "ct_1")


def test_a_reference_that_is_taken_is_refused_and_nothing_changes(database: Database) -> None:
    first, second = new_case(), new_case(kind=Kind.INQUIRY)
    with database.write() as session:
        assert add(session, first)
        assert not add(session, second)
        assert add(session, new_case(reference="RX-2222-2222"))
    with database.read() as session:
        assert cases.load(session, first.reference).kind is Kind.COMPLAINT


def test_an_unknown_reference_is_said_to_be_unknown(database: Database) -> None:
    with database.write() as session:
        for ask in (cases.load, case_list.line, cases.status_token):
            with pytest.raises(UnknownInquiry, match="RX-NONE"):
                ask(session, "RX-NONE")
        with pytest.raises(UnknownInquiry):
            cases.project(session, new_case())


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.4")
def test_tables_follow_the_case_and_never_go_back(database: Database) -> None:
    case = new_case()
    before = case.model_copy(deep=True)
    with database.write() as session:
        add(session, case)
    acknowledged = MONDAY + timedelta(minutes=1)
    send_all(case, acknowledged)
    case.seal()
    with database.write() as session:
        assert cases.project(session, case)
        assert not cases.project(session, before)
    with database.read() as session:
        line = case_list.line(session, case.reference)
        first, second = obligations.of_case(session, case.reference)
        assert cases.load(session, case.reference) == case
    assert (line.status, line.next_obligation) == (Status.OPEN, "final response")
    assert (line.seq, line.head, line.version) == (case.seq, case.head, case.version)
    assert (first.kind, first.rule, first.state, first.met_at) == ("acknowledgement", "M3.2", "met", acknowledged)
    assert first.met_by == f"{case.reference}/acknowledgement/1"
    assert (second.kind, second.rule, second.state, second.due) == ("final response", "M3.4", "open", case.told)


def test_obligations_tell_met_late_and_superseded_apart(database: Database) -> None:
    case = new_case()
    late = MONDAY + timedelta(days=60)
    wake(case, late)
    send_all(case, late)
    with database.write() as session:
        add(session, case)
        case = do(case, "merge", late, other="RX-2222-2222", leads=False, contact="ct_1", received_at=MONDAY)
        case.seal()
        cases.project(session, case)
        states = {(row.kind, row.state) for row in obligations.of_case(session, case.reference)}
    assert ("acknowledgement", "late") in states
    assert ("final response", "superseded") in states


def test_only_open_cases_are_reconciled(database: Database) -> None:
    closed = new_case(reference="RX-3333-3333").model_copy(update={"closed_at": MONDAY, "obligations": []})
    owing = new_case(reference="RX-4444-4444").model_copy(update={"closed_at": MONDAY})
    with database.write() as session:
        add(session, new_case())
        add(session, closed)
        add(session, owing)
    with database.read() as session:
        assert cases.open_references(session) == ["RX-4444-4444", "RX-7KQ4-M2PD"], "who is owed something is not over"
        assert case_list.line(session, "RX-3333-3333").status == "closed"


def test_a_closed_case_is_reconciled_until_what_the_user_was_told_is_erased_is_gone(database: Database) -> None:
    case = do(closed(), "request_erasure", CLOSED, message="ms_9")
    case = do(do(case, "propose", CLOSED, command="erase", order={}), "approve", CLOSED, OTHER)

    def kept() -> list[str]:
        with database.write() as session:
            cases.project(session, case)
        with database.read() as session:
            return cases.open_references(session)

    with database.write() as session:
        add(session, case)
    assert kept() == [case.reference]
    send_all(case, CLOSED)
    assert not case.owed(), "the letter has left, and no promise is open"
    assert kept() == [case.reference]
    erased(case, Wiped(at=CLOSED, texts=4, files=1, addresses=()))
    case.version += 1
    assert kept() == []


def test_the_status_link_leads_to_one_case(database: Database) -> None:
    case = new_case()
    with database.write() as session:
        add(session, case)
    with database.read() as session:
        token = cases.status_token(session, case.reference)
        assert cases.by_status_token(session, token) == case.reference
        for other in ("", token[:-1], token + "x", case.reference, "\udcff"):
            assert cases.by_status_token(session, other) is None


def test_a_contacts_cases_are_counted(database: Database) -> None:
    with database.write() as session:
        for n, reference in enumerate(("RX-2222-2222", "RX-3333-3333", "RX-4444-4444")):
            add(session, new_case(MONDAY + timedelta(hours=n), reference=reference))
        assert contact_cases.opened_since(session, "ct_1", MONDAY + timedelta(hours=1), verified=True) == 2
        assert contact_cases.opened_since(session, "ct_1", MONDAY, verified=False) == 0
        assert contact_cases.opened_since(session, "ct_2", MONDAY, verified=True) == 0
        assert (contact_cases.any_of(session, "ct_1"), contact_cases.any_of(session, "ct_2")) == (True, False)


def listed(database: Database, **asked: Any) -> list[str]:
    """Every page's references, and a check that pages neither overlap nor skip."""
    found: list[str] = []
    cursor = None
    while True:
        with database.read() as session:
            page = case_list.page(session, cursor=cursor, **{"limit": 2, **asked})
        found += [line.reference for line in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert page.items


def test_the_due_list_is_sorted_filtered_and_paged(database: Database) -> None:
    with database.write() as session:
        add(session, new_case(MONDAY + timedelta(days=3), reference="RX-C"))
        add(session, new_case(MONDAY, reference="RX-B"), subject="Comisión 100%")
        add(session, new_case(MONDAY, reference="RX-A", kind=Kind.INQUIRY), excerpt="x" * 300)
        add(session, new_case(MONDAY, reference="RX-Z").model_copy(update={"obligations": [], "area": "risk"}))
    assert listed(database) == ["RX-A", "RX-B", "RX-C", "RX-Z"]
    assert listed(database, limit=1) == ["RX-A", "RX-B", "RX-C", "RX-Z"]
    assert listed(database, limit=4) == ["RX-A", "RX-B", "RX-C", "RX-Z"]
    assert listed(database, kind="inquiry") == ["RX-A"]
    assert listed(database, kind="complaint") == ["RX-B", "RX-C", "RX-Z"]
    assert listed(database, area="risk") == ["RX-Z"]
    assert listed(database, channel="email", status="received", area="cx") == ["RX-A", "RX-B", "RX-C"]
    assert listed(database, channel="web") == []
    assert listed(database, status="closed") == []
    assert listed(database, due_before=MONDAY + timedelta(days=9)) == ["RX-A", "RX-B"]
    assert listed(database, due_before=datetime(2100, 1, 1, tzinfo=UTC)) == ["RX-A", "RX-B", "RX-C"]
    assert listed(database, text="COMISIÓN") == ["RX-B"]
    assert listed(database, text="100%") == ["RX-B"]
    assert listed(database, text="rx-c") == ["RX-C"]
    assert listed(database, text="_") == []
    assert listed(database, text="' OR 1=1 --") == []
    with database.read() as session:
        assert len(case_list.line(session, "RX-A").excerpt) == 200
        assert case_list.page(session, limit=0).items[0].reference == "RX-A"


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "AAAA", "W10", "WyJ4IiwgInkiXQ", "WyIyMDI2LTAxLTAxIiwgIngiXQ", "é", "[" * 9000]
)
def test_a_cursor_that_is_not_ours_is_malformed(database: Database, cursor: str) -> None:
    with database.read() as session, pytest.raises(Malformed) as caught:
        case_list.page(session, cursor=cursor)
    assert caught.value.field == "cursor"


@pytest.mark.sqlite
def test_a_page_of_ten_thousand_open_cases_is_read_off_an_index(database: Database) -> None:
    with database.write() as session:
        add(session, new_case())
        row = session.get_one(CaseRow, "RX-7KQ4-M2PD").model_dump()
        rows = []
        for n in range(10_000):
            due = MONDAY + timedelta(minutes=n * 7919 % 10_000) if n % 10 else None
            status = "open" if n % 4 else "received"
            rows.append(
                {**row, "reference": f"RX-{n:05}", "next_due_at": due, "due_order": due or FAR, "status": status}
            )
        session.connection().execute(insert(CaseRow), rows)

    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    with database.read() as session:
        first = case_list.page(session, limit=50)
        case_list.page(session, status="open", limit=50, cursor=first.next_cursor)
        case_list.page(session, limit=50, cursor=first.next_cursor, due_before=MONDAY + timedelta(days=3))
        plans = []
        for statement, parameters in [one for one in asked if one[0].startswith("SELECT")]:
            assert "state" not in statement.split("FROM")[0].replace("cases.status", "")
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            plans.append(" ".join(str(step[-1]) for step in plan))
        took = []
        for _ in range(20):
            began = time.perf_counter()
            case_list.page(session, limit=50, text="not there")
            took.append(time.perf_counter() - began)
    assert len(plans) == 3
    assert "USING INDEX ix_cases_due" in plans[0]
    assert "USING INDEX ix_cases_status_due (status=?" in plans[1]
    assert "USING INDEX ix_cases_due (" in plans[2]
    assert not any("TEMP B-TREE" in plan for plan in plans)
    # The slowest question, a text that nobody wrote, walks all of them; generous, to stay true on a busy machine.
    assert sorted(took)[10] < 0.5


def test_the_due_list_uses_no_count(database: Database) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    with database.read() as session:
        case_list.page(session)
        session.connection().execute(text("SELECT 1"))
    assert not any("count(" in statement.lower() for statement in asked)


def test_any_part_of_what_is_searched_is_found(database: Database) -> None:
    with database.write() as session:
        add(
            session,
            new_case(reference="RX-7KQ4-M2PD"),
            subject="Comisión de 1.50",
            excerpt="El año pasado, en BANCO 日本銀行",
        )
        add(session, new_case(reference="RX-2222-2222"), subject="Otra cosa", excerpt="de nadie más")
    for part in (
        "comisión",
        "ISIÓN",
        "misi",
        "1.50",
        "año",
        "ñ",
        "o p",
        "pasado, en",
        "kq4-m2",
        "banco",
        "日本",
        "本銀行",
        ".",
    ):
        assert listed(database, text=part) == ["RX-7KQ4-M2PD"], part
    assert listed(database, text="o") == ["RX-2222-2222", "RX-7KQ4-M2PD"]
    for nothing in ("comision", "zzz", "%", "1_50", "\\", "comisión  de"):
        assert listed(database, text=nothing) == [], nothing


@pytest.mark.postgresql
def test_on_postgresql_text_is_found_by_its_trigrams(database: Database) -> None:
    with database.write() as session:
        add(session, new_case())
        row = session.get_one(CaseRow, "RX-7KQ4-M2PD").model_dump() | {"state": "{}"}
        rows = [{**row, "reference": f"RX-{n:05}", "search": f"rx-{n:05} retiro pendiente"} for n in range(5_000)]
        session.connection().execute(insert(CaseRow), rows)
    with database.write() as session:
        # What the server does by itself within minutes.
        session.connection().exec_driver_sql("SELECT gin_clean_pending_list('ix_cases_search')")
        session.connection().exec_driver_sql("ANALYZE cases")
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    with database.read() as session:
        assert [one.reference for one in case_list.page(session, text="x-0417").items] == [
            f"RX-{n:05}" for n in range(4170, 4180)
        ]
        case_list.page(session, text="retiro")
        case_list.page(session, channel="none")
        session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")  # so few fit into a glance
        plans = []
        for statement, parameters in [one for one in asked if one[0].startswith("SELECT cases")]:
            plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
            plans.append("\n".join(plan))
    rare, common, other = plans
    assert "ix_cases_search" in rare
    assert "ix_cases_search" not in common, "what most of them say is found along the list"
    assert "ix_cases_listed" in other
