"""The figures that are read at each scrape: what they count, and that they are read along indexes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from channels.message import Disposition
from models.case import Case
from models.clock import wake
from models.tables import Notice, RemoteFile, StoredMessage, Webhook
from records import cases, dispatches, feeds, gauges, notices
from records.database import Database
from records.gauges import Gauges, Look, Queue
from tests.cases import DAY, DIGEST, MONDAY, acknowledged, closed, do, draft, new_case, policy

CALENDAR = policy().whole_calendar()
HOUR = timedelta(hours=1)


def soon(now: Any) -> list[Any]:
    return [CALENDAR.due(now, days) for days in (1, 2, 5)]


def read(database: Database, now: Any = MONDAY) -> Gauges:
    with database.read() as session:
        return gauges.read(session, now, soon(now), ["email", "x"])


def add(session: Session, case: Case) -> None:
    cases.add(session, case, subject="s", excerpt="e", status_token="t" * 20 + case.reference)


def message(n: int, **more: Any) -> StoredMessage:
    fields: dict[str, Any] = {"id": f"ms_{n}", "channel": "email", "provider_id": str(n), "sender": "ana@example.org"}
    fields |= {"received_at": MONDAY, "stored_at": MONDAY + n * HOUR, "disposition": Disposition.MESSAGE}
    return StoredMessage(**{**fields, "raw_sha256": DIGEST, "raw_path": "r", "reference": "RX-7KQ4-M2PD", **more})


def notice(n: int) -> Notice:
    names = ("reference", "kind", "address_id", "channel", "template", "version", "language")
    fields: dict[str, Any] = dict.fromkeys((*names, "subject", "text", "html", "head", "message_id"), "x")
    return Notice(key=f"RX/reply/{n}", sha256=DIGEST, created_at=MONDAY + n * HOUR, **fields)


def test_an_empty_house_has_nothing_to_tell(database: Database) -> None:
    nothing = Queue(0, None)
    assert read(database) == Gauges({}, 0, 0, 0, 0, (0, 0, 0), nothing, nothing, 0, 0, nothing, nothing, {}, {}, 0)


def test_open_cases_are_counted_by_status_and_area_and_closed_ones_are_not(database: Database) -> None:
    asked = do(acknowledged(reference="RX-2222-2222"), "refer", MONDAY, area="finance", question="Where is it?")
    both = do(asked, "refer", MONDAY, area="legal", question="Where is it?")
    with database.write() as session:
        for case in (new_case(), both, closed(reference="RX-3333-3333")):
            add(session, case)
    found = read(database)
    assert found.open == {("received", "cx"): 1, ("referred", "cx"): 1}
    assert (found.referrals, found.proposals, found.undelivered) == (2, 0, 0)


def test_proposals_wait_until_they_are_decided(database: Database) -> None:
    order = {"outcome": "unfounded", "draft": draft("text", "points", "actions", "reasons", "items")}
    case = acknowledged()
    proposed = do(case, "propose", MONDAY, command="resolve", order=order)
    with database.write() as session:
        add(session, proposed)
    assert read(database).proposals == 1


def test_promises_are_counted_by_the_business_day_they_fall_due(database: Database) -> None:
    with database.write() as session:
        add(session, new_case())
    assert (read(database).missed, read(database).due) == (0, (0, 0, 1))  # the acknowledgement, in five business days
    due = new_case().owed()[0].due
    assert read(database, due).due == (1, 1, 1)
    assert read(database, due + timedelta(seconds=2)).missed == 1


def test_a_case_whose_letter_reached_nobody_is_told(database: Database) -> None:
    case = new_case(addresses=(), bound=False, in_public=True, channel="x")
    wake(case, MONDAY + 10 * DAY)
    with database.write() as session:
        add(session, case)
    assert read(database).undelivered == int("undelivered" in case.flags)


def test_letters_hand_overs_and_files_wait_since_the_oldest(database: Database) -> None:
    with database.write() as session:
        for n in (2, 1, 3):
            notices.begin(session, notice(n))
        notices.accepted(session, "RX/reply/1", MONDAY, "p")
        first = dispatches.add(session, "RX-1", "start", {}, MONDAY)
        other = dispatches.add(session, "RX-1", "message", {}, MONDAY + HOUR)
        dispatches.add(session, "RX-2", "notice_delivered", {}, MONDAY, not_before=MONDAY + DAY)
        for _ in range(dispatches.DEAD_AFTER):
            dispatches.retry(session, first.number, "INVALID_ARGUMENT", MONDAY + HOUR, refused=True)
            dispatches.retry(session, other.number, "UNAVAILABLE", MONDAY + HOUR, refused=False)
        session.add(message(1))
        session.flush()
        session.add(
            RemoteFile(
                message="ms_1", channel="x", remote_id="f", filename="f", content_type="image/png", created_at=MONDAY
            )
        )
    found = read(database, MONDAY + 2 * HOUR)
    assert found.letters == Queue(2, MONDAY + 2 * HOUR)
    assert found.handovers == Queue(2, MONDAY)  # what is gathered on purpose waits for nobody
    assert found.dead == 1
    assert found.posts == Queue(0, None)
    assert found.files == Queue(1, MONDAY)


def test_messages_feeds_and_webhooks_say_since_when_nothing_comes(database: Database) -> None:
    with database.write() as session:
        for n in (1, 2):
            session.add(message(n))
        session.add(message(3, reference=None))
        feeds.hold(session, "x", "x", "me", now=MONDAY, lease=HOUR)
        feeds.looked(session, "x", "", MONDAY, holder="me")
        feeds.hold(session, "imap", "email", "me", now=MONDAY, lease=HOUR)
        feeds.failed(session, "imap", "refused", MONDAY)
        for n, failing in enumerate((None, MONDAY)):
            session.add(
                Webhook(
                    id=f"wh_{n}",
                    url="https://example.org",
                    events=[],
                    secret="s",
                    made_by="ana",
                    created_at=MONDAY,
                    failing_since=failing,
                )
            )
    found = read(database)
    assert found.last_message == {"email": MONDAY + 3 * HOUR}
    assert found.quarantine == 1
    assert found.feeds == {"x": Look(MONDAY, failing=False), "imap": Look(None, failing=True)}
    assert found.webhooks == 1


@pytest.mark.sqlite
def test_what_grows_for_ever_is_read_along_indexes_alone(database: Database) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    read(database)
    questions = tuple(asked)
    with database.read() as session:
        for sql, values in questions:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
            scanned = [row.detail for row in plan if row.detail.startswith("SCAN") and "INDEX" not in row.detail]
            assert [one for one in scanned if one.split()[1] in {"cases", "messages", "notices", "dispatches"}] == []
            if "FROM cases" in sql:
                assert any("COVERING INDEX ix_cases_counted" in row.detail for row in plan), plan
