"""Letters as they left: the same words on every try, the first acceptance stands, reports beside them."""

from datetime import timedelta
from typing import Any

import pytest

from models.tables import Notice, NoticeEvent, NoticeState
from records import notices
from records.database import Database
from tests.records.mail import NOW

KEY = "RX-7KQ4-M2PD/acknowledgement/1"


def letter(key: str = KEY, **more: Any) -> Notice:
    fields: dict[str, Any] = {
        "key": key,
        "reference": key.split("/", maxsplit=1)[0],
        "kind": "acknowledgement",
        "address_id": "ad_1",
        "channel": "email",
        "template": "acknowledgement.es",
        "version": "1",
        "language": "es",
        "subject": "RX-7KQ4-M2PD",
        "text": "Recibimos su reclamo.",
        "html": "<p>Recibimos su reclamo.</p>",
        "sha256": notices.letter_hash("Recibimos su reclamo.", "<p>Recibimos su reclamo.</p>"),
        "message_id": f"{key.replace('/', '.')}@example.org",
        "head": "0" * 64,
        "created_at": NOW,
    }
    return Notice(**{**fields, **more})


def report(event_id: str, kind: str, seconds: int, key: str = KEY) -> NoticeEvent:
    moment = NOW + timedelta(seconds=seconds)
    return NoticeEvent(event_id=event_id, notice=key, kind=kind, at=moment, stored_at=moment)


@pytest.mark.rule("M3.7")
def test_every_try_sends_the_same_words(database: Database) -> None:
    with database.write() as session:
        assert notices.find(session, KEY) is None
        assert notices.begin(session, letter())
    with database.write() as session:
        assert not notices.begin(session, letter(text="other words", message_id="other@example.org"))
    with database.read() as session:
        kept = notices.find(session, KEY)
        assert kept is not None
        assert (kept.state, kept.tries, kept.tried_at) == (NoticeState.SENDING, 1, NOW)
        assert (kept.text, kept.message_id) == (letter().text, letter().message_id)
        assert kept.sha256 == notices.letter_hash(kept.text, kept.html)
        assert kept.full_text == ""


def test_tries_refusal_acceptance(database: Database) -> None:
    minute = timedelta(minutes=1)
    with database.write() as session:
        notices.begin(session, letter())
        refused = notices.refused(session, KEY, "503 Service Unavailable", NOW + minute)
        assert (refused.state, refused.tries, refused.last_error) == ("refused", 1, "503 Service Unavailable")
        second = notices.trying(session, KEY, NOW + 2 * minute, duplicate=True)
        assert (second.state, second.tries, second.possible_duplicate) == ("sending", 2, True)
        accepted = notices.accepted(session, KEY, NOW + 3 * minute, "sg-1")
        assert (accepted.state, accepted.accepted_at, accepted.provider_id) == ("accepted", NOW + 3 * minute, "sg-1")
        assert (accepted.first_tried_at, accepted.tried_at) == (NOW, NOW + 2 * minute)
        assert accepted.last_error == ""


def test_the_first_acceptance_stands(database: Database) -> None:
    with database.write() as session:
        notices.begin(session, letter())
        notices.accepted(session, KEY, NOW, "sg-1")
        notices.accepted(session, KEY, NOW + timedelta(hours=1), "sg-2")
        notices.trying(session, KEY, NOW + timedelta(hours=1), duplicate=True)
        notices.refused(session, KEY, "too late", NOW)
        row = notices.failed(session, KEY, "too late", NOW)
    assert (row.state, row.accepted_at, row.provider_id, row.tries) == ("accepted", NOW, "sg-1", 1)
    assert (row.possible_duplicate, row.last_error) == (False, "")


def test_an_address_that_will_never_take_it(database: Database) -> None:
    with database.write() as session:
        notices.begin(session, letter())
        row = notices.failed(session, KEY, "550 no such user", NOW)
    assert (row.state, row.last_error, row.accepted_at) == ("failed", "550 no such user", None)


