"""The settings of the channel `telegram`: variables `PLAZO_TELEGRAM_<NAME>`."""

import re
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from settings import Section

TELEGRAM = "https://api.telegram.org"
DEVELOPMENT_TOKEN = "1000000:development"  # noqa: S105 - opens nothing but the local stand-in
DEVELOPMENT_BOT = "plazo_dev_bot"

_TOKEN = re.compile(r"[0-9]{1,18}:[A-Za-z0-9_-]{3,200}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SHORTEST_SECRET = 32
_USERNAME = re.compile(r"[A-Za-z0-9_]{3,32}")
_HOST = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[\w./~-]*)?")
_OR_OFF = "or set channels.telegram.enabled = false in the policy"


class TelegramSettings(Section):
    """What the bot needs. Without a token, in development, the local stand-in takes Telegram's place."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_TELEGRAM_")

    token: SecretStr = SecretStr("")
    """The bot's token, as @BotFather gives it: `<bot id>:<secret>`."""
    host: str = ""
    """Where the Bot API answers; empty means Telegram itself, or the stand-in."""
    secret: SecretStr = SecretStr("")
    """Comes with every post of the webhook: 32 to 256 random characters of A-Z, a-z, 0-9, _ and -."""
    mode: Literal["poll", "webhook"] = Field(
        default_factory=lambda data: "webhook" if data["secret"].get_secret_value() else "poll"
    )
    """`poll` asks Telegram for updates and needs no public address; `webhook` is told of them."""
    bot: str = ""
    """The bot's username, for links into a conversation with it."""
    group: int | None = None
    """The id of the operator's own group, a number below 0: posts there count, and those of no other group."""

    @field_validator("token")
    @classmethod
    def _token_is_one(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        token = value.get_secret_value()
        if not token:
            if info.data.get("environment") == "production":
                raise ValueError(f"must be set in production, {_OR_OFF}")
            return SecretStr(DEVELOPMENT_TOKEN)
        if not _TOKEN.fullmatch(token):
            raise ValueError("is no bot's token; it reads <number>:<letters>, as @BotFather shows it")
        return value

    @field_validator("host")
    @classmethod
    def _host_is_an_address(cls, value: str) -> str:
        if value and not _HOST.fullmatch(value):
            raise ValueError(f"is no address; it reads {TELEGRAM}")
        return value.rstrip("/")

    @field_validator("secret")
    @classmethod
    def _secret_is_strong(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        secret = value.get_secret_value()
        if secret and not _SECRET.fullmatch(secret):
            raise ValueError("takes up to 256 of A-Z, a-z, 0-9, _ and - alone: Telegram refuses others")
        if secret and len(secret) < _SHORTEST_SECRET and info.data.get("environment") == "production":
            raise ValueError(
                f"must be {_SHORTEST_SECRET} random characters or more in production: it is all that proves"
            )
        return value

    @field_validator("mode")
    @classmethod
    def _webhook_is_proved(cls, value: str, info: ValidationInfo) -> str:
        secret = info.data.get("secret")
        if value == "webhook" and secret is not None and not secret.get_secret_value():
            raise ValueError("is webhook, which wants PLAZO_TELEGRAM_SECRET: anyone could post updates otherwise")
        return value

    @field_validator("bot")
    @classmethod
    def _bot_has_a_name(cls, value: str, info: ValidationInfo) -> str:
        name = value.removeprefix("@")
        if not name:
            if info.data.get("environment") != "production" and _stand_in(info.data.get("token")):
                return DEVELOPMENT_BOT
            raise ValueError(f"must be set beside a token: the bot's username, which links to it bear, {_OR_OFF}")
        if not _USERNAME.fullmatch(name):
            raise ValueError("is no username; it has up to 32 letters, digits and underscores")
        return name

    @field_validator("group")
    @classmethod
    def _group_is_one(cls, value: int | None) -> int | None:
        if value is not None and value >= 0:
            raise ValueError("is no group's id, which is below 0, such as -1001234567890")
        return value

    @property
    def groups(self) -> frozenset[int] | None:
        """The groups whose posts count; None means every group, which only the stand-in's are."""
        if self.group is None and self.stand_in:
            return None
        return frozenset() if self.group is None else frozenset({self.group})

    @property
    def stand_in(self) -> bool:
        """Whether no bot is set up, so that the local stand-in has to answer."""
        return _stand_in(self.token)

    @property
    def bot_id(self) -> int:
        """The bot's own number: what stands before the colon of its token."""
        return int(self.token.get_secret_value().partition(":")[0])


def _stand_in(token: SecretStr | None) -> bool:
    # A token that could not be read is missing here, and listed already.
    return token is None or token.get_secret_value() == DEVELOPMENT_TOKEN
