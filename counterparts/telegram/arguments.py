"""What a call of the Bot API carries, however it was sent: a query, a form, JSON, or a form with files."""

import json
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from counterparts.telegram.refusals import Refusal, bad_request

LARGEST_UPLOAD = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A file that came with a call."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments by name; in a query or a form all are texts, and objects are JSON in a text."""

    values: dict[str, Any]
    files: dict[str, Sent]

    def text(self, name: str) -> str:
        """A text; empty where there is none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; the default where there is none, or something else."""
        try:
            return int(self.values.get(name, default))
        except (TypeError, ValueError):
            return default

    def yes(self, name: str) -> bool:
        """A truth value: true, "true" or 1."""
        return str(self.values.get(name, "")).lower() in {"true", "1", "yes"}

    def parsed(self, name: str) -> Any:
        """An object or a list; None where there is none. Raises Refusal."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except (ValueError, RecursionError):
            raise bad_request(f"can't parse {name} JSON object") from None


async def read_arguments(request: Request) -> Arguments:
    """Read a call's arguments. Raises Refusal."""
    values: dict[str, Any] = dict(request.query_params)
    files: dict[str, Sent] = {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if int(request.headers.get("content-length") or 0) > LARGEST_UPLOAD:
        raise Refusal(413, "Request Entity Too Large")
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise bad_request("can't parse JSON object")
        values |= body
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    content_type = value.content_type or "application/octet-stream"
                    files[name] = Sent(value.filename or "file", content_type, await value.read())
                else:
                    values[name] = value
    return Arguments(values, files)
