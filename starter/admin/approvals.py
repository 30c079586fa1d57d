"""Approval of the letters' words by somebody who signed in: `approved.toml` says who approved, the audit log proves it.

What lies in the policy's folder is written where the policy is kept, by whoever may write there. That compliance has
approved exactly these words is shown by a line of the audit log, which only a key or a token of theirs can make.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

from fastapi import APIRouter
from pydantic import AwareDatetime, Field
from sqlmodel import Session

from activities.letters.approvals import Sha256, Template
from activities.letters.survey import Line, survey
from models.tables import AuditLine
from records import audit
from records.audit import Outcome
from starter.admin.api import COMMANDING, READING, Here, private
from starter.admin.bodies import Body
from starter.admin.rights import Caller
from starter.admin.views import View
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem

APPROVED = "letter.approve"
"""The audit line of a text that somebody with the right has approved: on the template, with the text's SHA-256."""

MOST = 500


class Text(NamedTuple):
    """One text of a template."""

    template: str
    sha256: str


class ApprovedText(Body):
    """One text of a template, as `GET /api/letters` names it."""

    template: Template
    sha256: Sha256


class ApprovalsBody(Body):
    """The texts that somebody has read and approves."""

    texts: tuple[ApprovedText, ...] = Field(min_length=1, max_length=MOST)


class TemplateView(View):
    """One template: the text that production writes with, and whose approval of it is proved.

    `standing`: "approved", "changed since" or "new". `sha256`, `version`, `by` and `at` are what the policy's list says
    of the text in use, empty for a new one; `proved_by` and `proved_at` are who approved it signed in.
    """

    template: str
    standing: str
    version: str
    sha256: str
    by: str
    at: AwareDatetime | None
    proved_by: str
    proved_at: AwareDatetime | None


class TemplatesView(View):
    """All templates, letters before what colleagues are told."""

    items: tuple[TemplateView, ...]


router = APIRouter(prefix="/api/letters", tags=["letters"], route_class=PlainJsonRoute, dependencies=[private])


@router.get("", responses=READING)
def templates(desk: Here, _actor: Caller) -> TemplatesView:
    """Every template, the text of it that is in use, and who has approved that."""
    lines = list(survey(desk.settings.policy))
    with desk.database.read() as session:
        return _shown(lines, proofs(session, lines))


@router.post("/approvals", responses=COMMANDING)
def approve(desk: Here, actor: Caller, body: ApprovalsBody) -> TemplatesView:
    """Approve texts that are in use; what was approved before stays as it was."""
    lines = list(survey(desk.settings.policy))
    used = {_in_use(line) for line in lines}
    for text in body.texts:
        if Text(text.template, text.sha256) not in used:
            words = f"that is not the text of {text.template} that is in use; see GET /api/letters"
            raise Problem(HTTPStatus.CONFLICT, "letter.other-text", words, field="texts")
    now = desk.clock()
    with desk.database.write() as session:
        known = proofs(session, lines)
        for text in body.texts:
            if Text(text.template, text.sha256) not in known:
                audit.note(session, now, actor.id, APPROVED, text.template, Outcome.DONE, text.sha256)
    with desk.database.read() as session:
        return _shown(lines, proofs(session, lines))


def proofs(session: Session, lines: list[Line]) -> Mapping[Text, AuditLine]:
    """The first approval of each text by somebody who signed in."""
    found: dict[Text, AuditLine] = {}
    for line in audit.done(session, APPROVED, [line.source.template for line in lines]):
        found.setdefault(Text(line.object, line.detail), line)
    return found


def unproved(lines: list[Line], known: Mapping[Text, AuditLine]) -> list[str]:
    """The templates whose text in use nobody has approved signed in."""
    return [text.template for line in lines if (text := _in_use(line)) and text not in known]


def _in_use(line: Line) -> Text | None:
    return Text(line.last.template, line.last.sha256) if line.last else None


def _shown(lines: list[Line], known: Mapping[Text, AuditLine]) -> TemplatesView:
    return TemplatesView(items=tuple(_view(line, known) for line in lines))


def _view(line: Line, known: Mapping[Text, AuditLine]) -> TemplateView:
    last, text = line.last, _in_use(line)
    proof = known.get(text) if text else None
    return TemplateView(
        template=line.source.template,
        standing=line.standing.value,
        version=last.version if last else "",
        sha256=last.sha256 if last else "",
        by=last.by if last else "",
        at=last.at if last else None,
        proved_by=proof.actor if proof else "",
        proved_at=proof.at if proof else None,
    )
