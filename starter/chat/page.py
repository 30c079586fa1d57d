"""`GET /chat`: a small page that shows the chat at work. It runs our own script alone and shows words as text alone."""

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.inquiry import EMAIL
from models.policy import Policy
from starter.chat.page_words import WORDS

FOLDER = Path(__file__).parent
STATIC = {"chat.js": "text/javascript; charset=utf-8", "chat.css": "text/css; charset=utf-8"}

_FILES = {name: (FOLDER / "static" / name).read_bytes() for name in STATIC}
_MARK = hashlib.sha256(b"".join(_FILES.values())).hexdigest()[:12]
"""In the addresses of the files, so that a browser never runs an old script on a new page."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_PAGES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page_router(policy: Policy) -> APIRouter:
    """Return the page's routes under `/chat`; the operator's name and mailbox come from the policy."""
    router = APIRouter(prefix="/chat", include_in_schema=False)

    @router.get("", response_class=HTMLResponse)
    def page(lang: str = "", accept_language: Annotated[str, Header()] = "") -> HTMLResponse:
        """The page in the language asked for, else the browser's; Spanish before English (reading 12)."""
        language = lang if lang in WORDS else "en" if accept_language.strip().lower().startswith("en") else "es"
        shown = _PAGES.get_template("chat.html").render(
            language=language,
            other="en" if language == "es" else "es",
            words=WORDS[language],
            operator=policy.operator.name,
            mailbox=policy.channels.named[EMAIL].address,
            mark=_MARK,
        )
        return HTMLResponse(shown, headers=HEADERS)

    @router.get("/static/{mark}/{name}")
    def static(mark: str, name: str) -> Response:  # noqa: ARG001 - any mark leads to the files as they are
        """The page's script and style."""
        if name not in _FILES:
            raise HTTPException(404)
        return Response(_FILES[name], headers={**HEADERS, "Content-Type": STATIC[name]})

    return router
