from typing import Any

import pytest

from channels.email.adapter import build
from channels.email.imap import Imap
from channels.email.settings import EmailSettings
from channels.port import Limits, Surroundings
from models.errors import SettingsError
from settings import Settings, read_section
from tests.channels.email.test_smtp import NOW

IMAP = {"INCOMING": "imap", "IMAP_HOST": "imap.example.org", "IMAP_USER": "help", "IMAP_PASSWORD": "x"}
SMTP = {"OUTGOING": "smtp", "SMTP_HOST": "smtp.example.org"}


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> EmailSettings:
    for name, value in variables.items():
        monkeypatch.setenv(f"PLAZO_EMAIL_{name}", value)
    # Only the environment is looked at: what else is wrong with the house's settings is told by them.
    return read_section(EmailSettings, Settings.model_construct(environment="development"))


def test_without_settings_sendgrid_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch)
    assert (found.incoming, found.outgoing) == ("sendgrid", "sendgrid")


def test_ports_follow_the_way_of_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, **IMAP, **SMTP, TRUSTED_SERVERS="mx.example.org, example.net")
    assert (found.imap_port, found.smtp_port) == (993, 465)
    assert found.trusted_servers == ("mx.example.org", "example.net")
    found = read(monkeypatch, IMAP_TLS="starttls", SMTP_TLS="starttls")
    assert (found.imap_port, found.smtp_port) == (143, 587)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({**IMAP, "IMAP_HOST": ""}, "PLAZO_EMAIL_IMAP_HOST"),
        ({**IMAP, "IMAP_USER": ""}, "PLAZO_EMAIL_IMAP_USER"),
        ({**IMAP, "IMAP_PASSWORD": ""}, "PLAZO_EMAIL_IMAP_PASSWORD"),
        ({**IMAP, "IMAP_TOKEN": "y"}, "only one"),
        ({**IMAP, "IMAP_TLS": "none"}, "PLAZO_EMAIL_IMAP_TLS must not be none"),
        ({**SMTP, "SMTP_HOST": ""}, "PLAZO_EMAIL_SMTP_HOST"),
        ({**SMTP, "SMTP_USER": "help"}, "PLAZO_EMAIL_SMTP_PASSWORD"),
        ({**SMTP, "SMTP_PASSWORD": "secret"}, "PLAZO_EMAIL_SMTP_USER"),
        ({**SMTP, "SMTP_TLS": "none"}, "PLAZO_EMAIL_SMTP_TLS must not be none"),
        ({"INCOMING": "pop3"}, "PLAZO_EMAIL_INCOMING"),
    ],
)
def test_what_is_chosen_must_be_complete(monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        read(monkeypatch, **changes)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_server_on_this_machine_needs_no_encryption(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert read(monkeypatch, **SMTP | {"SMTP_HOST": host, "SMTP_TLS": "none"}).smtp_port == 25


def test_all_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, INCOMING="imap", OUTGOING="smtp")
    assert all(name in str(refused.value) for name in ("IMAP_HOST", "IMAP_USER", "IMAP_PASSWORD", "SMTP_HOST"))


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, **IMAP | {"IMAP_PASSWORD": "mail secret", "IMAP_USER": "ana@example.org"})
    assert "mail secret" not in repr(found)
    assert "ana@" not in repr(found)


def test_the_channel_is_built_as_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    around: dict[str, Any] = {"address": "help@example.org", "operator": "Ayuda", "clock": lambda: NOW}
    surroundings = Surroundings(limits=Limits(1, 1, 1, 1), settings=Settings(), **around)
    assert build(surroundings).feeds() == ()
    read(monkeypatch, **IMAP, **SMTP)
    [feed] = build(surroundings).feeds()
    assert isinstance(feed, Imap)
