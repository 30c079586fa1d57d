"""The taxonomy: why users come to us, by theme and cause, so that final answers can be counted by it (M3.11).

It is policy data with a version. What a text seems to be about is proposed with the lines of words that say so; whoever
answers decides.
"""

from collections.abc import Iterable
from typing import NamedTuple

from models.causes import CauseCode, CodeWord, NamedCause
from models.errors import Refused
from models.inquiry import Outcome
from models.policy_file import Bilingual, Section, Text
from models.wording import sentences, standing

MOST_PROPOSED = 3


class Cause(Bilingual):
    """What went wrong, or was asked for, in both languages; `words` are lines that tell of it (`models.wording`)."""

    words: tuple[Text, ...] = ()


class Theme(Section):
    """What a matter is about: a product, or a side of our service."""

    label: Bilingual
    causes: dict[CodeWord, Cause]


class ProposedCause(NamedTuple):
    """A cause that words speak for: the lines of the policy that stand in them."""

    code: CauseCode
    because: tuple[str, ...]


class Taxonomy(Section):
    """`[taxonomy]`: the outcomes whose final answer must name its cause, and the themes with their causes."""

    version: Text
    required: tuple[Outcome, ...]
    themes: dict[CodeWord, Theme]

    @property
    def causes(self) -> dict[CauseCode, Cause]:
        """Every cause by its whole code, in the file's order."""
        return {f"{theme}.{name}": cause for theme, one in self.themes.items() for name, cause in one.causes.items()}

    def named(self, code: CauseCode) -> NamedCause:
        """Return a cause as answers name it. Raises Refused with the list for a code that is not in it."""
        if code not in self.causes:
            raise Refused("cause.unknown", f"one of {', '.join(self.causes)} is needed", field="cause", rule="M3.11")
        return NamedCause(code=code, taxonomy=self.version)

    def propose(self, texts: Iterable[str]) -> tuple[ProposedCause, ...]:
        """Return the causes that most lines speak for, at most three; ties in the file's order."""
        said = [sentence for text in texts for sentence in sentences(text)]
        found = [ProposedCause(code, tuple(standing(said, cause.words))) for code, cause in self.causes.items()]
        spoken = [one for one in found if one.because]
        return tuple(sorted(spoken, key=lambda one: -len(one.because))[:MOST_PROPOSED])
