"""The morning digest: what waits for each colleague, once a day, and nothing where nothing is to be told."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client, ScheduleCalendarSpec, ScheduleRange
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.digest import Digests
from activities.mailing import Mailing
from channels.report import Delivery, DeliveryEvent
from models.case import Case
from models.errors import OperatorError, RecipientError
from models.inquiry import EMAIL, Role
from models.tables import AbsenceRow, StaffRow
from records import cases, notices, staff
from records.database import Database
from schedules import digest_schedule, keep_schedules
from starter.commands.rehearsal import Postbox
from starter.reception.reports import take_reports
from tests.cases import AGENT, DAY, FULL, MONDAY, acknowledged, closed, do, policy
from tests.lives import stationery, until
from tests.workflows.steady import Steady
from workflows.digest import DigestWorkflow

EIGHT = MONDAY.replace(hour=14, minute=0) + 38 * DAY
"""Thursday 12 March, 08:00 in San Salvador: the answers of Monday's inquiries are due on Monday."""


class Morning:
    """An operator's records, and the time."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, EIGHT
        self.post = Postbox(lambda: self.now)
        mailing = Mailing(self.database, {EMAIL: self.post}, lambda: self.now)
        self.digests = Digests(self.database, stationery(), mailing, lambda: self.now)

    def hire(self, *ids: str, language: str = "en", role: Role = Role.AGENT) -> None:
        with self.database.write() as session:
            for one in ids:
                row = StaffRow(
                    id=one,
                    email=f"{one}@example.org",
                    role=role,
                    language=language,
                    areas=["cx"],
                    languages=["es"],
                    joined_at=MONDAY,
                )
                staff.add(session, row)

    def away(self, one: str, day: date) -> None:
        with self.database.write() as session:
            staff.set_absence(session, AbsenceRow(staff=one, first=day, last=day, by="x", reasons="leave"))

    def keep(self, case: Case, owner: str) -> Case:
        case.owner = owner
        with self.database.write() as session:
            cases.add(session, case, subject="s", excerpt="e", status_token=case.reference)
        return case

    @property
    def told(self) -> dict[str, str]:
        return {one.to.partition("@")[0]: one.text for one in self.post.letters}


@pytest.fixture
def morning(database: Database) -> Morning:
    one = Morning(database)
    one.hire("ana", "cx-lead", "operations-lead")
    return one


def test_each_is_told_what_is_theirs_what_they_may_approve_and_what_their_area_is_asked(morning: Morning) -> None:
    morning.keep(acknowledged(reference="RX-2222-2222"), "ana")
    late = MONDAY + 30 * DAY
    morning.keep(acknowledged(reference="RX-3333-3333", received=late), "ana")
    order = {"outcome": "unfounded", "draft": FULL}
    proposed = do(acknowledged(reference="RX-4444-4444"), "propose", MONDAY, AGENT, command="resolve", order=order)
    morning.keep(proposed, "nobody-known")
    asked = do(acknowledged(reference="RX-5555-5555"), "refer", MONDAY, area="operations", question="where?")
    morning.keep(asked, "nobody-known")
    morning.keep(closed(reference="RX-6666-6666"), "ana")
    assert morning.digests.send() == 3
    assert set(morning.told) == {"ana", "cx-lead", "operations-lead"}
    mine = morning.told["ana"]
    assert "Thursday 12 March 2026" in mine
    assert "Open cases of yours: 2" in mine
    assert "RX-2222-2222: final response, Monday 16 March 2026" in mine
    assert "RX-3333-3333" not in mine
    assert "To approve" not in mine
    assert "RX-4444-4444: final answer, Monday 16 March 2026" in morning.told["cx-lead"]
    assert "RX-5555-5555: findings of the area Operations" in morning.told["operations-lead"]
    assert "https://roxom.com/desk/inquiries" in mine


def test_what_is_to_be_looked_at_again_is_named_and_a_question_withdrawn_is_not(morning: Morning) -> None:
    for reference, on in (("RX-2222-2222", "2026-03-12"), ("RX-3333-3333", "2026-03-13")):
        noted = do(acknowledged(reference=reference), "follow_up", MONDAY, on=on, note="Ask again.")
        morning.keep(noted, "ana")
    asked = do(acknowledged(reference="RX-5555-5555"), "refer", MONDAY, area="operations", question="where?")
    withdrawn = do(asked, "withdraw_referral", MONDAY, AGENT, area="operations", reasons="It came.")
    morning.keep(withdrawn, "nobody-known")
    assert morning.digests.send() == 1
    mine = morning.told["ana"]
    assert "To look at again" in mine
    assert "RX-2222-2222: look at it again, Thursday 12 March 2026" in mine
    assert "RX-3333-3333: look at it again" not in mine


@pytest.mark.rule("M5.3")
def test_nobody_is_told_of_a_case_that_is_kept_from_them(morning: Morning) -> None:
    """In closed areas and of complaints about somebody the digest passes on to whoever sees the case.

    Who speaks for an area that is asked sees it while it is (M5.4).
    """
    morning.hire("cx-deputy")
    morning.hire("compliance-officer", role=Role.COMPLIANCE)
    order = {"outcome": "unfounded", "draft": FULL}
    for reference, changes in (
        ("RX-2222-2222", {"area": "legal"}),
        ("RX-3333-3333", {"about": ("ana", "cx-lead")}),
    ):
        noted = do(acknowledged(reference=reference), "follow_up", MONDAY, on="2026-03-12", note="Ask again.")
        proposed = do(noted, "propose", MONDAY, AGENT, command="resolve", order=order)
        case = do(proposed, "refer", MONDAY, area="operations", question="where?")
        morning.keep(case.model_copy(update=changes), "ana")
    assert morning.digests.send() == 3
    assert set(morning.told) == {"cx-deputy", "operations-lead", "compliance-officer"}
    assert "RX-2222-2222" not in morning.told["cx-deputy"]
    assert morning.told["operations-lead"].count("RX-2222-2222") == 1
    assert morning.told["compliance-officer"].count("RX-2222-2222") == 3


def test_once_a_day_however_often_it_is_asked_for(morning: Morning) -> None:
    morning.keep(acknowledged(), "ana")
    assert [morning.digests.send() for _ in range(7)] == [1] * 7
    morning.now += timedelta(hours=9)
    morning.digests.send()
    assert len(morning.post.letters) == 1
    morning.now = EIGHT + DAY
    morning.digests.send()
    assert len(morning.post.letters) == 2


def test_on_closed_days_and_where_nothing_waits_nobody_is_told(morning: Morning) -> None:
    assert morning.digests.send() == 0
    morning.keep(acknowledged(), "ana")
    morning.now = EIGHT + 2 * DAY  # Saturday
    assert morning.digests.send() == 0
    morning.now = datetime.fromisoformat("2026-04-03T14:00:00+00:00")  # Good Friday
    assert morning.digests.send() == 0
    assert morning.post.letters == []


def test_who_is_away_is_told_nothing_and_stood_in_for(morning: Morning) -> None:
    morning.hire("cx-deputy", language="es")
    morning.away("ana", EIGHT.date())
    morning.keep(acknowledged(), "ana")
    assert morning.digests.send() == 1
    assert "RX-7KQ4-M2PD: respuesta final, lunes 16 de marzo de 2026" in morning.told["cx-deputy"]


def test_a_dead_mailbox_and_one_that_is_tried_again_hold_up_no_other(morning: Morning) -> None:
    morning.keep(acknowledged(), "ana")
    morning.keep(acknowledged(reference="RX-2222-2222"), "cx-lead")
    morning.keep(acknowledged(reference="RX-3333-3333"), "operations-lead")
    morning.post.faults = [RecipientError("550"), OperatorError("401")]
    with pytest.raises(ApplicationError):
        morning.digests.send()
    assert set(morning.told) == {"operations-lead"}
    assert morning.digests.send() == 2
    assert set(morning.told) == {"operations-lead", "cx-lead"}


def test_what_a_provider_reports_of_a_digest_concerns_no_inquiry(morning: Morning) -> None:
    morning.keep(acknowledged(), "ana")
    morning.digests.send()
    key = f"digest/{EIGHT.date()}/ana"
    event = DeliveryEvent(
        event_id="e1", notice=key, message_id="", kind=Delivery.BOUNCE, at=EIGHT, hard=True, reason="550"
    )
    with morning.database.write() as session:
        assert take_reports(session, [event], EIGHT, gather=timedelta()) == 1
        bounced = notices.find(session, key)
        assert bounced
        assert bounced.bounced_at == EIGHT


async def test_the_schedule_is_made_once_and_follows_the_policy(steady: Steady) -> None:
    own = policy()
    await keep_schedules(steady.client, own, steady.queue)
    handle = steady.client.get_schedule_handle("digest")
    try:
        await handle.pause()
        later = own.model_copy(update={"digest": own.digest.model_copy(update={"hour": 7})})
        await keep_schedules(steady.client, later, steady.queue)
        schedule = (await handle.describe()).schedule
        assert schedule.state.paused
        assert schedule.spec.time_zone_name == "America/El_Salvador"
        (calendar,) = schedule.spec.calendars
        assert (calendar.hour, calendar.day_of_week) == ((ScheduleRange(7, 7, 1),), (ScheduleRange(1, 5, 1),))
    finally:
        await handle.delete()


async def test_the_workflow_has_the_mails_sent(steady: Steady) -> None:
    mailing = Mailing(steady.database, {EMAIL: steady.postbox}, lambda: EIGHT)
    digests = Digests(steady.database, stationery(), mailing, lambda: EIGHT)
    async with Worker(
        steady.client,
        task_queue=steady.queue,
        workflows=[DigestWorkflow],
        activities=[digests.send],
        activity_executor=steady.executor,
    ):
        await keep_schedules(steady.client, policy(), steady.queue)
        handle = steady.client.get_schedule_handle("digest")
        try:
            await handle.trigger()

            async def ran() -> bool:
                return bool((await handle.describe()).info.recent_actions)

            await until(ran)
            (action,) = (await handle.describe()).info.recent_actions
            started: Any = action.action
            assert await steady.client.get_workflow_handle(started.workflow_id, result_type=int).result() == 0
        finally:
            await handle.delete()


async def test_a_server_without_schedules_stops_no_worker() -> None:
    async def refuse(*_: object) -> None:
        raise RPCError("no", RPCStatusCode.UNIMPLEMENTED, b"")

    with capture_logs() as lines:
        await keep_schedules(cast("Client", SimpleNamespace(create_schedule=refuse)), policy(), "q")
    assert [(line["event"], line["why"]) for line in lines] == [("schedules.not-kept", "UNIMPLEMENTED")]


def test_the_schedule_makes_up_for_one_morning_at_most() -> None:
    schedule = digest_schedule(policy(), "q")
    assert schedule.policy.catchup_window == timedelta(hours=3)
    assert [type(one) for one in schedule.spec.calendars] == [ScheduleCalendarSpec]
