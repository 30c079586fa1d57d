"""One request to a tracker, and what a failure of it means. No answer's words are repeated: they may hold anything."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx2

from models.errors import ChannelError, OperatorError, TransientError, UnknownOutcome

CONNECT_SECONDS, ANSWER_SECONDS = 5, 8
MOST_BYTES = 1024 * 1024
"""What an answer may weigh."""

LONGEST_WAIT = 86_400.0
"""Seconds that a tracker may ask us to stay away."""

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_NOT_SENDABLE = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError)


class Answer(NamedTuple):
    """What a tracker answered with success."""

    status: int
    content: bytes

    def object(self) -> dict[str, Any]:
        """The JSON object in it; empty where there is none."""
        try:
            value: Any = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}


class Line:
    """The way to one tracker; `name` stands in errors. It keeps no connection that may have been closed meanwhile."""

    def __init__(self, name: str) -> None:
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._name, self._client = name, httpx2.Client(timeout=timeout, limits=limits, follow_redirects=False)

    def write(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Have something done. Raises OperatorError, TransientError, or UnknownOutcome where it may be done."""
        return self._exchange(method, url, headers, body)

    def read(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask something, which can be asked again. Raises OperatorError or TransientError."""
        try:
            return self._exchange("GET", url, headers, None)
        except UnknownOutcome as error:
            raise TransientError(error.detail, retry_after=error.retry_after) from None

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        content = bytearray()
        try:
            with self._client.stream(method, url, headers=dict(headers), content=body) as answer:
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise OperatorError(f"{self._name} answered with more than {MOST_BYTES} bytes")
        except _NOT_SENDABLE as error:
            raise OperatorError(f"{self._name}'s address in the settings is none: {type(error).__name__}") from None
        except _NOT_SENT as error:
            raise TransientError(f"{self._name} cannot be reached: {type(error).__name__}") from None
        except httpx2.HTTPError as error:
            raise UnknownOutcome(f"no answer of {self._name} after sending: {type(error).__name__}") from None
        if not answer.is_success:
            raise refusal(self._name, answer.status_code, answer.headers, bytes(content))
        return Answer(answer.status_code, bytes(content))


def refusal(name: str, status: int, headers: Mapping[str, str], content: bytes) -> ChannelError:
    """The class of an answer that is no success."""
    about = ", ".join(_fields(content))
    detail = f"{name} answered {status}{f' about {about}' if about else ''}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return TransientError(detail, retry_after=_wait(headers))
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnknownOutcome(detail, retry_after=_wait(headers))
    return OperatorError(detail)


def _fields(content: bytes) -> list[str]:
    """The fields that a refusal names, where it does so as Jira does: names of ours, nothing that was sent."""
    errors = Answer(0, content).object().get("errors")
    named = errors if isinstance(errors, dict) else {}
    return sorted(name[:40] for name in named if name.replace("_", "").isalnum())[:10]


def _wait(headers: Mapping[str, str]) -> float | None:
    told = headers.get("retry-after", "")
    return min(float(told), LONGEST_WAIT) if told.isascii() and told.isdigit() else None
