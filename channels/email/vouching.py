"""What a mail server that we believe says of a mail: whom it reached, whose it is (RFC 8601)."""

import re
from typing import NamedTuple

from channels.email.headers import Headers
from channels.email.origin import within

_REACHED = ("delivered-to", "x-original-to", "envelope-to")
_LONGEST = 2_000
"""Characters; what is longer may have been cut, and a cut domain is another one."""
_RESULT = re.compile(r"\s*(dkim|spf|dmarc)(?:/\d+)?\s*=\s*([a-z]+)\b(.*)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(header\.[dfi]\w*|smtp\.mailfrom)\s*=\s*(\S+)", re.IGNORECASE)
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,250}")


class Word(NamedTuple):
    """What is said of a mail. `dkim` reads `{@example.org : pass, @example.net : fail}`, as SendGrid writes it."""

    reached: tuple[str, ...] = ()
    """The envelope's recipients."""
    return_path: str | None = None
    """The envelope's sender, perhaps its domain alone; empty for a bounce, None where nobody said."""
    spf: str = ""
    dkim: str = ""


def word_of(headers: Headers, trusted: tuple[str, ...]) -> Word:
    """Read the topmost `Authentication-Results`, if one of the `trusted` servers wrote it, and whom the mail reached.

    A pass of DMARC is one of SPF or DKIM for the domain in From, and stands among those of DKIM.
    """
    reached = tuple(address for name in _REACHED for address, _ in headers.addresses(name))
    server, *results = _clauses(next(iter(headers.raw("authentication-results")), "")) or [""]
    if not within(next(iter(server.split()), ""), trusted):
        return Word(reached)
    spf, return_path = "", None
    signed: list[str] = []
    for clause in results:
        found = _RESULT.fullmatch(clause)
        if found is None:
            continue
        method, verdict, rest = found.group(1).lower(), found.group(2).lower(), found.group(3)
        said = {name.lower(): value for name, value in reversed(_PROPERTY.findall(rest))}
        if method == "spf":
            spf = verdict
            domain = _domain(said.get("smtp.mailfrom", ""))
            return_path = f"@{domain}" if domain else None
        else:
            name = "header.from" if method == "dmarc" else "header.d" if "header.d" in said else "header.i"
            signed.append(f"@{_domain(said.get(name, ''))} : {verdict}")
    return Word(reached, return_path, spf, f"{{{', '.join(signed)}}}" if signed else "")


def _domain(address: str) -> str:
    """The domain of an address, or a domain itself; empty where it is neither."""
    domain = address.rpartition("@")[2].strip("<>")
    return domain if _DOMAIN.fullmatch(domain) else ""


def _clauses(value: str) -> list[str]:
    """What stands between semicolons: comments left out, whatever is quoted made harmless. Empty where it is broken.

    A sender chooses parts of it, such as a local part in quotes, and must not write results of its own with them.
    """
    if len(value) > _LONGEST:
        return []
    plain: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in value:
        if escaped:
            escaped = False
        elif letter == "\\" and (quoted or depth):
            escaped = True
        elif letter == '"' and not depth:
            quoted = not quoted
            plain.append("?")
        elif quoted:
            plain.append("?")
        elif letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif not depth:
            plain.append(letter)
    return [] if quoted or depth else "".join(plain).split(";")
