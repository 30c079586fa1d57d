"""The channel `x`: events of the X Activity API in, direct messages out, reconciliation beside them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from channels.letter import Accepted, OutboundLetter
from channels.message import RemoteFile
from channels.port import Adapter, Arrivals, Door, Feed, Parts, Post, Surroundings
from channels.x.api import Api, Grants, open_client
from channels.x.feed import DirectMessages, Mentions, Watch
from channels.x.media import PRIVATE, is_file
from channels.x.parse import read_post
from channels.x.reading import NAME, Reader
from channels.x.send import Sender
from channels.x.settings import API, XSettings
from channels.x.tokens import Pair, Tokens
from channels.x.verify import Signatures
from models.errors import RecipientError
from settings import read_section

EVENTS = "events"
EVENTS_LIMIT = 1024 * 1024
"""Bytes of a post; X sends some tens of kilobytes at most."""

TOKENS = "x-tokens.json"


def build(surroundings: Surroundings) -> "X":
    """Set the channel up from its settings. Raises SettingsError."""
    settings = read_section(XSettings, surroundings.settings)
    local = settings.local
    if local:
        settings = settings.for_development()
    host = settings.host or (f"{surroundings.counterparts}/{NAME}" if local else API)
    clock, client = surroundings.clock, open_client()
    secret = settings.client_secret.get_secret_value()
    grants = Grants(host, client, clock, settings.client_id, secret)
    first = Pair(settings.access_token.get_secret_value(), settings.refresh_token.get_secret_value())
    tokens = Tokens(settings.tokens_file or surroundings.settings.var / TOKENS, first, grants.exchange, clock)
    api = Api(host, client, tokens, clock)
    wanted = surroundings.limits
    reader = Reader(us=settings.user_id, longest=wanted.text, most=wanted.files)
    back = timedelta(days=settings.days_back)
    feeds: list[Feed] = [DirectMessages(api, reader, back), Mentions(api, reader, back)]
    if bearer := settings.bearer.get_secret_value():
        feeds.append(Watch(api, bearer))
    return X(
        signatures=Signatures(settings.consumer_secret.get_secret_value(), secret),
        reader=reader,
        sender=Sender(api, clock),
        downloads=Downloads(api, f"{host}/" if local else "https://", wanted.size),
        feeds=tuple(feeds),
    )


class Downloads:
    """Fetches files that messages left with X, of at most `limit` bytes; open ones at `open_at` + their id."""

    def __init__(self, api: Api, open_at: str, limit: int) -> None:
        self._api, self._open_at, self._limit = api, open_at, limit

    def fetch(self, file: RemoteFile) -> bytes:
        """Fetch a file. Raises RecipientError where it is gone for good or too large, else another ChannelError."""
        if not is_file(file.id):
            raise RecipientError("the file's id names nothing on X")
        if file.id.startswith(f"{PRIVATE}/"):
            return self._api.download(f"/2/dm_conversations/media/{file.id.removeprefix(f'{PRIVATE}/')}", self._limit)
        return self._api.download_open(f"{self._open_at}{file.id}", self._limit)


class X(Adapter):
    """X, both ways."""

    name = NAME
    doors: Mapping[str, Door] = {EVENTS: Door(EVENTS_LIMIT)}

    def __init__(
        self, signatures: Signatures, reader: Reader, sender: Sender, downloads: Downloads, feeds: tuple[Feed, ...]
    ) -> None:
        self._signatures, self._reader, self._sender = signatures, reader, sender
        self._downloads, self._feeds = downloads, feeds

    def shake(self, door: str, query: Mapping[str, str]) -> dict[str, str] | None:
        """Answer the handshake (CRC) by which X sees that the webhook is ours."""
        return self._signatures.answer(query) if door == EVENTS else None

    def verify(self, post: Post, now: datetime) -> None:  # noqa: ARG002 - X signs no time; ids make repetitions harmless
        """Check the signature of a post's raw bytes."""
        self._signatures.check(post.headers, post.body)

    def parse(self, post: Post, stored_at: datetime) -> Arrivals:
        """Read an event."""
        return read_post(self._reader, post.body, stored_at)

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        """Hand a letter to X."""
        return self._sender.send(letter, parts)

    def fetch(self, file: RemoteFile) -> bytes:
        """Fetch a file that a message left with X."""
        return self._downloads.fetch(file)

    def feeds(self) -> tuple[Feed, ...]:
        """The reconciliations, and the watch over the webhook where the app's own token is set."""
        return self._feeds
