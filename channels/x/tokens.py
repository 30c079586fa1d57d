"""The account's OAuth 2.0 tokens, kept in a file: X gives a new pair at every refresh, and takes each only once.

Several threads and processes share the file. Who refreshes holds its lock; who waited finds the new pair there.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.x.fields import text
from models.errors import OperatorError

_EARLY = 60
"""Seconds before its end at which an access token is renewed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token, the refresh token for the next, and when it ends (seconds since 1970; 0: unknown)."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    ends: float = 0


class Tokens:
    """The newest pair, beginning with `first` from the settings; another `first` than before puts the file aside."""

    def __init__(self, path: Path, first: Pair, exchange: Callable[[str], Pair], clock: Callable[[], datetime]) -> None:
        """`exchange` hands a refresh token to X and returns the new pair, or raises ChannelError."""
        self._path, self._first, self._exchange, self._clock = path, first, exchange, clock
        self._origin = hashlib.sha256(f"{first.access}\n{first.refresh}".encode()).hexdigest()

    def access(self) -> str:
        """An access token that has not ended. Raises ChannelError where a new one is needed and cannot be had."""
        pair = self._read()
        if not pair.access or (pair.ends and pair.ends - _EARLY <= self._clock().timestamp()):
            return self.renew(pair.access)
        return pair.access

    def renew(self, refused: str) -> str:
        """An access token other than `refused`: one that somebody fetched meanwhile, or a new one."""
        with self._locked():
            pair = self._read()
            if pair.access == refused or not pair.access:
                if not pair.refresh:
                    raise OperatorError("the access token is no longer taken; set PLAZO_X_REFRESH_TOKEN")
                pair = self._exchange(pair.refresh)
                self._write(pair)
            return pair.access

    def _read(self) -> Pair:
        try:
            kept: Any = json.loads(self._path.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return self._first
        except OSError as error:
            raise self._unusable(error) from None
        if not isinstance(kept, dict) or kept.get("origin") != self._origin:
            return self._first
        ends = kept.get("ends")
        return Pair(text(kept, "access"), text(kept, "refresh"), ends if isinstance(ends, int | float) else 0)

    def _write(self, pair: Pair) -> None:
        """Replace the file at once and for good: the pair in it before is worth nothing any more."""
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                os.fchmod(file.fileno(), 0o600)
                json.dump({"origin": self._origin, **asdict(pair)}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise self._unusable(error) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Taken before X is asked: a pair that cannot be written down would be lost.
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _unusable(self, error: OSError) -> OperatorError:
        return OperatorError(
            f"PLAZO_X_TOKENS_FILE: {type(error).__name__}: {error.strerror}; give the process its folder"
        )
