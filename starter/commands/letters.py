"""`plazo letters`: the templates, what compliance has approved of them, what waits, and approving it."""

from collections.abc import Callable, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Literal

import typer

from activities.letters.approvals import Approval
from activities.letters.approving import approve
from activities.letters.memos import FIELDS, Memos
from activities.letters.rendering import Letters
from activities.letters.sample import sample_letter, sample_memo
from activities.letters.survey import Line, survey
from models.errors import Refused
from models.inquiry import Language
from models.policy_reading import load_policy
from records import audit
from records.database import Database
from settings import Settings, load_settings
from starter.commands.console import CONSOLE, AsJson, exit_codes, now, print_json, print_rows, print_text

Kind = Annotated[str, typer.Argument(help="The letter, such as extension; a fragment is named as its file, _foot.")]
Kinds = Annotated[
    list[str] | None, typer.Argument(help="The letters, such as extension; fragments as their files, _foot.")
]
WRITTEN = "letter.write"
"""The audit line of an approval that the console wrote into the policy."""

Spoken = Literal["es", "en"]
In = Annotated[Spoken | None, typer.Option("--language", help="In this language alone; else in both.")]


def list_command(*, as_json: AsJson = False) -> None:
    """List all templates: whether compliance has approved them as they stand, and who did."""
    with exit_codes():
        rows = [_row(line) for line in survey(load_settings().policy)]
    if as_json:
        heads = ("kind", "language", "version", "standing", "by", "at", "remark")
        print_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    print_rows(("KIND", "LANGUAGE", "VERSION", "STANDS", "BY", "ON", "REMARK"), rows)


def show_command(kind: Kind, *, language: Annotated[Spoken, typer.Option(help="In which language.")] = "es") -> None:
    """Show a letter with sample facts, as users will read it; of a fragment the first letter that includes it."""
    with exit_codes():
        folder = load_settings().policy
        line = _named(folder, [kind], language)[0]
        policy, spoken = load_policy(folder), line.source.language
        if kind in FIELDS:
            memo = Memos.load(folder).render(kind, spoken, sample_memo(kind, spoken, policy))
            subject, text = memo.subject, memo.text
        else:
            letters = Letters.load(folder)
            name = letters.first_with(kind, spoken) if line.source.is_fragment else kind
            letter = letters.render(sample_letter(name, spoken, policy))
            subject, text = letter.subject, letter.text
    typer.echo(f"{line.source.template}: {line.standing}\n")
    print_text(f"{subject}\n\n{text}")


def diff_command(kinds: Kinds = None, *, language: In = None) -> None:
    """Show how templates differ from what was approved: those named, or all that do."""
    with exit_codes():
        for line in _named(load_settings().policy, kinds or [], language):
            before = line.approvals.source(line.last) if line.last else None
            shown = unified_diff(
                _lines(before.path) if before else [],
                _lines(line.source.path),
                f"{line.source.template} as approved {line.last.at:%Y-%m-%d} by {line.last.by}"
                if line.last
                else "nothing",
                f"{line.source.template} as it stands",
                lineterm="",
            )
            for one in shown:
                print_text(one)


def approve_command(
    kinds: Kinds = None,
    *,
    by: Annotated[str, typer.Option(help="The id of the compliance officer who has read them.")],
    language: In = None,
    remark: Annotated[str, typer.Option(help="Stands beside the approval.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
) -> None:
    """Approve templates as they stand: from the next start on, production writes with them.

    What belongs together, such as a letter and a fragment that changed with it, is approved together.
    """
    if bool(kinds) == every:
        raise typer.BadParameter("name letters, or say --all")
    with exit_codes():
        settings = load_settings()
        folder = settings.policy
        if by not in load_policy(folder).staff.compliance:
            raise Refused("letters.role", f"{by} is none of those whom the policy names for compliance", field="by")
        lines = _named(folder, kinds or [], language)
        done = _watched(settings, lambda: approve(folder, lines, by=by, at=now(), remark=remark))
    for one in done:
        typer.echo(f"{one.template} {one.version or one.sha256[:8]}: approved by {one.by}")
    if not done:
        typer.echo("all of it is approved as it stands")


def _watched(settings: Settings, make: Callable[[], list[Approval]]) -> list[Approval]:
    """In production what is written leaves lines in the audit log: by the console, which proves nobody's approval."""
    if settings.environment != "production":
        return make()
    database = Database(settings.records_url)
    try:
        with database.write() as session:
            done = make()
            for one in done:
                audit.note(session, now(), CONSOLE, WRITTEN, one.template, audit.Outcome.DONE, one.sha256)
        return done
    finally:
        database.close()


def _row(line: Line) -> tuple[str, ...]:
    source, last = line.source, line.last
    by = (last.by, f"{last.at:%Y-%m-%d}", last.remark or "-") if last else ("-", "-", "-")
    return source.name, source.language, source.version or "-", line.standing, *by


def _named(folder: Path, kinds: Sequence[str], language: Spoken | None) -> list[Line]:
    """The templates with these names, or all. Raises Refused for a name that there is not."""
    lines = [line for line in survey(folder) if language is None or line.source.language is Language(language)]
    known = {line.source.name for line in lines}
    for kind in kinds:
        if kind not in known:
            raise Refused("letters.unknown", f"{kind} is no template; see `plazo letters list`", field="kind")
    return [line for line in lines if not kinds or line.source.name in kinds]


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
