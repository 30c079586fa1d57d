"""What an activity wrote is folded into a case that may have moved on meanwhile; order does not matter."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.ledger import Event, Fact, verify
from models.letters import LetterKind
from models.obligations import ObligationKind
from models.post import Acceptance, accept
from models.work import Written, absorb
from tests.cases import FULL, MONDAY, ORIGIN, TELEGRAM, acknowledged, do, end_of, new_case

MINUTE = timedelta(minutes=1)


def as_fact(event: Event) -> Fact:
    return Fact(at=event.at, type=event.type, actor=event.actor, rule=event.rule, data=event.data, texts=event.texts)


class Flight:
    """A letter is on its way: the activity works on the case as it was, and has written what it saw."""

    def __init__(self, case: Case) -> None:
        letter = case.outbox(MONDAY)
        assert letter
        sent = case.model_copy(deep=True)
        flown = len(sent.pending)
        acceptance = Acceptance(key=letter.key, at=MONDAY + MINUTE, provider_id="p")
        accept(sent, acceptance)
        self.events = sent.seal()
        facts = tuple(as_fact(event) for event in self.events[flown:])
        self.written = Written(flown=flown, facts=facts, seq=sent.seq, head=sent.head, acceptance=acceptance)

    def land(self, case: Case) -> tuple[Fact, ...]:
        facts = absorb(case, self.written)
        rest = case.model_copy(deep=True)
        assert verify([*self.events, *rest.seal()], salt=case.salt) == rest.head
        return facts


def test_a_flight_without_news_lands_as_it_was_written() -> None:
    case = new_case()
    facts = Flight(case).land(case)
    assert case.pending == []
    assert [fact.type for fact in facts][-3:] == ["letter.accepted", "obligation.met", "date.told"]
    assert case.obligations[0].kept


def test_a_recording_without_a_letter_only_moves_the_chain() -> None:
    case = new_case()
    sent = case.model_copy(deep=True)
    sent.seal()
    case = do(case, "note", MONDAY, text="meanwhile")
    absorb(case, Written(flown=len(case.pending) - 1, seq=sent.seq, head=sent.head))
    assert [fact.type for fact in case.pending] == ["case.noted"]
    assert (case.seq, case.head) == (sent.seq, sent.head)


@pytest.mark.rule("M5.5")
def test_what_happened_during_the_flight_follows_in_the_chain() -> None:
    case = new_case()
    flight = Flight(case)
    case = do(case, "note", MONDAY, text="meanwhile")
    flight.land(case)
    assert [fact.type for fact in case.pending] == ["case.noted"]


@pytest.mark.rule("M3.11")
def test_the_chain_says_so_where_a_decision_during_the_flight_changed_what_the_letter_did() -> None:
    case = new_case()
    flight = Flight(case)
    case = do(case, "withdraw", MONDAY, reasons="never mind", message="ms_1")
    flight.land(case)
    revised = case.pending[0]
    assert revised.type == "acceptance.revised"
    assert revised.data["undone"] == ["obligation.met 1"], "the withdrawal had ended it"
    assert not case.owed(ObligationKind.FINAL)


@pytest.mark.rule("M3.5")
def test_numbers_given_away_during_the_flight_are_told_anew() -> None:
    case = do(acknowledged(), "extend", MONDAY, until="2026-04-10", reasons="x")
    flight = Flight(case)
    case = do(case, "refer", MONDAY, area="security", question="x")
    flight.land(case)
    story = [*(as_fact(event) for event in flight.events), *case.pending]
    last_word = {f.data["n"]: f.data["due"] for f in story if f.type == "obligation.owed"}
    assert last_word == {o.n: o.due.isoformat() for o in case.obligations}
    assert case.resolution_due == end_of(case, 2026, 4, 10)


def test_what_an_activity_says_of_itself_is_no_revision() -> None:
    case = new_case()
    flight = Flight(case)
    retried = Fact(at=MONDAY, type="step.retried", data={"attempts": 3})
    flight.written = flight.written.model_copy(update={"facts": (*flight.written.facts, retried)})
    assert absorb(case, flight.written)[-1] == retried
    assert case.pending == []


@pytest.mark.rule("M3.7")
def test_a_bounce_that_overtakes_the_acceptance_does_not_make_it_later() -> None:
    case = new_case(addresses=(ORIGIN, TELEGRAM))
    flight = Flight(case)
    key = case.letters[0].key
    case = do(case, "notice_bounced", MONDAY + 2 * MINUTE, notice=key, at=(MONDAY + 2 * MINUTE).isoformat())
    flight.land(case)
    assert case.letters[0].accepted_at == case.obligations[0].met_at == MONDAY + MINUTE
    assert case.owed(ObligationKind.RESEND)
    assert "acceptance.revised" not in [fact.type for fact in case.pending]


MOVES: dict[str, Callable[[Case], Case]] = {
    "message": lambda case: do(case, "receive_message", MONDAY, message="ms_2", at=MONDAY.isoformat()),
    "delivered": lambda case: do(
        case, "notice_delivered", MONDAY, notices=[case.letters[0].key], at=MONDAY.isoformat()
    ),
    "reply": lambda case: do(case, "reply", MONDAY, draft=FULL),
    "appeal": lambda case: do(case, "appeal", MONDAY, text="I disagree", by="authority"),
}


def settled(case: Case) -> dict[str, Any]:
    """A case but for the order in which things are told, and for which message was there to be read."""
    state = case.model_dump(mode="json", exclude={"pending", "unread", "seq", "head"})
    return state | {"letters": sorted(state["letters"], key=lambda letter: str(letter["key"]))}


@pytest.mark.rule("M5.5")
@pytest.mark.parametrize("order", list(permutations(MOVES)), ids=" ".join)
def test_all_orders_of_what_comes_from_outside_end_alike(order: tuple[str, ...]) -> None:
    case = acknowledged()
    expected = acknowledged()
    for move in MOVES.values():
        expected = move(expected)
    for name in order:
        case = MOVES[name](case)
        wake(case, MONDAY)
    assert settled(case) == settled(expected)
    assert case.unread == int(order.index("message") > order.index("reply")), "a reply answers what was there"
    said = sorted(fact.model_dump_json() for fact in case.pending)
    assert said == sorted(fact.model_dump_json() for fact in expected.pending)


@pytest.mark.rule("M3.10")
def test_a_life_goes_on_through_many_landings() -> None:
    case = new_case()
    events: list[Event] = []
    for name in ("reply", "appeal", "message"):
        flight = Flight(case)
        events += flight.events
        case = MOVES[name](case)
        absorb(case, flight.written)
    assert [letter.kind for letter in case.letters] == [
        LetterKind.ACKNOWLEDGEMENT,
        LetterKind.REPLY,
        LetterKind.REVIEW_NOTED,
    ]
    events += case.seal()
    assert verify(events, salt=case.salt) == case.head
