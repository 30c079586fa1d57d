"""What a final answer was about: proposed from words, wanted by the policy, corrected by a supervisor."""

from typing import Any

import pytest

from models.case import Case
from models.causes import NamedCause
from models.clock import wake
from models.errors import Refused
from models.inquiry import Actor, Outcome, Role
from models.taxonomy import MOST_PROPOSED
from models.terms import Terms
from tests.cases import AGENT, DAY, FULL, MONDAY, SUPERVISOR, acknowledged, answered, do, policy, send_all

DEFAULT_TERMS = Terms()
"""As cases have them that were opened before causes were named."""

COMPLIANCE = Actor(id="compliance-1", role=Role.COMPLIANCE)
DELAYED = {"code": "withdrawal.delayed", "taxonomy": "1"}
LIMIT = {"code": "withdrawal.limit", "taxonomy": "1"}
WANTED: dict[str, Any] = {"cause_outcomes": tuple(Outcome)}


def unnamed() -> Case:
    """An answered case of earlier terms, which names no cause."""
    case = acknowledged(cause_outcomes=DEFAULT_TERMS.cause_outcomes)
    case = do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL, cause=None)
    send_all(case, MONDAY + DAY)
    return case


def refused(case: Case, name: str, actor: Actor | None = None, **order: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        do(case, name, MONDAY + DAY, actor, **order)
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "because"),
    [
        ("Hola. Mi retiro NO llegó; espero respuesta.", "withdrawal.delayed", "retiro no"),
        ("Me cobraron dos veces.", "fees.too_much", "cobr* dos veces"),
        ("My deposit never arrived", "deposit.not_credited", "deposit* never"),
        # As users wrote to a regulator.
        ("this is not reported accurately", "records.reported_wrong", "not report* accurately"),
        ("Hence, want to get back the deposit of {$350.00}.", "fees.refund_refused", "get back deposit"),
    ],
)
def test_words_speak_for_a_cause_and_say_which(text: str, code: str, because: str) -> None:
    first = policy().taxonomy.propose([text])[0]
    assert (first.code, first.because[0]) == (code, because)


def test_most_lines_come_first_and_no_words_propose_nothing() -> None:
    taxonomy = policy().taxonomy
    texts = ["Mi saldo es incorrecto.", "El saldo no está. Nadie responde. Mi retiro no llegó.", "Es una estafa."]
    found = taxonomy.propose(texts)
    assert found[0].code == "records.balance_wrong"
    assert len(found) == MOST_PROPOSED
    assert taxonomy.propose(["Buenos días"]) == taxonomy.propose([]) == ()


def test_a_code_that_is_not_in_the_list_is_refused_with_the_list() -> None:
    taxonomy = policy().taxonomy
    assert taxonomy.named("withdrawal.limit") == NamedCause.model_validate(LIMIT)
    with pytest.raises(Refused, match=r"account\.opening_refused, account\.verification_stuck") as caught:
        taxonomy.named("withdrawal.none")
    assert (caught.value.code, caught.value.field) == ("cause.unknown", "cause")


@pytest.mark.rule("M3.11")
def test_an_answer_without_its_cause_is_refused_where_policy_wants_one() -> None:
    case = acknowledged(**WANTED)
    refusal = refused(case, "resolve", outcome="upheld", draft=FULL, cause=None)
    assert (refusal.code, refusal.field, refusal.rule) == ("gate.cause", "cause", "M3.11")
    proposed: dict[str, Any] = {"command": "resolve", "order": {"outcome": "upheld", "draft": FULL, "cause": None}}
    assert refused(case, "propose", **proposed).code == "gate.cause"
    after = do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL, cause=DELAYED)
    assert after.final
    assert after.final.cause == NamedCause.model_validate(DELAYED)
    fact = next(one for one in after.pending if one.type == "case.resolved")
    assert (fact.data["cause"], fact.data["taxonomy"]) == ("withdrawal.delayed", "1")
    assert (fact.data["area"], fact.data["kind"]) == ("cx", "complaint")


def test_other_outcomes_and_cases_of_earlier_terms_want_none() -> None:
    case = acknowledged(cause_outcomes=(Outcome.UNFOUNDED,))
    assert do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL, cause=None).final
    old = unnamed()
    assert old.final
    assert old.final.cause is None
    assert "cause" not in next(one for one in old.pending if one.type == "case.resolved").data


@pytest.mark.rule("M3.11")
def test_a_supervisor_corrects_it_by_an_event_and_the_answer_stays() -> None:
    case = do(acknowledged(), "resolve", MONDAY + DAY, outcome="upheld", draft=FULL, cause=DELAYED)
    send_all(case, MONDAY + DAY)
    wake(case, MONDAY + 100 * DAY)
    assert case.closed_at
    letters = list(case.letters)
    after = do(case, "correct_cause", MONDAY + 101 * DAY, SUPERVISOR, cause=LIMIT, reasons="The limit held it.")
    assert after.final
    assert after.final.cause == NamedCause.model_validate(LIMIT)
    assert (after.letters, after.closed_at) == (letters, case.closed_at)
    fact = after.pending[-1]
    assert (fact.type, fact.texts) == ("cause.corrected", {"reasons": "The limit held it."})
    assert (fact.data["former"], fact.data["cause"]) == ("withdrawal.delayed", "withdrawal.limit")
    same = refused(after, "correct_cause", SUPERVISOR, cause=LIMIT, reasons="x")
    assert (same.code, same.field) == ("cause.same", "cause")


def test_an_old_answer_gets_its_first_cause_in_the_same_way() -> None:
    after = do(unnamed(), "correct_cause", MONDAY + DAY, SUPERVISOR, cause=LIMIT, reasons="x")
    assert "former" not in after.pending[-1].data


def test_only_a_supervisor_corrects_and_only_an_answer() -> None:
    order: dict[str, Any] = {"cause": LIMIT, "reasons": "x"}
    for actor in (AGENT, COMPLIANCE):
        assert refused(answered(), "correct_cause", actor, **order).code == "cause.supervisor"
    assert refused(acknowledged(), "correct_cause", SUPERVISOR, **order).code == "cause.no-answer"


def test_a_case_that_is_reopened_gets_the_cause_of_its_new_answer() -> None:
    case = do(acknowledged(), "resolve", MONDAY + DAY, outcome="upheld", draft=FULL, cause=DELAYED)
    send_all(case, MONDAY + DAY)
    case = do(case, "reopen", MONDAY + 2 * DAY, reasons="new facts")
    assert case.final is None
    case = do(case, "resolve", MONDAY + 3 * DAY, outcome="upheld", draft=FULL, cause=LIMIT)
    assert case.final
    assert case.final.cause == NamedCause.model_validate(LIMIT)
