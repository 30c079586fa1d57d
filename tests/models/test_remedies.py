"""What a user is promised beside an answer: due on its date, confirmed by who may, met by a letter."""

from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.commands import read
from models.deciding import decide
from models.erasing import forget
from models.errors import Malformed, Refused
from models.inquiry import Actor, Role, Status
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.remedies import told
from tests.cases import AGENT, DAY, MONDAY, OTHER, SUPERVISOR, acknowledged, answered, closed, do, letters, send_all

FINANCE = Actor(id="finance-lead", role=Role.REPRESENTATIVE)
SMALL: dict[str, Any] = {"what": "The fee is paid back.", "amount": "2.50", "currency": "USD", "by": "2026-02-20"}


def promised(case: Case | None = None, **more: Any) -> Case:
    return do(case or acknowledged(), "promise_remedy", MONDAY, **{**SMALL, **more})


def done(case: Case, actor: Actor = FINANCE, **more: Any) -> Case:
    return do(case, "remedy_done", MONDAY + 3 * DAY, actor, **{"remedy": 1, "evidence": "Transfer 4411.", **more})


def refused(case: Case, name: str, actor: Actor = AGENT, **order: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY + 3 * DAY, actor, **order)
    return caught.value.code, caught.value.field


@pytest.mark.rule("M3.8")
def test_a_promise_is_met_by_the_letter_that_says_it_is_done() -> None:
    case = promised()
    (owed,) = case.owed(ObligationKind.REMEDY)
    assert owed.due == case.calendar.end_of(MONDAY.date().replace(day=20))
    case = done(case)
    assert case.owed(ObligationKind.REMEDY)
    (letter,) = letters(case, LetterKind.REMEDY_DONE)
    assert (letter.texts, letter.facts) == (
        {"what": "The fee is paid back."},
        {"done": "2026-02-05", "amount": "USD 2.50"},
    )
    send_all(case, MONDAY + 3 * DAY)
    assert case.obligations[owed.n - 1].kept
    assert not case.owed(ObligationKind.REMEDY)
    assert [fact.type for fact in case.pending if fact.type.startswith("remedy.")] == ["remedy.promised", "remedy.done"]


@pytest.mark.rule("M3.8")
def test_its_date_is_warned_of_and_missed_like_any_other() -> None:
    case = promised()
    wake(case, MONDAY + 20 * DAY)
    (owed,) = case.owed(ObligationKind.REMEDY)
    about = [f"{one.about}" for one in case.alerts if one.about.endswith(f"/{owed.n}")]
    assert about == [f"missed/{owed.n}"]
    case = promised()
    for days in (11, 17):
        wake(case, MONDAY + days * DAY)
    assert [one.reason for one in case.alerts] == ["promised remedy"] * 2
    assert not letters(case, LetterKind.MISSED)


@pytest.mark.rule("M3.8")
def test_a_case_does_not_close_before_its_remedy_is_done() -> None:
    case = promised(answered())
    wake(case, MONDAY + 100 * DAY)
    assert case.status is Status.ANSWERED
    case = done(case, on="2026-02-04")
    send_all(case, MONDAY + 100 * DAY)
    assert case.closed_at


@pytest.mark.rule("M3.8")
def test_what_was_promised_stays_promised_when_the_user_withdraws() -> None:
    case = do(promised(), "withdraw", MONDAY, reasons="Solved.", message="ms_1")
    assert case.owed(ObligationKind.REMEDY)


@pytest.mark.rule("M5.3")
@pytest.mark.parametrize(
    "money", [{"amount": "200.01"}, {"amount": "0.0021", "currency": "BTC"}, {"amount": "1", "currency": "EUR"}]
)
def test_more_than_the_policys_amount_wants_a_second_pair_of_eyes(money: dict[str, str]) -> None:
    order = {**SMALL, **money}
    assert refused(acknowledged(), "promise_remedy", **order)[0] == "approval.missing"
    case = do(acknowledged(), "propose", MONDAY, command="promise_remedy", order=order)
    assert not case.remedies
    assert do(case, "approve", MONDAY, OTHER).open_remedies


