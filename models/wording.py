"""Lines of words looked for in what people wrote; policy data everywhere.

The words of a line must stand together in one sentence, a `*` ends one of which only the beginning counts. Case and
accents make no difference.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

SENTENCE = re.compile(r"[.!?;\n]+")
WORD = re.compile(r"[a-z0-9]+")
MOST_READ = 20_000
"""Characters of a text that are looked at."""

Sentences = list[str]
"""Each sentence as its words, with a blank before, between and after them."""


def sentences(text: str) -> Sentences:
    """The words of each sentence of a text, without case and accents."""
    return [f" {' '.join(WORD.findall(one))} " for one in SENTENCE.split(_plain(text[:MOST_READ]))]


def standing(said: Sentences, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that stand in what was said, in their order."""
    whole = "".join(said)
    for line in lines:
        words = _words(line)
        # Hardly any line stands in a text, and the whole of it tells that at once.
        if all(word in whole for word in words) and any(all(word in one for word in words) for one in said):
            yield line


@lru_cache(maxsize=4096)  # a policy's lines are few and the same for every message
def _words(line: str) -> tuple[str, ...]:
    """The words of a line as they stand in a sentence: a blank before each, and after each that is whole."""
    return tuple(f" {word[:-1]}" if word.endswith("*") else f" {word} " for word in _plain(line).split())


def _plain(text: str) -> str:
    """Without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
