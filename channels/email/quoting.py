"""A reply without what it quotes. The original is always kept beside it, so cutting too much loses nothing."""

import re

import quotequail

_LONGEST_LINE = 300
"""A line that introduces a quotation is short; longer ones are not shown to the patterns, which are not linear."""

_LOOKED_AT = 500
"""Lines in which a quotation is looked for; a letter whose own part is longer stays whole."""

_DELIMITER = re.compile(
    r"^[>\s#*_-]*(?:escriba|responda|conteste)\s+(?:sobre|por encima de|arriba de)\s+esta\s+l[ií]nea"
    r"|^[>\s#*_-]*(?:please\s+)?(?:reply|write|type)\s+above\s+this\s+line",
    re.IGNORECASE,
)
_HEADER_OF_QUOTED = re.compile(
    r"^\*?(?:de|from|enviado(?: el)?|sent|fecha|date|para|to|asunto|subject|cc)\s*:\*?\s*\S", re.IGNORECASE
)
_INTRODUCTION = re.compile(
    r"^(?:el|on)\s.{5,250}(?:escribi[oó]|wrote)\s*:$|^.{0,200}<[^<>\s]{1,150}>\s*(?:escribi[oó]|wrote)\s*:$",
    re.IGNORECASE,
)


def cut_quoted(text: str) -> str:
    r"""The sender's own words of `text` (with `\n` line ends), or all of it where nothing but a quotation would be cut.

    Cuts at our own delimiter line, at what the mail programs write before a quotation in Spanish, English and other
    languages, and at the headers Outlook copies. Lines answered between or below quoted ones (`>`) stay.
    """
    lines = text.split("\n")
    cut = _first_cut(lines)
    if cut is None:
        return "\n".join(line for line in lines if not line.startswith(">")).strip() or text.strip()
    own = lines[:cut]
    tail = _after_introduction(lines[cut:])
    if any(line.startswith(">") for line in tail):
        own += [line for line in tail if not line.startswith(">") and not _opens_quotation(line)]
    kept = "\n".join(own).strip()
    return kept or text.strip()


def _first_cut(lines: list[str]) -> int | None:
    """The number of the first line that belongs to a quotation."""
    lines = lines[:_LOOKED_AT]
    for number, line in enumerate(lines):
        if _DELIMITER.match(line[:_LONGEST_LINE]):
            # A mail program may have put its introduction above our delimiter.
            return _without_introduction(lines, number)
    short = [line if len(line) <= _LONGEST_LINE else "" for line in lines]
    found = [
        number
        for number, line in enumerate(short)
        if _INTRODUCTION.match(line.strip())
        or (line and number + 1 < len(short) and _INTRODUCTION.match(f"{line.strip()} {short[number + 1].strip()}"))
        or (number + 2 < len(short) and all(_HEADER_OF_QUOTED.match(near) for near in short[number : number + 3]))
    ]
    parts = quotequail.quote("\n".join(short), limit=len(short) + 1, quote_intro_line=True)
    if len(parts) > 1:
        found.append(parts[0][1].count("\n") + 1 if parts[0][1] else 0)
    return min(found, default=None)


def _without_introduction(lines: list[str], cut: int) -> int:
    above = cut
    while above and not lines[above - 1].strip():
        above -= 1
    for start in (above - 2, above - 1):
        if start >= 0 and _INTRODUCTION.match(
            " ".join(line.strip() for line in lines[start:above])[: 2 * _LONGEST_LINE]
        ):
            return start
    return cut


def _after_introduction(tail: list[str]) -> list[str]:
    """The lines below what a mail program writes above a quotation: one or two lines, or a few headers."""
    for height in (1, 2):
        if _INTRODUCTION.match(" ".join(line.strip() for line in tail[:height])[: 2 * _LONGEST_LINE]):
            return tail[height:]
    headers = 0
    while headers < len(tail) and _HEADER_OF_QUOTED.match(tail[headers]):
        headers += 1
    return tail[headers:]


def _opens_quotation(line: str) -> bool:
    line = line.strip()[:_LONGEST_LINE]
    return bool(_INTRODUCTION.match(line)) or bool(_DELIMITER.match(line))
