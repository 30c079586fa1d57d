"""What compliance has approved of a folder of templates: `approved.toml`, and every text of it in `approved/`.

The templates in the folder itself are drafts. In production letters are written from the approved texts alone: one that
is changed waits while its last approved text stays in use, so that words nobody approved never leave, and answers that
users are owed leave all the same.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from activities.letters.files import APPROVED, FRAGMENT, LIST, SUFFIX, Pairs, Source, Sources, missing, read_file
from models.errors import PolicyError
from models.inquiry import ActorId, Language
from models.policy_file import PolicyFile, Section

HEAD = """\
# What compliance has approved of the templates beside this file; the texts lie in approved/. `plazo letters approve`
# adds to it. Of one template the last entry holds; earlier ones say what letters were written from. docs/letters.md
"""

Template = Annotated[str, StringConstraints(pattern=r"^_?[a-z]+(_[a-z]+)*\.(es|en)$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Approval(Section):
    """One text that was approved: `by` a colleague's id, `at` aware UTC; fragments have no `version`."""

    template: Template
    version: Annotated[str, StringConstraints(max_length=20)]
    sha256: Sha256
    by: ActorId
    at: AwareDatetime
    remark: Annotated[str, StringConstraints(max_length=500)] = ""

    @property
    def copy_name(self) -> str:
        """The name of the approved text in `approved/`."""
        return f"{self.template}.{self.sha256[:12]}.{SUFFIX}"


class _List(Section):
    approved: tuple[Approval, ...] = ()


class Standing(StrEnum):
    """How a template stands to what was approved."""

    APPROVED = "approved"
    CHANGED = "changed since"
    NEW = "new"


@dataclass(frozen=True)
class Approvals:
    """What was approved of one folder, in order."""

    folder: Path
    entries: tuple[Approval, ...]

    @classmethod
    def read(cls, folder: Path) -> "Approvals":
        """Read the list; nothing is approved where there is none. Raises PolicyError for one that cannot be read."""
        path = folder / LIST
        return cls(folder, PolicyFile.read(path).parse(_List).approved if path.exists() else ())

    def last(self, template: str) -> Approval | None:
        """The approval that holds for a template such as `reply.es`."""
        return next((one for one in reversed(self.entries) if one.template == template), None)

    def standing(self, source: Source) -> Standing:
        """How a draft stands to what was approved of it."""
        last = self.last(source.template)
        if last is None:
            return Standing.NEW
        return Standing.APPROVED if last.sha256 == source.sha256 else Standing.CHANGED

    def source(self, approval: Approval) -> Source:
        """The approved text. Raises PolicyError when it is gone, or is not what was approved."""
        path = self.folder / APPROVED / approval.copy_name
        source = read_file(path, approval.template)
        if source.sha256 != approval.sha256:
            raise source.mistake(f"is not the text that {LIST} says was approved; put it back, or approve it anew")
        return source

    def sources(self, names: Iterable[str]) -> Sources:
        """The approved texts of the letters with these names, and all approved fragments. Raises PolicyError."""
        known = set(names)
        found: Sources = {Language.ES: {}, Language.EN: {}}
        for template in dict.fromkeys(one.template for one in self.entries):
            name, _, language = template.partition(".")
            last = self.last(template)
            if last and (name in known or name.startswith(FRAGMENT)):
                found[Language(language)][name] = self.source(last)
        return found

    def add(self, source: Source, *, by: ActorId, at: AwareDatetime, remark: str) -> Approval:
        """Keep a draft's text and say who approved it. Raises OSError where nothing can be written."""
        approval = Approval(
            template=source.template, version=source.version, sha256=source.sha256, by=by, at=at, remark=remark
        )
        texts, path = self.folder / APPROVED, self.folder / LIST
        texts.mkdir(exist_ok=True)
        # The text first: one that no entry names harms nobody.
        (texts / approval.copy_name).write_bytes(Path(source.path).read_bytes())
        begun = path.exists()
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if begun else HEAD) + _entry(approval))
        return approval


def read_approved(folder: Path, names: Pairs) -> Sources:
    """Read the approved texts of a folder: `names` are wanted. Raises PolicyError for one that is not approved."""
    pairs = tuple(names)
    found = Approvals.read(folder).sources(name for name, _ in pairs)
    for name, language in missing(found, pairs):
        words = f"{name} --language {language.value}"
        raise PolicyError(
            str(folder / f"{name}.{language.value}.{SUFFIX}"),
            "is not approved by compliance, and production writes nothing else; "
            f"read it with `plazo letters show {words}`, then `plazo letters approve {words} --by ID`",
        )
    return found


def _entry(one: Approval) -> str:
    """An entry as TOML; its basic strings are written like those of JSON."""
    fields = {"template": one.template, "version": one.version, "sha256": one.sha256, "by": one.by}
    lines = [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
    lines += [f"at = {one.at.isoformat(timespec='seconds')}", f"remark = {json.dumps(one.remark, ensure_ascii=False)}"]
    return "\n".join(["", "[[approved]]", *lines, ""])
