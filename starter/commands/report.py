"""`plazo report`: the report of a month, a quarter or any two days, on the terminal or into a file."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from models.errors import Refused
from models.policy_reading import load_policy
from starter.commands.console import now, records
from starter.reporting.periods import read_period
from starter.reporting.report import make_report
from starter.reporting.writing import write


class Spoken(StrEnum):
    """The languages of a report."""

    ES = "es"
    EN = "en"


def report_command(
    *,
    quarter: Annotated[str | None, typer.Option(help="A quarter, such as 2026Q1.")] = None,
    month: Annotated[str | None, typer.Option(help="A month, such as 2026-03.")] = None,
    days: Annotated[str | None, typer.Option(help="Two days, such as 2026-01-15..2026-02-10.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="One number a line.")] = False,
    as_xlsx: Annotated[bool, typer.Option("--xlsx", help="A spreadsheet; needs --out.")] = False,
    as_html: Annotated[bool, typer.Option("--html", help="A page to print.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as data.")] = False,
    language: Annotated[Spoken, typer.Option(help="Spanish or English.")] = Spoken.ES,
    out: Annotated[Path | None, typer.Option(help="Write it into this file.")] = None,
) -> None:
    """Report on a period: terms kept and missed, backlog, extensions, reviews. It holds no personal data."""
    named = [text for text in (quarter, month, days) if text]
    if len(named) != 1:
        raise typer.BadParameter("say one of --quarter, --month and --days")
    forms = {"csv": as_csv, "xlsx": as_xlsx, "html": as_html, "json": as_json}
    chosen = [form for form, wanted in forms.items() if wanted] or ["text"]
    if len(chosen) != 1:
        raise typer.BadParameter("say one of --csv, --xlsx, --html and --json")
    if as_xlsx and out is None:
        raise typer.BadParameter("a spreadsheet goes into a file: add --out report.xlsx")
    with records() as (settings, database):
        policy, period = load_policy(settings.policy), read_period(named[0])
        with database.read() as session:
            made = make_report(session, policy, period, now())
        if as_json:
            content = made.model_dump_json(indent=2).encode() + b"\n"
        else:
            content = write(made, policy, chosen[0], language.value)
        if out is None:
            sys.stdout.buffer.write(content)
            return
        try:
            out.write_bytes(content)
        except OSError as error:
            raise Refused("report.out", f"{out} cannot be written: {error.strerror}") from None
        typer.echo(f"written to {out}")
