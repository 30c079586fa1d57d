"""A mail taken apart into its leaves, by offsets into its bytes.

The standard library's parser copies a mail several times over and calls itself for every level, so a mail of 31 MB or
of 10,000 parts would cost more memory and time than a webhook may take. Here only headers are given to it.
"""

import binascii
import quopri
import re
from dataclasses import dataclass

from channels.email.headers import Headers

_DEEPEST = 20
_LONGEST_HEADER_BLOCK = 128 * 1024
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf: its headers and where its content stands in the mail's bytes (`start` inclusive, `end` exclusive)."""

    headers: Headers
    start: int
    end: int
    content_type: str

    def content(self, mail: bytes, limit: int | None = None) -> bytes:
        """At most `limit` bytes of the content, decoded; a broken encoding gives what can be had. Never raises."""
        encoding = self.headers.text("content-transfer-encoding").strip().lower()
        # A byte takes three characters in quoted-printable and one and a third, with line ends, in base64.
        spare = {"quoted-printable": 3, "base64": 2}.get(encoding, 1)
        last = self.end if limit is None else min(self.end, self.start + limit * spare)
        # A view: what is encoded may be 30 MB, and is not copied to be decoded.
        data = memoryview(mail)[self.start : last]
        if encoding == "base64":
            return _from_base64(data)[:limit]
        if encoding == "quoted-printable":
            return quopri.decodestring(data)[:limit]
        return bytes(data)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail's own headers and its leaves, in order; `complete` is False where there were parts beyond the limit."""

    headers: Headers
    parts: tuple[Part, ...]
    complete: bool


def take_apart(mail: bytes, most_parts: int) -> Mail:
    """Find the leaves of a mail, at most `most_parts` of them. Never raises; no byte of a leaf is copied."""
    top, start = _headers(mail, 0, len(mail))
    waiting = [(top, start, len(mail), 0)]
    leaves: list[Part] = []
    seen = 0
    while waiting:
        headers, start, end, depth = waiting.pop()
        kind = headers.content_type()
        boundary = headers.parameter("boundary") if kind.startswith("multipart/") else ""
        spans = _between(mail, boundary.encode("utf-8", "replace"), start, end, most_parts) if boundary else []
        if not spans or depth >= _DEEPEST:
            leaves.append(
                Part(headers, start, end, "text/plain" if kind.startswith("multipart/") and not spans else kind)
            )
            continue
        if seen + len(spans) > most_parts:
            spans = spans[: most_parts - seen]
            seen = most_parts + 1
        else:
            seen += len(spans)
        waiting.extend([(*_headers(mail, first, last), last, depth + 1) for first, last in reversed(spans)])
    return Mail(top, tuple(leaves), complete=seen <= most_parts)


def _headers(mail: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The headers that begin at `start`, and where the content after them begins."""
    for empty in (b"\r\n", b"\n"):
        if mail.startswith(empty, start, end):
            return Headers(b""), start + len(empty)
    ends = [at for at in (mail.find(b"\n\r\n", start, end), mail.find(b"\n\n", start, end)) if at >= 0]
    stop = min(ends) + 1 if ends else end
    read = min(stop, start + _LONGEST_HEADER_BLOCK)
    headers = Headers(mail[start:read])
    if headers.leftover:
        return headers, max(start, read - headers.leftover)
    return headers, min(end, stop + (2 if mail.startswith(b"\r\n", stop) else 1))


def _between(mail: bytes, boundary: bytes, start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Where the parts between the delimiter lines of `boundary` stand; one more than `most` means there were more.

    One search for whole delimiter lines: whatever the boundary, lines that only begin like one cost nothing.
    """
    line = re.compile(rb"\n--" + re.escape(boundary.rstrip()) + rb"(--)?[ \t\r]*(?:(?=\n)|\Z)")
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    # What comes before the first part ends with the empty line after the headers.
    for found in line.finditer(mail, max(0, start - 1), end):
        if opened is not None:
            spans.append((opened, _before_line_end(mail, opened, found.start() + 1)))
        if found.group(1) or len(spans) > most:
            return spans
        opened = min(end, found.end() + 1)
    if opened is not None:
        spans.append((opened, end))
    return spans


def _before_line_end(mail: bytes, start: int, at: int) -> int:
    """The line end before a delimiter belongs to the delimiter (RFC 2046)."""
    for line_end in (b"\r\n", b"\n"):
        if mail.endswith(line_end, start, at):
            return at - len(line_end)
    return at


def _from_base64(data: memoryview) -> bytes:
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = _NOT_BASE64.sub(b"", data)
        # A single letter left over carries less than a byte.
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
