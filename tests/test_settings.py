import base64
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from keys import KeyRing, development_key, parse_keys, read_keys
from models.errors import SettingsError
from settings import Section, Settings, load_settings, read_section

KEY = base64.b64encode(b"k" * 32).decode()


class Mailbox(Section):
    """The settings of a channel."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_IMAP_")

    password: SecretStr = SecretStr("")


PRODUCTION = {
    "PLAZO_ENVIRONMENT": "production",
    "PLAZO_SENDGRID_API_KEY": "SG.real",
    "PLAZO_SENDGRID_EVENTS_PUBLIC_KEY": "MFkw",
    "PLAZO_INBOUND_SECRET": "inbound-secret",
    "PLAZO_MAIL_DOMAIN": "mail.example.org",
    "PLAZO_REPLY_DOMAIN": "reply.example.net",
    "PLAZO_REPLY_SECRET": "reply-secret",
    "PLAZO_KEYS": f"one:{KEY}",
}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "PLAZO_ENV_FILE",
        "PLAZO_SECRETS_DIR",
        "TEMPORAL_NAMESPACE",
        "TEMPORAL_WORKER_BUILD_ID",
        "TEMPORAL_DEPLOYMENT_NAME",
        *(f"PLAZO_{field.upper()}" for field in Settings.model_fields),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def set_all(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_development_needs_nothing() -> None:
    settings = load_settings()
    assert settings.environment == "development"
    assert settings.records_url == "sqlite:///var/records.db"
    assert settings.documents == Path("var/documents")
    assert settings.policy.parts[-2:] == ("policies", "roxom")
    assert settings.temporal is None
    assert settings.temporal_address == "127.0.0.1:7233"
    assert settings.sendgrid_host == "http://127.0.0.1:8025"
    assert settings.status_base_url == settings.web_url == "http://127.0.0.1:8080"
    assert settings.sendgrid_api_key.get_secret_value()
    assert settings.inbound_secret is not None
    assert len(settings.key_ring().ids) == 1


def test_defaults_follow_what_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        {
            "PLAZO_VAR": "/srv/plazo",
            "PLAZO_MAILROOM_PORT": "9025",
            "PLAZO_WEB_PORT": "9080",
            "PLAZO_TEMPORAL_PORT": "9233",
        },
    )
    settings = load_settings()
    assert settings.records_url == "sqlite:////srv/plazo/records.db"
    assert settings.documents == Path("/srv/plazo/documents")
    assert settings.sendgrid_host == "http://127.0.0.1:9025"
    assert settings.status_base_url == "http://127.0.0.1:9080"
    assert settings.temporal_address == "127.0.0.1:9233"
    monkeypatch.setenv("PLAZO_TEMPORAL", "temporal.example.org:7233")
    assert load_settings().temporal_address == "temporal.example.org:7233"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {"PLAZO_TEMPORAL": "", "PLAZO_KEYS": "", "PLAZO_WEB_PORT": ""})
    settings = load_settings()
    assert (settings.temporal, settings.keys, settings.web_port) == (None, None, 8080)


def test_production_starts_with_what_it_must_have(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, PRODUCTION)
    settings = load_settings()
    assert settings.sendgrid_host == "https://api.sendgrid.com"
    assert settings.status_base_url is None
    assert settings.key_ring().keys == parse_keys(f"one:{KEY}", "test").keys


@pytest.mark.parametrize("missing", [name for name in PRODUCTION if name != "PLAZO_ENVIRONMENT"])
def test_production_refuses_to_start_without(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {name: value for name, value in PRODUCTION.items() if name != missing})
    with pytest.raises(SettingsError, match=missing):
        load_settings()


def test_production_takes_a_signature_instead_of_a_shared_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {**PRODUCTION, "PLAZO_INBOUND_PUBLIC_KEY": "MFkw"})
    monkeypatch.delenv("PLAZO_INBOUND_SECRET")
    assert load_settings().inbound_secret is None


def test_production_takes_a_key_file_instead_of_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_all(monkeypatch, {**PRODUCTION, "PLAZO_KEY_FILE": str(tmp_path / "ring")})
    with pytest.raises(SettingsError, match="PLAZO_KEY_FILE: is set beside PLAZO_KEYS"):
        load_settings()
    monkeypatch.delenv("PLAZO_KEYS")
    settings = load_settings()
    with pytest.raises(SettingsError, match="ring: the key file cannot be read"):
        settings.key_ring()
    (tmp_path / "ring").write_text(f"new:{KEY}\nold:{KEY}\n")
    assert settings.key_ring().ids == ("new", "old")


def test_one_error_lists_every_fault_and_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        {"PLAZO_ENVIRONMENT": "production", "PLAZO_WEB_PORT": "99999", "PLAZO_KEYS": "one:c2VjcmV0LXZhbHVl"},
    )
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    must_be_listed = (set(PRODUCTION) | {"PLAZO_WEB_PORT"}) - {"PLAZO_ENVIRONMENT"}
    assert {line.strip().partition(":")[0] for line in text.splitlines()[1:]} == must_be_listed
    assert "c2VjcmV0LXZhbHVl" not in text
    assert "99999" not in text


def test_an_unknown_environment_is_the_only_fault_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAZO_ENVIRONMENT", "staging")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert len(str(caught.value).splitlines()) == 2


def test_a_file_of_variables_is_read_only_when_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PLAZO_WEB_PORT=9999\n")
    assert load_settings().web_port == 8080
    assert load_settings(tmp_path / ".env").web_port == 9999
    monkeypatch.setenv("PLAZO_ENV_FILE", str(tmp_path / ".env"))
    assert load_settings().web_port == 9999
    monkeypatch.setenv("PLAZO_WEB_PORT", "7777")
    assert load_settings().web_port == 7777
    monkeypatch.setenv("PLAZO_ENV_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match=r"absent: there is no such file"):
        load_settings()


def test_the_namespace_may_come_from_temporals_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "answers")
    assert load_settings().namespace == "answers"
    monkeypatch.setenv("PLAZO_NAMESPACE", "plazo")
    assert load_settings().namespace == "plazo"


def test_settings_never_print_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {**PRODUCTION, "PLAZO_RECORDS_URL": "postgresql+psycopg://plazo:hunter2@db/plazo"})
    settings = load_settings()
    for secret in (KEY, "SG.real", "inbound-secret", "reply-secret", "hunter2", KEY[:8], "k" * 8):
        assert secret not in repr(settings)
        assert secret not in repr(settings.key_ring())


def test_the_development_key_is_private_and_stays(tmp_path: Path) -> None:
    path = development_key(tmp_path / "var")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = read_keys(path)
    assert read_keys(development_key(tmp_path / "var")).keys == first.keys
    assert [entry.name for entry in path.parent.iterdir()] == ["dev.key"]


def test_processes_that_start_at_once_share_one_development_key(tmp_path: Path) -> None:
    gate, rings = threading.Barrier(8), list[KeyRing]()

    def start() -> None:
        gate.wait()
        rings.append(read_keys(development_key(tmp_path)))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rings) == 8
    assert all(ring.keys == rings[0].keys for ring in rings)


def test_a_development_key_that_cannot_be_written_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    with pytest.raises(SettingsError, match="PLAZO_VAR"):
        development_key(tmp_path / "var")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no key"),
        (" , \n", "holds no key"),
        (KEY, "entry 1 has no id"),
        (f"a b:{KEY}", "entry 1 has no id"),
        (f"one:{KEY},one:{KEY}", "entry 2 repeats the id one"),
        (f"one:{KEY},two:%%%", r"entry 2 \(two\) is not base64"),
        ("one:é", r"entry 1 \(one\) is not base64"),
        ("one:c2hvcnQ=", r"entry 1 \(one\) has 5 bytes instead of 32"),
    ],
)
def test_a_ring_that_cannot_be_read_names_the_entry(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=rf"PLAZO_KEYS: {problem}"):
        parse_keys(text, "PLAZO_KEYS")


@pytest.mark.parametrize(
    ("way", "needless"),
    [
        ("PLAZO_EMAIL_OUTGOING=smtp", "PLAZO_SENDGRID_API_KEY"),
        ("PLAZO_EMAIL_OUTGOING=smtp", "PLAZO_SENDGRID_EVENTS_PUBLIC_KEY"),
        ("PLAZO_EMAIL_INCOMING=imap", "PLAZO_INBOUND_SECRET"),
    ],
)
def test_who_keeps_mail_on_a_server_of_their_own_needs_no_account_elsewhere(
    way: str, needless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, value = way.split("=")
    set_all(monkeypatch, {**PRODUCTION, name: value})
    monkeypatch.delenv(needless)
    assert load_settings().environment == "production"


def test_a_proxy_on_this_machine_is_trusted_and_others_where_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().trusted_proxies == "127.0.0.1"
    monkeypatch.setenv("PLAZO_TRUSTED_PROXIES", "10.0.0.5, 2001:db8::/64")
    assert load_settings().trusted_proxies == "10.0.0.5, 2001:db8::/64"


@pytest.mark.parametrize("wrong", ["*", "proxy", "10.0.0.5,", "10.0.0.5/24", "0.0.0.0/0", "10.0.0.5,::/0"])
def test_nobody_is_trusted_by_mistake(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("PLAZO_TRUSTED_PROXIES", wrong)
    with pytest.raises(SettingsError, match="PLAZO_TRUSTED_PROXIES: must"):
        load_settings()


def test_secrets_are_read_from_files_where_the_environment_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "plazo_records_url").write_text("postgresql+psycopg://plazo:pw@records/plazo\n")
    (secrets / "plazo_web_port").write_text("9001\n")
    (secrets / "plazo_imap_password").write_text("from a file\n")
    assert load_settings().web_port == 8080
    monkeypatch.setenv("PLAZO_SECRETS_DIR", str(secrets))
    settings = load_settings()
    assert settings.records_url == "postgresql+psycopg://plazo:pw@records/plazo"
    assert settings.web_port == 9001
    assert read_section(Mailbox, settings).password.get_secret_value() == "from a file"
    monkeypatch.setenv("PLAZO_WEB_PORT", "9002")
    assert load_settings().web_port == 9002
    (secrets / "plazo_keys").touch()
    with pytest.raises(SettingsError, match="plazo_keys: is empty"):
        load_settings()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SettingsError, match="may not read it"):
        load_settings()
    monkeypatch.setenv("PLAZO_SECRETS_DIR", str(secrets / "absent"))
    with pytest.raises(SettingsError, match="PLAZO_SECRETS_DIR"):
        load_settings()


def test_the_names_of_the_worker_controller_hold_for_worker_versioning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load_settings().build_id, load_settings().deployment) == (None, "plazo")
    set_all(monkeypatch, {"TEMPORAL_WORKER_BUILD_ID": "3f2a", "TEMPORAL_DEPLOYMENT_NAME": "roxom/plazo"})
    assert (load_settings().build_id, load_settings().deployment) == ("3f2a", "roxom/plazo")
