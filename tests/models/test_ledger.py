"""The ledger: the chain, its format, salted digests, and that no change goes unseen."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import LedgerError
from models.inquiry import Actor, Role
from models.ledger import FORMAT, GENESIS, Event, Fact, event_hash, seal, text_digest, utc_text, verify
from tests.cases import AGENT, DAY, MONDAY, do, live, new_case

SALT = "5a" * 16


def chain() -> list[Event]:
    case = do(new_case(), "note", MONDAY, text="the bank's answer is missing")
    live(case, MONDAY + 50 * DAY)
    return case.seal()


CHAIN = chain()


@pytest.mark.rule("M3.11")
@pytest.mark.rule("M5.5")
def test_a_life_leaves_a_chain_that_verifies() -> None:
    case = new_case()
    first = case.seal(2)
    assert case.seq == 2
    assert case.pending
    rest = case.seal()
    assert not case.pending
    assert [e.seq for e in [*first, *rest]] == list(range(1, case.seq + 1))
    assert first[0].previous == GENESIS
    assert verify([*first, *rest], salt=case.salt) == case.head
    assert verify([]) == GENESIS


def test_format_v1_is_pinned() -> None:
    """If this hash changes, every ledger written so far stops verifying: make a new format instead."""
    fact = Fact(
        at=datetime(2026, 2, 2, 10, 30, tzinfo=timezone(timedelta(hours=-6))),
        type="case.noted",
        actor=Actor(id="agent-1", role=Role.AGENT),
        rule="M5.5",
        data={"n": 1, "due": "2026-02-09", "ñ": True},
        texts={"text": "la respuesta del banco falta"},
    )
    event = seal(fact, reference="RX-7KQ4-M2PD", seq=3, previous="ab" * 32, salt=SALT)
    assert FORMAT == 1
    assert utc_text(event.at) == "2026-02-02T16:30:00.000000Z"
    assert event.digests == {"text": "d55119ee61182d250c6f22aa63394a130d1e7ef5fdc30fe8a9b92a1ff169e72c"}
    assert event.hash == "df50e3e3da6420ab33e96f1c2e02aeee91c53d8afe7e22601036ed58dacb0fcb"


@pytest.mark.rule("M3.11")
@given(data=st.data())
def test_tampering_with_any_field_of_any_event_is_found(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(CHAIN) - 1))
    event = CHAIN[index]
    other: dict[str, Any] = {
        "v": 2,
        "reference": "RX-0000-0000",
        "seq": event.seq + 1,
        "at": event.at + timedelta(microseconds=1),
        "type": f"{event.type}x",
        "actor": Actor(id="someone", role=event.actor.role),
        "rule": f"{event.rule}x",
        "data": {**event.data, "more": 1},
        "digests": {**event.digests, "more": "00"},
        "previous": "0" * 63 + "1",
        "hash": "0" * 64,
        "texts": {**event.texts, "more": "words"},
    }
    field = data.draw(st.sampled_from(sorted(Event.model_fields)))
    forged = [*CHAIN]
    forged[index] = event.model_copy(update={field: other[field]})
    with pytest.raises(LedgerError):
        verify(forged, salt=SALT)


@pytest.mark.rule("M3.11")
@given(index=st.integers(0, len(CHAIN) - 1))
def test_an_event_resealed_removed_doubled_or_moved_is_found(index: int) -> None:
    event = CHAIN[index]
    changed = event.model_copy(update={"rule": "M9.9"})
    resealed = changed.model_copy(update={"hash": event_hash(changed)})
    before, after = CHAIN[:index], CHAIN[index + 1 :]
    if after:
        for forged in ([*before, resealed, *after], [*before, *after], [*before, after[0], event, *after[1:]]):
            with pytest.raises(LedgerError, match="event"):
                verify(forged)
    else:
        assert verify([*before, resealed]) != CHAIN[-1].hash, "the head that the user holds tells it"
    with pytest.raises(LedgerError, match="missing or doubled"):
        verify([*before, event, event, *after])


def test_another_cases_event_does_not_fit() -> None:
    stranger = Fact(at=MONDAY, type="case.noted")
    forged = seal(stranger, reference="RX-2222-2222", seq=2, previous=CHAIN[0].hash, salt=SALT)
    with pytest.raises(LedgerError, match="another case"):
        verify([CHAIN[0], forged])


def test_texts_can_be_erased_but_not_rewritten() -> None:
    index = next(i for i, event in enumerate(CHAIN) if event.texts)
    event = CHAIN[index]
    assert event.actor == AGENT
    erased = [*CHAIN[:index], event.model_copy(update={"texts": {}}), *CHAIN[index + 1 :]]
    assert verify(erased, salt=SALT) == CHAIN[-1].hash
    rewritten = [*CHAIN[:index], event.model_copy(update={"texts": {"text": "nothing"}}), *CHAIN[index + 1 :]]
    assert verify(rewritten) == CHAIN[-1].hash, "without the salt the words cannot be tested"
    with pytest.raises(LedgerError, match="not the one that was sealed"):
        verify(rewritten, salt=SALT)


def test_a_digest_tells_nothing_without_the_salt_and_differs_by_place() -> None:
    digest = text_digest(SALT, 1, "text", "yes")
    assert len({digest, text_digest("00" * 16, 1, "text", "yes"), text_digest(SALT, 2, "text", "yes")}) == 3
    assert digest != text_digest(SALT, 1, "reasons", "yes")


def test_the_same_moment_in_another_zone_is_the_same_event() -> None:
    there = CHAIN[0].model_copy(update={"at": CHAIN[0].at.astimezone(timezone(timedelta(hours=5)))})
    assert event_hash(there) == CHAIN[0].hash
    assert CHAIN[0].at.astimezone(UTC) == CHAIN[0].at
