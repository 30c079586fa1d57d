"""Everything the environment decides, in one place: variables `PLAZO_<NAME>`, e.g. `PLAZO_WEB_PORT=8081`.

In development everything has a default and nothing needs an account; in production the secrets and the operator's
domains must be set, and a start without them is refused with one SettingsError that lists all that is missing.
Secrets may lie in files instead, one a setting, in the folder PLAZO_SECRETS_DIR: `plazo_reply_secret`, for example.
Temporal's own variables and profiles (`TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE`, ...) are read in `engine.py`.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from environment import PREFIX, named_file, named_folder, secret_file, told
from keys import KeyRing, development_key, parse_keys, read_keys
from models.errors import SettingsError
from networks import Reachable, Trusted

HOUSE = Path(__file__).resolve().parent
SENDGRID = "https://api.sendgrid.com"

DEVELOPMENT: dict[str, SecretStr | str] = {
    "sendgrid_api_key": SecretStr("SG.development"),
    "mail_domain": "example.org",
    "reply_domain": "reply.example.org",
    "reply_secret": SecretStr("development"),
}
"""What stands in development for what must be set in production."""

S = TypeVar("S", bound="Section")

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """One process's settings. Paths are taken from the working directory; ports are TCP ports on this machine."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    environment: Literal["development", "production"] = "development"
    var: Path = Path("var")
    """Where everything that changes is kept: databases, documents, logs, the development key."""
    records_url: str = Field(repr=False, default_factory=lambda data: f"sqlite:///{data['var'] / 'records.db'}")
    documents: Path = Field(default_factory=lambda data: data["var"] / "documents")
    policy: Path = HOUSE / "policies" / "roxom"

    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233
    ui_origin: str | None = None
    """Where Temporal's UI is served when not on this machine, e.g. https://temporal.example.org, for the codec."""
    temporal: str | None = None
    """`host:port` of a Temporal server that is not ours to start; None means the embedded one."""
    namespace: str = Field(default_factory=lambda: os.environ.get("TEMPORAL_NAMESPACE") or "default")
    """Temporal's namespace; a profile file that names another wants PLAZO_NAMESPACE set as well."""
    task_queue: str = "plazo"
    build_id: str | None = Field(default_factory=lambda: os.environ.get("TEMPORAL_WORKER_BUILD_ID") or None)
    """The version of the code, for Temporal's Worker Versioning; None leaves that off."""
    deployment: str = Field(default_factory=lambda: os.environ.get("TEMPORAL_DEPLOYMENT_NAME") or "plazo")
    """The name under which Temporal knows the workers of all versions."""

    web_host: str = "127.0.0.1"
    web_port: Port = 8080
    metrics_host: str = "127.0.0.1"
    """Where each process's small listener for Prometheus and health checks opens; never a public address."""
    metrics_port: Port | None = None
    """Its port, of one process: worker, web process and collector on one machine want different ones."""
    forms_per_minute: Annotated[int, Field(ge=1)] = 10
    """Web forms that are taken in from one network address."""
    spent_days: Annotated[int, Field(ge=7, le=3650)] = 30
    """Days for which what is done with is kept, such as an answer under its Idempotency-Key (`records.purging`)."""
    mailroom_port: Port = 8025
    trusted_proxies: Trusted = "127.0.0.1"
    """Addresses or networks, with commas, whose word for a visitor's address (X-Forwarded-For) is taken."""
    webhook_networks: Reachable = Field(
        default_factory=lambda data: "127.0.0.0/8,::1" if data["environment"] == "development" else ""
    )
    """Networks inside the house, with commas, that webhooks may be posted to; the public internet always may."""
    status_base_url: str | None = Field(
        default_factory=lambda data: (
            f"http://127.0.0.1:{data['web_port']}" if data["environment"] == "development" else None
        )
    )
    """Where users look up their inquiry; None means what the policy says."""

    email_incoming: Literal["sendgrid", "imap"] = "sendgrid"
    """How mail comes in; what either way needs beside stands in `channels.email.settings`, or below."""
    email_outgoing: Literal["sendgrid", "smtp"] = "sendgrid"
    """How letters leave by e-mail."""

    sendgrid_api_key: SecretStr = SecretStr("")
    sendgrid_host: str = Field(
        default_factory=lambda data: (
            f"http://127.0.0.1:{data['mailroom_port']}" if data["environment"] == "development" else SENDGRID
        )
    )
    slow_retry: Annotated[float, Field(gt=0)] = 300
    """Seconds between two tries at a letter after a fault of our own account, such as a revoked key."""
    sendgrid_events_public_key: str | None = None
    """The event webhook's key: base64 of the DER SubjectPublicKeyInfo, as SendGrid shows it."""
    inbound_public_key: str | None = None
    """The same for Inbound Parse, where its signature is switched on."""
    inbound_secret: SecretStr | None = None
    """Shared secret of the Inbound Parse address, where its signature is not switched on."""
    mail_domain: str = ""
    """The domain our letters' Message-IDs end in."""
    reply_domain: str = ""
    """The domain of reply addresses; its MX record points at Inbound Parse."""
    reply_secret: SecretStr = SecretStr("")
    """Signs the tokens in reply addresses, and makes the codes of identity links."""

    keys: SecretStr | None = None
    """The key ring as `id:base64,id2:base64`; the first encodes, all decode."""
    key_file: Path | None = None
    """A file that holds the same. In development `<var>/dev.key` is made when neither is set."""
    codec_secret: SecretStr | None = None
    """The compliance key that opens the codec endpoint to callers beside loopback."""

    @field_validator(*DEVELOPMENT)
    @classmethod
    def _set_in_production(cls, value: SecretStr | str, info: ValidationInfo) -> SecretStr | str:
        if len(value) > 0:
            return value
        if info.field_name == "sendgrid_api_key" and info.data.get("email_outgoing") == "smtp":
            return value
        if info.data.get("environment") == "production":
            raise ValueError("must be set in production")
        return DEVELOPMENT[info.field_name or ""]

    @field_validator("ui_origin")
    @classmethod
    def _is_an_origin(cls, value: str | None, info: ValidationInfo) -> str | None:
        secure = info.data.get("environment") == "production"
        if value is not None and not re.fullmatch(r"https://[^/@]+" if secure else r"https?://[^/@]+", value):
            raise ValueError("must be an origin alone, such as https://temporal.example.org")
        return value

    @field_validator("sendgrid_events_public_key")
    @classmethod
    def _events_are_signed(cls, value: str | None, info: ValidationInfo) -> str | None:
        sendgrid = info.data.get("email_outgoing") == "sendgrid"
        if value is None and sendgrid and info.data.get("environment") == "production":
            raise ValueError("must be set in production: without it no delivery or bounce can be believed")
        return value

    @field_validator("inbound_secret")
    @classmethod
    def _inbound_is_verified(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            return value
        if info.data.get("environment") != "production":
            return SecretStr("development")
        if info.data.get("inbound_public_key") is None and info.data.get("email_incoming") == "sendgrid":
            raise ValueError("or PLAZO_INBOUND_PUBLIC_KEY must be set in production: anyone could post mail otherwise")
        return None

    @field_validator("keys")
    @classmethod
    def _keys_can_be_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                parse_keys(value.get_secret_value(), "the key ring")
            except SettingsError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("key_file")
    @classmethod
    def _payloads_are_sealed(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        # Keys that could not be read are missing here, and listed already.
        if value is not None and info.data.get("keys") is not None:
            raise ValueError("is set beside PLAZO_KEYS; set one of the two")
        if value is None and info.data.get("environment") == "production" and info.data.get("keys", "") is None:
            raise ValueError("or PLAZO_KEYS must be set in production: nothing is handed to Temporal unsealed")
        return value

    @property
    def temporal_address(self) -> str:
        """`host:port` of the Temporal server named here, else of the embedded one."""
        return self.temporal or f"127.0.0.1:{self.temporal_port}"

    @property
    def web_url(self) -> str:
        """Where the web process answers on this machine."""
        return f"http://127.0.0.1:{self.web_port}"

    def key_ring(self) -> KeyRing:
        """Return the key ring; in development the key is made when there is none. Raises SettingsError.

        It follows the file that it comes from; one that stands in the environment stays as it is.
        """
        if self.keys is None:
            return read_keys(self.key_file or development_key(self.var))
        text, file = self.keys.get_secret_value(), secret_file("keys")
        if file is not None and file.read_text(encoding="ascii", errors="replace").strip() == text.strip():
            return read_keys(file)
        return parse_keys(text, f"{PREFIX}KEYS")


class Section(BaseSettings):
    """The settings of one channel, declared in its own package: a subclass sets `env_prefix` and its fields.

    `environment` is that of `Settings`: in production a validator refuses an empty secret, as in `Settings`.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, validate_default=True, hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = Field(default="development", validation_alias="_environment")


def load_settings(env_file: Path | None = None) -> Settings:
    """Read the environment; where named, a file of variables (here or by PLAZO_ENV_FILE) and a folder of secrets.

    What comes first of these holds. Raises one SettingsError that lists every setting at fault; it never shows a value,
    which may be a secret.
    """
    named, secrets = named_file(env_file), named_folder()
    with told(PREFIX, named):
        return Settings(_env_file=named, _secrets_dir=secrets)


def read_section(section: type[S], settings: Settings) -> S:
    """Read a channel's own settings from the same places. Raises SettingsError, as `load_settings` does."""
    named, secrets = named_file(None), named_folder()
    with told(section.model_config.get("env_prefix", PREFIX), named):
        return section(_env_file=named, _secrets_dir=secrets, _environment=settings.environment)
