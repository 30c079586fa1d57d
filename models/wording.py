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

Sentences = list[frozenset[str]]


def sentences(text: str) -> Sentences:
    """The words of each sentence of a text, without case and accents."""
    return [frozenset(WORD.findall(one)) for one in SENTENCE.split(_plain(text[:MOST_READ]))]


def standing(said: Sentences, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines that stand in what was said, in their order."""
    for line in lines:
        if any(all(_stands(word, sentence) for word in _words(line)) for sentence in said):
            yield line


@lru_cache(maxsize=4096)  # a policy's lines are few and the same for every message
def _words(line: str) -> tuple[str, ...]:
    return tuple(_plain(line).split())


def _plain(text: str) -> str:
    """Without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def _stands(word: str, sentence: frozenset[str]) -> bool:
    if word.endswith("*"):
        return any(one.startswith(word[:-1]) for one in sentence)
    return word in sentence
