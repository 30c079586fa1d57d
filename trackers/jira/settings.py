"""The settings of the tracker `jira`: variables `PLAZO_JIRA_<NAME>`."""

import re

from pydantic import SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from settings import Section

DEVELOPMENT_EMAIL, DEVELOPMENT_SECRET = "plazo@example.org", "development"

_HOST = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[\w./~-]*)?")
_SHORTEST_SECRET = 16
_OR_OFF = "or set tracker.jira.enabled = false in the policy"


class JiraSettings(Section):
    """Our account on a site of Jira Cloud. Without a site, in development, the local stand-in takes its place."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_JIRA_")

    host: str = ""
    """The site, such as `https://example.atlassian.net`; empty means the stand-in."""
    email: str = DEVELOPMENT_EMAIL
    """The account's e-mail address, which signs in with the token."""
    token: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    """An API token of that account."""
    secret: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    """The secret of the webhook, as an administrator of the site set it; 16 characters or more."""

    @field_validator("host")
    @classmethod
    def _host_is_an_address(cls, value: str, info: ValidationInfo) -> str:
        if not value and info.data.get("environment") == "production":
            raise ValueError(f"must be set in production, {_OR_OFF}")
        if value and not _HOST.fullmatch(value):
            raise ValueError("is no address; it reads https://<site>.atlassian.net")
        return value.rstrip("/")

    @field_validator("email")
    @classmethod
    def _email_is_ours(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("host") and value == DEVELOPMENT_EMAIL:
            raise ValueError("must be set beside PLAZO_JIRA_HOST: the address that the token belongs to")
        if ":" in value or not value.isprintable():
            raise ValueError("is no address of an account: it holds no colon")
        return value

    @field_validator("token", "secret")
    @classmethod
    def _secrets_are_ours(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("host") and value.get_secret_value() == DEVELOPMENT_SECRET:
            raise ValueError(f"must be set beside PLAZO_JIRA_HOST, {_OR_OFF}")
        short = len(value.get_secret_value()) < _SHORTEST_SECRET
        if info.field_name == "secret" and short and info.data.get("environment") == "production":
            raise ValueError(f"must have {_SHORTEST_SECRET} characters or more: it is all that proves a post")
        return value
