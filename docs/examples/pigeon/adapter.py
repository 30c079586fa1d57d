"""The channel `pigeon`: the loft posts what pigeons bring, and sends pigeons with our letters."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from pydantic import SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from channels.guess import kind_of, language_of
from channels.letter import Accepted, OutboundLetter
from channels.message import Disposition, Dropped, InboundMessage
from channels.port import Adapter, Arrivals, Door, Parts, Post, Surroundings
from channels.text import clean, one_line
from models.errors import (
    OperatorError,
    RecipientError,
    TransientError,
    UnknownOutcome,
    UnreadableMessage,
    VerificationError,
)
from settings import Section, read_section

FRESH_SECONDS = 300
OLDEST = timedelta(days=30)
GONE, TOO_MANY, REFUSED = {404, 410}, 429, 400


class PigeonSettings(Section):
    """The operator's place at the loft."""

    model_config = SettingsConfigDict(env_prefix="PLAZO_PIGEON_")

    secret: SecretStr = SecretStr("")
    """Signs what the loft posts, and opens the loft to us."""
    host: str = ""
    """Where the loft answers; empty means the stand-in in development."""

    @field_validator("secret", "host")
    @classmethod
    def _set(cls, value: Any, info: ValidationInfo) -> Any:
        if not value and info.data.get("environment") == "production":
            raise ValueError("must be set in production, or set channels.pigeon.enabled = false in the policy")
        return value


def build(surroundings: Surroundings) -> "Pigeon":
    """Set the channel up from its settings. Raises SettingsError."""
    settings = read_section(PigeonSettings, surroundings.settings)
    secret = settings.secret.get_secret_value() or "development"
    host = settings.host or f"{surroundings.counterparts}/pigeon"
    return Pigeon(secret, host, surroundings.limits.text, surroundings.clock)


class Pigeon(Adapter):
    """Carrier pigeons, both ways. `clock` gives aware UTC."""

    name = "pigeon"
    doors = {"loft": Door(64 * 1024)}  # noqa: RUF012 - nobody changes it

    def __init__(self, secret: str, host: str, longest: int, clock: Callable[[], datetime]) -> None:
        self._secret, self._host, self._longest, self._clock = secret.encode(), host, longest, clock
        # No connection is kept: one that the loft has closed meanwhile leaves us not knowing what it took.
        self._client = httpx2.Client(timeout=10, limits=httpx2.Limits(max_keepalive_connections=0))

    def verify(self, post: Post, now: datetime) -> None:
        """Check the signature of time and raw body."""
        time, given = post.headers.get("x-loft-time", ""), post.headers.get("x-loft-signature", "")
        made = hmac.new(self._secret, time.encode("utf-8", "replace") + b"." + post.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(made.encode(), given.encode("utf-8", "replace")):
            raise VerificationError("the loft's signature does not fit; is PLAZO_PIGEON_SECRET the loft's?")
        if not time.isdecimal() or abs(now.timestamp() - int(time)) > FRESH_SECONDS:
            raise VerificationError("the loft's post is too old, or its clock is wrong")

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read what a pigeon brought: `ring`, `from`, `name`, `text`, `at` (seconds since 1970), `answers`."""
        try:
            read: Any = json.loads(post.body)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict):
            raise UnreadableMessage("what the loft posted is no JSON object")
        said = {name: value for name, value in read.items() if isinstance(value, str)}
        words, sender, digest = clean(said.get("text", "")), one_line(said.get("from", "")), _digest(post.body)
        ring = one_line(said.get("ring", "")) or f"sha256:{digest}"
        message = InboundMessage(
            channel=self.name,
            provider_id=ring,
            message_id=ring,
            in_reply_to=one_line(said.get("answers", "")),
            received_at=_moment(read.get("at"), stored_at),
            sender=sender,
            sender_name=one_line(said.get("name", "")),
            sender_verified=bool(sender),  # the loft knows its pigeons; who keeps them it does not know
            bound=False,
            reply_to="",
            recipients=(),
            subject=one_line(words, 80),
            text=words[: self._longest],
            full_text=words[: self._longest],
            disposition=Disposition.MESSAGE if sender else Disposition.UNANSWERABLE,
            language=language_of(words),
            kind=kind_of(words),
            dropped=(Dropped(what="text", why="only its beginning is shown"),) if len(words) > self._longest else (),
            raw_sha256=digest,
            raw=post.body,
        )
        return Arrivals(messages=(message,))

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:  # noqa: ARG002 - a pigeon carries it whole
        """Send a pigeon. Raises RecipientError, OperatorError, TransientError or UnknownOutcome."""
        if letter.public:
            raise OperatorError("a pigeon flies to one house; there is no public place")
        flight = {"id": letter.message_id, "to": letter.to, "text": letter.text, "answers": letter.in_reply_to}
        headers = {"authorization": f"Bearer {self._secret.decode()}"}
        try:
            answer = self._client.post(f"{self._host}/flights", json=flight, headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise TransientError(f"the loft cannot be reached: {type(error).__name__}") from None
        except httpx2.HTTPError as error:
            raise UnknownOutcome(f"the loft did not answer: {type(error).__name__}") from None
        # What a loft says may name people, so none of its words go into an error.
        if answer.status_code in GONE:
            raise RecipientError(f"the loft knows no such house (answered {answer.status_code})")
        if answer.status_code == TOO_MANY:
            wait = answer.headers.get("retry-after", "")
            raise TransientError("all pigeons are out", retry_after=float(wait) if wait.isdecimal() else None)
        if REFUSED <= answer.status_code < 500:  # noqa: PLR2004 - what HTTP calls the client's fault
            raise OperatorError(f"the loft answered {answer.status_code}; is PLAZO_PIGEON_SECRET the loft's?")
        if not answer.is_success:
            raise UnknownOutcome(f"the loft answered {answer.status_code}")
        return Accepted(provider_id=letter.message_id, at=self._clock())


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _moment(value: object, stored_at: datetime) -> datetime:
    """The loft's time; ours where it is none, lies ahead of ours, or is absurd."""
    try:
        at = datetime.fromtimestamp(float(str(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return stored_at
    return at if stored_at - OLDEST <= at <= stored_at else stored_at
