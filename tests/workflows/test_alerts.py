"""Colleagues are told by mail from the running workflow: once each, beside the letters and never at their cost."""

from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from models.alerting import telling_time
from models.errors import OperatorError, RecipientError, TransientError
from models.inquiry import Role
from models.letters import LetterState
from models.tables import AbsenceRow, StaffRow
from records import colleagues, notices, staff
from tests.cases import AGENT, MONDAY, OTHER
from tests.lives import Life, until


def hire(life: Life, *ids: str, language: str = "es", role: Role = Role.AGENT) -> None:
    with life.database.write() as session:
        for one in ids:
            staff.add(
                session,
                StaffRow(
                    id=one,
                    email=f"{one}@example.org",
                    role=role,
                    language=language,
                    areas=["cx"],
                    languages=["es"],
                    joined_at=MONDAY,
                ),
            )


def told(life: Life) -> list[str]:
    return [f"{one.kind} {one.to.partition('@')[0]}" for one in life.postbox.letters if one.to != "ana@example.org"]


def facts(life: Life, handle: WorkflowHandle[Any, Any]) -> list[str]:
    return [f"{e.type} {e.data.get('to', '')}".strip() for e in life.events(handle) if e.type.startswith("alert.")]


async def test_owner_deputy_and_supervisor_are_reminded_in_turn(life: Life) -> None:
    hire(life, "cx-lead", "cx-deputy", language="en")
    hire(life, "cx-supervisor")
    handle = await life.open()
    await life.reach((await life.quiet(handle)).resolution_due)
    await until_told(life, "reminder cx-supervisor")
    await life.quiet(handle)
    assert told(life)[:3] == ["reminder cx-lead", "reminder cx-deputy", "reminder cx-supervisor"]
    memo = next(one for one in life.postbox.letters if one.kind == "reminder")
    assert memo.subject == "[RX-7KQ4-M2PD] Reminder"
    assert "Owed: final response" in memo.text
    assert "https://roxom.com/desk/inquiries/RX-7KQ4-M2PD" in memo.text
    assert (memo.reply_token, memo.auto_submitted) == ("", "auto-generated")
    with life.database.read() as session:
        assert {one.kind for one in notices.of_case(session, "RX-7KQ4-M2PD")} == {"acknowledgement"}
    assert (await life.quiet(handle)).dead == ()


async def test_an_alert_that_ends_in_a_way_nobody_foresaw_is_told_again(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, find = [ApplicationError("odd", type="Odd", non_retryable=True)], colleagues.find

    def once_odd(*args: Any, **more: Any) -> colleagues.Found:
        if odd:
            raise odd.pop()
        return find(*args, **more)

    monkeypatch.setattr(colleagues, "find", once_odd)
    hire(life, "cx-lead")
    handle = await life.open()
    await life.command(handle, "mark_urgent", matter="stolen_account", reasons="reports a theft")
    await life.skip(minutes=2)
    await until_told(life, "urgent cx-lead")
    assert not odd
    assert facts(life, handle) == ["alert.sent cx-lead"]


async def test_who_is_away_is_passed_over(life: Life) -> None:
    hire(life, "cx-lead", "cx-deputy")
    now = await life.env.get_current_time()
    with life.database.write() as session:
        away = AbsenceRow(
            staff="cx-lead", first=now.date(), last=now.date().replace(year=now.year + 1), by="x", reasons="leave"
        )
        staff.set_absence(session, away)
        staff.leave(session, "cx-deputy", now)
    hire(life, "cx-supervisor")
    handle = await life.open()
    await life.reach((await life.quiet(handle)).resolution_due)
    await until_told(life, "reminder cx-supervisor")
    assert told(life)[0] == "reminder cx-supervisor"


async def test_a_dead_mailbox_gives_way_to_the_next(life: Life) -> None:
    hire(life, "cx-lead", "cx-deputy")
    handle = await life.open()
    await life.quiet(handle)
    life.postbox.faults = [RecipientError("550")]
    await life.command(handle, "mark_urgent", matter="stolen_account", reasons="x")

    async def written() -> bool:
        return facts(life, handle) == ["alert.failed cx-lead", "alert.sent cx-deputy"]

    await until(written)


async def until_told(life: Life, line: str) -> None:
    async def there() -> bool:
        return line in told(life)

    await until(there)


async def test_a_mail_that_does_not_leave_holds_up_no_letter(life: Life) -> None:
    hire(life, "cx-lead")
    handle = await life.open()
    await life.quiet(handle)
    life.postbox.faults = [OperatorError("401")]
    await life.command(handle, "mark_urgent", matter="stolen_account", reasons="x")

    async def tried() -> bool:
        return not life.postbox.faults

    await until(tried)
    await life.command(handle, "reply", draft=life.draft(handle))
    case = await life.quiet(handle)
    assert [one.kind for one in life.postbox.letters][-1] == "reply"
    assert case.alerts[0].state is LetterState.OWED
    await life.skip(minutes=6)
    await until_told(life, "urgent cx-lead")


async def test_an_alarm_rings_at_night_goes_round_and_ends_when_acknowledged(life: Life) -> None:
    hire(life, "cx-lead", "cx-deputy")
    handle = await life.open()
    await life.quiet(handle)
    await life.command(handle, "mark_urgent", matter="frozen_funds", reasons="x")
    await until_told(life, "urgent cx-lead")
    await life.skip(minutes=50)
    await until_told(life, "urgent cx-deputy")
    await life.quiet(handle)
    assert told(life)[:2] == ["urgent cx-lead", "urgent cx-deputy"]
    assert "urgent cx-lead" in told(life)[2:]  # nobody is left: it goes round
    rung = len(told(life))
    await life.command(handle, "acknowledge_urgent")
    await life.skip(days=2)
    await life.quiet(handle)
    assert len(told(life)) == rung


async def test_a_proposal_is_told_to_an_approver_who_is_not_the_proposer(life: Life) -> None:
    hire(life, "cx-lead", "cx-deputy")
    handle = await life.open()
    await life.quiet(handle)
    proposer = AGENT.model_copy(update={"id": "cx-lead"})
    order = {"outcome": "unfounded", "draft": life.draft(handle)}
    await life.command(handle, "propose", proposer, command="resolve", order=order)
    case = await life.quiet(handle)
    await life.reach(telling_time(case, await life.env.get_current_time(), case.resolution_due))
    await until_told(life, "approval_due cx-deputy")
    await life.command(handle, "approve", OTHER)
    case = await life.quiet(handle)
    assert [one.state for one in case.alerts] == [LetterState.ACCEPTED, LetterState.OWED]
    assert "cx-lead" not in {line.split()[1] for line in told(life)}


async def test_a_provider_that_is_busy_is_asked_again(life: Life) -> None:
    hire(life, "cx-lead")
    handle = await life.open()
    await life.quiet(handle)
    life.postbox.faults = [TransientError("429", retry_after=1)]
    await life.command(handle, "mark_urgent", matter="stolen_account", reasons="x")
    await until_told(life, "urgent cx-lead")


async def test_where_nobody_is_there_the_case_goes_on(life: Life) -> None:
    handle = await life.open()
    await life.quiet(handle)
    await life.command(handle, "mark_urgent", matter="stolen_account", reasons="x")
    await life.command(handle, "acknowledge_urgent")
    await life.quiet(handle)
    assert told(life) == []
