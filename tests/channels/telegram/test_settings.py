from collections.abc import Mapping
from typing import Any, Literal

import pytest

from channels.port import Limits, Surroundings
from channels.telegram.adapter import build
from channels.telegram.settings import DEVELOPMENT_BOT, DEVELOPMENT_TOKEN, TelegramSettings
from counterparts.telegram import app as stand_in
from models.errors import SettingsError
from settings import Settings, read_section
from tests.channels.telegram.town import NOW, SECRET, TOKEN

PRODUCTION = {"TOKEN": TOKEN, "BOT": "@plazo_bot", "SECRET": SECRET}


Environment = Literal["development", "production"]


def read(
    monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str], environment: Environment = "production"
) -> TelegramSettings:
    for name, value in given.items():
        monkeypatch.setenv(f"PLAZO_TELEGRAM_{name}", value)
    # Only the environment is looked at; the rest of a production's settings is not this channel's.
    return read_section(TelegramSettings, Settings.model_construct(environment=environment))


def test_in_development_the_stand_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, {}, "development")
    assert (found.mode, found.bot, found.stand_in) == ("poll", stand_in.DEVELOPMENT_BOT, True)
    assert found.token.get_secret_value() == stand_in.DEVELOPMENT_TOKEN == DEVELOPMENT_TOKEN
    assert DEVELOPMENT_BOT == stand_in.DEVELOPMENT_BOT
    limits = Limits(1, 1, 1, 1)
    settings = Settings(mailroom_port=8025)
    built = build(Surroundings("t.me/plazo_bot", "Plazo", limits, lambda: NOW, settings))
    assert built._host == "http://127.0.0.1:8025/telegram"
    assert [feed.name for feed in built.feeds()] == ["telegram"]
    monkeypatch.setenv("PLAZO_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("PLAZO_TELEGRAM_BOT", "plazo_bot")
    real = build(Surroundings("t.me/plazo_bot", "Plazo", limits, lambda: NOW, settings))
    assert real._host == "https://api.telegram.org"


def test_the_group_that_is_named_counts_alone_and_every_one_of_the_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, {}, "development").groups is None
    assert read(monkeypatch, PRODUCTION).groups == frozenset()
    assert read(monkeypatch, {"GROUP": "-1001234567890"}).groups == frozenset({-1001234567890})


def test_a_secret_means_a_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, PRODUCTION)
    assert (found.mode, found.bot, found.bot_id) == ("webhook", "plazo_bot", 4242)


def test_no_secret_means_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, {**PRODUCTION, "SECRET": ""}).mode == "poll"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"TOKEN": ""}, "PLAZO_TELEGRAM_TOKEN: must be set in production"),
        ({"GROUP": "1234567890"}, "PLAZO_TELEGRAM_GROUP: is no group's id"),
        ({"TOKEN": "no token"}, "PLAZO_TELEGRAM_TOKEN: is no bot's token"),
        ({"TOKEN": "1:abc/../x"}, "PLAZO_TELEGRAM_TOKEN: is no bot's token"),
        ({"BOT": ""}, "PLAZO_TELEGRAM_BOT: must be set"),
        ({"BOT": "a/b"}, "PLAZO_TELEGRAM_BOT: is no username"),
        ({"SECRET": "short"}, "PLAZO_TELEGRAM_SECRET: must be 32 random characters"),
        ({"SECRET": "ñ" * 40}, "PLAZO_TELEGRAM_SECRET: takes up to 256"),
        ({"SECRET": "", "MODE": "webhook"}, "PLAZO_TELEGRAM_MODE: is webhook, which wants PLAZO_TELEGRAM_SECRET"),
        ({"HOST": "api.telegram.org"}, "PLAZO_TELEGRAM_HOST: is no address"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_shown(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read(monkeypatch, {**PRODUCTION, **change})
    assert problem in str(raised.value)
    assert len(str(raised.value).splitlines()) == 2
    assert not [value for value in (TOKEN, SECRET, change.get("TOKEN")) if value and value in str(raised.value)]


def test_production_says_how_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"channels.telegram.enabled = false"):
        read(monkeypatch, {})


def test_an_explicit_host_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, {**PRODUCTION, "HOST": "http://127.0.0.1:8081/"}).host == "http://127.0.0.1:8081"
