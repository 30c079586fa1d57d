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
        begun, count = self._counts.get(key, (now, 0))
        if now - begun >= self._window:
            begun, count = now, 0
        if count >= self._most:
            return math.ceil((begun + self._window - now).total_seconds())
        self._make_room(now)
        self._counts[key] = begun, count + 1
        return 0

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
