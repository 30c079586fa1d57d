"""`/api/quality/{month}`: a month's sample of final answers, and the verdicts that supervisors and compliance give."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from models.causes import CodeWord
from models.errors import Malformed, Refused
from models.quality import Verdict, lacking
from records import verdicts
from starter.admin.api import COMMANDING, READING, Here, Reference, private
from starter.admin.bodies import Body, Short
from starter.admin.case_views import checked
from starter.admin.rights import Caller, Sight, turned_down
from starter.http.plain_json import PlainJsonRoute
from starter.http.problems import Problem
from starter.reporting.quality import Month, QualityView, Review, SampledView

router = APIRouter(prefix="/api/quality", tags=["quality"], route_class=PlainJsonRoute, dependencies=[private])

Name = Annotated[str, Path(max_length=10, description="A month that is over.", examples=["2026-03"])]


class CriterionBody(Body):
    """Whether the answer meets a criterion; a no wants its remark."""

    good: bool
    remark: Short | None = None


class VerdictBody(Body):
    """A verdict: each criterion of the policy, once."""

    verdicts: dict[CodeWord, CriterionBody] = Field(max_length=20, examples=[{"clear": {"good": True}}])


@router.get("/{month}", responses=READING)
def month_sample(desk: Here, _actor: Caller, eyes: Sight, month: Name) -> QualityView:
    """Show the sample of a month's final answers, the verdicts on them, and the figures of each area."""
    wanted = Month.read(month, desk.policy, desk.clock())
    with desk.database.read() as session:
        return Review(session, desk.policy, wanted, eyes).view()


@router.post("/{month}/{reference}", responses=COMMANDING)
def judge(  # noqa: PLR0917  what FastAPI hands in by name
    desk: Here, actor: Caller, eyes: Sight, month: Name, reference: Reference, body: VerdictBody
) -> SampledView:
    """Say of an answer in the sample whether it meets each criterion. The newest verdict counts, the former stay."""
    now, of = desk.clock(), checked(reference)
    wanted = Month.read(month, desk.policy, now)
    said = {name: Verdict(one.good, one.remark or "") for name, one in body.verdicts.items()}
    if missing := lacking(desk.policy.quality.criteria, said):
        first = missing[0]
        words = f"{first.field}: {first.detail}"
        raise Malformed("quality.verdicts", words, field=first.field, missing=tuple(missing))
    with desk.database.write() as session:
        answer = Review(session, desk.policy, wanted, eyes).sample.get(of)
        if answer is None:
            raise Problem(HTTPStatus.NOT_FOUND, "quality.not-sampled", "that answer is not in the month's sample")
        own = actor.id in {answer.by, answer.approved_by}
        if not own:
            version = desk.policy.quality.version
            verdicts.note(session, answer, said, by=actor.id, at=now, version=version)
            return Review(session, desk.policy, wanted, eyes).show(answer)
    turned_down(desk, actor, "quality.judge", of, "quality.own")
    raise Refused("quality.own", "nobody judges an answer that they gave or approved")
