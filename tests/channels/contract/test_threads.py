"""An answer finds the letter it answers, and a letter shows what it answers."""

from datetime import timedelta

import pytest

from channels.tokens import read_token, reply_token
from models.errors import OperatorError, TransientError
from tests.channels.contract.finding import each
from tests.channels.contract.specimen import Point, Specimen, letter, utcnow
from tests.channels.contract.test_send import Parts

REFERENCE = "RX-7KQ4-M2PD"


@each(Point.ANSWER)
@pytest.mark.rule("M3.1")
def test_an_answer_names_the_letter_it_answers(it: Specimen) -> None:
    secret = it.environment().get("PLAZO_REPLY_SECRET", "").encode()
    person, parts = it.person(), Parts()
    sent = letter(person, reply_token=reply_token(secret, REFERENCE))
    accepted = it.adapter.send(sent, parts)
    answer = it.answer(person, utcnow() + timedelta(seconds=2))
    names = {sent.message_id, accepted.provider_id, *parts.taken}
    assert answer.in_reply_to in names or names & set(answer.references)
    assert answer.sender == person
    if secret:
        assert [read_token(secret, one) for one in answer.tokens] == [REFERENCE]


@each(Point.THREAD)
@pytest.mark.rule("M4.1")
def test_a_letter_shows_which_message_it_answers(it: Specimen) -> None:
    person = it.person()
    it.adapter.send(letter(person, n=1), first := Parts())
    # What we wrote there before is a message as good as any.
    answered = first.taken[0] if first.taken else "m1@example.org"
    it.adapter.send(letter(person, n=2, in_reply_to=answered, references=(answered,)), Parts())
    assert it.threaded_to(person) == answered


@each(Point.THREAD)
def test_a_letter_leaves_though_what_it_answers_is_gone(it: Specimen) -> None:
    person = it.person()
    for n, gone in enumerate(("999999/999999", "gone@example.org", f"{person}/999999", "\x00<>\r\nBcc: eva"), 10):
        it.adapter.send(letter(person, n=n, in_reply_to=gone), Parts())
    assert len(it.delivered(person)) == 4


@each(Point.FEED)
@pytest.mark.rule("M5.5")
def test_a_feed_brings_everything_once_whatever_happens_between(it: Specimen) -> None:
    [feed, *_] = it.adapter.feeds()
    person, now = it.person(), utcnow() + timedelta(minutes=5)
    for text in ("uno", "dos", "tres"):
        it.bring(person, text)
    try:
        first = feed.look("", lambda _: False, now)
        # The process died before the cursor was stored.
        again = feed.look("", lambda _: False, now)
        ids = [one.provider_id for one in first.arrivals.messages]
        assert [one.provider_id for one in again.arrivals.messages] == ids
        assert len(set(ids)) == len(ids)
        assert [one.full_text.strip() for one in first.arrivals.messages][-3:] == ["uno", "dos", "tres"]
        it.bring(person, "cuatro")
        later = feed.look(first.cursor, lambda one: one in ids, now)
        fresh = [one.full_text.strip() for one in later.arrivals.messages if one.provider_id not in ids]
        assert fresh == ["cuatro"]
        numbers = [one.n for one in (*first.arrivals.numbers, *later.arrivals.numbers)]
        assert numbers == sorted(set(numbers)), "they are counted in order, where they are counted"
        assert all(
            one.received_at <= now and one.received_at.utcoffset() is not None for one in first.arrivals.messages
        )
    finally:
        feed.close()


@each(Point.FEED)
def test_a_feed_that_cannot_ask_says_whose_fault_it_is(it: Specimen) -> None:
    for changes, wanted in ((it.away, TransientError), (it.refused, OperatorError)):
        [feed, *_] = it.rebuilt(changes).feeds()
        with pytest.raises(wanted) as error:
            feed.look("", lambda _: False, utcnow())
        feed.close()
        told = str(error.value)
        assert not [one for one in (*it.secrets, *changes.values()) if len(one) > 3 and one in told]
