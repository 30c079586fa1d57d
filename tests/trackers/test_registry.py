"""Which trackers there are, and what each must be told before it can be used."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.area_work import IncidentState
from models.errors import PolicyError, SettingsError, VerificationError
from models.policy import Policy
from models.policy_reading import load_policy
from settings import Settings
from tests.cases import ROXOM, policy
from tests.trackers.site import DRAFT, KEY, NOW
from trackers.builtin import BuiltIn
from trackers.registry import load_trackers

PRODUCTION = {"environment": "production"}
OURS = {
    "PLAZO_JIRA_HOST": "https://example.atlassian.net/",
    "PLAZO_JIRA_EMAIL": "us@example.org",
    "PLAZO_JIRA_TOKEN": "token",
    "PLAZO_JIRA_SECRET": "s" * 16,
    "PLAZO_TRACKER_URL": "https://tool.example.org/incidents",
    "PLAZO_TRACKER_SECRET": "s" * 32,
}


def now() -> datetime:
    return datetime.now(UTC)


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    place = Path(shutil.copytree(ROXOM, folder / "roxom", ignore=shutil.ignore_patterns("letters")))
    text = (place / "policy.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (place / "policy.toml").write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def all_on(tmp_path: Path) -> Policy:
    jira = ("[tracker.jira] # Jira Cloud\nenabled = false", "[tracker.jira]\nenabled = true")
    webhook = (
        "[tracker.webhook] # any tool that takes signed posts and sends them\nenabled = false",
        "[tracker.webhook]\nenabled = true",
    )
    return load_policy(written(tmp_path, jira, webhook, ('use = "builtin"', 'use = "jira"')))


def production() -> Settings:
    return Settings.model_construct(environment="production", mailroom_port=8025)


def test_as_shipped_there_is_the_board_alone() -> None:
    found = load_trackers(policy(), Settings(), now)
    assert (list(found.by_name), found.use) == (["builtin"], "builtin")


def test_a_tracker_that_is_switched_off_takes_no_incidents(tmp_path: Path) -> None:
    folder = written(tmp_path, ('use = "builtin"', 'use = "jira"'))
    with pytest.raises(PolicyError, match=r"policy\.toml:\d+: tracker\.use: 'jira' is switched off"):
        load_policy(folder)


def test_all_that_is_enabled_is_built(all_on: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    found = load_trackers(all_on, production(), now)
    assert (list(found.by_name), found.use) == (["builtin", "jira", "webhook"], "jira")


def test_in_development_the_stand_in_takes_jiras_place_and_the_webhook_wants_its_address(all_on: Policy) -> None:
    with pytest.raises(SettingsError) as caught:
        load_trackers(all_on, Settings(), now)
    assert "PLAZO_TRACKER_URL" in str(caught.value)
    assert "PLAZO_JIRA" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PLAZO_JIRA_HOST", "", "must be set in production"),
        ("PLAZO_JIRA_HOST", "example.atlassian.net", "is no address"),
        ("PLAZO_JIRA_EMAIL", "", "must be set beside PLAZO_JIRA_HOST"),
        ("PLAZO_JIRA_EMAIL", "a:b@example.org", "no colon"),
        ("PLAZO_JIRA_TOKEN", "", "must be set beside PLAZO_JIRA_HOST"),
        ("PLAZO_JIRA_SECRET", "short", "16 characters"),
        ("PLAZO_TRACKER_URL", "tool.example.org", "an https:// address"),
        ("PLAZO_TRACKER_SECRET", "short", "32 random characters"),
    ],
)
def test_what_is_missing_is_named_and_never_shown(
    all_on: Policy, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    for variable, good in (OURS | {name: value}).items():
        monkeypatch.setenv(variable, good)
    with pytest.raises(SettingsError) as caught:
        load_trackers(all_on, production(), now)
    assert f"{name}: " in str(caught.value)
    assert said in str(caught.value)
    assert "ssssssss" not in str(caught.value)


def test_the_board_opens_what_stands_in_its_table_and_takes_no_posts() -> None:
    board = BuiltIn()
    assert board.create(DRAFT).id == KEY
    assert board.find(KEY)
    board.close(KEY, KEY, IncidentState.RESOLVED)
    assert board.standing(KEY, NOW) is None
    assert board.parse({}, b"", NOW) == ()
    with pytest.raises(VerificationError):
        board.verify({}, b"", NOW)
