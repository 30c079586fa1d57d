"""`GET /api/reports/{period}`: who may read, in which form, and what is refused."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from models.inquiry import Role
from models.rights import RIGHTS
from records.database import Database
from starter.http.problems import install_problems
from starter.reporting.api import router
from starter.reporting.shapes import Report
from tests.api.world import make_keys
from tests.cases import policy
from tests.reporting.conftest import LATER

READERS = RIGHTS["report.read"]


@pytest.fixture
async def http(peopled: Database) -> AsyncIterator[AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.include_router(router)
    app.state.desk = SimpleNamespace(database=peopled, policy=policy(), clock=lambda: LATER)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://plazo.test") as client:
        yield client


@pytest.fixture
def secrets(peopled: Database) -> dict[Role, str]:
    return make_keys(peopled)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def test_supervisors_compliance_and_auditors_read_and_nobody_else(
    http: AsyncClient, secrets: dict[Role, str]
) -> None:
    for role, secret in secrets.items():
        answer = await http.get("/api/reports/2026Q1", headers=bearer(secret))
        assert answer.status_code == (200 if role in READERS else 403), role
    assert set(secrets) - READERS == {Role.AGENT, Role.REPRESENTATIVE, Role.INTAKE}
    refused = await http.get("/api/reports/2026Q1", headers=bearer(secrets[Role.AGENT]))
    assert refused.json()["code"] == "report.role"
    assert (await http.get("/api/reports/2026Q1")).status_code == 401


@pytest.mark.parametrize("period", ["2026-02", "2026Q1", "2026-01-15..2026-02-10"])
async def test_a_month_a_quarter_and_any_two_days(http: AsyncClient, secrets: dict[Role, str], period: str) -> None:
    answer = await http.get(f"/api/reports/{period}", headers=bearer(secrets[Role.AUDITOR]))
    assert answer.headers["cache-control"] == "no-store"
    assert Report.model_validate(answer.json()).period == period


@pytest.mark.parametrize(
    ("form", "media", "begins"),
    [
        ("csv", "text/csv", b"table,row,column,value\r\n"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("html", "text/html", b"<!doctype html>"),
        ("text", "text/plain", b"Report on"),
    ],
)
async def test_every_form_says_what_it_is_and_runs_nothing(
    http: AsyncClient, secrets: dict[Role, str], form: str, media: str, begins: bytes
) -> None:
    query = {"format": form, "language": "en"}
    answer = await http.get("/api/reports/2026Q1", params=query, headers=bearer(secrets[Role.COMPLIANCE]))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media)
    assert answer.content.startswith(begins)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    saved = answer.headers.get("content-disposition", "")
    assert ('filename="report-2026Q1.' in saved) is (form in {"csv", "xlsx"})


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("2026Q7", "report.period"),
        ("2026-13", "report.period"),
        ("2026-03-02..2026-03-01", "report.period"),
        ("2026Q4", "report.future"),
        ("x" * 41, "request.malformed"),
        ("2026Q1?format=pdf", "request.malformed"),
        ("2026Q1?language=fr", "request.malformed"),
    ],
)
async def test_what_cannot_be_reported_is_refused_by_name(
    http: AsyncClient, secrets: dict[Role, str], path: str, code: str
) -> None:
    answer = await http.get(f"/api/reports/{path}", headers=bearer(secrets[Role.SUPERVISOR]))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
