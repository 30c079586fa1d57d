"""A report as a page to print and as plain text. The page runs and loads nothing; its CSP says so wherever it lies."""

import base64
import hashlib
from textwrap import wrap

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from activities.letters.words import Speech
from models.inquiry import Language
from models.policy import Policy
from settings import HOUSE
from starter.reporting.charts import ages_chart, terms_chart
from starter.reporting.report import TERMS
from starter.reporting.shapes import Report
from starter.reporting.tables import Cell, Scribe, Table

TEMPLATES = HOUSE / "templates"
CSS = (TEMPLATES / "report.css").read_text(encoding="utf-8")
_CSS_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
CSP = f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; base-uri 'none'; form-action 'none'"

HEADERS = {
    "Content-Security-Policy": f"{CSP}; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TEXT_WIDTH = 110

_PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def report_page(report: Report, policy: Policy, language: str) -> str:
    """The page in one language, `es` or `en`."""
    scribe = Scribe(report, language, policy)
    return _PAGES.get_template("report.html").render(
        css=CSS,
        csp=CSP,
        language=language,
        report=report,
        words=scribe.words,
        speech=Speech(Language(language), report.zone),
        tables=scribe.tables(whole=False),
        charts={
            "month": [terms_chart(report, scribe, kind) for kind in TERMS],
            "ages": [ages_chart(report, scribe)],
        },
        show=show,
    )


def report_text(report: Report, policy: Policy, language: str) -> str:
    """The same in lines of text, one language."""
    scribe = Scribe(report, language, policy)
    words, speech = scribe.words, Speech(Language(language), report.zone)
    lines = [
        f"{words['title']} · {report.operator}",
        f"{words['period']}: {report.period}, {speech.day(report.first)} - {speech.day(report.last)}",
        f"{words['made']}: {speech.moment(report.made_at)}",
        *([] if report.complete else [words["running"]]),
    ]
    for table in scribe.tables(whole=False):
        lines += ["", table.title.upper(), *wrap(table.note, TEXT_WIDTH), *_columns(table)]
    lines += [
        "",
        words["method"].upper(),
        *(line for one in words["notes"]["method"] for line in wrap(one, TEXT_WIDTH)),
    ]
    return "\n".join(lines) + "\n"


def show(value: Cell) -> str:
    """A cell in print; a dash where there is nothing to say."""
    return "-" if value is None else str(value)


def _columns(table: Table) -> list[str]:
    rows = [table.heads, *(tuple(show(value) for value in row) for row in table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.heads))]
    return [
        "  ".join(
            cell.ljust(width) if place < table.labels else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
