"""What sign-in with a provider's tokens needs: variables `PLAZO_OIDC_<NAME>`."""

from typing import Literal, get_args

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from settings import Section, Settings, read_section

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a key pair alone: with a shared secret whoever can check a token can make one."""


class OidcSettings(Section):
    """The provider whose tokens are believed. Without an issuer there are API keys alone."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_OIDC_")

    issuer: str = ""
    """Exactly as the provider writes it into `iss`. Empty: the stand-in in development, else none."""
    audience: str = Field(default="plazo", min_length=1)
    algorithms: str = "RS256,ES256,EdDSA"
    role_claim: str = Field(default="role", min_length=1)
    """Which claim names the role; a dot leads into an object, as in `realm_access.roles`."""
    areas_claim: str = Field(default="areas", min_length=1)
    jwks_url: str = ""
    """Where its keys are; empty: what its discovery document says."""

    @field_validator("algorithms")
    @classmethod
    def _are_signatures(cls, value: str) -> str:
        names = {name.strip() for name in value.split(",")}
        if not names <= set(get_args(Algorithm)):
            raise ValueError(f"names of signatures with commas, each one of {', '.join(get_args(Algorithm))}")
        return value

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _cannot_be_changed_on_the_way(cls, value: str, info: ValidationInfo) -> str:
        secure = ("https://",) if info.data.get("environment") == "production" else ("https://", "http://")
        if value and not value.startswith(secure):
            raise ValueError("must begin with https://")
        return value

    @property
    def allowed(self) -> frozenset[str]:
        """The algorithms that are allowed."""
        return frozenset(name.strip() for name in self.algorithms.split(","))


def oidc_settings(settings: Settings) -> OidcSettings:
    """Read them; in development the provider is the stand-in where no other is named. Raises SettingsError."""
    read = read_section(OidcSettings, settings)
    if read.issuer or settings.environment == "production":
        return read
    return read.model_copy(update={"issuer": f"http://127.0.0.1:{settings.mailroom_port}/issuer"})
