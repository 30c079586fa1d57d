"""`plazo calendar seed`: write the closed days of the law as TOML, from the library `holidays`.

The library is used here and in the test that checks the file, and nowhere else: it is not safe to replay. Its list is
that of art. 190 of the Labour Code; decreed days are not in it and stand in `decrees.toml`.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated

import holidays
import typer

COUNTRY = "SV"
CITY = "SS"
HEADER = """\
# Closed days of the law. Generated: plazo calendar seed --from {first} --to {last}
# Holidays decreed on short notice stand in decrees.toml; the operator's own closures never lengthen a term (reading 3).
version = "{first}-{last}"
first = {first}-01-01
last = {last}-12-31
source = "Labour Code of El Salvador, art. 190"
city_source = "Labour Code of El Salvador, art. 190: city of San Salvador"
"""


def national_days(first: int, last: int) -> dict[dt.date, tuple[str, str]]:
    """Return the national holidays of those years, both included, with their names in Spanish and English."""
    return _days(first, last, None)


def city_days(first: int, last: int) -> dict[dt.date, tuple[str, str]]:
    """Return the days that the city of San Salvador adds, with their names in Spanish and English."""
    national = national_days(first, last)
    return {day: names for day, names in _days(first, last, CITY).items() if day not in national}


def seed(first: int, last: int) -> str:
    """Return the text of `calendar.toml` for those years, both included."""
    territories = sorted(holidays.country_holidays(COUNTRY).subdivisions_aliases)
    lines = [HEADER.format(first=first, last=last)]
    lines += ["territories = [", *(f'  "{name}",' for name in territories), "]", ""]
    for key, days in (("national", national_days(first, last)), ("city", city_days(first, last))):
        lines += [f"{key} = ["]
        lines += [
            f'  {{ date = {day}, name = {{ es = "{es}", en = "{en}" }} }},' for day, (es, en) in sorted(days.items())
        ]
        lines += ["]", ""]
    return "\n".join(lines).rstrip() + "\n"


def calendar_seed_command(
    first: Annotated[int, typer.Option("--from", min=2000, max=2200, help="First year.")],
    last: Annotated[int, typer.Option("--to", min=2000, max=2200, help="Last year, included.")],
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of printing.")] = None,
) -> None:
    """Print the closed days of the law as TOML, for calendar.toml of a policy."""
    if last < first:
        raise typer.BadParameter(f"{last} lies before {first}", param_hint="--to")
    text = seed(first, last)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _days(first: int, last: int, subdivision: str | None) -> dict[dt.date, tuple[str, str]]:
    years = range(first, last + 1)
    spanish = holidays.country_holidays(COUNTRY, subdiv=subdivision, years=years, language="es")
    english = holidays.country_holidays(COUNTRY, subdiv=subdivision, years=years, language="en_US")
    return {day: (name, english[day]) for day, name in spanish.items()}
