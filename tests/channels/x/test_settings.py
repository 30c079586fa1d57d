from pathlib import Path

import pytest

from channels.x.settings import API, XSettings
from models.errors import SettingsError
from settings import Settings, read_section

NAMES = ("CLIENT_ID", "REFRESH_TOKEN", "USER_ID", "CONSUMER_SECRET")


@pytest.fixture
def production() -> Settings:
    return Settings.model_construct(environment="production")


def test_in_development_nothing_is_needed_and_the_stand_in_answers() -> None:
    settings = read_section(XSettings, Settings(environment="development"))
    assert settings.local
    assert settings.for_development().access_token.get_secret_value() == "development"
    assert settings.for_development().user_id == "1"


@pytest.mark.parametrize("name", ["REFRESH_TOKEN", "ACCESS_TOKEN"])
def test_an_account_of_ones_own_is_asked_for_whole_in_development_too(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"PLAZO_X_{name}", "own")
    with pytest.raises(SettingsError, match="PLAZO_X_USER_ID"):
        read_section(XSettings, Settings(environment="development"))
    for other in NAMES:
        monkeypatch.setenv(f"PLAZO_X_{other}", "7")
    assert not read_section(XSettings, Settings(environment="development")).local


def test_production_names_everything_that_is_missing_and_how_to_do_without(production: Settings) -> None:
    with pytest.raises(SettingsError) as told:
        read_section(XSettings, production)
    assert all(f"PLAZO_X_{name}: " in str(told.value) for name in NAMES)
    assert "channels.x.enabled = false" in str(told.value)


def test_production_is_content_with_an_app_of_either_kind(
    monkeypatch: pytest.MonkeyPatch, production: Settings
) -> None:
    for name, value in (("CLIENT_ID", "c"), ("REFRESH_TOKEN", "r"), ("USER_ID", "7"), ("CLIENT_SECRET", "s")):
        monkeypatch.setenv(f"PLAZO_X_{name}", value)
    settings = read_section(XSettings, production)
    assert (settings.local, settings.host or API, settings.days_back) == (False, "https://api.x.com", 30)
    monkeypatch.setenv("PLAZO_X_USER_ID", "@help")
    with pytest.raises(SettingsError, match="PLAZO_X_USER_ID"):
        read_section(XSettings, production)


def test_no_secret_stands_in_a_representation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CONSUMER_SECRET", "CLIENT_SECRET", "ACCESS_TOKEN", "REFRESH_TOKEN", "BEARER"):
        monkeypatch.setenv(f"PLAZO_X_{name}", "canary")
    for name in ("CLIENT_ID", "USER_ID"):
        monkeypatch.setenv(f"PLAZO_X_{name}", "7")
    assert "canary" not in repr(read_section(XSettings, Settings(environment="development", var=tmp_path)))
