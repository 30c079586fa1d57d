"""A report as CSV: one number a line, with its table, the names of its row and its column. UTF-8, comma, CRLF."""

import csv
from collections.abc import Iterable
from io import StringIO

from starter.reporting.tables import Cell, Table

HEAD = ("table", "row", "column", "value")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


def csv_text(tables: Iterable[Table]) -> str:
    """Write the tables. A text that a spreadsheet would obey gets an apostrophe before it."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for table in tables:
        for row in table.rows:
            name = " / ".join(str(label) for label in row[: table.labels])
            for head, value in zip(table.heads[table.labels :], row[table.labels :], strict=True):
                writer.writerow([_safe(one) for one in (table.key, name, head, value)])
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
