"""The points that a user raised, as far as a text shows them (M3.8): a proposal for a person, never a decision.

A point is a line of a list, a question, a demand, or a sentence that tells of something gone wrong, in Spanish or
English. Where none is found the beginning of the text is the one point: nobody who wrote something raised nothing.
"""

import re

MOST = 10
"""Points proposed of one message; whoever reads it adds the rest."""
LONGEST = 300
"""Characters of one point; a longer sentence is cut at a word."""
FEWEST_WORDS = 2
LOOKED_AT = 20_000

_BULLET = re.compile(r"^\s*(?:[-*•·\u2013\u2014]|\(?\d{1,2}[.)]|\(?[a-hA-H]\))\s+(?=\S)")
_QUOTED = re.compile(r"^\s*>")
_COURTESY = re.compile(
    r"^\W*(?:hola|buen[oa]s|estimad\w+|señor\w*|saludos|atentamente|gracias|hello|hi|hey|dear|regards|thanks|sincerely)\b"
    r"[^.!?:]{0,40}[,.!]?\s*$",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?…])[\"'”\u2019)]*\s+(?=[\"'“\u2018(¿¡A-ZÁÉÍÓÚÑÜ])")
_WORDS = re.compile(r"[^\W\d_]+")
_BLANKS = re.compile(r"\s+")
_DEMANDS = re.compile(
    r"\b(?:quier[oe]\w*|quisiera|exij\w+|exig\w+|solicit\w+|pid[oe]\w*|pedimos|necesit\w+|espero|reclam\w+|requier\w+|"
    r"devuelv\w+|devolución|reembols\w+|expli(?:qu|c)\w+|responda\w*|por\s+favor|favor\s+de|"
    r"want\w*|demand\w*|request\w*|need\w*|please|refund\w*|reimburs\w*|give\s+(?:me|us)\s+back|get\s+back|pay\s+back|"
    r"would\s+like|expect\w*|insist\w*|must|ask(?:ed|ing)?\s+(?:for|you|them|that)|return\s+(?:my|the|our))\b",
    re.IGNORECASE,
)
_FAULTS = re.compile(
    r"\b(?:no\s+(?:me\s+|se\s+|ha\s+|han\s+)*(?:lleg\w+|funcion\w+|aparec\w+|respond\w+|reconozco|autoric\w+|pued[oe]\w*|"
    r"acredit\w+)|nunca|cobr(?:o|ó|aron|ado)\w*|bloque\w+|congel\w+|rob(?:o|ó|aron|ado)|estaf\w+|fraud\w*|perd(?:í|ido)|"
    r"error\w*|falt(?:a|an|ó)|never|refus\w+|denied|charged|overcharged|stolen|lost|missing|frozen|locked|blocked|wrong|"
    r"unauthori[sz]ed|unable|fail\w*|did(?:\s+not|n['\u2019]t)|(?:has|have)(?:\s+not|n['\u2019]t)|cannot|can['\u2019]t)\b",
    re.IGNORECASE,
)


def propose(text: str) -> tuple[str, ...]:
    """Return the points that a message seems to raise, in its order; none only where it holds no words."""
    sentences = _sentences(text[:LOOKED_AT])
    found = [sentence for sentence, listed in sentences if listed or _asks(sentence)]
    # Who asks for nothing still says what went wrong.
    found = found or [sentence for sentence, _ in sentences if _FAULTS.search(sentence)]
    found = found or [sentence for sentence, _ in sentences][:1]
    once = {folded(sentence): _short(sentence) for sentence in reversed(found)}
    return tuple(reversed(once.values()))[:MOST]


def folded(point: str) -> str:
    """Return the words of a point, the same for two spellings of it."""
    return " ".join(word.casefold() for word in _WORDS.findall(point))


def _asks(sentence: str) -> bool:
    return "?" in sentence or bool(_DEMANDS.search(sentence))


def _sentences(text: str) -> list[tuple[str, bool]]:
    """The sentences that say something, each with whether it stands in a list; lines wrapped by a mailer are joined."""
    found: list[tuple[str, bool]] = []
    blocks = _blocks(text)
    for block, listed in blocks:
        pieces = [block] if listed else _SENTENCES.split(block)
        found += [(one.strip(), listed) for one in pieces if len(_WORDS.findall(one)) >= FEWEST_WORDS]
    return found or [(block, listed) for block, listed in blocks if _WORDS.search(block)]


def _blocks(text: str) -> list[tuple[str, bool]]:
    """Paragraphs and lines of lists; quoted lines are somebody else's."""
    blocks: list[tuple[list[str], bool]] = [([], False)]
    for line in text.splitlines():
        if _BULLET.match(line):
            blocks.append(([_BULLET.sub("", line)], True))
        elif not line.strip() or _QUOTED.match(line) or _COURTESY.match(line):
            blocks.append(([], False))
        elif blocks[-1][1] and not line[0].isspace():
            blocks.append(([line], False))
        else:
            blocks[-1][0].append(line)
    return [(_BLANKS.sub(" ", " ".join(lines)).strip(), listed) for lines, listed in blocks if lines]


def _short(sentence: str) -> str:
    if len(sentence) <= LONGEST:
        return sentence
    return f"{sentence[: LONGEST - 1].rsplit(' ', 1)[0]}…"
