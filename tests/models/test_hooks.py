"""What leaves for other systems: ids, codes and dates, and a signature that anybody can check."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models.hooks import NAMES, PUBLISHED, body, event_id, headers, new_secret, of_event_id
from models.ledger import Event, Fact, seal
from tests.cases import FULL, MONDAY, do, new_case

HOUSE = Path(__file__).parents[2]


def sealed(type_: str, data: dict[str, Any], **texts: str) -> Event:
    fact = Fact(at=MONDAY, type=type_, data=data, texts=texts)
    return seal(fact, reference="RX-7KQ4-M2PD", seq=12, previous="0" * 64, salt="5a" * 16)


def test_a_body_holds_what_is_published_and_nothing_else() -> None:
    event = sealed("letter.accepted", {"key": "k", "kind": "reply", "address": "ad_1", "provider_id": "<a@b>"}, why="x")
    assert json.loads(body(event)) == {
        "id": "evt_RX-7KQ4-M2PD_12",
        "type": "letter.accepted.v1",
        "occurred_at": "2026-02-02T16:30:00.000000Z",
        "reference": "RX-7KQ4-M2PD",
        "seq": 12,
        "data": {"key": "k", "kind": "reply"},
    }
    assert body(event) == body(event)
    with pytest.raises(KeyError):
        body(sealed("case.noted", {}))


def test_a_whole_case_says_nothing_of_a_person() -> None:
    case = do(new_case(), "assign", MONDAY, owner="ana", reasons="Ana knows")
    case = do(case, "resolve", MONDAY, outcome="upheld", draft=FULL)
    told = [json.loads(body(event)) for event in case.seal() if event.type in PUBLISHED]
    assert {"inquiry.opened.v1", "inquiry.assigned.v1", "inquiry.resolved.v1"} <= {one["type"] for one in told}
    assert all(isinstance(value, str | int | bool) for one in told for value in one["data"].values())
    assert not re.search("ana|knows|ad_|ct_", json.dumps(told), flags=re.IGNORECASE)


def test_names_are_versioned_and_lead_back() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+\.v[1-9]", name) for name in NAMES)
    assert {NAMES[published.name] for published in PUBLISHED.values()} == set(PUBLISHED)


def test_only_what_the_ledger_writes_is_published() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (HOUSE / "models").glob("*.py"))
    source = source.replace((HOUSE / "models" / "hooks.py").read_text(encoding="utf-8"), "")
    assert [type_ for type_ in PUBLISHED if f'"{type_}"' not in source] == []


def test_an_id_leads_back_to_its_event() -> None:
    assert of_event_id(event_id("RX-7KQ4-M2PD", 12)) == ("RX-7KQ4-M2PD", 12)
    for wrong in ("", "evt_RX-7KQ4-M2PD_0", "evt_RX-7KQ4-M2PD_12x", "evt__1", "RX-7KQ4-M2PD"):
        assert of_event_id(wrong) is None


def test_the_documentation_shows_how_to_verify() -> None:
    page = (HOUSE / "docs" / "webhooks.md").read_text(encoding="utf-8")
    shown: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)[0], shown)  # noqa: S102  our own page
    now, secrets = datetime.now(UTC), [new_secret(bytes([n] * 32)) for n in (1, 2, 3)]
    signed = headers(secrets[:2], "evt_RX-7KQ4-M2PD_12", now, b'{"a":1}')
    assert len(signed["webhook-signature"].split(" ")) == 2
    assert len(base64.b64decode(secrets[0].removeprefix("whsec_"))) == 32
    for secret in secrets[:2]:
        shown["verify"](secret, signed, b'{"a":1}')
    for secret, content, changed in (
        (secrets[2], b'{"a":1}', {}),
        (secrets[0], b'{"a":2}', {}),
        (secrets[0], b'{"a":1}', {"webhook-id": "evt_RX-7KQ4-M2PD_13"}),
        (secrets[0], b'{"a":1}', {"webhook-timestamp": "1"}),
    ):
        with pytest.raises(ValueError, match="not signed"):
            shown["verify"](secret, {**signed, **changed}, content)
    old = headers(secrets[:1], "evt_1", MONDAY, b"{}")
    with pytest.raises(ValueError, match="too old"):
        shown["verify"](secrets[0], old, b"{}")
