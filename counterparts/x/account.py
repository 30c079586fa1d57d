"""The operator's account and app: tokens, credits, rate limits."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from counterparts.x.problems import app_only, no_credits, not_enrolled, plain

LASTS = 7200
"""Seconds that a fresh access token lasts."""

_WINDOW, _DAY = 900, 86_400
LIMITS = {
    "dm_events": 15,
    "dm_send": 15,
    "tweets": 100,
    "mentions": 300,
    "users_me": 75,
    "dm_media": 300,
    "webhooks": 450,
}
"""Requests in 15 minutes."""
_A_DAY = {"dm_send": 1440}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the app and the account show."""

    client_id: str = "development"
    client_secret: str = field(default="development", repr=False)
    consumer_secret: str = field(default="development", repr=False)
    access_token: str = field(default="development", repr=False)
    refresh_token: str = field(default="development", repr=False)
    bearer: str = field(default="development-app", repr=False)


class Account:
    """Tokens that rotate, credits that run out, and limits, which hold when `limited`."""

    def __init__(self, credentials: Credentials, clock: Callable[[], float]) -> None:
        self.credentials, self._clock = credentials, clock
        self._access: dict[str, float | None] = {credentials.access_token: None}
        self._refresh = credentials.refresh_token
        self.refreshes = 0
        self.credits: float | None = None
        """US dollars; None means that they never run out."""
        self.limited = False
        self.enrolled = True
        self._used: dict[tuple[str, int], list[float]] = {}

    def expire(self) -> None:
        """End every access token."""
        self._access.clear()

    def revoke(self) -> None:
        """Take neither access nor refresh tokens any more."""
        self.expire()
        self._refresh = ""

    def refreshed(self, token: str) -> dict[str, object] | None:
        """A new pair for a refresh token, which is worth nothing then; None for one that already is."""
        if not self._refresh or not secrets.compare_digest(token.encode(), self._refresh.encode()):
            return None
        access, self._refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._access[access] = self._clock() + LASTS
        self.refreshes += 1
        return {
            "token_type": "bearer",
            "expires_in": LASTS,
            "access_token": access,
            "scope": "dm.read dm.write tweet.read tweet.write users.read offline.access",
            "refresh_token": self._refresh,
        }

    def check_user(self, authorization: str) -> None:
        """Raise Refusal unless a header shows a token of the account."""
        token = self._token(authorization)
        if token == self.credentials.bearer:
            raise app_only()
        ends = self._access.get(token, 0.0)
        if ends is not None and ends <= self._clock():
            raise plain(401, "Unauthorized")
        if not self.enrolled:
            raise not_enrolled()

    def check_app(self, authorization: str) -> None:
        """Raise Refusal unless a header shows the app's own token."""
        if self._token(authorization) != self.credentials.bearer:
            raise plain(401, "Unauthorized")

    def count(self, endpoint: str) -> dict[str, str]:
        """Count a request; the headers that tell of the limit. Raises Refusal where it is used up."""
        headers, over = self._window(endpoint, "x-rate-limit", LIMITS[endpoint], _WINDOW)
        if endpoint in _A_DAY:
            more, over_today = self._window(endpoint, "x-user-limit-24hour", _A_DAY[endpoint], _DAY)
            headers, over = headers | more, over or over_today
        if over and self.limited:
            raise plain(429, "Too Many Requests", headers=headers)
        return headers

    def _window(self, endpoint: str, name: str, most: int, seconds: int) -> tuple[dict[str, str], bool]:
        now = self._clock()
        used = [at for at in self._used.get((endpoint, seconds), []) if at > now - seconds]
        over = len(used) >= most
        if not over:
            used.append(now)
        self._used[endpoint, seconds] = used
        reset = int(used[0] + seconds) + 1
        left = max(0, most - len(used))
        return {f"{name}-limit": str(most), f"{name}-remaining": str(left), f"{name}-reset": str(reset)}, over

    def pay(self, price: float, account: str) -> None:
        """Take the price of a call. Raises Refusal without credits."""
        if self.credits is not None:
            if self.credits < price:
                raise no_credits(account)
            self.credits -= price

    def can_pay(self, price: float) -> bool:
        """Take the price of an event, if there is so much."""
        if self.credits is None:
            return True
        if self.credits < price:
            return False
        self.credits -= price
        return True

    @staticmethod
    def _token(authorization: str) -> str:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
