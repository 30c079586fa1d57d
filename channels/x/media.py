"""Files that people send on X: where they lie, from a few addresses of X's own alone, and fetching them.

A file in a direct message lies behind `ton.twitter.com`, which the API opens to our account; other files lie open on
X's own servers. A file's id names one of them and is never an address: nobody makes us fetch from elsewhere.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from channels.message import Dropped, RemoteFile
from channels.x.fields import Table, rows, sub, text

PRIVATE = "dm"
"""How ids of files in direct messages begin; the three segments after it are those of the API's path."""

_PRIVATE_HOSTS = frozenset({"ton.twitter.com", "ton.x.com"})
_PRIVATE_PATH = re.compile(r"/1\.1/ton/data/dm/([0-9]{1,20}/[0-9]{1,20}/[A-Za-z0-9_\-]{1,100}(?:\.[a-z0-9]{1,5})?)")
_OPEN_HOSTS = frozenset({"pbs.twimg.com", "video.twimg.com"})
_OPEN_PATH = re.compile(r"(?:/[A-Za-z0-9_\-]{1,100}){1,8}(?:\.[A-Za-z0-9]{1,5})?")
_OPEN_QUERY = re.compile(r"[A-Za-z0-9_=&]{0,100}")
_ID = re.compile(
    rf"(?:{PRIVATE}/[0-9]+/[0-9]+/[A-Za-z0-9_.\-]+|(?:pbs|video)\.twimg\.com(?:/[A-Za-z0-9_\-]+)+(?:\.[A-Za-z0-9]+)?"
    r"(?:\?[A-Za-z0-9_=&]+)?)"
)
_TYPES = {
    "photo": ("photo", "jpg", "image/jpeg"),
    "animated_gif": ("animation", "mp4", "video/mp4"),
    "video": ("video", "mp4", "video/mp4"),
}
_BY_ENDING = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
}


def is_file(file_id: str) -> bool:
    """Whether an id is one that `files` makes."""
    return _ID.fullmatch(file_id) is not None


def files(media: Iterable[Table], most: int) -> tuple[tuple[RemoteFile, ...], tuple[Dropped, ...]]:
    """The files of a message, in X's older or newer words, and what had to be left there."""
    found: list[RemoteFile] = []
    dropped: list[Dropped] = []
    for one in media:
        kind = text(one, "type")
        name, ending, content_type = _TYPES.get(kind, ("file", "bin", "application/octet-stream"))
        file_id = next((known for address in _addresses(one) if (known := _known(address))), "")
        if not file_id:
            dropped.append(Dropped(what=name, why="it does not lie on one of X's own servers; open it on X"))
        elif len(found) == most:
            dropped.append(Dropped(what=name, why=f"only the first {most} are taken"))
        else:
            end = file_id.partition("?")[0].rpartition(".")[2].lower()
            if end in _BY_ENDING:
                ending, content_type = end, _BY_ENDING[end]
            found.append(RemoteFile(id=file_id, filename=f"{name}.{ending}", content_type=content_type))
    return tuple(found), tuple(dropped)


def _addresses(media: Table) -> list[str]:
    """Where a file may lie, the best first: the largest film, then the picture."""
    films = [*rows(media, "variants"), *rows(sub(media, "video_info"), "variants")]
    films = [one for one in films if text(one, "content_type") == "video/mp4"]
    films.sort(key=_rate, reverse=True)
    named = [text(media, key) for key in ("media_url_https", "url", "media_url", "preview_image_url")]
    return [text(one, "url") for one in films] + named


def _rate(film: Table) -> int:
    for key in ("bit_rate", "bitrate"):
        value = film.get(key)
        if isinstance(value, int):
            return value
    return 0


def _known(address: str) -> str:
    """The id of a file at an address; empty where we do not go there."""
    try:
        parts = urlsplit(address[:500])
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme != "https" or port is not None or parts.username is not None or parts.fragment:
        return ""
    if host in _PRIVATE_HOSTS and (path := _PRIVATE_PATH.fullmatch(parts.path)):
        return f"{PRIVATE}/{path[1]}"
    if host in _OPEN_HOSTS and _OPEN_PATH.fullmatch(parts.path) and _OPEN_QUERY.fullmatch(parts.query):
        return f"{host}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    return ""
