import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.events import read_events
from channels.report import Delivery, DeliveryEvent
from models.errors import UnreadableMessage

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
AT = NOW - timedelta(seconds=5)


def one(**event: Any) -> DeliveryEvent:
    whole = {"sg_event_id": "e1", "timestamp": int(AT.timestamp()), "event": "bounce", "notice": "n1", **event}
    [found] = read_events(json.dumps([whole]).encode() + b"\r\n", NOW)
    return found


def test_a_bounce_is_read_without_its_address() -> None:
    reason = "550 5.1.1 <ana@example.org>: no such user ana@example.org"
    found = one(**{"smtp-id": "<n1@example.org>", "reason": reason, "email": "ana@example.org"})
    assert (found.event_id, found.notice, found.kind, found.at) == ("e1", "n1", Delivery.BOUNCE, AT)
    assert found.message_id == "n1@example.org"
    assert "ana" not in found.model_dump_json()
    assert found.reason.startswith("550 5.1.1 <")


@pytest.mark.parametrize(
    ("event", "kind", "hard"),
    [
        ({"event": "processed"}, Delivery.ACCEPTED, False),
        ({"event": "delivered"}, Delivery.DELIVERED, False),
        ({"event": "deferred"}, Delivery.DEFERRED, False),
        ({"event": "bounce", "type": "bounce"}, Delivery.BOUNCE, True),
        ({"event": "bounce"}, Delivery.BOUNCE, True),
        ({"event": "bounce", "type": "blocked"}, Delivery.BOUNCE, False),
        ({"event": "dropped", "reason": "Bounced Address"}, Delivery.DROPPED, True),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, Delivery.DROPPED, False),
    ],
)
def test_each_kind_says_whether_the_address_is_dead(event: dict[str, str], kind: Delivery, hard: bool) -> None:  # noqa: FBT001 - a column of the table
    found = one(**event)
    assert (found.kind, found.hard) == (kind, hard)


def test_what_says_nothing_of_delivery_is_passed_over() -> None:
    entries: list[Any] = [{"event": name} for name in ("open", "click", "spamreport", "unsubscribe", "new-thing")]
    entries += [{}, {"event": ["bounce"]}, "text", None, 5, []]
    assert read_events(json.dumps(entries).encode(), NOW) == []


@pytest.mark.parametrize("stamp", [None, "x", True, -1, 1e400, float("nan"), 10**30, int(NOW.timestamp()) + 301])
def test_an_absurd_time_is_that_of_arrival(stamp: object) -> None:
    assert one(timestamp=stamp).at == NOW


def test_an_event_without_an_id_has_the_same_one_each_time() -> None:
    assert (
        one(sg_event_id=None).event_id == one(sg_event_id=None).event_id != one(sg_event_id=None, notice="n2").event_id
    )


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"\xff", b'"a"', b"[" * 100_000])
def test_what_is_no_array_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        read_events(body, NOW)


@settings(deadline=None)
@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_nothing_raises_anything_else(body: bytes) -> None:
    with suppress(UnreadableMessage):
        read_events(body, NOW)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["event", "timestamp", "reason", "type", "notice", "smtp-id", "sg_event_id", "sg_message_id"]),
        st.sampled_from(["bounce", "dropped"])
        | st.text()
        | st.integers()
        | st.floats()
        | st.none()
        | st.lists(st.text()),
    )
)
def test_no_entry_raises(entry: dict[str, Any]) -> None:
    read_events(json.dumps([entry]).encode(), NOW)
