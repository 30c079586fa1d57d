"""The forms of a report: valid, harmless, in both languages, and without anything about a person."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from models.inquiry import Outcome
from models.obligations import ObligationKind
from records.database import Database
from records.figures import Fate
from records.figures_misses import Reason
from starter.reporting.notes import NOTES
from starter.reporting.page import CSP
from starter.reporting.periods import read_period
from starter.reporting.report import make_report
from starter.reporting.shapes import Report
from starter.reporting.tables import Scribe, Table
from starter.reporting.words import WORDS
from starter.reporting.writing import write
from starter.reporting.xlsx_file import MAIN, xlsx_bytes
from tests.cases import policy
from tests.reporting.conftest import FIRST, LATER
from tests.reporting.past import on_time, store

PERSONAL = ("RX-0", "ct_", "ad_", "Notary Somebody", "17/26", "ana@", "agent-", "supervisor-", "new facts")
"""What stands in the records of these inquiries and must stand in no report."""

HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '<script>alert("x")</script>', "a & b \x00\x1b")


@pytest.fixture
def report(peopled: Database) -> Report:
    with peopled.read() as session:
        return make_report(session, policy(), read_period("2026Q1"), LATER)


def hostile(report: Report) -> Report:
    institutions = {name: n for n, name in enumerate(HOSTILE, 1)}
    return report.model_copy(
        update={"escalations": report.escalations.model_copy(update={"institutions": institutions})}
    )


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("form", ["csv", "html", "text", "xlsx"])
def test_no_form_holds_anything_about_a_person(report: Report, form: str, language: str) -> None:
    written = write(report, policy(), form, language)
    texts = [written.decode()] if form != "xlsx" else [ET.tostring(part, "unicode") for _, part in parts(written)]
    for text in (*texts, report.model_dump_json()):
        assert [one for one in PERSONAL if one in text] == []


def parts(written: bytes) -> Iterator[tuple[str, ET.Element]]:
    with ZipFile(BytesIO(written)) as package:
        assert package.testzip() is None
        for name in package.namelist():
            yield name, ET.fromstring(package.read(name))  # noqa: S314  our own


def sheets(written: bytes) -> dict[str, list[list[Any]]]:
    """Read a spreadsheet as a program does: from the workbook over its relations to the cells."""
    named = dict(parts(written))
    space = {"m": MAIN}
    relations = {one.get("Id"): one.get("Target") for one in named["xl/_rels/workbook.xml.rels"]}
    found = {}
    for sheet in named["xl/workbook.xml"].iterfind("m:sheets/m:sheet", space):
        target = relations[sheet.get("{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id")]
        root = named[f"xl/{target}"]
        assert root.find(".//m:f", space) is None, "no cell is a formula"
        found[str(sheet.get("name"))] = [[_value(cell) for cell in row] for row in root.iter(f"{{{MAIN}}}row")]
    overrides = {one.get("PartName") for one in named["[Content_Types].xml"] if one.get("PartName")}
    assert overrides == {f"/{name}" for name in named if name.startswith("xl/") and not name.endswith(".rels")}
    return found


def _value(cell: ET.Element) -> Any:
    if cell.get("t") == "inlineStr":
        return cell.findtext(f"{{{MAIN}}}is/{{{MAIN}}}t")
    return float(cell.findtext(f"{{{MAIN}}}v") or "nan")


def test_the_spreadsheet_says_what_the_tables_say(report: Report) -> None:
    tables = Scribe(report, "es", policy()).tables(whole=True)
    found = sheets(write(report, policy(), "xlsx", "es"))
    assert list(found) == [*(table.key for table in tables), "method"]
    for table in tables:
        title, note, heads, *rows = found[table.key]
        assert (title, note, heads) == ([table.title], [table.note], list(table.heads))
        assert rows == [[value for value in row if value is not None] for row in table.rows]
    assert write(report, policy(), "xlsx", "es") == write(report, policy(), "xlsx", "es")


def test_no_cell_of_a_spreadsheet_is_ever_a_formula() -> None:
    table = Table("terms", "=1+1", "-x", ("+a",), tuple((text,) for text in HOSTILE))
    rows = sheets(xlsx_bytes([table], "@title", ["=method"]))["terms"]
    assert [row[0] for row in rows] == ["=1+1", "-x", "+a", *HOSTILE[:-1], "a & b "]


def test_no_cell_of_a_csv_is_ever_a_formula(report: Report) -> None:
    text = write(hostile(report), policy(), "csv", "en").decode()
    rows = list(csv.DictReader(StringIO(text)))
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    said = {row["row"]: row["value"] for row in rows if row["table"] == "escalations"}
    assert said["'=1+1"] == "1"
    assert said["'@SUM(A1)"] == "4"


def test_the_csv_holds_every_number_once(report: Report) -> None:
    rows = list(csv.DictReader(StringIO(write(report, policy(), "csv", "en").decode())))
    keys = [(row["table"], row["row"], row["column"]) for row in rows]
    assert len(keys) == len(set(keys))
    kept = next(row for row in rows if row["table"] == "terms" and row["row"].startswith("Final answer /"))
    assert kept["column"] == "Ended"
    assert int(kept["value"]) == report.promises[1].tally.due
    groups = {row["row"].split(" / ")[0] for row in rows if row["table"] == "month"}
    assert len(groups) == len(report.promises)


class Page(HTMLParser):
    """What stands on a page: its elements with their attributes, its words, and whether every element is closed."""

    VOID = frozenset({"meta", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_page_runs_nothing_loads_nothing_and_says_what_it_counts(report: Report, language: str) -> None:
    page = Page(write(hostile(report), policy(), "html", language).decode())
    names = {tag for tag, _ in page.elements}
    assert not names & {"script", "img", "link", "iframe", "object", "a", "form"}
    attributes = {name for _, given in page.elements for name in given}
    assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "href"}]
    assert ("html", {"lang": language}) in page.elements
    assert {"http-equiv": "Content-Security-Policy", "content": CSP} in [given for _, given in page.elements]
    assert "unsafe" not in CSP
    charts = [given for tag, given in page.elements if tag == "svg"]
    assert len(charts) == 3
    assert all(given["role"] == "img" and given["aria-label"] for given in charts)
    said = "".join(page.words)
    for table in Scribe(report, language, policy()).tables(whole=False):
        assert table.title in said
        assert table.note in said
    assert '<script>alert("x")</script>' in said
    assert all(line in said for line in NOTES[language]["method"])
    assert policy().full_version in said
    assert report.grounds.fingerprint in said
    assert "1.0, 2024-11-15" in said


def test_a_period_that_still_runs_says_so(peopled: Database) -> None:
    with peopled.read() as session:
        running = make_report(session, policy(), read_period("2026Q1"), FIRST.replace(month=3))
    assert not running.complete
    assert WORDS["es"]["running"] in write(running, policy(), "html", "es").decode()
    assert WORDS["en"]["running"] in write(running, policy(), "text", "en").decode()


@pytest.mark.parametrize("form", ["csv", "html", "text", "xlsx"])
def test_an_empty_period_has_every_form(database: Database, form: str) -> None:
    with database.read() as session:
        empty = make_report(session, policy(), read_period("2026Q1"), LATER)
    assert write(empty, policy(), form, "es")
    assert empty.promises[0].tally.percent is None
    assert [group.name for group in empty.promises[0].groups["month"]] == ["2026-01", "2026-02", "2026-03"]


def test_a_report_adds_up(report: Report) -> None:
    for promise in report.promises:
        tally = promise.tally
        assert tally.due == sum(getattr(tally, fate.value) for fate in Fate)
        assert tally.missed == tally.late + tally.unmet + tally.lapsed == sum(promise.reasons.values())
        for groups in promise.groups.values():
            assert sum(group.tally.due for group in groups) == tally.due
            assert sum(group.tally.missed for group in groups) == tally.missed
    waiting = report.backlog
    assert sum(waiting.ages.values()) == waiting.after
    assert all(sum(names.values()) == waiting.after for names in waiting.groups.values())
    assert report.extensions.for_complexity + report.extensions.with_institution == report.extensions.effective
    assert report.complete
    assert (report.first, report.last) == (date(2026, 1, 1), date(2026, 3, 31))


def test_two_reports_of_one_ledger_are_the_same_and_one_more_event_shows(peopled: Database, report: Report) -> None:
    with peopled.read() as session:
        assert make_report(session, policy(), read_period("2026Q1"), LATER) == report
    store(peopled, on_time(FIRST, reference="RX-ZZZZ"))
    with peopled.read() as session:
        assert (
            make_report(session, policy(), read_period("2026Q1"), LATER).grounds.fingerprint
            != report.grounds.fingerprint
        )


@pytest.mark.parametrize("language", ["es", "en"])
def test_everything_that_can_be_counted_has_its_words(language: str) -> None:
    names = WORDS[language]["names"]
    wanted = {*ObligationKind, *Reason, *Outcome}
    assert {one.value for one in wanted} - set(names) == set()
    assert set(WORDS["es"]["tables"]) == set(WORDS["en"]["tables"]) == set(NOTES[language]["tables"])
    assert set(WORDS["es"]["lines"]) == set(WORDS["en"]["lines"])
    assert set(WORDS["es"]["heads"]) == set(WORDS["en"]["heads"])


def test_the_data_says_what_each_part_counts(report: Report) -> None:
    data = json.loads(report.model_dump_json())
    assert data["notes"] == NOTES["en"]["tables"]
    assert re.fullmatch(r"[0-9a-f]{64}", data["grounds"]["fingerprint"])
    assert Report.model_validate(data) == report
