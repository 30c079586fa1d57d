"""A report as a spreadsheet (Office Open XML, ISO/IEC 29500): a sheet for each table, and one with the method.

Texts are written as inline strings, which no program reads as formulas, and no cell holds a formula. The same report
gives the same bytes.
"""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from starter.reporting.tables import Cell, Row, Table

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MEDIA_TYPE = f"{TYPE}.sheet"

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
WHEN = (1980, 1, 1, 0, 0, 0)
"""The time of every file inside: the earliest that a ZIP can hold."""

PLAIN, BOLD = 0, 1
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
COLUMNS = (
    '<cols><col min="1" max="1" width="44" customWidth="1"/><col min="2" max="26" width="18" customWidth="1"/></cols>'
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill '
    'patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    '<left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" '
    'fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" '
    'xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def xlsx_bytes(tables: Sequence[Table], title: str, method: Iterable[str]) -> bytes:
    """Write the tables; `title` and `method` stand on the last sheet."""
    sheets = [(table.key, [*_rows(table)]) for table in tables]
    sheets.append(("method", [((title,), BOLD), *(((line,), PLAIN) for line in method)]))
    names = [name for name, _ in sheets]
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as package:
        _put(package, "[Content_Types].xml", _content_types(len(sheets)))
        _put(package, "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
        _put(package, "xl/workbook.xml", _workbook(names))
        parts = [("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(sheets) + 1)]
        _put(package, "xl/_rels/workbook.xml.rels", _relations([*parts, ("styles", "styles.xml")]))
        _put(package, "xl/styles.xml", STYLES)
        for n, (_, rows) in enumerate(sheets, 1):
            _put(package, f"xl/worksheets/sheet{n}.xml", _sheet(rows))
    return out.getvalue()


def _rows(table: Table) -> Iterable[tuple[Row, int]]:
    yield (table.title,), BOLD
    yield (table.note,), PLAIN
    yield table.heads, BOLD
    for row in table.rows:
        yield row, PLAIN


def _put(package: ZipFile, name: str, text: str) -> None:
    file = ZipInfo(name, WHEN)
    file.compress_type = ZIP_DEFLATED
    package.writestr(file, text.encode())


def _sheet(rows: Iterable[tuple[Row, int]]) -> str:
    lines = "".join(
        f'<row r="{n}">{"".join(_cell(value, f"{LETTERS[place]}{n}", style) for place, value in enumerate(row))}</row>'
        for n, (row, style) in enumerate(rows, 1)
    )
    return f'{HEAD}<worksheet xmlns="{MAIN}">{COLUMNS}<sheetData>{lines}</sheetData></worksheet>'


def _cell(value: Cell, place: str, style: int) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = escape(UNWRITABLE.sub("", value))
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def _workbook(names: Sequence[str]) -> str:
    sheets = "".join(f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    return f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets></workbook>'


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    told = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{told}</Relationships>'


def _content_types(sheets: int) -> str:
    parts = [("workbook.xml", "sheet.main"), ("styles.xml", "styles")]
    parts += [(f"worksheets/sheet{n}.xml", "worksheet") for n in range(1, sheets + 1)]
    told = "".join(f'<Override PartName="/xl/{part}" ContentType="{TYPE}.{kind}+xml"/>' for part, kind in parts)
    return (
        f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{told}</Types>'
    )
