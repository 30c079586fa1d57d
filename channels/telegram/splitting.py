"""A text in parts that Telegram takes: it counts 4,096 UTF-16 code units, of which an emoji is two."""

LONGEST = 4096

_BREAKS = ("\n\n", "\n", " ")
"""Where a part may end, the best first."""


def split(text: str, limit: int = LONGEST) -> list[str]:
    """The parts, in order; joined they are the text, but for parts of white space alone, which Telegram refuses.

    A word is broken only where it is longer than half a part, a character never.
    """
    parts = []
    rest = text
    while rest:
        end = _fitting(rest, limit)
        if end < len(rest):
            end = _end_of_words(rest, end)
        parts.append(rest[:end])
        rest = rest[end:]
    return [part for part in parts if part.strip()]


def units(text: str) -> int:
    """Its length as Telegram counts: UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def _fitting(text: str, limit: int) -> int:
    """How many of its first characters fit."""
    taken = 0
    for count, character in enumerate(text[: limit + 1]):
        taken += 2 if character > "\uffff" else 1
        if taken > limit:
            return count
    return len(text)


def _end_of_words(text: str, end: int) -> int:
    """The best place at or before `end` to break: after a paragraph, a line or a word, not before half."""
    for mark in _BREAKS:
        found = text.rfind(mark, end // 2, end)
        if found >= 0:
            return found + len(mark)
    return end
