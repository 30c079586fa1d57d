"""Who is told by mail before a promise is at risk, when, how often, and when no more; nothing of it binds the case."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.alerting import WANTS, alerts_for, holds, next_alert, telling_time
from models.alerts import Alert, AlertKind, Heard
from models.case import Case
from models.clock import wake
from models.inquiry import EMAIL, Address, staff_address
from models.ledger import Fact
from models.letters import LetterState
from models.telling import alert_bounced, heard, is_alert, ready_alerts, settle_alerts, summons
from models.terms import Terms
from tests.cases import (
    AGENT,
    DAY,
    FULL,
    MONDAY,
    OTHER,
    acknowledged,
    answered,
    back,
    do,
    draft,
    new_case,
    send_all,
)

HOUR = timedelta(hours=1)
REASONED = draft("points", "actions", "reasons")


def tell(case: Case, alert: Alert, to: str = "ana", now: datetime | None = None, **more: object) -> None:
    at = now or alert.created_at
    heard(case, Heard.model_validate({"key": alert.key, "at": at, "to": to, **more}), at)


def warned(case: Case, upto: datetime) -> list[str]:
    """Let time pass, each alert going to somebody new; what was told at which local time, and who knew of it."""
    told, now = list[str](), case.opened_at
    while True:
        wake(case, now)
        settle_alerts(case, now)
        settle_alerts(case, now)  # twice changes nothing more
        for alert in ready_alerts(case):
            told.append(f"{alert.about} {now - 6 * HOUR:%a %d %H:%M} {summons(case, alert).tried}")
            tell(case, alert, f"person-{len(told)}", now)
        times = [at for at in (case.next_alarm(), next_alert(case)) if at]
        if not times or min(times) > upto:
            return told
        now = max(min(times), now)


def test_each_warning_goes_to_one_further_person_in_working_hours() -> None:
    case = acknowledged()
    told = warned(case, MONDAY + 42 * DAY)
    assert told == [
        "obligation/2 Mon 02 09:00 ()",
        "obligation/2 Mon 09 09:00 ('person-1',)",
        "obligation/2 Thu 12 09:00 ('person-1', 'person-2')",
        "obligation/2 Fri 13 09:00 ('person-1', 'person-2', 'person-3')",
    ]
    assert [one.order for one in case.alerts] == [("owner", "deputy", "supervisor")] * 4


def test_a_missed_term_is_told_at_the_next_working_hour() -> None:
    case = new_case()
    told = warned(case, MONDAY + 9 * DAY)
    assert "missed/1 Tue 10 09:00 ()" in told  # missed on Monday at 23:59:59


def test_a_case_opened_before_there_were_reminders_has_none() -> None:
    case = new_case(reminders=(), urgent_minutes=(), urgent_order=())
    assert warned(case, MONDAY + 60 * DAY) == []
    assert case.alerts == []
    assert Terms().reminders == ()


def test_none_is_told_at_night_or_on_closed_days_unless_the_term_ends_before() -> None:
    case = new_case()
    at = case.calendar.at
    monday, friday, saturday = MONDAY.date(), (MONDAY + 4 * DAY).date(), (MONDAY + 5 * DAY).date()
    next_monday = at((MONDAY + 7 * DAY).date(), 9)
    assert telling_time(case, at(monday, 9), None) == at(monday, 9)
    assert telling_time(case, at(monday, 5), None) == at(monday, 9)
    assert telling_time(case, at(friday, 18), None) == next_monday
    assert telling_time(case, at(saturday, 12), None) == next_monday
    assert telling_time(case, at(saturday, 12), next_monday + HOUR) == next_monday
    assert telling_time(case, at(saturday, 12), at(saturday, 20)) == at(saturday, 12)
    assert telling_time(case, at(saturday, 12), at(friday, 20)) == next_monday


def test_a_reminder_whose_reason_is_gone_is_void() -> None:
    case = acknowledged()
    eve = case.calendar.at((MONDAY + 28 * DAY).date(), 9)
    wake(case, eve)
    settle_alerts(case, eve)
    assert [one.ready for one in case.alerts] == [True]
    case = do(case, "resolve", eve, outcome="upheld", draft=FULL)
    send_all(case, eve)
    settle_alerts(case, eve)
    assert [one.state for one in case.alerts] == [LetterState.VOID]
    tell(case, case.alerts[0])
    assert case.alerts[0].state is LetterState.VOID


def test_no_alert_keeps_a_case_open() -> None:
    case = answered()
    case.alerts = [
        Alert(key="k", kind=AlertKind.REMINDER, about="missed/1", reason="", area="cx", order=(), created_at=MONDAY)
    ]
    wake(case, MONDAY + 100 * DAY)
    assert case.closed_at
    settle_alerts(case, MONDAY + 100 * DAY)
    assert case.alerts[0].state is LetterState.VOID
    assert next_alert(case) is None


@pytest.mark.rule("M5.3")
def test_approvers_are_told_at_once_and_two_business_days_before_never_the_proposer() -> None:
    case = do(acknowledged(), "propose", MONDAY, command="resolve", order={"outcome": "unfounded", "draft": REASONED})
    first, second = case.alerts
    assert (first.kind, first.reason, first.spared) == (AlertKind.APPROVAL_DUE, "resolve", (AGENT.id,))
    assert first.order == ("representative", "deputy", "compliance")
    assert second.not_before == case.calendar.at((MONDAY + 38 * DAY).date(), 9)  # Thursday 12 March, due Monday 16
    settle_alerts(case, MONDAY)
    assert ready_alerts(case)[0].key == "RX-7KQ4-M2PD/approval_due/1"
    tell(case, first)
    assert next_alert(case) == second.not_before
    case = do(case, "approve", MONDAY + DAY, OTHER)
    settle_alerts(case, MONDAY + DAY)
    assert [one.state for one in case.alerts] == [LetterState.ACCEPTED, LetterState.VOID]


def test_shortly_before_the_due_date_approvers_are_told_once() -> None:
    case = acknowledged()
    now = MONDAY + 41 * DAY
    case = do(case, "propose", now, command="resolve", order={"outcome": "unfounded", "draft": REASONED})
    assert len([one for one in case.alerts if one.kind is AlertKind.APPROVAL_DUE]) == 1
    late = do(answered(), "propose", now, command="reopen", order={"reasons": "x"})
    assert [one.due for one in late.alerts if one.kind is AlertKind.APPROVAL_DUE] == [None]


def test_a_letter_without_an_address_is_told() -> None:
    case = acknowledged()
    back(case, case.letters[0].key, MONDAY + HOUR)
    alert = case.alerts[-1]
    assert (alert.kind, alert.reason) == (AlertKind.UNDELIVERABLE, "acknowledgement")
    settle_alerts(case, MONDAY + HOUR)
    assert ready_alerts(case) == [case.alerts[-1]]
    new = Address(id="ad_new", channel=EMAIL)
    joined: dict[str, Any] = {"message": "ms_1", "at": MONDAY.isoformat(), "addresses": [new.model_dump()]}
    case = do(case, "receive_message", MONDAY + 2 * HOUR, **joined)
    settle_alerts(case, MONDAY + 2 * HOUR)
    assert case.alerts[-1].state is LetterState.VOID


@pytest.mark.parametrize("fact", ["referral.reminded", "referral.escalated"])
def test_a_referral_that_waits_is_told_to_its_own_area(fact: str) -> None:
    case = do(acknowledged(), "refer", MONDAY, area="operations", question="where is it?")
    case.record(MONDAY + DAY, fact, area="operations", due=MONDAY + 2 * DAY)
    alert = case.alerts[-1]
    assert (alert.area, alert.reason, alert.due) == ("operations", "operations", MONDAY + 2 * DAY)
    assert alert.order[0] == {"referral.reminded": "representative", "referral.escalated": "deputy"}[fact]
    settle_alerts(case, MONDAY + DAY)
    assert ready_alerts(case) == [case.alerts[-1]]
    tell(case, case.alerts[-1], "operations-lead")
    case = do(case, "answer_referral", MONDAY + DAY, area="operations", findings="found")
    case = do(case, "refer", MONDAY + DAY, area="operations", question="and since when?")
    case.record(MONDAY + 2 * DAY, fact, area="operations", due=MONDAY + 3 * DAY)
    assert summons(case, case.alerts[-1]).tried == (), "a second question is another matter"
    case = do(case, "answer_referral", MONDAY + 2 * DAY, area="operations", findings="found")
    settle_alerts(case, MONDAY + 2 * DAY)
    assert case.alerts[-1].state is LetterState.VOID


def reminded() -> tuple[Case, Alert]:
    case = acknowledged()
    now = case.obligations[1].warnings[0]
    wake(case, now)
    settle_alerts(case, now)
    return case, case.alerts[0]


def test_a_dead_mailbox_gives_way_to_the_next_and_the_case_goes_on() -> None:
    case, alert = reminded()
    tell(case, alert, "ana", reached=False)
    assert case.alerts[0].state is LetterState.FAILED
    again = case.alerts[1]
    settle_alerts(case, again.created_at)
    assert summons(case, case.alerts[1]).tried == ("ana",)
    tell(case, again, "ben")
    assert is_alert(case, again.key)
    bounced: dict[str, Any] = {"notice": again.key, "at": again.created_at.isoformat(), "hard": True}
    case = do(case, "notice_bounced", again.created_at, **bounced)
    assert summons(case, case.alerts[2]).tried == ("ana", "ben")
    alert_bounced(case, again.key, again.created_at)
    alert_bounced(case, "RX-7KQ4-M2PD/reminder/99", again.created_at)
    assert len(case.alerts) == 3
    assert [fact.type for fact in case.pending if fact.type.startswith("alert.")] == [
        *("alert.failed", "alert.sent", "alert.failed")
    ]
    assert case.dead == ()


def test_that_an_alert_arrived_is_no_news() -> None:
    case, alert = reminded()
    tell(case, alert)
    before = len(case.pending)
    case = do(case, "notice_delivered", alert.created_at, notices=[alert.key], at=alert.created_at.isoformat())
    assert len(case.pending) == before


def test_where_nobody_is_there_the_case_says_so_once() -> None:
    case, alert = reminded()
    tell(case, alert, "", passed=("ana",))
    assert case.alerts[0].state is LetterState.VOID
    assert [fact.data["passed"] for fact in case.pending if fact.type == "alert.nobody"] == [["ana"]]
    tell(case, alert, "ben")
    heard(case, Heard(key="RX-7KQ4-M2PD/reminder/99", at=MONDAY), MONDAY)
    assert case.alerts[0].to == ""


def test_when_all_were_told_the_last_warning_is_silent() -> None:
    case, alert = reminded()
    tell(case, alert)
    now = case.obligations[1].warnings[1]
    wake(case, now)
    tell(case, case.alerts[1], "", now)
    assert "alert.nobody" not in [fact.type for fact in case.pending]


def test_a_colleague_is_addressed_by_id_alone() -> None:
    assert staff_address("ana") == Address(id="staff/ana", channel=EMAIL)


def test_nothing_else_that_happens_alerts_anybody() -> None:
    case = new_case()
    assert alerts_for(case, Fact(at=MONDAY, type="case.noted", actor=AGENT)) == []
    assert "case.noted" not in WANTS


def called_up(**terms: object) -> Case:
    case = do(acknowledged(**terms), "request_information", MONDAY, draft=FULL, by="2026-02-05")
    case = do(case, "follow_up", MONDAY, on="2026-02-04", note="Ask the bank again.")
    send_all(case, MONDAY)
    wake(case, MONDAY + 4 * DAY)
    return case


@pytest.mark.rule("M5.5")
def test_what_has_come_or_has_not_is_told_while_it_stands() -> None:
    case = called_up()
    told = {one.kind: one for one in case.alerts}
    assert set(told) == {AlertKind.FOLLOW_UP, AlertKind.INFORMATION_DUE}
    assert told[AlertKind.FOLLOW_UP].reason == AGENT.id
    assert told[AlertKind.INFORMATION_DUE].reason.startswith("2026-02-06T05:59:59")
    assert all(holds(case, one) for one in case.alerts)
    case = do(case, "follow_up_done", MONDAY + 4 * DAY, follow_up=1)
    came: dict[str, Any] = {"message": "ms_2", "at": MONDAY + 4 * DAY, "channel": EMAIL, "addresses": case.addresses}
    case = do(case, "receive_message", MONDAY + 4 * DAY, **came)
    assert [kind for kind, one in told.items() if holds(case, one)] == []


def test_a_case_of_old_tells_nobody_of_its_agenda() -> None:
    assert called_up(agenda_reminders=False).alerts == []
