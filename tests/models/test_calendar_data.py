"""The closed days in the repository are those of the law, and a mistake in them is found when they are read."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from models.calendar_data import CalendarData
from models.errors import PolicyError
from starter.commands.calendar_seed import city_days, national_days, seed

ROXOM = Path("policies/roxom")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("calendar.toml", "decrees.toml"):
        shutil.copy(ROXOM / name, tmp_path)
    return tmp_path


def replace(file: Path, old: str, new: str) -> int:
    """Replace once and return the 1-based line of it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_national_days_are_those_of_the_library() -> None:
    law = CalendarData.read(ROXOM).holidays
    assert [day.date for day in law.national] == sorted(national_days(2024, 2030))
    assert len(law.national) == 11 * 7
    assert (law.first, law.last) == (dt.date(2024, 1, 1), dt.date(2030, 12, 31))


def test_the_citys_days_are_those_of_the_library() -> None:
    law = CalendarData.read(ROXOM).holidays
    assert [day.date for day in law.city] == sorted(city_days(2024, 2030))
    assert [day.date for day in law.city] == [dt.date(year, 8, d) for year in range(2024, 2031) for d in (3, 5)]


def test_every_day_has_a_name_in_both_languages() -> None:
    law = CalendarData.read(ROXOM).holidays
    good_friday = next(day for day in law.national if day.date == dt.date(2026, 4, 3))
    assert (good_friday.name.es, good_friday.name.en) == ("Viernes Santo", "Good Friday")


def test_what_is_seeded_can_be_read(folder: Path) -> None:
    (folder / "calendar.toml").write_text(seed(2031, 2031), encoding="utf-8")
    calendar = CalendarData.read(folder).calendar("national", city_days=True)
    assert (calendar.first, calendar.last) == (dt.date(2031, 1, 1), dt.date(2031, 12, 31))
    assert len(calendar.closed) == 13
    assert calendar.version.startswith("2031-2031+")


def test_a_decree_of_a_territory_closes_the_day_there_alone(folder: Path) -> None:
    decrees = folder / "decrees.toml"
    decree = """
[[decree]]
date = 2026-02-05
territory = "San Miguel"
reason = { es = "Feria", en = "Fair" }
source = "https://example.org"
"""
    decrees.write_text(decrees.read_text(encoding="utf-8") + decree, encoding="utf-8")
    data = CalendarData.read(folder)
    day = dt.date(2026, 2, 5)
    assert data.calendar("San Miguel", city_days=False).why_closed(day) == "Fair"
    assert data.calendar("national", city_days=False).is_business_day(day)
    assert data.calendar("San Salvador", city_days=False).is_business_day(day)


def test_a_decree_on_a_day_that_is_closed_already_changes_nothing(folder: Path) -> None:
    before = CalendarData.read(folder).calendar("national", city_days=False)
    replace(folder / "decrees.toml", "date = 2022-09-16", "date = 2026-05-01")
    after = CalendarData.read(folder).calendar("national", city_days=False)
    assert after.why_closed(dt.date(2026, 5, 1)) == "Labor Day"
    assert after.version == before.version


def test_the_version_follows_what_counts(folder: Path) -> None:
    before = CalendarData.read(folder).calendar("national", city_days=False)
    replace(folder / "decrees.toml", "date = 2022-09-16", "date = 2026-05-04")
    assert CalendarData.read(folder).calendar("national", city_days=False).version != before.version


def test_an_unknown_territory_is_found(folder: Path) -> None:
    line = replace(folder / "decrees.toml", 'territory = "national"', 'territory = "Atlantis"')
    with pytest.raises(PolicyError, match="unknown 'Atlantis'; name one of national, ") as caught:
        CalendarData.read(folder)
    assert (caught.value.key, caught.value.line) == ("decree[0].territory", line)
    assert caught.value.file.endswith("decrees.toml")


def test_the_second_decrees_mistake_has_its_own_line(folder: Path) -> None:
    line = replace(folder / "decrees.toml", "date = 2022-12-26", "date = 20221226")
    with pytest.raises(PolicyError) as caught:
        CalendarData.read(folder)
    assert (caught.value.key, caught.value.line) == ("decree[1].date", line)


def test_a_day_outside_the_known_range_is_found(folder: Path) -> None:
    line = replace(folder / "calendar.toml", "{ date = 2024-05-01", "{ date = 2034-05-01")
    with pytest.raises(PolicyError, match="2034-05-01 lies outside") as caught:
        CalendarData.read(folder)
    assert (caught.value.key, caught.value.line) == ("national[4]", line)


def test_a_range_that_ends_before_it_begins_is_found(folder: Path) -> None:
    line = replace(folder / "calendar.toml", "last = 2030-12-31", "last = 2020-12-31")
    with pytest.raises(PolicyError, match="lies before first") as caught:
        CalendarData.read(folder)
    assert (caught.value.key, caught.value.line) == ("last", line)
