"""Words as X counts, shortens and escapes them."""

import re
import unicodedata
from collections.abc import Iterable

from channels.x.fields import Table, text

LONGEST_MESSAGE = 10_000
"""Characters of a direct message."""
LONGEST_POST = 280
"""Weighted characters of a post."""

_SHORT = re.compile(r"https://t\.co/[A-Za-z0-9]{1,40}")
_LONGEST_ADDRESS = 2_000
_ADDRESS = re.compile(r"https?://\S+|(?:[a-z0-9-]+\.)+[a-z]{2,}(?:/\S*)?", re.IGNORECASE)
_ADDRESS_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Characters that count once; every other counts twice."""


def written(body: str, links: Iterable[Table], hidden: Iterable[str] = ()) -> str:
    """What a person wrote: X's short links spelled out, those in `hidden` left out, `&amp;` and its like undone.

    `links` are X's `entities.urls`. An address becomes text and nothing more; nobody visits it.
    """
    spelled = dict.fromkeys(hidden, "")
    for link in links:
        meant = text(link, "expanded_url")
        if re.match(r"https?://", meant) and len(meant) <= _LONGEST_ADDRESS:
            spelled.setdefault(text(link, "url"), meant)
    body = _SHORT.sub(lambda found: spelled.get(found[0], found[0]), body)
    return body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def weight(post: str) -> int:
    """How much of `LONGEST_POST` a post takes, never less than X finds.

    An address counts 23 with `http://` however long it is; without, it may be taken for one or for its letters.
    """
    addresses = _ADDRESS.findall(post)
    rest = unicodedata.normalize("NFC", _ADDRESS.sub("", post))
    return sum(map(_letter, rest)) + sum(map(_address, addresses))


def _address(found: str) -> int:
    return _ADDRESS_WEIGHT if found.lower().startswith("http") else max(_ADDRESS_WEIGHT, sum(map(_letter, found)))


def _letter(character: str) -> int:
    return 1 if any(first <= ord(character) <= last for first, last in _LIGHT) else 2


def split(body: str, limit: int = LONGEST_MESSAGE) -> list[str]:
    """A letter in parts of at most `limit` characters, broken at white space, which X trims at their ends.

    A word longer than a part is broken. The same letter is always split the same way.
    """
    parts: list[str] = []
    rest = body.strip()
    while len(rest) > limit:
        end = _break(rest, limit)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest]


def _break(body: str, limit: int) -> int:
    """Where to break: before the last blank line, else line, else word that does not fit."""
    for mark in ("\n\n", "\n", " "):
        # `body[limit]` may be the white space itself.
        found = body.rfind(mark, limit // 2, limit + len(mark))
        if found > 0:
            return min(found, limit)
    return limit
