"""How the Bot API refuses: a status, a description, and sometimes parameters."""

from typing import Any

from fastapi.responses import JSONResponse


class Refusal(Exception):
    """An answer that is no result; `description` reads as Telegram's own."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters

    @property
    def response(self) -> JSONResponse:
        """The answer."""
        body = {"ok": False, "error_code": self.status, "description": self.description}
        return JSONResponse(body | ({"parameters": self.parameters} if self.parameters else {}), self.status)


def bad_request(why: str) -> Refusal:
    """A refusal of what was asked."""
    return Refusal(400, f"Bad Request: {why}")


def forbidden(why: str) -> Refusal:
    """A refusal because of whom it was asked for."""
    return Refusal(403, f"Forbidden: {why}")


def too_many(seconds: int) -> Refusal:
    """A refusal because of how often it was asked; `seconds` until the next try is welcome."""
    return Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
