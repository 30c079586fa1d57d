"""Text from outside: bytes decoded without ever failing, and lines stripped of what has no business in them."""

import re

_LINE_BREAKERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACES = re.compile(r"\s+")

# Python knows them as encodings of text, but no mail is written in them and some take quadratic time or warn.
_NOT_FOR_MAIL = {"idna", "punycode", "undefined", "mbcs", "oem", "unicode_escape", "raw_unicode_escape"}
# Browsers read these labels as windows-1252, because that is what their writers nearly always mean.
_MEANT_AS_WINDOWS = {"iso-8859-1", "iso8859-1", "iso_8859-1", "latin-1", "latin1", "l1"}


def decode(data: bytes, label: str | None = None) -> str:
    """Bytes as text in the charset `label` declares, with U+FFFD for what does not fit it.

    A missing, unknown or nonsensical label means UTF-8 if the bytes are UTF-8, else windows-1252. Never raises.
    """
    name = (label or "").strip().strip("\"'").lower()
    if name in _MEANT_AS_WINDOWS:
        name = "cp1252"
    if name and name.replace("-", "_") not in _NOT_FOR_MAIL and name not in {"us-ascii", "ascii"}:
        try:
            return data.decode(name, errors="replace")
        except (LookupError, ValueError):
            pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def one_line(text: str, limit: int = 200) -> str:
    """A header's text on one line, at most `limit` characters: no controls, separators or direction overrides."""
    return _SPACES.sub(" ", _LINE_BREAKERS.sub(" ", text)).strip()[:limit].rstrip()


def clean(text: str) -> str:
    r"""A body's text as a database can keep it: `\n` line ends, no NUL nor other controls, no lone surrogates."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
