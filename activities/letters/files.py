"""The template files of one policy as they are written: `letters/<kind>.<language>.letter`.

A file is a header (`version`, `name`, `subject`), a line `---`, and a body. Fragments, `_<name>.<language>.letter`,
have no header; bodies include them. Every mistake is a PolicyError with file and line.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from activities.letters.fields import POINTER
from activities.letters.markup import CLOSE, OPEN
from models.errors import PolicyError
from models.inquiry import Language
from models.letters import LetterKind

SUFFIX, FRAGMENT = "letter", "_"
LIST, APPROVED = "approved.toml", "approved"
"""What compliance approved: the list, and the folder with the texts (`activities.letters.approvals`)."""

FILE = re.compile(rf"(_?[a-z]+(?:_[a-z]+)*)\.(es|en)\.{SUFFIX}")
VERSION = re.compile(r"[0-9]+(\.[0-9]+){1,2}")
HEADER = ("version", "name", "subject")


@dataclass(frozen=True)
class Source:
    """One file as it was read: the header's keys with their lines; `body` keeps the file's line numbers.

    `template` is its name with the language, such as `reply.es`; `sha256` that of the file's bytes.
    """

    template: str
    path: str
    sha256: str
    header: dict[str, tuple[int, str]]
    body: str
    body_line: int

    @property
    def name(self) -> str:
        """Its name without the language."""
        return self.template.partition(".")[0]

    @property
    def language(self) -> Language:
        """The language it is in."""
        return Language(self.template.partition(".")[2])

    @property
    def is_fragment(self) -> bool:
        """True for a part that letters include."""
        return self.name.startswith(FRAGMENT)

    @property
    def version(self) -> str:
        """The version that the header names; fragments have none."""
        return "" if self.is_fragment else self.header["version"][1]

    def mistake(self, problem: str, *, key: str = "", line: int = 1) -> PolicyError:
        """Make the error for a mistake in this file."""
        return PolicyError(self.path, problem, key=key, line=line)


Sources = dict[Language, dict[str, Source]]
"""What was read, by language and name."""

Pairs = Iterable[tuple[str, Language]]


def wanted() -> Iterator[tuple[str, Language]]:
    """The templates there must be: every kind in both languages, but the authority is written to in Spanish."""
    for name in (*LetterKind, POINTER):
        yield str(name), Language.ES
        if name is not LetterKind.AUTHORITY_REPLY:
            yield str(name), Language.EN


def read_folder(folder: Path, names: Pairs) -> Sources:
    """Read all files of a folder: `names` are wanted. Raises PolicyError for a stray, unreadable or missing one."""
    pairs = tuple(names)
    if not folder.is_dir():
        raise PolicyError(str(folder), "is no folder; put the letters of the policy there")
    found: Sources = {Language.ES: {}, Language.EN: {}}
    known = {name for name, _ in pairs}
    for path in sorted(one for one in folder.iterdir() if one.name not in {LIST, APPROVED}):
        match = FILE.fullmatch(path.name)
        if match is None or not (match[1].startswith(FRAGMENT) or match[1] in known):
            raise PolicyError(
                str(path), f"is no letter of any kind; name it <kind>.<es or en>.{SUFFIX} or take it away"
            )
        found[Language(match[2])][match[1]] = read_file(path, f"{match[1]}.{match[2]}")
    for name, language in missing(found, pairs):
        path = folder / f"{name}.{language.value}.{SUFFIX}"
        raise PolicyError(str(path), "is missing; every letter has its file, so write it")
    return found


def missing(found: Sources, names: Pairs) -> Iterator[tuple[str, Language]]:
    """Which of the templates that are wanted were not found."""
    return ((name, language) for name, language in names if name not in found[language])


def read_file(path: Path, template: str) -> Source:
    """Read one file of a template, wherever it lies. Raises PolicyError."""
    try:
        content = path.read_bytes()
        lines = content.decode().replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise PolicyError(str(path), f"{reason}; mend the file") from error
    for number, line in enumerate(lines, 1):
        if OPEN in line or CLOSE in line:
            raise PolicyError(str(path), "holds a character of the private use area; take it out", line=number)
    digest = hashlib.sha256(content).hexdigest()
    if template.startswith(FRAGMENT):
        return Source(template, str(path), digest, {}, "\n".join(lines), 1)
    return _split(path, template, digest, lines)


def _split(path: Path, template: str, digest: str, lines: list[str]) -> Source:
    """Part the header from the body; empty lines stand in its place, so that the body's lines keep their numbers."""
    header: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() == "---":
            body = "\n" * number + "\n".join(lines[number:])
            source = Source(template, str(path), digest, header, body, number + 1)
            return _check_header(source)
        key, colon, value = (part.strip() for part in line.partition(":"))
        if key not in HEADER or not colon or not value or key in header:
            raise PolicyError(
                str(path), f"the header wants one `key: value` each of {', '.join(HEADER)}", key=key, line=number
            )
        header[key] = number, value
    raise PolicyError(str(path), "has no line `---` between its header and its body; add it", line=len(lines))


def _check_header(source: Source) -> Source:
    for key in HEADER:
        if key not in source.header:
            raise source.mistake(f"is missing; the header names {', '.join(HEADER)}", key=key)
    line, version = source.header["version"]
    if not VERSION.fullmatch(version):
        raise source.mistake(f"expected a version like 1.0, not {version!r}", key="version", line=line)
    return source
