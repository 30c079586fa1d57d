"""A report in the form that somebody asked for."""

from models.policy import Policy
from starter.reporting.csv_file import csv_text
from starter.reporting.page import report_page, report_text
from starter.reporting.shapes import Report
from starter.reporting.tables import Scribe
from starter.reporting.xlsx_file import xlsx_bytes


def write(made: Report, policy: Policy, form: str, language: str) -> bytes:
    """Write a report as `csv`, `xlsx`, `html` or `text`."""
    if form == "html":
        return report_page(made, policy, language).encode()
    if form == "text":
        return report_text(made, policy, language).encode()
    scribe = Scribe(made, language, policy)
    tables = scribe.tables(whole=True)
    if form == "csv":
        return csv_text(tables).encode()
    title = f"{scribe.words['title']} · {made.operator} · {made.period}"
    return xlsx_bytes(tables, title, scribe.words["notes"]["method"])
