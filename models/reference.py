"""The reference of an inquiry, such as RX-7KQ4-M2PD: random, easy to read out, and safe against a slip of the pen.

A prefix (policy data), then seven random characters and a check character from an alphabet of 29 without 0, O, 1, I,
L, U and S, which are mistaken for each other or for 5. The weighted sum of all eight is a multiple of 29; since 29 is
prime and the weights 2 to 9 differ, every wrong character and every swap of two characters is found. 29^7 is 17
thousand million references.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from models.errors import UnknownInquiry

ALPHABET = "23456789ABCDEFGHJKMNPQRTVWXYZ"
WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9)
HALF = 4
WORKFLOW_PREFIX = "inquiry/"

_SHAPE = re.compile(rf"[A-Z]{{2,6}}-([{ALPHABET}]{{{HALF}}})-([{ALPHABET}]{{{HALF}}})")
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


class Chooser(Protocol):
    """What picks the characters: `secrets.SystemRandom()`, or a seeded `random.Random` where it must repeat."""

    def choice(self, seq: Sequence[str], /) -> str:
        """Pick one."""


def new_reference(prefix: str, random: Chooser) -> str:
    """Make a new reference. It may exist already: whoever stores it asks for another then."""
    body = "".join(random.choice(ALPHABET) for _ in WEIGHTS[:-1])
    check = next(character for character in ALPHABET if _sum(body + character) == 0)
    return f"{prefix}-{body[:HALF]}-{body[HALF:]}{check}"


def is_reference(text: str) -> bool:
    """Say whether the text is exactly a reference as we write them, check character included."""
    shape = _SHAPE.fullmatch(text)
    return shape is not None and _sum(shape[1] + shape[2]) == 0


def find_references(text: str, prefix: str) -> tuple[str, ...]:
    """Return the references with that prefix in a text, each once, in their order.

    People write them in small letters, with a space, an en dash or nothing in between; the check character keeps out
    what only looks like one.
    """
    between = r"[ \u2010-\u2015\u2212-]?"
    half = rf"([{ALPHABET}]{{{HALF}}})"
    pattern = rf"(?<![A-Z0-9]){re.escape(prefix)}{between}{half}{between}{half}(?![A-Z0-9])"
    found = (
        f"{prefix}-{match[1]}-{match[2]}".upper()
        for match in re.finditer(pattern, text, flags=re.IGNORECASE | re.ASCII)
    )
    return tuple(dict.fromkeys(reference for reference in found if is_reference(reference)))


def workflow_id(reference: str) -> str:
    """Return the id of the inquiry's workflow: `inquiry/<reference>`."""
    return WORKFLOW_PREFIX + reference


def reference_of(workflow: str) -> str:
    """Return the reference in a workflow's id; UnknownInquiry when it is not an inquiry's."""
    reference = workflow.removeprefix(WORKFLOW_PREFIX)
    if reference == workflow or not is_reference(reference):
        raise UnknownInquiry(f"{workflow[:80]!r} is not the id of an inquiry: {WORKFLOW_PREFIX}<reference>")
    return reference


def _sum(body: str) -> int:
    return sum(weight * _VALUES[character] for weight, character in zip(WEIGHTS, body, strict=True)) % len(ALPHABET)
