"""`docs/channels.md` says what the code does: every setting, door, feed, route and limit, and the example as it is."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from channels.chat.identity import Verifier
from channels.chat.settings import ChatSettings
from channels.email.adapter import EVENTS_LIMIT, MAIL_LIMIT
from channels.port import Feed
from channels.telegram.contents import LARGEST_FILE
from channels.telegram.send import MOST_PARTS
from channels.telegram.splitting import LONGEST
from channels.x.wording import LONGEST_MESSAGE
from environment import PREFIX
from models.policy import Policy
from models.policy_reading import load_policy
from settings import HOUSE, Section
from starter.chat.routes import chat_router
from tests.channels.contract.finding import EXAMPLES, ROXOM, build, sources, wanted
from tests.channels.email.servers import USER

PAGE = (HOUSE / "docs" / "channels.md").read_text(encoding="utf-8")
CHANNELS = wanted(load_policy(ROXOM))
ROW = re.compile(rf"^\| `({PREFIX}\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = {name: (default.strip(), meaning.strip()) for name, default, meaning in ROW.findall(PAGE)}
IMAP = {
    "PLAZO_EMAIL_INCOMING": "imap",
    "PLAZO_EMAIL_IMAP_HOST": "imap.example.org",
    "PLAZO_EMAIL_IMAP_USER": USER,
    "PLAZO_EMAIL_IMAP_PASSWORD": "x",
}


def section_of(channel: str) -> type[Section]:
    """The settings that a channel's package declares."""
    modules = [import_module(f"channels.{channel}.{name}") for name in sources(channel) if name != "__init__"]
    found = {
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Section) and one.__module__ == module.__name__
    }
    [section] = found
    return section


def cells(line: str) -> list[str]:
    """The cells of a row, behind its title."""
    return [cell.strip() for cell in line.split("|")[2:-1]]


TABLE = re.search(r"^\| \| `.*?\n\n", PAGE, re.DOTALL | re.MULTILINE)[0].strip().splitlines()  # type: ignore[index]
COLUMNS = re.findall(r"`([a-z]+)`", TABLE[0])


def row(title: str) -> list[str]:
    """The cells of the row of the table of channels with that title."""
    [line] = [line for line in TABLE if line.startswith(f"| {title} |")]
    return cells(line)


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_setting_of_a_channel_has_its_row_and_no_other(channel: str) -> None:
    section = section_of(channel)
    prefix = section.model_config["env_prefix"]
    assert prefix == f"{PREFIX}{channel.upper()}_"
    declared = {
        f"{prefix}{name.upper()}": field for name, field in section.model_fields.items() if name != "environment"
    }
    assert {name for name in ROWS if name.startswith(prefix)} == set(declared)
    for name, field in declared.items():
        default, meaning = ROWS[name]
        assert default
        assert meaning
        value = field.default.value if isinstance(field.default, Enum) else field.default
        if isinstance(value, int | str) and value:
            assert default == f"`{value}`", f"{name} is {value} where nothing is set"
        else:
            assert not re.fullmatch(r"`[^`]*`", default), f"{name} has no plain default"


def test_no_row_is_of_a_setting_that_is_none() -> None:
    assert all(any(name.startswith(f"{PREFIX}{one.upper()}_") for one in CHANNELS) for name in ROWS)


def test_every_channel_has_its_column_and_no_other(policy: Policy) -> None:
    assert set(COLUMNS) == set(CHANNELS)
    assert set(wanted(policy)) - set(CHANNELS) == {"pigeon"}


def test_doors_and_feeds_are_named_and_no_others(policy: Policy) -> None:
    adapters = build(policy, IMAP)
    told: dict[str, set[str]] = {name: set() for name in CHANNELS}
    for line in TABLE:
        for name, cell in zip(COLUMNS, cells(line), strict=True):
            told[name] |= set(re.findall(r"webhook `([a-z]+)`", cell))
    assert told == {name: set(adapters[name].doors) for name in CHANNELS}
    feeds: list[Feed] = [feed for name in CHANNELS for feed in adapters[name].feeds()]
    assert {feed.name for feed in feeds} == set(re.findall(r"`(\w+)`", " ".join(row("feeds"))))
    for feed in feeds:
        feed.close()


def test_limits_are_told_as_they_are() -> None:
    assert f"{MOST_PARTS} messages of {LONGEST:,} UTF-16 units" in PAGE
    assert f"messages of {LONGEST_MESSAGE:,} characters" in PAGE
    assert row("a file may have")[0] == f"{LARGEST_FILE // 1024 // 1024} MB"
    assert row("the largest post")[3] == f"{MAIL_LIMIT // 10**6} MB; {EVENTS_LIMIT // 10**6} MB of events"


def test_every_route_of_the_chat_is_named_and_no_other() -> None:
    routes: list[Any] = chat_router(cast("Any", None)).routes
    there = {f"{method} {route.path}" for route in routes for method in route.methods}
    assert set(re.findall(r"`((?:GET|POST|PATCH) /chat/v1/[a-z]+)`", PAGE)) == there


@pytest.mark.parametrize(("file", "language"), [("adapter.py", "python"), ("policy.toml", "toml")])
def test_the_example_stands_in_the_page_as_it_runs(file: str, language: str) -> None:
    text = (EXAMPLES / "pigeon" / file).read_text(encoding="utf-8")
    assert f"```{language}\n{text}```" in PAGE


def test_the_examples_specimen_can_be_found() -> None:
    [target] = re.findall(r"\(([^)\s]+specimen\.py)\)", PAGE)
    assert (HOUSE / "docs" / target).is_file()


def test_the_identity_that_the_page_signs_is_believed() -> None:
    block = next(one for one in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "def identity" in one)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/channels.md", "exec"), names)  # noqa: S102 - our own page
    sign: Callable[[str, str, str], str] = names["identity"]
    secret = "a secret shared with the platform, long enough"
    verifier = Verifier(ChatSettings(identity_secret=SecretStr(secret)))
    known = verifier.read(sign(secret, "user-1207", "ana@example.org"), datetime.fromtimestamp(time.time(), UTC))
    assert (known.account, known.email) == ("user-1207", "ana@example.org")


def test_the_page_is_found() -> None:
    assert "(docs/channels.md)" in (HOUSE / "README.md").read_text(encoding="utf-8")
    assert all((HOUSE / "docs" / Path(target)).exists() for target in re.findall(r"\]\((\.\./[^)\s#]+)\)", PAGE))
