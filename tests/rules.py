"""The rules of the manual as docs/manual.md lists them: the one place that says what is kept and what is open."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MANUAL = Path(__file__).parents[1] / "docs" / "manual.md"

_HEADING = re.compile(r"^### (M\d+\.\d+) · (\w+)$", re.MULTILINE)
_PART = re.compile(r"^\*\*(Rule|Kept by|Shown by|Open)\.?\*\* ?", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")
_SETTING = re.compile(r"^\| `([a-z_]+(?:\.[a-z_]+)+)` \| (?:`([^`]+)`|[^|`]+) \|", re.MULTILINE)


class State(StrEnum):
    """How far a rule is kept."""

    KEPT = "kept"
    PARTLY = "partly"
    OPEN = "open"


@dataclass(frozen=True)
class Rule:
    """One rule: its text in our words, the tests named for it, and what is still missing."""

    id: str
    state: State
    text: str
    shown: tuple[str, ...]
    open: str

    @property
    def promised(self) -> bool:
        """Whether a test must show it."""
        return self.state is not State.OPEN


def read_rules(text: str) -> list[Rule]:
    """Read the rules of the manual, in order. Raises ValueError for a state that does not exist."""
    pieces = _HEADING.split(text)[1:]
    return [_rule(*pieces[at : at + 3]) for at in range(0, len(pieces), 3)]


def read_settings(text: str) -> dict[str, str]:
    """The settings that the manual's tables name, each with its default as TOML; empty where it is told in words."""
    return {match[1]: match[2] or "" for match in _SETTING.finditer(text)}


def _rule(name: str, state: str, body: str) -> Rule:
    body = re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0]
    split = _PART.split(body)
    parts = {title: " ".join(words.split()) for title, words in zip(split[1::2], split[2::2], strict=True)}
    return Rule(
        id=name,
        state=State(state),
        text=parts.get("Rule", ""),
        shown=tuple(_TEST.findall(parts.get("Shown by", ""))),
        open=parts.get("Open", ""),
    )
