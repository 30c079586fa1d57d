"""`plazo explain` and `plazo calendar seed`, as a person calls them."""

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from models.errors import CalendarError
from models.policy_reading import load_policy
from starter.commands.calendar_seed import calendar_seed_command
from starter.commands.explain import explain, explain_command, render

ROXOM = Path("policies/roxom")
POLICY = load_policy(ROXOM)
APP = typer.Typer()
APP.command("explain")(explain_command)
APP.command("seed")(calendar_seed_command)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(APP, list(arguments))


@pytest.mark.rule("M3.2")
def test_the_last_line_is_the_due_date_and_above_it_stands_the_walk() -> None:
    result = run("explain", "--received", "2026-03-27T09:00", "--business-days", "5")

    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[-1] == "2026-04-07"
    assert [line.split() for line in lines[1:-2]] == [
        ["2026-03-27", "Friday", "-", "the", "day", "of", "receipt", "does", "not", "count"],
        ["2026-03-28", "Saturday", "-", "Saturday"],
        ["2026-03-29", "Sunday", "-", "Sunday"],
        ["2026-03-30", "Monday", "1"],
        ["2026-03-31", "Tuesday", "2"],
        ["2026-04-01", "Wednesday", "3"],
        ["2026-04-02", "Thursday", "-", "Maundy", "Thursday"],
        ["2026-04-03", "Friday", "-", "Good", "Friday"],
        ["2026-04-04", "Saturday", "-", "Holy", "Saturday"],
        ["2026-04-05", "Sunday", "-", "Sunday"],
        ["2026-04-06", "Monday", "4"],
        ["2026-04-07", "Tuesday", "5"],
    ]


def test_json_gives_the_same_as_data() -> None:
    result = run("explain", "--received", "2026-03-27T09:00", "--business-days", "5", "--json")

    data = json.loads(result.output)
    assert data["received_at"] == "2026-03-27T15:00:00Z"
    assert data["due_at"] == "2026-04-08T05:59:59Z"
    assert data["walk"]["due"] == "2026-04-07"
    assert data["walk"]["days"][6] == {
        "date": "2026-04-02",
        "weekday": "Thursday",
        "counted": None,
        "reason": "Maundy Thursday",
    }


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-02-08T23:59", "2026-02-13"),
        ("2026-02-09T05:59Z", "2026-02-13"),  # still Sunday in El Salvador
        ("2026-02-09T06:00Z", "2026-02-16"),
        ("2026-02-09T00:00-06:00", "2026-02-16"),
        ("2026-02-09", "2026-02-16"),
        (" 2026-02-09 10:00 ", "2026-02-16"),
    ],
)
def test_a_time_without_an_offset_is_local(received: str, due: str) -> None:
    assert render(explain(POLICY, received, 5)).splitlines()[-1] == due


def test_the_citys_days_can_be_switched() -> None:
    arguments = ("explain", "--received", "2026-07-31T16:00", "-n", "5")
    assert run(*arguments).output.splitlines()[-1] == "2026-08-10"
    assert run(*arguments, "--no-city-days").output.splitlines()[-1] == "2026-08-10"
    assert run(*arguments, "--city-days").output.splitlines()[-1] == "2026-08-12"
    assert "Feast of San Salvador" in run(*arguments, "--city-days").output


@pytest.mark.parametrize(
    ("received", "days", "says"),
    [
        ("yesterday", "5", "write it as 2026-03-27T09:00"),
        ("2026-02-30", "5", "write it as"),
        ("2026-02-02", "0", "give 1 or more"),
        ("2026-02-02", "five", "integer"),
        ("1999-02-02", "5", "knows 2024-01-01 to 2030-12-31"),
        ("2026-02-02", "999999999", "knows 2024-01-01 to 2030-12-31"),
        ("0001-01-01T00:00+14:00", "5", "no local date"),
        ("9999-12-31T23:59:59", "5", "no moment"),
    ],
)
def test_bad_input_ends_with_two_and_says_what_is_wrong(received: str, days: str, says: str) -> None:
    result = run("explain", "--received", received, "--business-days", days)
    assert result.exit_code == 2
    assert says in " ".join(result.output.replace("│", " ").split())


def test_a_broken_policy_ends_with_two_and_names_the_line(tmp_path: Path) -> None:
    shutil.copytree(ROXOM, tmp_path / "policy")
    (tmp_path / "policy" / "policy.toml").write_text("version = 3\n", encoding="utf-8")
    result = run("explain", "--received", "2026-02-02", "-n", "5", "--policy", str(tmp_path / "policy"))
    assert result.exit_code == 2
    assert "policy.toml:1: version: input should be a valid string" in result.output


def test_explain_refuses_what_it_cannot_read() -> None:
    with pytest.raises(CalendarError, match="is no time"):
        explain(POLICY, "x" * 1_000_000, 5)


def test_the_seed_is_the_file_in_the_repository(tmp_path: Path) -> None:
    text = (ROXOM / "calendar.toml").read_text(encoding="utf-8")
    result = run("seed", "--from", "2024", "--to", "2030")
    assert (result.exit_code, result.output) == (0, text)
    run("seed", "--from", "2024", "--to", "2030", "--output", str(tmp_path / "calendar.toml"))
    assert (tmp_path / "calendar.toml").read_text(encoding="utf-8") == text


def test_a_seed_that_ends_before_it_begins_is_refused() -> None:
    result = run("seed", "--from", "2026", "--to", "2024")
    assert result.exit_code == 2
    assert "lies before" in result.output
