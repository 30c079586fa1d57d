"""The web chat's own settings: `PLAZO_CHAT_<NAME>`. Nothing must be set: without an identity everybody is anonymous."""

from datetime import timedelta
from typing import Annotated, Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, import_key
from pydantic import Field, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from settings import Section

SHORTEST_SECRET = 32
"""Characters: what HS256 signs with must be as long as its hash (RFC 7518, 3.2)."""

CURVES = ("P-256", "Ed25519")

_MEMBERS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class ChatSettings(Section):
    """Who may vouch for a visitor, how long a conversation can be come back to, and how much of it at once."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_CHAT_")

    identity_secret: SecretStr | None = None
    """Shared with the platform, which signs identities with it (HS256)."""
    identity_key: str | None = None
    """The platform's public key instead, as a JWK: Ed25519 (EdDSA) or P-256 (ES256)."""
    issuer: str = Field(default="platform", min_length=1)
    """What an identity's `iss` must say."""
    audience: str = Field(default="plazo-chat", min_length=1)
    """What an identity's `aud` must say."""

    session_days: Annotated[int, Field(ge=1, le=730)] = 180
    """How long an anonymous visitor can come back to the conversation."""
    bound_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """The same for a visitor with a signed identity, who gets a new one from the platform."""

    sessions_per_minute: Annotated[int, Field(ge=1)] = 10
    """New conversations that one network address may begin in a minute."""
    messages_per_minute: Annotated[int, Field(ge=1)] = 60
    """Messages of one conversation in a minute."""
    streams_per_session: Annotated[int, Field(ge=1)] = 6
    """Streams that one conversation may hold open: one for each tab."""

    @field_validator("identity_secret")
    @classmethod
    def _is_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value) < SHORTEST_SECRET:
            raise ValueError(f"must have at least {SHORTEST_SECRET} characters")
        if value is not None:
            OctKey.import_key(value.get_secret_value())  # refuses a public key, which everybody knows
        return value

    @field_validator("identity_key")
    @classmethod
    def _is_public_key(cls, value: str | None) -> str | None:
        if value is not None:
            read_key(value)
        return value

    @property
    def session_lives(self) -> timedelta:
        """How long an anonymous session lasts."""
        return timedelta(days=self.session_days)

    @property
    def bound_lives(self) -> timedelta:
        """How long a session with a signed identity lasts."""
        return timedelta(hours=self.bound_hours)


def read_key(text: str) -> Key:
    """Read a public key written as a JWK. Raises ValueError that says what is wanted."""
    try:
        members = _MEMBERS.validate_json(text)
        key = import_key(members) if members.get("kty") in {"EC", "OKP"} else None
    except (ValidationError, JoseError, ValueError, KeyError, TypeError):
        raise ValueError("is no JWK; write it as JSON, such as the platform publishes it") from None
    if not isinstance(key, ECKey | OKPKey) or key.curve_name not in CURVES:
        raise ValueError(f"must be a key on one of the curves {', '.join(CURVES)}")
    if key.is_private:
        raise ValueError("holds the private part too; leave out its member d")
    return key
