"""First guesses about a text, for a person to confirm: its language, and whether it asks or complains (reading 12)."""

import re

from models.inquiry import Kind, Language

_WORD = re.compile(r"[^\W\d_]+")
_LOOKED_AT = 5_000

_SPANISH = frozenset(
    """el los las una unos de del que en por para con mi me su se lo le no es está son fue pero como cuando porque yo
    usted ustedes nosotros hola gracias buenos buenas días tardes cuenta dinero favor quiero puedo tengo desde hasta
    hace muy ya más también sin sobre este esta esto qué cómo cuál cuándo dónde saludos""".split()  # noqa: SIM905 - as words
)
_ENGLISH = frozenset(
    """the of and to in is are was were for with my your you it this that not have has had but how when because i we
    they hello hi thanks thank please account money want can could would from since until been on at an be do does did
    what which where why regards dear their there""".split()  # noqa: SIM905 - a list of words reads best as words
)
_SURE = 2
"""One language must have at least this many words, and this many times the other's, to be believed."""

_COMPLAINS = re.compile(
    r"\b(?:reclam\w*|quej\w*|denunci\w*|estaf\w*|fraud\w*|rob(?:o|aron|ado)|perd(?:í|ido|ida)|bloque\w*|congel\w*|error\w*|"
    r"fall[aóo]\w*|cobr(?:o|aron|ado)\w*|molest\w*|inaceptable|devol\w*|reembols\w*|no\s+(?:me\s+)?(?:llega|llegó|funciona|"
    r"aparece|responden?|reconozco|autoric\w*|puedo)|complain\w*|scam\w*|stolen|lost|missing|frozen|locked|blocked|wrong|"
    r"unauthori[sz]ed|refund\w*|unacceptable|fail\w*|broken|never\s+(?:arrived|received)|"
    r"(?:not|n['\u2019]t)\s+(?:work\w*|receiv\w*|arriv\w*|authori\w*|recogni\w*|respond\w*)|cannot|can['\u2019]t|dispute\w*)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:cómo|como\s+puedo|cuál(?:es)?|cuánto|cuándo|dónde|qué|consulta|pregunta|quisiera\s+saber|"
    r"how|what|which|when|where|question|wondering|could\s+you\s+tell)\b",
    re.IGNORECASE,
)


_LONGEST_QUESTION = 600
"""Characters: whoever writes more tells what happened, and what is unclear is a complaint."""


_LONGEST_THANKS = 80
_THANKS = re.compile(
    r"(?:\W|\b(?:ok(?:ay)?|vale|listo|perfecto|excelente|recibido|much[ao]s|mil|gracias|muy|amables?|por|todo|su|ayuda|respuesta|"
    r"thanks?|thank|you|very|much|so|a|lot|great|perfect|for|your|the|help|answer)\b)+",
    re.IGNORECASE,
)


def language_of(text: str) -> Language | None:
    """Spanish or English by their commonest words; None where neither clearly leads."""
    words = [word.lower() for word in _WORD.findall(text[:_LOOKED_AT])]
    spanish = sum(word in _SPANISH for word in words)
    english = sum(word in _ENGLISH for word in words)
    if spanish >= _SURE and spanish >= _SURE * english:
        return Language.ES
    if english >= _SURE and english >= _SURE * spanish:
        return Language.EN
    return None


def kind_of(text: str) -> Kind:
    """An inquiry only where something is clearly asked and nothing complained of; else a complaint (reading 12)."""
    if len(text.strip()) > _LONGEST_QUESTION:
        return Kind.COMPLAINT
    looked_at = text[:_LOOKED_AT]
    asks = ("?" in looked_at or "¿" in looked_at) and _ASKS.search(looked_at)
    return Kind.INQUIRY if asks and not _COMPLAINS.search(looked_at) else Kind.COMPLAINT


def thanks(text: str) -> bool:
    """Whether a text says thank you, and nothing else that could need an answer."""
    return len(text) <= _LONGEST_THANKS and bool(_THANKS.fullmatch(text.strip()))
