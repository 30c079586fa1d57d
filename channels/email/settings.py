"""How mail comes in and goes out, variables `PLAZO_EMAIL_<NAME>`: over SendGrid, or over the operator's own server."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from networks import is_loopback
from settings import Port, Section

Tls = Literal["implicit", "starttls", "none"]

_OR_OFF = "or set channels.email.enabled = false in the policy"
_IMAP_PORTS: dict[Tls, int] = {"implicit": 993, "starttls": 143, "none": 143}
_SMTP_PORTS: dict[Tls, int] = {"implicit": 465, "starttls": 587, "none": 25}


class EmailSettings(Section):
    """What the operator's own mail server needs; nothing of it where SendGrid does the work, which is the default."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_EMAIL_")

    incoming: Literal["sendgrid", "imap"] = "sendgrid"
    outgoing: Literal["sendgrid", "smtp"] = "sendgrid"

    imap_tls: Tls = "implicit"
    """`none` is for a server on this machine alone."""
    imap_host: str = ""
    imap_port: Port = Field(default_factory=lambda data: _IMAP_PORTS[data["imap_tls"]])
    imap_user: str = Field(default="", repr=False)
    imap_password: SecretStr | None = None
    imap_token_file: Path | None = None
    """A file with an OAuth access token (XOAUTH2), read anew at every login: such tokens live an hour."""
    imap_token: SecretStr | None = None
    """The same token itself."""
    imap_folder: str = "INBOX"
    imap_done: str = ""
    """The folder where mails are moved once they are stored; empty: they stay, unmarked, where they are."""
    imap_since: date | None = None
    """Mails that the server got before this day are left alone; None means that all in the folder are taken in, however
    old, and that all are again when the server gives out new UIDs."""
    trusted_servers: Annotated[tuple[str, ...], NoDecode] = ()
    """Domains, with commas between, of the operator's own mail servers: their topmost `Received` tells the reception,
    their topmost `Authentication-Results` vouches for senders, so they must strip what strangers write in their name
    (RFC 8601, section 5). Empty: the folder's own time counts, and nobody is vouched for."""

    smtp_tls: Tls = "implicit"
    smtp_host: str = ""
    smtp_port: Port = Field(default_factory=lambda data: _SMTP_PORTS[data["smtp_tls"]])
    smtp_user: str = Field(default="", repr=False)
    """Empty: no login, for a relay that knows us by our address."""
    smtp_password: SecretStr | None = None
    smtp_bounces: Literal["token", "mailbox"] = "token"
    """Where letters that come back go: to an address with the letter's token, or to the public mailbox itself for a
    server that lets nothing else be an envelope's sender; then bounces are known by the letter's Message-ID alone."""

    @field_validator("imap_host", "smtp_host")
    @classmethod
    def _host(cls, value: str, info: ValidationInfo) -> str:
        kind = str(info.field_name).partition("_")[0]
        if not value and _chosen(kind, info):
            raise ValueError(f"must be set while {_choice(kind)}; {_OR_OFF}")
        if value and info.data.get(f"{kind}_tls") == "none" and not is_loopback(value):
            raise ValueError(f"is not on this machine, so PLAZO_EMAIL_{kind.upper()}_TLS must not be none")
        return value

    @field_validator("imap_user")
    @classmethod
    def _user(cls, value: str, info: ValidationInfo) -> str:
        if not value and _chosen("imap", info):
            raise ValueError(f"must be set while {_choice('imap')}; {_OR_OFF}")
        return value

    @field_validator("imap_token")
    @classmethod
    def _one_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        secrets = (info.data.get("imap_password"), info.data.get("imap_token_file"), value)
        if _chosen("imap", info) and sum(one is not None for one in secrets) != 1:
            raise ValueError(
                f"or PLAZO_EMAIL_IMAP_PASSWORD or PLAZO_EMAIL_IMAP_TOKEN_FILE must be set, and only one; {_OR_OFF}"
            )
        return value

    @field_validator("smtp_password")
    @classmethod
    def _password_of_a_user(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if _chosen("smtp", info) and bool(info.data.get("smtp_user")) != bool(value):
            raise ValueError("and PLAZO_EMAIL_SMTP_USER are set together or not at all")
        return value

    @field_validator("trusted_servers", mode="before")
    @classmethod
    def _domains(cls, value: object) -> object:
        return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value


def _chosen(kind: str, info: ValidationInfo) -> bool:
    return kind in {info.data.get("incoming"), info.data.get("outgoing")}


def _choice(kind: str) -> str:
    return f"PLAZO_EMAIL_{'INCOMING' if kind == 'imap' else 'OUTGOING'} is {kind}"