@pytest.mark.parametrize("money", [{"amount": "200.00"}, {"amount": None, "currency": None}])
def test_less_than_that_or_no_money_wants_none(money: dict[str, Any]) -> None:
    assert promised(**money).open_remedies


@pytest.mark.rule("M5.4")
@pytest.mark.parametrize("actor", [FINANCE, Actor(id="finance-deputy", role=Role.REPRESENTATIVE), SUPERVISOR])
def test_who_confirms_it(actor: Actor) -> None:
    assert not done(promised(), actor).open_remedies


@pytest.mark.rule("M5.4")
def test_nobody_else_confirms_it() -> None:
    order: dict[str, Any] = {"remedy": 1, "evidence": "x"}
    assert refused(promised(), "remedy_done", AGENT, **order) == ("remedy.not-theirs", "")
    old = promised(acknowledged(remedy_area="", remedy_approval_above={"USD": "9"}))
    assert refused(old, "remedy_done", FINANCE, **order) == ("remedy.not-theirs", "")
    standing_in = read("remedy_done", {**order, "stands_in": ["finance"], "actor": AGENT.model_dump(mode="json")})
    assert not decide(promised(), "remedy_done", standing_in, MONDAY, trusted=True).open_remedies


@pytest.mark.rule("M3.8")
def test_a_supervisor_takes_a_promise_back() -> None:
    order: dict[str, Any] = {"remedy": 1, "reasons": "The issuer paid."}
    assert refused(promised(), "remedy_withdrawn", **order) == ("remedy.supervisor", "")
    case = do(promised(), "remedy_withdrawn", MONDAY, SUPERVISOR, **order)
    assert not case.owed(ObligationKind.REMEDY)
    assert refused(case, "remedy_done", FINANCE, remedy=1, evidence="x") == ("remedy.over", "remedy")


@pytest.mark.parametrize(
    ("name", "order", "said"),
    [
        ("promise_remedy", {**SMALL, "currency": None}, ("remedy.currency", "currency")),
        ("promise_remedy", {**SMALL, "by": "2026-02-04"}, ("remedy.past", "by")),
        ("remedy_done", {"remedy": 2, "evidence": "x"}, ("remedy.unknown", "remedy")),
        ("remedy_done", {"remedy": 1, "evidence": "x", "on": "2026-02-06"}, ("remedy.day", "on")),
        ("remedy_done", {"remedy": 1, "evidence": "x", "on": "2026-02-01"}, ("remedy.day", "on")),
    ],
)
def test_what_is_refused(name: str, order: dict[str, Any], said: tuple[str, str]) -> None:
    assert refused(promised(), name, FINANCE, **order) == said


def test_a_closed_case_promises_nothing() -> None:
    with pytest.raises(Refused, match="closed"):
        do(closed(), "promise_remedy", MONDAY + 101 * DAY, **{**SMALL, "by": "2026-06-20"})


@pytest.mark.parametrize("money", [{"amount": "0.00"}, {"amount": "-1"}, {"amount": "1e3"}, {"currency": "usd"}])
def test_what_is_no_amount_is_malformed(money: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        read("promise_remedy", {**SMALL, **money})


def test_what_an_answer_says_of_them() -> None:
    assert told(acknowledged()) == {}
    case = promised()
    assert told(case) == {"what": "The fee is paid back.", "by": "2026-02-20", "amount": "USD 2.50"}
    case = promised(case, what="The name is put right.", amount=None, currency=None)
    assert told(case) == {"what": "The fee is paid back. (USD 2.50, 2026-02-20); The name is put right. (2026-02-20)"}
    assert told(done(case)) == {"what": "The name is put right.", "by": "2026-02-20"}


def test_what_is_erased_keeps_the_sum_and_no_words() -> None:
    case = done(promised())
    forget(case)
    assert [(one.what, one.sum) for one in case.remedies] == [("", "USD 2.50")]
