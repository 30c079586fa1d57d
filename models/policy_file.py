"""A file of the policy: TOML, read strictly, whose mistakes are named with file, dotted key and line.

`tomllib` keeps no positions, so the line of a mistake is found by scanning the text for its section and key.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from models.errors import PolicyError
from models.inquiry import Language

Text = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^\s/]$", max_length=300)]
Email = Annotated[str, StringConstraints(pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$", max_length=254)]

HEADER = re.compile(r"^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
KEY = re.compile(r"^\s*([A-Za-z0-9_.\"' -]+?)\s*=")
ELEMENT = re.compile(r"^\s*\{")
TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)$")

KeyPath = Sequence[str | int]


class Section(BaseModel):
    """A part of a policy file: unknown keys are refused, nothing is coerced, and what is read never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Bilingual(Section):
    """A short text in Spanish and English."""

    es: Text
    en: Text

    def text(self, language: Language) -> str:
        """Return it in that language; both, Spanish first, when the language is uncertain (reading 12)."""
        if language is Language.BOTH:
            return f"{self.es} / {self.en}"
        return self.en if language is Language.EN else self.es


S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class PolicyFile:
    """The text of one file and what TOML makes of it."""

    name: str
    text: str
    data: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "PolicyFile":
        """Read a file; PolicyError when it is missing, is not UTF-8 or is not TOML."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
            raise PolicyError(str(path), f"{reason}; put the file there or name another policy folder") from error
        try:
            return cls(str(path), text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            found = TOML_LINE.search(str(error))
            line = int(found[1]) if found else len(text.splitlines())
            raise PolicyError(str(path), f"is not TOML: {error}", line=line) from error

    def parse(self, model: type[S], context: object = None) -> S:
        """Make the model of the file's data; the first mistake of the file, by line, is raised as PolicyError."""
        document = json.dumps(self.data, default=str)
        try:
            return model.model_validate_json(document, context=context)
        except ValidationError as error:
            # What is missing was often misspelt: the misspelling is the mistake to show first, and it has a line.
            first = min(error.errors(), key=lambda each: (each["type"] == "missing", self.line_of(each["loc"])))
            raise self.mistake(first["loc"], _say(first["type"], first["msg"], first["input"])) from error

    def mistake(self, path: KeyPath, problem: str) -> PolicyError:
        """Make the error for a mistake at a path of keys and list positions."""
        path = [part for part in path if part != "[key]"]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
        return PolicyError(self.name, problem, key=key, line=self.line_of(path))

    def line_of(self, path: KeyPath) -> int:
        """Return the 1-based line of the longest part of the path that is written down; 1 when none is."""
        places = self._places()
        for end in range(len(path), 0, -1):
            line = places.get(tuple(path[:end]))
            if line is not None:
                return line
        return 1

    def _places(self) -> dict[tuple[str | int, ...], int]:
        """Every header, key and list element of the file with its line; elements that are inline tables are counted."""
        places: dict[tuple[str | int, ...], int] = {}
        tables: dict[tuple[str | int, ...], int] = {}
        section: tuple[str | int, ...] = ()
        key: tuple[str | int, ...] = ()
        elements = 0
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := HEADER.match(line):
                section = key = _split(header[1])
                if line.lstrip().startswith("[["):
                    count = tables.get(section, 0)
                    tables[section] = count + 1
                    section = (*section, count)
                places.setdefault(section, number)
            elif ELEMENT.match(line):
                places.setdefault((*key, elements), number)
                elements += 1
            elif found := KEY.match(line):
                key, elements = (*section, *_split(found[1])), 0
                places.setdefault(key, number)
        return places


def _split(dotted: str) -> tuple[str | int, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _say(kind: str, message: str, value: object) -> str:
    if kind == "extra_forbidden":
        return "unknown key; remove it or mend its spelling"
    if kind == "missing":
        return "is missing; every setting stands in the file, so add it"
    return f"{message[0].lower()}{message[1:]}; the file says {value!r:.80}"
