"""Approving templates: checked together as production would write with them, then kept."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from activities.letters import memos, rendering
from activities.letters.approvals import Approval, Approvals, Standing
from activities.letters.files import Sources
from activities.letters.memos import Memos
from activities.letters.survey import FOLDERS, Line, waiting
from models.errors import PolicyError, Refused
from models.inquiry import ActorId


def approve(policy: Path, lines: Collection[Line], *, by: ActorId, at: datetime, remark: str) -> list[Approval]:
    """Approve those of the templates that are not approved as they stand; `at` is aware UTC.

    Raises Refused for words that changed under an old version, and PolicyError where production could not write with
    what would be approved then: nothing is approved. PolicyError too where the approvals cannot be written.
    """
    wanted = [line for line in lines if line.standing is not Standing.APPROVED]
    for line in wanted:
        last = line.last
        if last and last.version and last.version == line.source.version:
            raise Refused(
                "letters.version",
                f"{line.source.path}: changed since version {last.version} was approved; raise `version` in its header",
                field="version",
            )
    _check(policy, wanted)
    try:
        return [line.approvals.add(line.source, by=by, at=at, remark=remark) for line in wanted]
    except OSError as error:
        raise PolicyError(
            str(policy), f"cannot be written ({error.strerror}); approve where the policy is kept, then deploy it"
        ) from error


def _check(policy: Path, wanted: Collection[Line]) -> None:
    """Read what would be approved then. Raises PolicyError."""
    letters, staff = (_then(policy / folder, wanted) for folder in (rendering.FOLDER, memos.FOLDER))
    Memos(staff)
    templates = rendering.checked(letters)
    left = {line.source.template for line in waiting(policy)} - {line.source.template for line in wanted}
    for source in (line.source for line in wanted if line.source.name in letters[line.source.language]):
        for fragment in templates[source.language].includes(source.name):
            if f"{fragment}.{source.language}" in left:
                problem = f"includes {fragment}, which waits for approval itself; read and approve both"
                raise source.mistake(problem, key=fragment)


def _then(folder: Path, wanted: Collection[Line]) -> Sources:
    """The approved texts of a folder, and those that are to be."""
    sources = Approvals.read(folder).sources(name for name, _ in FOLDERS[folder.name])
    for line in wanted:
        if line.approvals.folder == folder:
            sources[line.source.language][line.source.name] = line.source
    return sources
