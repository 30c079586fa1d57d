"""`plazo report` at a terminal and in a script."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from starter.cli import build

Report = Callable[..., str]


@pytest.fixture
def plazo(records_url: str, tmp_path: Path) -> Report:
    """Ask for a report of the records, and for the exit code `code`."""

    def asked(*arguments: str, code: int = 0) -> str:
        environment: dict[str, str | None] = {"PLAZO_VAR": str(tmp_path / "var"), "PLAZO_RECORDS_URL": records_url}
        done = CliRunner().invoke(build(["report"]), ["report", *arguments], env=environment, prog_name="plazo")
        assert done.exit_code == code, (done.output, done.exception)
        return done.stdout if code == 0 else done.output

    return asked


@pytest.mark.usefixtures("peopled")
def test_the_quarter_as_text_in_either_language(plazo: Report) -> None:
    spanish = plazo("--quarter", "2026Q1")
    assert "PLAZOS QUE VENCIERON EN EL PERÍODO" in spanish
    assert "TERMS THAT ENDED IN THE PERIOD" in plazo("--quarter", "2026Q1", "--language", "en")
    assert all(line == line.rstrip() for line in spanish.splitlines())


@pytest.mark.usefixtures("peopled")
def test_data_is_data_and_files_are_written_whole(plazo: Report, tmp_path: Path) -> None:
    assert json.loads(plazo("--month", "2026-02", "--json"))["period"] == "2026-02"
    assert plazo("--days", "2026-01-15..2026-02-10", "--csv").startswith("table,row,column,value")
    for form, begins in (("html", b"<!doctype html>"), ("xlsx", b"PK"), ("csv", b"table,"), ("json", b"{")):
        out = tmp_path / f"report.{form}"
        assert str(out) in plazo("--quarter", "2026Q1", f"--{form}", "--out", str(out))
        assert out.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("--quarter", "2026Q1", "--month", "2026-02"), 2),
        (("--quarter", "2026Q1", "--csv", "--json"), 2),
        (("--quarter", "2026Q1", "--xlsx"), 2),
        (("--quarter", "2026Q1", "--language", "fr"), 2),
        (("--quarter", "2026Q9"), 1),
        (("--quarter", "2199Q1"), 1),
        (("--quarter", "2026Q1", "--html", "--out", "/nowhere/at/all.html"), 1),
    ],
)
def test_what_cannot_be_done_ends_with_its_exit_code(plazo: Report, arguments: tuple[str, ...], code: int) -> None:
    assert plazo(*arguments, code=code)
