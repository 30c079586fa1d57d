"""How often is often enough: calls counted per key and window, in this process."""

import math
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

MOST_KEYS = 20_000
IPV6_NETWORK = 64
"""Bits that one subscriber has to itself."""


class Rate:
    """At most `most` calls in each `window` of a key, counted from its first call."""

    def __init__(self, most: int, window: timedelta = timedelta(minutes=1)) -> None:
        self._most, self._window = most, window
        self._counts: dict[str, tuple[datetime, int]] = {}

    def wait(self, key: str, now: datetime) -> int:
        """Count a call: 0, or the seconds after which the next one is welcome."""
        if seconds := self._left(key, now):
            return seconds
        self._make_room(now)
        begun, count = self._running(key, now)
        self._counts[key] = begun, count + 1
        return 0

    def give_back(self, key: str) -> None:
        """Uncount a call that turned out to be none of those that are counted."""
        if key in self._counts:
            begun, count = self._counts[key]
            self._counts[key] = begun, max(0, count - 1)

    def _left(self, key: str, now: datetime) -> int:
        begun, count = self._running(key, now)
        return math.ceil((begun + self._window - now).total_seconds()) if count >= self._most else 0

    def _running(self, key: str, now: datetime) -> tuple[datetime, int]:
        begun, count = self._counts.get(key, (now, 0))
        return (now, 0) if now - begun >= self._window else (begun, count)

    def _make_room(self, now: datetime) -> None:
        if len(self._counts) < MOST_KEYS:
            return
        self._counts = {key: kept for key, kept in self._counts.items() if now - kept[0] < self._window}
        if len(self._counts) >= MOST_KEYS:
            # Whoever comes under so many keys at once is not held up by counting them.
            self._counts.clear()


def network(host: str | None) -> str:
    """The network that a client's address stands for: an IPv6 subscriber has 2^64 addresses to choose from."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> (128 - IPV6_NETWORK))
    return str(address)
