"""What a mail says and carries, gathered part by part."""

import hashlib
import json
import re

from channels.email.form import Form
from channels.email.markup import as_text, sanitise
from channels.email.mime import Mail
from channels.message import Attachment, Dropped
from channels.text import clean, decode, one_line

_BYTES_A_CHARACTER = 4


class Content:
    """What a mail says and carries, gathered part by part."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.markup: list[str] = []
        self.attachments: list[Attachment] = []
        self.dropped: list[Dropped] = []

    def text(self, limit: int) -> str:
        """The plain text, made from the HTML where there is none."""
        text = clean("\n".join(self.texts)).strip() or as_text("\n".join(self.markup)[:limit])
        if len(text) > limit:
            self.dropped.append(Dropped(what="text", why=f"only its first {limit} characters are shown"))
        return text[:limit]

    def html(self) -> str | None:
        """The HTML made harmless."""
        if not self.markup:
            return None
        harmless = sanitise("\n".join(self.markup))
        if harmless is None:
            self.dropped.append(Dropped(what="html", why="it is too large or too deeply nested; the text is shown"))
        return harmless


def from_leaves(mail: bytes, apart: Mail, limit: int, *, without_files: bool) -> Content:
    """The texts (at most about `limit` characters) and files of a mail in raw mode."""
    content = Content()
    enough = (limit + 1) * _BYTES_A_CHARACTER
    for part in apart.parts:
        named = part.headers.filename()
        is_text = part.content_type in {"text/plain", "text/html"}
        if is_text and part.headers.disposition() != "attachment" and not (named and part.content_type == "text/html"):
            into = content.texts if part.content_type == "text/plain" else content.markup
            if sum(map(len, into)) <= limit:
                into.append(decode(part.content(mail, enough), part.headers.parameter("charset"))[: limit + 1])
        elif not without_files:
            cid = part.headers.raw("content-id")
            content.attachments.append(
                _attachment(named, part.content_type, part.content(mail), cid[0].strip(" <>") if cid else "")
            )
    return content


def from_files(form: Form, content: Content) -> None:
    """The files of a mail in default mode: fields `attachment1`, `attachment2`..."""
    info = json_object(form.content("attachment-info", 1_000_000))
    for name, field in form.fields.items():
        if not re.fullmatch(r"attachment[0-9]{1,4}", name):
            continue
        about = info.get(name)
        told = about if isinstance(about, dict) else {}
        filename = str(told.get("filename") or told.get("name") or field.filename)
        content_type = str(told.get("type") or field.content_type)
        cid = str(told.get("content-id") or "").strip(" <>")
        content.attachments.append(_attachment(filename, content_type, form.content(name) or b"", cid))


def _attachment(filename: str, content_type: str, data: bytes, cid: str) -> Attachment:
    return Attachment(
        filename=one_line(filename.replace("\\", "/").rpartition("/")[2]) or "attachment",
        content_type=one_line(content_type.partition(";")[0].lower()) or "application/octet-stream",
        content=data,
        sha256=hashlib.sha256(data).hexdigest(),
        cid=one_line(cid),
    )


def json_object(data: bytes | None) -> dict[str, object]:
    """A JSON object out of a form's field; an empty one where it is missing or no such thing."""
    try:
        value = json.loads(decode(data or b"{}"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
