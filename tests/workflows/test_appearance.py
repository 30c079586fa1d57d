"""Whatever a case takes in, it can be shown, woken and carried: what shows a case must never stop it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.commands import COMMANDS, read
from models.deciding import decide
from models.errors import Refused
from models.inquiry import EMAIL, Address
from models.work import InquiryInput
from tests.cases import FULL, MONDAY, OTHER, SUPERVISOR, do, new_case, send_all
from workflows.appearance import current_details, search_attributes, static_summary, timer_name

TIMES = (
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-12:00",
    "1969-12-31T23:59:59Z",
    "2262-04-12T00:00:00Z",
    "2000-01-01",
    "2025-12-05",
    "2026-03-10",
    "2026-04-20T12:00:00Z",
    "2028-02-02",
)
DAY = timedelta(days=1)
WORD = "x\n## not a heading\n\x00\u2028"


def orders(name: str, at: str) -> dict[str, Any]:
    """Everything a command may carry, with that time wherever one goes."""
    every: dict[str, Any] = {
        "draft": FULL,
        "area": "security",
        "question": WORD,
        "findings": WORD,
        "until": at,
        "reasons": WORD,
        "institution": WORD,
        "estimate": at,
        "summary": WORD,
        "outcome": "upheld",
        "text": WORD,
        "by": at if name == "request_information" else "authority",
        "answer_by": at,
        "file_number": WORD,
        "result": "settled",
        "channel": EMAIL,
        "command": "extend",
        "order": {"until": at, "reasons": WORD},
        "other": "RX-2222-2222",
        "leads": True,
        "contact": "ct_1",
        "received_at": at if "T" in at else f"{at}T00:00:00Z",
        "acknowledgement_due": at if "T" in at else f"{at}T00:00:00Z",
        "final_due": at if "T" in at else f"{at}T00:00:00Z",
        "points": [WORD],
        "message": "ms_1",
        "owner": "agent-7",
        "kind": "inquiry",
        "notices": ["RX-7KQ4-M2PD/acknowledgement/1"],
        "notice": "RX-7KQ4-M2PD/acknowledgement/1",
        "at": at if "T" in at else f"{at}T00:00:00Z",
        "addresses": [Address(id="ad_2", channel=EMAIL).model_dump()],
        "reason": WORD,
    }
    shape = COMMANDS.get(name)
    fields = set(shape.model_fields) if shape else {"message", "notices", "notice", "at", "addresses", "reason"}
    return {field: value for field, value in every.items() if field in fields} | {"actor": SUPERVISOR.model_dump()}


def shown(case: Case, now: datetime) -> str:
    """Do with the case all that the workflow does around a command."""
    send_all(case, now)
    wake(case, now)
    assert search_attributes(case)
    assert len(static_summary(case)) < 100
    assert len(timer_name(case).encode()) <= 200
    assert InquiryInput.model_validate_json(InquiryInput(case=case).model_dump_json()).case == case
    return current_details(case, case.pending)


@pytest.mark.parametrize("at", TIMES)
@pytest.mark.parametrize("name", [*COMMANDS, "receive_message", "notice_delivered", "notice_bounced"])
def test_no_command_leaves_a_case_that_cannot_be_shown(name: str, at: str) -> None:
    fields = {
        "receive_message": {"message", "at", "addresses"},
        "notice_delivered": {"notices", "at"},
        "notice_bounced": {"notice", "at", "reason"},
    }
    order = orders(name, at)
    if name in fields:
        order = {field: value for field, value in order.items() if field in fields[name]}
    answered = do(new_case(), "resolve", MONDAY, outcome="upheld", draft=FULL)
    escalated = do(new_case(), "escalate", MONDAY, institution="a bank", reasons="x", estimate="2026-02-20")
    for case in (new_case(), answered, escalated):
        send_all(case, MONDAY)
        now = MONDAY + DAY
        try:
            after = decide(case, name, read(name, order), now, trusted=True)
        except Refused:
            continue
        shown(after, now)
        shown(after, now + 400 * DAY)


def test_the_case_file_names_what_is_awaited() -> None:
    case = do(new_case(), "propose", MONDAY, command="resolve", order={"outcome": "unfounded", "draft": FULL})
    case = do(case, "refer", MONDAY, area="security", question="is it so?")
    send_all(case, MONDAY)
    details = current_details(case, case.pending)
    assert "- a second pair of eyes on `resolve`" in details
    assert "- findings of security" in details
    assert OTHER.id not in details


@pytest.mark.rule("M5.4")
def test_the_case_file_names_by_when_an_area_answers_and_who_has_verified() -> None:
    case = do(new_case(), "refer", MONDAY, area="security", question="is it so?")
    send_all(case, MONDAY)
    case.obligations = [o.model_copy(update={"warnings": ()}) for o in case.obligations]
    case = do(case, "follow_up", MONDAY, on="2026-03-02", note="ask again")
    assert timer_name(case) == "reminder of security · Mon 09 Feb 2026"
    assert "- findings of security by Mon 09 Feb 2026" in current_details(case, ())
    wake(case, MONDAY + 4 * DAY)
    assert timer_name(case) == "answer of security · Mon 09 Feb 2026"
    case = do(case, "answer_referral", MONDAY + 4 * DAY, area="security", findings="so")
    assert "verified by security" in current_details(case, ())
