"""The documentation keeps up: whatever a person can set, call, send or receive stands in it, and nothing else does."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from activities.letters.survey import waiting
from environment import PREFIX
from models.commands import ARRIVALS, COMMANDS, OURS_ALONE, SIGNALS
from models.hooks import PUBLISHED, Published
from models.letters import LetterKind
from models.messages import Order
from models.search import SEARCH_ATTRIBUTES
from settings import Section, Settings
from starter.admin.oidc_settings import OidcSettings
from starter.cli import COMMANDS as LINES
from starter.house.residents import residents
from starter.http.edge import EdgeSettings
from starter.web import create_app
from trackers.jira.settings import JiraSettings
from trackers.webhook import WebhookSettings

HOUSE = Path(__file__).parents[1]
PAGES = [*sorted(HOUSE.glob("*.md")), *sorted((HOUSE / "docs").glob("*.md"))]
TEXTS = {path.relative_to(HOUSE).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
README = TEXTS["README.md"]
COMMANDS_PAGE = TEXTS["docs/commands.md"]
ARCHITECTURE = TEXTS["docs/architecture.md"]
EVERYTHING = "\n".join(TEXTS.values())
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
TARGETS = re.findall(r"^([a-z-]+):.*## ", (HOUSE / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
POLICY = (HOUSE / "policies" / "roxom" / "policy.toml").read_text(encoding="utf-8")
PLACES = {f"{PREFIX}ENV_FILE", f"{PREFIX}SECRETS_DIR"}
"""Where settings are read from."""
SECTIONS = {
    path.parent.name: import_module(f"channels.{path.parent.name}.settings")
    for path in sorted((HOUSE / "channels").glob("*/settings.py"))
}
TRACKERS = {
    f"{section.model_config['env_prefix']}{name}".upper()
    for section in (JiraSettings, WebhookSettings)
    for name in set(section.model_fields) - set(Section.model_fields)
}
OIDC = {f"{PREFIX}OIDC_{name.upper()}" for name in set(OidcSettings.model_fields) - set(Section.model_fields)}
EDGE = {f"{PREFIX}EDGE_{name.upper()}" for name in set(EdgeSettings.model_fields) - set(Section.model_fields)}
FACTS = {"command.refused", "referral.reminded", "referral.escalated", "referral.hastened"}
"""What the page of the commands says that the timeline shows."""

EXAMPLES = tuple(
    prefix
    for path in sorted((HOUSE / "docs" / "examples").rglob("*.py"))
    for prefix in re.findall(rf'env_prefix="({PREFIX}[A-Z]+_)"', path.read_text(encoding="utf-8"))
)
"""What the settings of channels begin with that are there to show how one is added."""


def code(text: str) -> str:
    """What stands in code: blocks and spans."""
    return "\n".join(CODE.findall(text))


def settings_of(channel: str) -> set[str]:
    """The variables that a channel declares."""
    declared = [
        value
        for value in vars(SECTIONS[channel]).values()
        if isinstance(value, type) and issubclass(value, Section) and value is not Section
    ]
    return {
        f"{section.model_config['env_prefix']}{name}".upper()
        for section in declared
        for name in set(section.model_fields) - set(Section.model_fields)
    }


def test_every_setting_is_explained_and_no_other() -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"^\| `({PREFIX}\w+)`", README, flags=re.MULTILINE)) == settings
    known = settings.union(PLACES, TRACKERS, OIDC, EDGE, *map(settings_of, SECTIONS))
    said = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", EVERYTHING))
    assert {name for name in said if not name.startswith(EXAMPLES)} <= known
    assert all(place in README for place in PLACES)


@pytest.mark.parametrize("channel", SECTIONS)
def test_every_setting_of_a_channel_is_explained_and_no_other(channel: str) -> None:
    declared = settings_of(channel)
    assert declared
    assert all(name.startswith(f"{PREFIX}{channel.upper()}_") for name in declared)
    said = re.findall(rf"`({PREFIX}{channel.upper()}_[A-Z_]*[A-Z])`", TEXTS["docs/channels.md"])
    assert set(said) == declared


def test_every_setting_of_a_tracker_is_explained_and_no_other() -> None:
    said = re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \|", TEXTS["docs/incidents.md"], flags=re.MULTILINE)
    assert set(said) == TRACKERS


def test_every_setting_of_sign_in_is_explained_and_no_other() -> None:
    said = re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \|", TEXTS["docs/access.md"], flags=re.MULTILINE)
    assert set(said) == OIDC


def test_every_setting_of_the_edge_is_explained_with_its_default_and_no_other() -> None:
    said = re.findall(rf"^\| `({PREFIX}EDGE_[A-Z_]+)` \| `(\d+)` \|", TEXTS["docs/deployment.md"], flags=re.MULTILINE)
    assert {name for name, _ in said} == EDGE
    for name, default in said:
        assert int(default) == EdgeSettings.model_fields[name.removeprefix(f"{PREFIX}EDGE_").lower()].default


def test_every_resident_of_make_run_is_named_and_no_other() -> None:
    names = {child.name for child in residents(Settings())}
    processes = ARCHITECTURE.split("## The processes")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", processes, flags=re.MULTILINE)) == names
    services = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8").split("\nservices:")[1]
    assert names <= set(re.findall(r"^  ([a-z]+):", services, flags=re.MULTILINE))


def test_every_route_is_explained_and_no_other(tmp_path: Path) -> None:
    paths = create_app(Settings(var=tmp_path)).openapi()["paths"]
    commands = {f"POST /api/inquiries/{{reference}}/{name}" for name in COMMANDS}
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} - commands
    said = re.findall(r"`((?:GET|POST|PATCH|PUT|DELETE) /[^`?]*)", TEXTS["docs/api.md"])
    generic = {"POST /api/inquiries/{reference}/{command}", "GET /s/{token}"}
    assert set(said) - generic == routes


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields)))
def test_a_plain_default_is_told_as_it_is(name: str) -> None:
    default = Settings.model_fields[name].default
    told = re.search(rf"^\| `{PREFIX}{name.upper()}`[ *]*\| ([^|]+) \|", README, flags=re.MULTILINE)
    assert told
    if isinstance(default, int) or (isinstance(default, str) and default):
        assert told[1] == f"`{default}`"


def test_every_published_event_is_listed_with_what_it_carries_and_no_other() -> None:
    rows = re.findall(
        r"^\| `([a-z_.]+\.v\d)` \| `([a-z_.]+)` \| (.+) \|$", TEXTS["docs/webhooks.md"], flags=re.MULTILINE
    )
    listed = {type_: Published(name, tuple(re.findall(r"`(\w+)`", fields))) for name, type_, fields in rows}
    assert listed == PUBLISHED


def test_every_make_target_is_explained_and_no_other() -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code(EVERYTHING)))
    assert named - {"help"} <= set(TARGETS)
    assert set(TARGETS) - {"help"} <= set(re.findall(r"`?make ([a-z][a-z-]*)", code(README)))


def test_every_line_of_the_command_line_is_named_and_no_other() -> None:
    written = code(EVERYTHING)
    for line in LINES:
        assert re.search(rf"\bplazo {line}\b", written), f"plazo {line} is nowhere explained"
    firsts = {line.split()[0] for line in LINES}
    said = re.findall(r"(?:^|[$`/( ])plazo ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?", written, flags=re.MULTILINE)
    for first, second in said:
        assert first in firsts, f"plazo {first} does not exist"
        assert first in LINES or f"{first} {second}" in LINES, f"plazo {first} {second} does not exist"


@pytest.mark.parametrize("name", [key.name for key in SEARCH_ATTRIBUTES])
def test_every_search_attribute_is_named(name: str) -> None:
    assert f"`{name}`" in README


def test_every_command_and_signal_has_its_row_and_no_other() -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", COMMANDS_PAGE, flags=re.MULTILINE))
    assert rows - set(LetterKind) - set(ARRIVALS) <= set(COMMANDS)
    assert {*COMMANDS, *ARRIVALS} <= rows
    assert all(f"`{name}`" in COMMANDS_PAGE for name in SIGNALS)


def row_of(name: str) -> str:
    """The row of a command or signal."""
    return next(line for line in COMMANDS_PAGE.splitlines() if line.startswith(f"| `{name}` |"))


@pytest.mark.parametrize("name", ARRIVALS)
def test_what_a_signal_carries_stands_in_its_row(name: str) -> None:
    for field in set(ARRIVALS[name][0].model_fields) - set(Order.model_fields):
        assert f"`{field}`" in row_of(name), f"{name}: {field} is not explained"
    assert ("`signal.ours`" in row_of(name)) is (name in OURS_ALONE)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_an_order_must_carry_stands_in_its_row(name: str) -> None:
    from starter.admin.catalogue import BODIES  # noqa: PLC0415  makes a model of each command

    for field in BODIES[name].model_fields:
        assert f"`{field}`" in row_of(name), f"{name}: {field} is not explained"


def test_every_refusal_is_listed_and_no_other() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for folder in ("models", "workflows") for path in (HOUSE / folder).glob("*.py")
    )
    codes = set(re.findall(r"""(?:Refused|Malformed|Stale)\(\s*"([a-z.-]+)\"""", source))
    codes |= set(re.findall(r"""\bcode(?:: str)? ?= ?"([a-z]+\.[a-z.-]+)\"""", source))
    listed = set(re.findall(r"`([a-z]+\.[a-z-]+)`", COMMANDS_PAGE)) - FACTS
    assert codes <= listed
    assert listed - codes <= {
        "withdraw.no-message",
        "erasure.no-message",
        "authority.no-address",
        "assign.cannot-see",
        "referral.cannot-see",
        "representative.no-document",
        "representative.user",
        "conflict.unknown-person",
        "conflict.all-compliance",
        "link.unknown",
        "unlink.unknown",
        "merge.unknown",
        "merge.kept",
        "points.unknown",
        "gate.language",
        "gate.too-short",
        "gate.unconsidered",
    }, "the API's own alone come besides"


@pytest.mark.parametrize("kind", list(LetterKind))
def test_every_kind_of_letter_is_named(kind: LetterKind) -> None:
    assert f"`{kind}`" in COMMANDS_PAGE


def test_every_section_of_the_policy_is_named() -> None:
    manual = TEXTS["docs/manual.md"]
    for section in re.findall(r"^\[([a-z]+)", POLICY, flags=re.MULTILINE):
        assert f"`[{section}]" in manual or f"`{section}." in manual, f"[{section}] is nowhere explained"


def test_every_shipped_template_is_approved_as_it_stands() -> None:
    names = {line.source.name for line in waiting(HOUSE / "policies" / "roxom")}
    assert not names, f"compliance approves new words: plazo letters approve {' '.join(sorted(names))} --by ..."


@pytest.mark.parametrize("page", TEXTS)
def test_no_relative_link_is_broken(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", re.sub(r"```.*?```", "", TEXTS[page], flags=re.DOTALL)):
        if "://" not in target:
            assert ((HOUSE / page).parent / target).exists(), f"{page} points at {target}"


def test_every_page_can_be_found_from_the_readme() -> None:
    assert {path for path in TEXTS if path != "README.md"} <= set(re.findall(r"\]\(([^)\s#]+)", README))
