"""Problem documents (RFC 9457): the one shape in which every refusal of the HTTP interfaces is told.

`type` is `urn:plazo:problem:<code>`; `code` is the stable name of the refusal, `field` the offending field and `rule`
the manual's rule where there is one. What a caller sent is never repeated: it may hold personal data.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from models.errors import (
    EngineUnavailable,
    Malformed,
    Missing,
    PlazoError,
    RecordsUnavailable,
    Refused,
    Stale,
    UnknownInquiry,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 5
"""Seconds after which a caller may ask again while the database or Temporal is away."""

UNPROCESSABLE = frozenset({"date.absurd", "idempotency.other-request", "idempotency.reused"})
"""Refusals that lie in the request alone and not in how the case stands."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Fault(BaseModel):
    """One of several things that are wrong or missing."""

    field: str = Field(examples=["points.0.why"])
    detail: str = Field(examples=["a point that is rejected wants it"])
    rule: str | None = Field(default=None, examples=["M3.9"])


class ProblemDocument(BaseModel):
    """The body of every refusal (RFC 9457), as OpenAPI shows it."""

    type: str = Field(examples=["urn:plazo:problem:extension.not-a-complaint"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["only a complaint's term can be extended; reclassify it first"])
    code: str = Field(examples=["extension.not-a-complaint"])
    field: str | None = Field(default=None, examples=["until"])
    rule: str | None = Field(default=None, examples=["M3.5"])
    errors: tuple[Fault, ...] | None = Field(default=None, description="Every fault, where there is more to say.")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Say in a route's `responses` that it may refuse with these statuses."""
    content = {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in map(int, statuses)}


class Problem(HTTPException):
    """A refusal on its way to the caller."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        field: str = "",
        rule: str = "",
        headers: Mapping[str, str] | None = None,
        missing: Sequence[Missing] = (),
    ) -> None:
        """Say which status, under which stable name, in which words, and where."""
        super().__init__(status, detail, dict(headers or {}))
        self.code, self.text, self.field, self.rule, self.missing = code, detail, field, rule, missing

    def response(self) -> Response:
        """The answer that tells it."""
        status = HTTPStatus(self.status_code)
        document = ProblemDocument(
            type=f"urn:plazo:problem:{self.code}",
            title=status.phrase,
            status=status,
            detail=self.text,
            code=self.code,
            field=self.field or None,
            rule=self.rule or None,
            errors=faults(self.missing) or None,
        )
        headers = {"Cache-Control": "no-store", **(self.headers or {})}
        return JSONResponse(document.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def problem_of(error: PlazoError) -> Problem:
    """Say over HTTP what an error of the tree means."""
    match error:
        case Stale():
            status = HTTPStatus.PRECONDITION_FAILED
        case Malformed():
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        case Refused():
            status = HTTPStatus.UNPROCESSABLE_ENTITY if error.code in UNPROCESSABLE else HTTPStatus.CONFLICT
        case UnknownInquiry():
            return Problem(HTTPStatus.NOT_FOUND, "inquiry.unknown", "no inquiry bears that reference")
        case RecordsUnavailable():
            return _away("records.unavailable", "the records database does not answer")
        case EngineUnavailable():
            return _away("engine.unavailable", "Temporal does not answer")
        case _:
            log.error("web.failed", error=type(error).__name__)
            return _broken()
    return Problem(status, error.code, error.detail, field=error.field, rule=error.rule, missing=error.missing)


def faults(missing: Sequence[Missing]) -> tuple[Fault, ...]:
    """Show what is missing, one by one."""
    return tuple(Fault(field=one.field, detail=one.detail, rule=one.rule or None) for one in missing)


def malformed(code: str, error: ValidationError, *above: str) -> Malformed:
    """Say which field of a body its shape refuses first, and why; `above` names where in the request it stands."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    missing = tuple(_fault((*above, *one["loc"]), one["msg"]) for one in found)
    first = missing[0]
    words = f"{first.field or 'body'}: {first.detail}"
    return Malformed(code, words[:300], field=first.field, missing=missing)


def _fault(path: Iterable[object], message: str) -> Missing:
    return Missing(".".join(map(str, path))[:60], message.removeprefix("Value error, ")[:300])


def install_problems(app: FastAPI) -> None:
    """Make every refusal of the application a problem document, those of the framework included."""

    @app.exception_handler(StarletteHTTPException)
    async def told(_request: Request, error: StarletteHTTPException) -> Response:
        if isinstance(error, Problem):
            return error.response()
        status = HTTPStatus(error.status_code)
        code = f"http.{status.phrase.lower().replace(' ', '-')}"
        return Problem(status, code, str(error.detail), headers=error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def misread(_request: Request, error: RequestValidationError) -> Response:
        return _misread(error.errors()).response()

    @app.exception_handler(PlazoError)
    async def refused(_request: Request, error: PlazoError) -> Response:
        return problem_of(error).response()

    @app.exception_handler(Exception)
    async def broken(_request: Request, _error: Exception) -> Response:
        return _broken().response()


def _misread(errors: Any) -> Problem:
    missing = [_fault(_within(one["loc"]), one["msg"]) for one in errors]
    first = missing[0]
    words = f"{first.field or errors[0]['loc'][0]}: {first.detail}"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(status, "request.malformed", words[:300], field=first.field, missing=missing)


def _within(place: Sequence[object]) -> Sequence[object]:
    return place[1:] if place[0] in {"body", "query", "path", "header"} else place


def _away(code: str, what: str) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        code,
        f"{what}; ask again later, the same Idempotency-Key is safe to send again",
        headers={"Retry-After": str(RETRY_AFTER)},
    )


def _broken() -> Problem:
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "something failed on our side; the log says what")
