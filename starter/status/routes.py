"""`GET /s/{token}`: the page behind the link in every letter.

Whoever holds the link may read it, so it is never logged. A token that is unknown, malformed or empty gets the same
answer; tokens are found by their hash, so the time that takes tells nothing of them.
"""

import base64
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from activities.letters.words import Speech
from models.inquiry import Language
from records import cases, notices
from settings import HOUSE
from starter.admin.desk import Desk, desk_of
from starter.status.page import StatusPage, status_page
from starter.status.words import WORDS

TEMPLATES: Path = HOUSE / "templates"
CSS = (TEMPLATES / "status.css").read_text(encoding="utf-8")
_CSS_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_CSS_HASH}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
LONGEST_TOKEN = 128

_PAGES = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)

router = APIRouter(include_in_schema=False)


@router.get("/s/{token:path}", response_class=HTMLResponse)
def show_status(
    desk: Annotated[Desk, Depends(desk_of)],
    token: str,
    lang: str = "",
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The status page in the case's language, or the one asked for."""
    with desk.database.read() as session:
        reference = cases.by_status_token(session, token[:LONGEST_TOKEN])
        if reference is None:
            return _page("status_unknown.html", HTTPStatus.NOT_FOUND, css=CSS)
        case, letters = cases.load(session, reference), notices.of_case(session, reference)
    language = lang if lang in WORDS else _language(case.language, accept_language)
    speech = Speech(Language(language), desk.policy.calendar_settings.zone)
    page = status_page(case, letters, desk.policy, language)
    return _show(desk, page, language, speech)


def _language(language: Language, accepted: str) -> str:
    """The case's language; where it is uncertain the browser's, and Spanish before English (reading 12)."""
    if language is not Language.BOTH:
        return language.value
    return "en" if accepted.strip().lower().startswith("en") else "es"


def _show(desk: Desk, page: StatusPage, language: str, speech: Speech) -> HTMLResponse:
    return _page(
        "status.html",
        HTTPStatus.OK,
        css=CSS,
        page=page,
        language=language,
        other="en" if language == "es" else "es",
        words=WORDS[language],
        operator=desk.policy.operator,
        authority=desk.policy.authority,
        speech=speech,
    )


def _page(name: str, status: HTTPStatus, **values: object) -> HTMLResponse:
    return HTMLResponse(_PAGES.get_template(name).render(**values), status, HEADERS)
