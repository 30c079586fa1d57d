"""HTML from outside: an allow-list for pages, and plain text of it for reading and for cutting quotations."""

import html
import re

import nh3

from channels.text import clean

_LARGEST = 512 * 1024
_DEEPEST = 400
_MOST_ENTITIES = 20_000
"""Beyond these the sanitiser needs quadratic time (15,000 nested `div` take seconds), so the HTML is left out."""

_TAGS = {
    *(
        "p",
        "br",
        "div",
        "span",
        "b",
        "i",
        "u",
        "em",
        "strong",
        "s",
        "small",
        "sub",
        "sup",
        "blockquote",
        "pre",
        "code",
        "hr",
    ),
    *("ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "a"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "o:p"}
_BLOCKS = {
    "p",
    "div",
    "br",
    "li",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "table",
    "ul",
    "ol",
    "pre",
    "hr",
}
_UNSEEN = {"script", "style", "head", "title", "noscript", "template", "svg", "math", "iframe", "object", "textarea"}

_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:]*)[^<>]*>|<")
_BARE_AMPERSAND = re.compile(r"&(?!(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});)")
_BLANKS = re.compile(r"[ \t\r\f\v]+")


def sanitise(markup: str) -> str | None:
    """`markup` with only harmless tags, links to http, https and mailto, and no image, style, form or script.

    Nothing in it makes a browser fetch anything. None where it is too large or too deeply nested to be worth it: the
    text and the original are kept anyway.
    """
    if len(markup) > _LARGEST or markup.count("&") > _MOST_ENTITIES or _depth(markup) > _DEEPEST:
        return None
    return nh3.clean(
        _BARE_AMPERSAND.sub("&amp;", clean(markup)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        clean_content_tags={"script", "style"},
        link_rel="noopener noreferrer nofollow",
    )


def _depth(markup: str) -> int:
    """How many tags are opened more than closed, at worst: an upper bound of the nesting."""
    depth = deepest = 0
    for token in _TOKEN.finditer(markup):
        closing, name = token.group(1), token.group(2)
        if name and name.lower() not in _VOID:
            depth = max(0, depth - 1) if closing else depth + 1
            deepest = max(deepest, depth)
    return deepest


def as_text(markup: str) -> str:
    """What a reader of `markup` would see, as plain text with a line per block. Linear in its length; never raises."""
    # Where all is hidden, by a <head> that never ends for instance, showing too much is better than nothing.
    return _shown(markup, _UNSEEN) or _shown(markup, set())


def _shown(markup: str, unseen: set[str]) -> str:
    out: list[str] = []
    at, hidden = 0, ""
    while at < len(markup):
        opening = markup.find("<", at)
        if opening < 0:
            opening = len(markup)
        if not hidden:
            out.append(markup[at:opening].replace("\n", " "))
        at = opening
        if markup.startswith(("<!", "<?"), at):
            end = "-->" if markup.startswith("<!--", at) else ">"
            close = markup.find(end, at)
            at = len(markup) if close < 0 else close + len(end)
            continue
        token = _TOKEN.match(markup, at)
        if token is None:
            break
        at = token.end()
        hidden = _see(token, hidden, unseen, out)
    lines = (_BLANKS.sub(" ", line).strip() for line in html.unescape("".join(out)).split("\n"))
    return clean(re.sub(r"\n{3,}", "\n\n", "\n".join(lines))).strip()


def _see(token: re.Match[str], hidden: str, unseen: set[str], out: list[str]) -> str:
    """Add what one token shows to `out`; the result is the tag whose end must come before anything shows again."""
    name = (token.group(2) or "").lower()
    if hidden:
        return "" if token.group(1) and name == hidden else hidden
    if not name:
        out.append("<")
    elif name in _BLOCKS:
        out.append("\n")
    elif name in unseen and not token.group(1):
        return name
    return ""
