"""The fields of a multipart/form-data post, by offsets into its bytes.

A web framework's own parser limits a field to 1 MiB and guesses charsets; a mail of 30 MB is one field here and each
field has a charset of its own.
"""

import hashlib
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header

from channels.text import decode
from models.errors import UnreadableMessage

_MOST_FIELDS = 1_000
_LONGEST_FIELD_HEADER = 8 * 1024


@dataclass(frozen=True, slots=True)
class Field:
    """One field: where its content stands in the body, and for a file its name and claimed type."""

    start: int
    end: int
    filename: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A posted form. Of fields with one name the first counts."""

    body: bytes
    fields: dict[str, Field]
    complete: bool
    """False where there were more fields than are looked at, or the post was cut off."""
    sound: bool = True
    """False where a field came twice, or fields came after the end: a mail that spells out the provider's delimiter
    puts fields of its own into the post, so nothing that the post says of its sender can be believed."""

    cut: bool = False
    """What the provider says of the sender may have been cut off, and what stands in its place is the mail's own."""

    def digest(self) -> str:
        """The same for every order of the same fields: SHA-256, hex."""
        whole = hashlib.sha256()
        for name, field in sorted(self.fields.items()):
            content = hashlib.sha256(memoryview(self.body)[field.start : field.end])
            whole.update(name.encode() + content.digest())
        return whole.hexdigest()

    def content(self, name: str, limit: int | None = None) -> bytes | None:
        """The bytes of a field, at most `limit` of them; None where there is no such field."""
        field = self.fields.get(name)
        if field is None:
            return None
        return self.body[field.start : field.end if limit is None else min(field.end, field.start + limit)]


def read_form(content_type: str, body: bytes, *, whole: bool = True) -> Form:
    """Take a form apart; raises UnreadableMessage where it is none. Line ends may be CRLF (the standard) or LF.

    Where the post was cut off, and is not `whole`, its last field goes as far as it arrived.
    """
    kind, options = parse_options_header(content_type.encode("utf-8", "replace"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise UnreadableMessage("the post is no multipart/form-data with a boundary; check the webhook's settings")
    delimiter = b"--" + boundary
    fields: dict[str, Field] = {}
    count, sound = 0, True
    at = 0 if body.startswith(delimiter) else _next(body, delimiter, 0)
    while at >= 0 and count < _MOST_FIELDS:
        line_end = body.find(b"\n", at)
        following = -1 if line_end < 0 else _next(body, delimiter, line_end)
        if following < 0:
            if line_end >= 0 and not whole:
                sound &= _add(fields, body, line_end + 1, len(body))
            break
        if body.startswith(b"--", at + len(delimiter)):
            sound = False
            break
        count += 1
        sound &= _add(fields, body, line_end + 1, _before_line_end(body, following))
        at = following
    if not fields:
        raise UnreadableMessage("the post is a multipart/form-data without any field")
    return Form(body, fields, complete=whole and count < _MOST_FIELDS, sound=sound, cut=not whole)


def _next(body: bytes, delimiter: bytes, start: int) -> int:
    """Where the next line that begins with the delimiter begins, or -1; `start` is its line end at the earliest."""
    at = body.find(b"\n" + delimiter, start)
    while at >= 0 and body[at + 1 + len(delimiter) : at + 2 + len(delimiter)] not in {b"\r", b"\n", b"-", b""}:
        at = body.find(b"\n" + delimiter, at + 1)
    return at if at < 0 else at + 1


def _before_line_end(body: bytes, at: int) -> int:
    return at - 2 if body[at - 2 : at] == b"\r\n" else at - 1


def _add(fields: dict[str, Field], body: bytes, start: int, end: int) -> bool:
    """Read a field's own headers and note where its content stands; False where there was one of that name."""
    empty = [
        (body.find(line, start, min(end, start + _LONGEST_FIELD_HEADER)), len(line)) for line in (b"\r\n\r\n", b"\n\n")
    ]
    found = [(at, length) for at, length in empty if at >= 0]
    if not found:
        return True
    stop, length = min(found)
    name = filename = content_type = ""
    for line in body[start:stop].splitlines():
        header, _, value = line.partition(b":")
        if header.strip().lower() == b"content-disposition":
            _, options = parse_options_header(value.strip())
            name, filename = decode(options.get(b"name", b"")), decode(options.get(b"filename", b""))
        elif header.strip().lower() == b"content-type":
            content_type = decode(value).strip()
    if name in fields:
        return False
    if name:
        fields[name] = Field(min(stop + length, end), end, filename, content_type)
    return True
