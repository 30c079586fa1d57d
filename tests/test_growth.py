"""The part of the bench that fills records: its copies are inquiries of their own; and its picture."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sqlmodel import col, select

from bench import seeding
from bench.picture import COSTS, picture
from models.tables import Notice, StoredMessage
from records import case_list, cases, ledger
from records.database import Database
from settings import Settings


def test_copies_are_inquiries_of_their_own(
    database: Database, records_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "PATTERNS", 2)
    settings = Settings.model_validate({"var": tmp_path / "var", "records_url": records_url})
    made = seeding.Seeding(settings, database, print)
    empty = made.stored_bytes()
    made.grow(5)
    made.grow(7)
    made.settle()
    assert made.stored_bytes() > empty
    assert len(set(made.references)) == 7
    with database.read() as session:
        assert len(case_list.page(session).items) == 2 + 7
        contacts = set()
        for reference in made.references:
            case, line = cases.load(session, reference), case_list.line(session, reference)
            stored = session.exec(select(StoredMessage).where(col(StoredMessage.reference) == reference)).one()
            letters = session.exec(select(Notice.key).where(col(Notice.reference) == reference)).all()
            assert (case.reference, case.contact, stored.contact) == (reference, line.contact, line.contact)
            assert len(letters) == (line.status == "open")
            assert len(ledger.of_case(session, reference)) == case.seq
            assert seeding.SUBJECT not in line.subject
            assert line.excerpt[:20] in stored.text
            found = case_list.page(session, text=line.subject.upper()).items
            assert reference in {one.reference for one in found}
            contacts.add(line.contact)
    assert len(contacts) == 7


def test_the_picture_shows_each_cost_on_each_database() -> None:
    reading = {"p50": 9.5, "p99": 40.0, "max": 41.0, "n": 10}
    costs = {cost.name: 120.5 if cost.name == "web_mb" else reading for cost in COSTS}
    found = {name: {"1000": costs, "10000": costs, "100000": costs} for name in ("PostgreSQL", "SQLite")}
    drawn = ET.fromstring(picture(found))  # noqa: S314  drawn a line above
    space = "{http://www.w3.org/2000/svg}"
    lines = drawn.findall(f".//{space}polyline")
    assert len(lines) == 2 * (2 * len(COSTS) - 1)
    assert len(drawn.findall(f".//{space}line[@class='wanted']")) == 2
    assert "100,000" in {one.text for one in drawn.iter(f"{space}text")}
