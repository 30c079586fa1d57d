"""The settings of the channel `x`: variables `PLAZO_X_<NAME>`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from settings import Section

API = "https://api.x.com"

DEVELOPMENT = {
    "client_id": "development",
    "client_secret": SecretStr("development"),
    "consumer_secret": SecretStr("development"),
    "access_token": SecretStr("development"),
    "refresh_token": SecretStr("development"),
    "bearer": SecretStr("development-app"),
    "user_id": "1",
}
"""What stands in development for what is not set: an account with the local stand-in."""

_OR_ELSE = "must be set in production, and for an account of your own; or set channels.x.enabled = false in the policy"


class XSettings(Section):
    """The operator's app and account on X. In development an empty setting means the local stand-in's account."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_X_")

    access_token: SecretStr = SecretStr("")
    """The account's first access token (OAuth 2.0 user context); newer ones are kept in `tokens_file`."""
    refresh_token: SecretStr = SecretStr("")
    """The account's first refresh token; a new one here puts aside what `tokens_file` keeps."""
    tokens_file: Path | None = None
    """Where the newest pair of tokens is kept; None means `x-tokens.json` in the house's `var`."""
    user_id: str = Field(default="", pattern=r"^[0-9]{0,19}$")
    """Our account's id, a number: what it wrote is not a message to us."""
    client_id: str = ""
    """The app's OAuth 2.0 client id."""
    client_secret: SecretStr = SecretStr("")
    """The app's OAuth 2.0 client secret; a public client has none."""
    consumer_secret: SecretStr = SecretStr("")
    """The app's API secret key: it signs webhooks and handshakes. Without one the client secret does."""
    bearer: SecretStr = SecretStr("")
    """The app's own bearer token: with it the webhook is watched and validated again; without it, it is not."""
    host: str = ""
    """X's API; empty means https://api.x.com, or the local stand-in for its account."""
    days_back: Annotated[int, Field(ge=0, le=30)] = 30
    """How far the first reconciliation looks back, in days; X keeps 30. 0: nothing before the first start."""

    @field_validator("refresh_token", "user_id", "client_id")
    @classmethod
    def _set(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        if len(value) == 0 and _own_account(info):
            raise ValueError(_OR_ELSE)
        return value

    @field_validator("consumer_secret")
    @classmethod
    def _signed(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value and not info.data.get("client_secret") and _own_account(info):
            raise ValueError(f"or PLAZO_X_CLIENT_SECRET {_OR_ELSE}: nothing that comes in could be believed")
        return value

    @property
    def local(self) -> bool:
        """Whether the account is the local stand-in's: in development, where no other is set."""
        return self.environment == "development" and not (self.refresh_token or self.access_token)

    def for_development(self) -> "XSettings":
        """These settings with the stand-in's account where nothing is set."""
        missing = {name: value for name, value in DEVELOPMENT.items() if not getattr(self, name)}
        return self.model_copy(update=missing)


def _own_account(info: ValidationInfo) -> bool:
    """Whether an account on the real X is meant, which needs everything of its own."""
    given = info.data
    return bool(given.get("environment") == "production" or given.get("access_token") or given.get("refresh_token"))