def test_reports_are_kept_once_and_move_the_letter(database: Database) -> None:
    with database.write() as session:
        notices.begin(session, letter())
        notices.accepted(session, KEY, NOW, "sg-1")
        assert notices.add_event(session, report("e1", "deferred", 5))
        assert notices.add_event(session, report("e2", "delivered", 9))
        assert not notices.add_event(session, report("e2", "delivered", 99))
    with database.read() as session:
        delivered = notices.find(session, KEY)
        assert delivered is not None
        assert (delivered.state, delivered.delivered_at) == ("delivered", NOW + timedelta(seconds=9))
    with database.write() as session:
        notices.add_event(session, report("e3", "bounce", 20))
        notices.add_event(session, report("e4", "delivered", 30))
        bounced = notices.find(session, KEY)
        assert bounced is not None
        assert (bounced.state, bounced.bounced_at) == ("bounced", NOW + timedelta(seconds=20))
        assert bounced.delivered_at == NOW + timedelta(seconds=9)
        assert [event.event_id for event in notices.events(session, KEY)] == ["e1", "e2", "e3", "e4"]


def test_a_report_that_overtakes_the_answer_proves_the_acceptance(database: Database) -> None:
    with database.write() as session:
        notices.begin(session, letter())
        assert notices.evidence(session, KEY) is None
        assert notices.add_event(session, report("e0", "open", 1))
        assert notices.evidence(session, KEY) is None
        notices.add_event(session, report("e2", "delivered", 9))
        notices.add_event(session, report("e1", "processed", 4))
        waiting = notices.find(session, KEY)
        assert waiting is not None
        assert waiting.state == NoticeState.SENDING
        proof = notices.evidence(session, KEY)
        assert proof is not None
        assert (proof.event_id, proof.at) == ("e1", NOW + timedelta(seconds=4))
        row = notices.accepted(session, KEY, proof.at, "sg-1")
        assert (row.state, row.accepted_at) == ("delivered", NOW + timedelta(seconds=4))


def test_a_report_of_a_letter_we_do_not_know_is_kept(database: Database) -> None:
    with database.write() as session:
        assert notices.add_event(session, report("e1", "dropped", 1, key="RX-OTHER/missed/1"))
        assert not notices.add_event(session, report("e1", "dropped", 1, key="RX-OTHER/missed/1"))
        assert notices.evidence(session, "RX-OTHER/missed/1") is not None
        with pytest.raises(KeyError, match="RX-OTHER"):
            notices.accepted(session, "RX-OTHER/missed/1", NOW, "")


def test_letters_are_found_by_case_and_by_thread(database: Database) -> None:
    second = "RX-7KQ4-M2PD/acknowledgement/2"
    with database.write() as session:
        notices.begin(session, letter(second, created_at=NOW + timedelta(hours=1)))
        notices.begin(session, letter())
        notices.begin(session, letter("RX-2222-2222/reply/1", kind="reply", address_id="ad_2"))
    with database.read() as session:
        assert [row.key for row in notices.of_case(session, "RX-7KQ4-M2PD")] == [KEY, second]
        assert notices.by_message_id(session, f" <{letter().message_id}> ") == KEY
        assert notices.by_message_id(session, "nobody@example.org") is None


def test_the_parts_of_a_letter_are_kept_in_order_and_lead_to_it(database: Database) -> None:
    other = "RX-2222-2222/reply/1"
    with database.write() as session:
        for n, provider_id in ((2, "1001/8"), (1, "1001/7"), (2, "1001/99")):
            notices.take_part(session, KEY, n, channel="telegram", provider_id=provider_id, now=NOW)
        notices.take_part(session, other, 1, channel="x", provider_id="1001/7", now=NOW)
    with database.read() as session:
        assert notices.parts(session, KEY) == ("1001/7", "1001/8")
        assert notices.by_provider_id(session, "telegram", "1001/8") == KEY
        assert notices.by_provider_id(session, "x", "1001/7") == other
        assert notices.by_provider_id(session, "telegram", "1001/99") is None
        assert notices.by_provider_id(session, "email", "1001/7") is None
