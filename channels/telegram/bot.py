"""The Bot API over HTTP: one method called, one file fetched. Addresses hold the token, so none is ever shown."""

import socket
from contextlib import suppress
from typing import Any

import httpx2

from channels.telegram.answers import result
from models.errors import OperatorError, RecipientError, TransientError, UnknownOutcome

CONNECT_SECONDS = 5
ANSWER_SECONDS = 15

_NOT_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_NO_ADDRESS = (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError)


class Bot:
    """One bot's way to Telegram, with connections of its own. Safe to use from several threads.

    `host` is the address of the Bot API, without the token.
    """

    def __init__(self, token: str, host: str, connections: int = 10) -> None:
        self._client = httpx2.Client(
            base_url=host,
            transport=_Keyed(token, httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)),
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
        )
        self._line: Any = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Close all connections; a call that waits in another thread ends."""
        self._closed = True
        if self._line is not None:
            self._hang_up()
        self._client.close()

    def do(self, method: str, arguments: dict[str, Any], files: dict[str, tuple[str, bytes, str]] | None = None) -> Any:
        """Call a method that changes something; `files` are name, content and type by argument.

        Raises ChannelError: TransientError where Telegram surely did nothing, UnknownOutcome where it perhaps did.
        """
        body = {"data": arguments, "files": files} if files else {"json": arguments}
        return self._post(method, httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS), **body)

    def ask(self, method: str, arguments: dict[str, Any], seconds: float = ANSWER_SECONDS) -> Any:
        """Call a method that changes nothing, with an answer within `seconds`. Raises ChannelError."""
        try:
            return self._post(method, httpx2.Timeout(seconds, connect=CONNECT_SECONDS), json=arguments)
        except UnknownOutcome as error:
            raise TransientError(error.detail) from None

    def download(self, path: str, most: int) -> bytes:
        """Fetch the file at a `file_path` of Telegram's, `most` bytes at most.

        Raises TransientError, OperatorError, and RecipientError for a file that is larger.
        """
        content = bytearray()
        try:
            with self._client.stream("GET", f"/file/bot/{path}") as answer:
                if answer.status_code == httpx2.codes.NOT_FOUND:
                    raise TransientError("the file is not where Telegram said; it has to be asked for again")
                if answer.status_code != httpx2.codes.OK:
                    answer.read()
                    result(answer)
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > most:
                        raise RecipientError(f"the file has more than {most} bytes, more than Telegram gives a bot")
        except UnknownOutcome as error:
            raise TransientError(error.detail) from None
        except httpx2.HTTPError as error:
            raise TransientError(f"the file could not be fetched: {type(error).__name__}") from None
        return bytes(content)

    def _post(self, method: str, timeout: httpx2.Timeout, **body: Any) -> Any:
        try:
            answer = self._client.post(f"/bot/{method}", timeout=timeout, extensions={"trace": self._trace}, **body)
        except _NOT_REACHED as error:
            raise TransientError(f"Telegram cannot be reached: {type(error).__name__}") from None
        except _NO_ADDRESS as error:
            raise OperatorError(f"PLAZO_TELEGRAM_HOST is no address: {type(error).__name__}; correct it") from None
        except httpx2.HTTPError as error:
            raise UnknownOutcome(f"no answer of Telegram after sending: {type(error).__name__}") from None
        return result(answer)

    def _trace(self, event: str, about: dict[str, Any]) -> None:
        """Remember the newest connection, which `close` has to wake."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._line = about["return_value"]
            if self._closed:
                self._hang_up()

    def _hang_up(self) -> None:
        """Wake the thread that waits on the connection; closing alone would leave it waiting for bytes."""
        with suppress(OSError):
            self._line.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


class _Keyed(httpx2.BaseTransport):
    """Puts the token into addresses at the last moment: neither the client's log nor any error then shows it."""

    def __init__(self, token: str, limits: httpx2.Limits) -> None:
        self._key = f"/bot{token}/".encode("ascii")
        self._inner = httpx2.HTTPTransport(limits=limits)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to its address with the token in it."""
        before, _, after = request.url.raw_path.rpartition(b"/bot/")
        return self._inner.handle_request(
            httpx2.Request(
                request.method,
                request.url.copy_with(raw_path=before + self._key + after),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
