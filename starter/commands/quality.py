"""`plazo quality`: a month's sample of final answers at the terminal, and how each area did."""

from typing import Annotated

import typer

from models.policy_reading import load_policy
from starter.commands.console import CONSOLE_EYES, AsJson, Dates, now, print_json, print_rows, records
from starter.reporting.quality import Month, Review


def quality_command(
    month: Annotated[str, typer.Argument(help="A month that is over, such as 2026-03.")], *, as_json: AsJson = False
) -> None:
    """Show which final answers of a month are looked over, and what was said of them."""
    with records() as (settings, database):
        policy = load_policy(settings.policy)
        wanted = Month.read(month, policy, now())
        with database.read() as session:
            view = Review(session, policy, wanted, CONSOLE_EYES).view()
        if as_json:
            print_json(view.model_dump())
            return
        dates, names = Dates(settings), [one.code for one in view.criteria]
        print_rows(
            ("AREA", "ANSWERS", "SAMPLED", "JUDGED", *(name.upper() for name in names)),
            [
                (one.area, str(one.answers), str(one.sampled), str(one.judged), *(str(one.good[n]) for n in names))
                for one in view.areas
            ],
        )
        print_rows(
            ("REFERENCE", "LETTER", "ANSWERED", "AREA", "KIND", "BY", "JUDGED BY"),
            [
                (
                    *(one.reference, one.letter, dates.say(one.answered_at), one.area, one.kind, one.by),
                    one.verdicts[-1].judged_by if one.verdicts else "-",
                )
                for one in view.sample
            ],
        )
