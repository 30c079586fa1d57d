"""`plazo explain`: how a due date is counted, day by day, with the reason of every day that does not count.

It tells the very walk that the cases use, over the calendar of the operator's policy (readings 1 and 3 of the manual).
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime, BaseModel, ConfigDict

from models.calendar import Walk
from models.errors import CalendarError, PlazoError
from models.policy import Policy
from models.policy_reading import load_policy
from settings import load_settings


class Explanation(BaseModel):
    """A walk and what it rests on; `due_at` is the end of the due day in UTC, `zone` that of the local dates."""

    model_config = ConfigDict(frozen=True)

    received_at: AwareDatetime
    zone: str
    calendar: str
    walk: Walk
    due_at: AwareDatetime


def explain(policy: Policy, received_text: str, business_days: int, *, city_days: bool | None = None) -> Explanation:
    """Explain a term; a time without an offset is local to the operator, `city_days` None means as the policy says.

    CalendarError says what cannot be read or lies outside the known days.
    """
    calendar = policy.whole_calendar(city_days=city_days)
    try:
        received = datetime.fromisoformat(received_text.strip())
    except ValueError as error:
        raise CalendarError(f"{received_text[:40]!r} is no time: write it as 2026-03-27T09:00") from error
    received = calendar.from_local(received) if received.tzinfo is None else received
    walk = calendar.explain(received, business_days)
    return Explanation(
        received_at=received,
        zone=calendar.zone,
        calendar=calendar.version,
        walk=walk,
        due_at=calendar.end_of(walk.due),
    )


def render(explanation: Explanation) -> str:
    """Return the walk as lines of text; the last line is the due date alone, for scripts."""
    walk = explanation.walk
    lines = [
        f"Received on {walk.received}; {walk.n} business days; {explanation.zone}; calendar {explanation.calendar}",
        *(f"  {day.date}  {day.weekday:<9}  {day.counted or '-':>3}  {day.reason or ''}".rstrip() for day in walk.days),
        "The term ends at 23:59:59 local time on",
        str(walk.due),
    ]
    return "\n".join(lines)


Received = Annotated[
    str, typer.Option(help="When it was received, as 2026-03-27T09:00: local to the operator unless it has an offset.")
]
BusinessDays = Annotated[int, typer.Option("--business-days", "-n", help="How many business days, at least 1.")]
CityDays = Annotated[
    bool | None,
    typer.Option("--city-days/--no-city-days", help="Whether the city's holidays count; default: as the policy says."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The same as data.")]
PolicyFolder = Annotated[Path | None, typer.Option("--policy", help="The policy's folder; default: PLAZO_POLICY.")]


def explain_command(
    received: Received,
    business_days: BusinessDays,
    *,
    city_days: CityDays = None,
    as_json: AsJson = False,
    policy: PolicyFolder = None,
) -> None:
    """Explain a due date day by day; the last line is the date."""
    try:
        explanation = explain(
            load_policy(policy or load_settings().policy), received, business_days, city_days=city_days
        )
    except CalendarError as error:
        raise typer.BadParameter(str(error)) from error
    except PlazoError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(explanation.model_dump_json(indent=2) if as_json else render(explanation))
