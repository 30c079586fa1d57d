"""Every template of an operator, and how it stands to what compliance has approved."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from activities.letters import memos, rendering
from activities.letters.approvals import Approval, Approvals, Standing
from activities.letters.files import Source, read_folder, wanted

FOLDERS = {rendering.FOLDER: tuple(wanted()), memos.FOLDER: tuple(memos.wanted())}
"""The folders of templates, and which templates are wanted there."""


@dataclass(frozen=True)
class Line:
    """One template as it stands in its folder, and the last approval of it."""

    source: Source
    approvals: Approvals

    @property
    def standing(self) -> Standing:
        """How it stands to what was approved."""
        return self.approvals.standing(self.source)

    @property
    def last(self) -> Approval | None:
        """Its last approval."""
        return self.approvals.last(self.source.template)


def survey(policy: Path) -> Iterator[Line]:
    """Look at all templates of a policy's folder, letters first. Raises PolicyError."""
    for folder, names in FOLDERS.items():
        approvals = Approvals.read(policy / folder)
        found = read_folder(policy / folder, names)
        lines = [Line(source, approvals) for of_language in found.values() for source in of_language.values()]
        yield from sorted(lines, key=lambda line: line.source.template)


def waiting(policy: Path) -> list[Line]:
    """The templates whose words compliance has not approved. Raises PolicyError."""
    return [line for line in survey(policy) if line.standing is not Standing.APPROVED]


def sentence(line: Line) -> str:
    """Say of a template that waits what it means in production."""
    if line.last is None:
        return f"{line.source.path}: new; production writes nothing with it before compliance approves it"
    return f"{line.source.path}: changed since; production writes the text approved on {line.last.at:%Y-%m-%d}"
