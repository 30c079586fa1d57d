"""What the commands share: exit codes, the records database, dates as the operator reads them, text fit for a terminal.

Exit codes: 0 done, 1 refused or not found, 2 bad usage or settings, 3 something that is needed does not answer.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic_core import to_jsonable_python
from sqlmodel import Session

from channels.text import clean, one_line
from models.errors import EngineUnavailable, PlazoError, PolicyError, RecordsUnavailable, SettingsError, UnknownInquiry
from models.policy_reading import load_policy
from models.sight import Eyes
from records import visibility
from records.database import Database
from settings import Settings, load_settings
from starter.admin.case_views import checked

REFUSED, USAGE, UNAVAILABLE = 1, 2, 3

CONSOLE = "console"
"""Who acts on the command line, in the audit log: whoever may log in to the machine."""

CONSOLE_EYES = Eyes(CONSOLE)
"""What the command line shows: no case that lies in a compartment."""

AsJson = Annotated[bool, typer.Option("--json", help="The same as data.")]
Reference = Annotated[str, typer.Argument(help="The inquiry's reference, such as RX-7KQ4-M2PD.")]


def now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Tell an error of the tree in one line and leave with the exit code that it stands for."""
    try:
        yield
    except PlazoError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_code(error)) from None


def _code(error: PlazoError) -> int:
    match error:
        case SettingsError() | PolicyError():
            return USAGE
        case RecordsUnavailable() | EngineUnavailable():
            return UNAVAILABLE
        case _:
            return REFUSED


@contextmanager
def records() -> Iterator[tuple[Settings, Database]]:
    """The settings and the records database, with errors as exit codes."""
    with exit_codes():
        settings = load_settings()
        database = Database(settings.records_url)
        try:
            yield settings, database
        finally:
            database.close()


class Dates:
    """Writes times as the operator reads them: `2026-03-16 23:59`, in the policy's zone."""

    def __init__(self, settings: Settings) -> None:
        """Read the zone from the policy. Raises PolicyError."""
        self.policy = load_policy(settings.policy)
        self.zone = ZoneInfo(self.policy.calendar_settings.zone)

    def say(self, at: datetime | None) -> str:
        """An aware time, or a dash for none."""
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M") if at else "-"


def shown(session: Session, reference: str) -> str:
    """The reference as we write it. Raises UnknownInquiry, also where the command line must not show the inquiry."""
    written = checked(reference)
    if visibility.hidden(session, written, CONSOLE_EYES):
        raise UnknownInquiry(f"no inquiry has the reference {written}; see the list of inquiries")
    return written


def print_json(value: Any) -> None:
    """Print data as JSON."""
    typer.echo(json.dumps(to_jsonable_python(value), indent=2, ensure_ascii=False))


def print_rows(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table on a terminal, else tab-separated lines. What strangers wrote is made harmless."""
    plain = [tuple(one_line(cell) for cell in row) for row in rows]
    if not sys.stdout.isatty():
        for row in (heads, *plain):
            typer.echo("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415  a terminal alone needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*heads, box=None, pad_edge=False, header_style="bold")
    for row in plain:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_text(text: str, indent: str = "") -> None:
    """Print what a stranger may have written, without anything that a terminal would obey."""
    for line in clean(text).split("\n"):
        typer.echo(f"{indent}{line}".rstrip())
