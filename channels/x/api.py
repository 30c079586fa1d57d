"""Calls of X's API: signed on, tried once more with a new token, and every failure told as a ChannelError."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx2

from channels.x.fields import text
from channels.x.refusals import refusal
from channels.x.tokens import Pair, Tokens
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome

TIMEOUT = 7.0
"""Seconds for connecting, and for each wait for an answer."""

_UNAUTHORIZED = 401
_GRANT_REFUSED = (400, 401)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
_NOT_SENDABLE = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, UnicodeError)
_GONE = (404, 410)


def open_client() -> httpx2.Client:
    """A client that keeps no connection: one that X has closed meanwhile leaves us not knowing what it took."""
    return httpx2.Client(timeout=TIMEOUT, limits=httpx2.Limits(max_keepalive_connections=0), follow_redirects=False)


class Grants:
    """X's counter for tokens: takes a refresh token, gives the next pair."""

    def __init__(
        self, host: str, client: httpx2.Client, clock: Callable[[], datetime], client_id: str, client_secret: str
    ) -> None:
        self._url, self._client, self._clock = f"{host}/2/oauth2/token", client, clock
        self._id, self._secret = client_id, client_secret

    def exchange(self, refresh: str) -> Pair:
        """Fetch the next pair; the one before is worth nothing then. Raises OperatorError or TransientError."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": self._id}
        auth = httpx2.BasicAuth(self._id, self._secret) if self._secret else httpx2.USE_CLIENT_DEFAULT
        try:
            answer = self._client.post(self._url, data=form, auth=auth)
        except _NOT_SENDABLE:
            raise _no_url() from None
        except httpx2.HTTPError as error:
            raise TransientError(f"no new token: {type(error).__name__}") from None
        if answer.status_code in _GRANT_REFUSED:
            raise OperatorError(
                f"X takes the account's refresh token no longer (answered {answer.status_code});"
                " authorise the app again and set PLAZO_X_ACCESS_TOKEN and PLAZO_X_REFRESH_TOKEN"
            )
        if not answer.is_success:
            raise _as_read(refusal(answer.status_code, answer.headers, answer.content, self._clock()))
        given = _object(answer.content)
        access, lasts = text(given, "access_token"), given.get("expires_in")
        if not access:
            raise OperatorError("X's answer to a refresh holds no token; is PLAZO_X_HOST right?")
        ends = self._clock().timestamp() + lasts if isinstance(lasts, int | float) else 0
        return Pair(access, text(given, "refresh_token") or refresh, ends)


class Api:
    """X's API as our account. Safe to use from several threads; `clock` gives aware UTC."""

    def __init__(self, host: str, client: httpx2.Client, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._host, self._client, self._tokens, self._clock = host, client, tokens, clock

    def write(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have X do something: the `data` of its answer. Raises ChannelError; UnknownOutcome where it may be done."""
        status, content = self._as_us("POST", path, json=dict(body))
        data = _object(content).get("data")
        if not isinstance(data, dict):
            raise UnknownOutcome(f"answered {status} without saying what it did")
        return data

    def read(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Ask X something. Raises OperatorError or TransientError."""
        try:
            return _object(self._as_us("GET", path, params=dict(query))[1])
        except ChannelError as error:
            raise _as_read(error) from None

    def app(self, method: str, path: str, bearer: str) -> dict[str, Any]:
        """Ask something as the app instead of as our account. Raises OperatorError or TransientError."""
        try:
            status, headers, content = self._exchange(method, f"{self._host}{path}", bearer)
            if status == _UNAUTHORIZED:
                raise OperatorError("X does not take the app's own token; correct PLAZO_X_BEARER")
            return _object(self._granted(status, headers, content))
        except ChannelError as error:
            raise _as_read(error) from None

    def download(self, path: str, limit: int) -> bytes:
        """A file of a direct message. Raises RecipientError where it is gone or over `limit` bytes, else as `read`."""
        try:
            return self._as_us("GET", path, limit=limit)[1]
        except ChannelError as error:
            raise _as_read(error) from None

    def download_open(self, url: str, limit: int) -> bytes:
        """A file that lies open on one of X's servers; raises the same."""
        try:
            status, headers, content = self._exchange("GET", url, "", limit=limit)
            return self._granted(status, headers, content, file=True)
        except ChannelError as error:
            raise _as_read(error) from None

    def _as_us(self, method: str, path: str, limit: int | None = None, **what: Any) -> tuple[int, bytes]:
        url = f"{self._host}{path}"
        token = self._tokens.access()
        status, headers, content = self._exchange(method, url, token, limit, **what)
        if status == _UNAUTHORIZED:
            status, headers, content = self._exchange(method, url, self._tokens.renew(token), limit, **what)
        if status == _UNAUTHORIZED:
            raise OperatorError(
                "X takes no token of the account, not even a new one; authorise the app again and set"
                " PLAZO_X_ACCESS_TOKEN and PLAZO_X_REFRESH_TOKEN"
            )
        return status, self._granted(status, headers, content, file=limit is not None)

    def _granted(self, status: int, headers: Mapping[str, str], content: bytes, *, file: bool = False) -> bytes:
        if file and status in _GONE:
            raise RecipientError(f"the file is gone: answered {status}")
        if not 200 <= status < 300:  # noqa: PLR2004 - what HTTP calls success
            raise refusal(status, headers, content, self._clock())
        return content

    def _exchange(
        self, method: str, url: str, token: str, limit: int | None = None, **what: Any
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request; an answer is read to its end, or to `limit`."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        received = bytearray()
        try:
            with self._client.stream(method, url, headers=headers, **what) as answer:
                for chunk in answer.iter_bytes():
                    received += chunk
                    if limit is not None and len(received) > limit:
                        raise RecipientError(f"the file is larger than {limit} bytes")
        except _NOT_SENDABLE:
            raise _no_url() from None
        except _NOT_SENT as error:
            raise TransientError(f"X cannot be reached: {type(error).__name__}") from None
        except httpx2.HTTPError as error:
            # The request had left when the connection broke or was silent too long.
            raise UnknownOutcome(f"no answer after sending: {type(error).__name__}") from None
        return answer.status_code, answer.headers, bytes(received)


def _as_read(error: ChannelError) -> ChannelError:
    """Of a question nothing is uncertain: it is asked again."""
    return TransientError(error.detail) if isinstance(error, UnknownOutcome) else error


def _no_url() -> OperatorError:
    return OperatorError("X's address or a token in the settings cannot be sent; mend PLAZO_X_HOST and the tokens")


def _object(content: bytes) -> dict[str, Any]:
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
