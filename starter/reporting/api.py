"""`GET /api/reports/{period}`: a report as data, CSV, spreadsheet, page or text, for those who answer for the whole."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from starter.admin.desk import Desk, desk_of
from starter.admin.rights import Caller
from starter.http.problems import MEDIA_TYPE, ProblemDocument
from starter.reporting import xlsx_file
from starter.reporting.page import HEADERS
from starter.reporting.periods import read_period
from starter.reporting.report import make_report
from starter.reporting.shapes import Report
from starter.reporting.writing import write

Form = Literal["json", "csv", "xlsx", "html", "text"]
Spoken = Literal["es", "en"]

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": xlsx_file.MEDIA_TYPE,
    "html": "text/html; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    int(status): {
        "description": status.phrase,
        "content": {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
    }
    for status in (
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media.partition(";")[0]: {"schema": {"type": "string"}} for media in MEDIA.values()}}
}

router = APIRouter(prefix="/api/reports", tags=["reports"])


@router.get("/{period}", response_model=Report, responses=REFUSALS | ANSWERS)
def report(
    desk: Annotated[Desk, Depends(desk_of)],
    _actor: Caller,
    response: Response,
    period: Annotated[
        str, Path(max_length=40, description="`2026-03`, `2026Q1`, or `2026-01-15..2026-02-10`.", examples=["2026Q1"])
    ],
    *,
    form: Annotated[Form, Query(alias="format", description="As what.")] = "json",
    language: Annotated[Spoken, Query(description="The language of everything but JSON.")] = "es",
) -> Report | Response:
    """The figures of a month, a quarter or any two days: terms, backlog, reviews, letters. No personal data."""
    wanted = read_period(period)
    with desk.database.read() as session:
        made = make_report(session, desk.policy, wanted, desk.clock())
    response.headers["Cache-Control"] = "no-store"
    if form == "json":
        return made
    headers = {"Cache-Control": "no-store", **HEADERS}
    if form in {"csv", "xlsx"}:
        headers["Content-Disposition"] = f'attachment; filename="report-{made.period}.{form}"'
    return Response(write(made, desk.policy, form, language), media_type=MEDIA[form], headers=headers)
