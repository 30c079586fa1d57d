"""What cannot wait is found in the user's words or marked by hand; it alarms at any hour until somebody sees to it."""

import csv
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from models.alerting import next_alert
from models.alerts import Heard
from models.case import Case
from models.clock import wake
from models.errors import Refused
from models.inquiry import Flag
from models.letters import LetterState
from models.telling import heard, ready_alerts, settle_alerts, summons
from models.urgency import notice_urgency, raise_again, urgent_matter
from tests.cases import DAY, FULL, MONDAY, ROXOM, acknowledged, answered, closed, do, policy, send_all

LINES = policy().urgent.lines
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("Me hackearon la cuenta y no puedo entrar.", "stolen_account"),
        ("AYUDA!! ROBARON mi Cuenta anoche", "stolen_account"),
        ("Yo no autoricé ese retiro de 0.4 BTC", "stolen_account"),
        ("Somebody accessed my account and drained it", "stolen_account"),
        ("my acount is fine. There is an unauthorised withdrawal on it", "stolen_account"),
        ("Congelaron mi cuenta hace tres días", "frozen_funds"),
        ("You have frozen my account without a word", "frozen_funds"),
        ("Mi retiro no llegó, exijo respuesta.", None),
        ("The price froze for a minute. My account shows two trades.", None),
        ("Quiero saber cuánto cobran por un retiro", None),
        ("", None),
    ],
)
def test_words_that_stand_together_tell_what_is_urgent(text: str, matter: str | None) -> None:
    assert urgent_matter(text, LINES) == matter


def test_ordinary_complaints_however_angry_alarm_nobody() -> None:
    with (ROXOM.parent / "samples" / "complaints.csv").open(encoding="utf-8", newline="") as file:
        narratives = [row["consumer_complaint_narrative"] for row in csv.DictReader(file)]
    assert len(narratives) == 9
    assert [urgent_matter(text, LINES) for text in narratives] == [None] * 9
    stolen = f"{narratives[1]} Then somebody accessed my account! {narratives[2]}"
    assert urgent_matter(stolen, LINES) == "stolen_account"


def urgent() -> Case:
    case = acknowledged()
    notice_urgency(case, "stolen_account", MONDAY)
    return case


def test_the_alarm_goes_from_one_to_the_next_at_any_hour_until_somebody_acknowledges_it() -> None:
    case, now, told = urgent(), MONDAY, list[int]()
    assert Flag.URGENT in case.flags
    for who in ("ana", "ben", "cid", "dee", "eva", "fay", "gil"):
        now = max(now, next_alert(case) or now)
        settle_alerts(case, now)
        (alert,) = ready_alerts(case)
        told.append((now - MONDAY) // MINUTE)
        assert alert.due == case.obligations[1].due
        heard(case, Heard(key=alert.key, at=now, to=who), now)
    assert told == [0, 15, 30, 60, 120, 360, 1800]
    assert summons(case, case.alerts[-1]).tried == ("ana", "ben", "cid", "dee", "eva", "fay", "gil")
    case = do(case, "acknowledge_urgent", now)
    assert next_alert(case) is None
    raise_again(case, now + 10 * DAY)
    assert len(case.alerts) == 7
    assert [fact.type for fact in case.pending if "urgent" in fact.type] == ["case.urgent", "urgent.acknowledged"]
    assert Flag.URGENT in case.flags


def test_an_alarm_on_its_way_is_void_once_somebody_sees_to_it() -> None:
    case = urgent()
    settle_alerts(case, MONDAY)
    case = do(case, "acknowledge_urgent", MONDAY)
    settle_alerts(case, MONDAY)
    assert [one.state for one in case.alerts] == [LetterState.VOID]


def test_an_answered_case_alarms_nobody() -> None:
    case = do(urgent(), "resolve", MONDAY, outcome="upheld", draft=FULL)
    assert next_alert(case) == MONDAY
    send_all(case, MONDAY)
    wake(case, MONDAY)
    assert next_alert(case) is None


def test_a_message_marks_a_case_once() -> None:
    message: dict[str, Any] = {"message": "ms_1", "at": MONDAY.isoformat(), "urgent": "frozen_funds"}
    case = do(acknowledged(), "receive_message", MONDAY, **message)
    assert case.urgent
    assert case.urgent.matter == "frozen_funds"
    again = do(case, "receive_message", MONDAY, **message | {"urgent": "stolen_account"})
    assert again.urgent == case.urgent
    assert do(acknowledged(), "receive_message", MONDAY, **message | {"urgent": "unheard_of"}).urgent is None


def test_marked_by_hand_and_marked_anew_once_it_was_seen_to() -> None:
    mark: dict[str, Any] = {"matter": "frozen_funds", "reasons": "rent is due tomorrow"}
    case = do(acknowledged(), "mark_urgent", MONDAY, **mark)
    assert case.pending[-1].texts == {"reasons": "rent is due tomorrow"}
    with pytest.raises(Refused) as refused:
        do(case, "mark_urgent", MONDAY, **mark)
    assert refused.value.code == "urgent.marked"
    case = do(case, "acknowledge_urgent", MONDAY)
    assert do(case, "mark_urgent", MONDAY + DAY, **mark).alarming


@pytest.mark.parametrize(
    ("make", "name", "order", "code"),
    [
        (closed, "mark_urgent", {"matter": "frozen_funds", "reasons": "x"}, "case.closed"),
        (acknowledged, "mark_urgent", {"matter": "weather", "reasons": "x"}, "urgent.unknown-matter"),
        (acknowledged, "acknowledge_urgent", {}, "urgent.none"),
        (answered, "acknowledge_urgent", {}, "urgent.none"),
    ],
)
def test_what_is_refused(make: Callable[[], Case], name: str, order: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        do(make(), name, MONDAY + 101 * DAY, **order)
    assert refused.value.code == code
