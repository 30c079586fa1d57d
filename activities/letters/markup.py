"""The letters' very small markup, from which both the text and the HTML part are made, so that they cannot differ.

A line that begins with `# ` or `## ` is a heading, `- ` an item of a list, `> ` a quotation, `---` a rule;
`Key :: value` is a key/value line; all other lines make paragraphs, which an empty line ends. Values never make
structure: while a template is rendered each of them is only a slot, and it is put in, escaped, after the structure is
known. So a user's text appears literally whatever stands in it. Items and key/value lines whose value is empty are left
out.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OPEN, CLOSE = "\ue000", "\ue001"
SLOT = re.compile(f"{OPEN}([0-9]+){CLOSE}")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
UNDERLINES = {"h1": "=", "h2": "-"}
LONGEST_UNDERLINE = 60

STYLE = {
    "body": "margin:0;padding:24px;font-family:Georgia,'Times New Roman',serif;font-size:16px;line-height:1.5;"
    "color:#1a1a1a;background-color:#ffffff",
    "div": "max-width:640px",
    "h1": "font-size:22px;line-height:1.3;margin:0 0 16px",
    "h2": "font-size:18px;line-height:1.3;margin:24px 0 8px",
    "p": "margin:0 0 16px",
    "ul": "margin:0 0 16px;padding-left:24px",
    "dl": "margin:0 0 16px",
    "dt": "font-weight:bold",
    "dd": "margin:0 0 8px;overflow-wrap:anywhere",
    "blockquote": "margin:0 0 16px;padding-left:16px;border-left:3px solid #767676;overflow-wrap:anywhere",
    "hr": "border:0;border-top:1px solid #767676;margin:24px 0",
    "a": "color:#0b4f9e",
}


class Link(str):
    """A value of ours that the HTML part makes clickable; a user's text is never one."""

    __slots__ = ()


@dataclass
class Slots:
    """The values of one rendering by number."""

    values: list[str] = field(default_factory=list)

    def put(self, value: str) -> str:
        """Return the slot for a value; an empty one stays empty, so that a template can ask whether it is there."""
        if not value:
            return ""
        self.values.append(value)
        return f"{OPEN}{len(self.values) - 1}{CLOSE}"

    def used(self, body: str) -> set[int]:
        """The numbers of the slots that stand in a rendered body."""
        return {int(number) for number in SLOT.findall(body)}

    def text(self, line: str) -> str:
        """Put the values in as they are."""
        return SLOT.sub(lambda found: plain(self.values[int(found[1])]), line)

    def html(self, line: str) -> str:
        """Escape the line and put the values in, escaped."""
        return SLOT.sub(lambda found: _html(self.values[int(found[1])]), html.escape(line))


def plain(value: str) -> str:
    r"""A value as a letter can carry it: `\n` line ends, and U+FFFD for control characters, which no mail may hold."""
    return CONTROLS.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))


def _html(value: str) -> str:
    escaped = html.escape(plain(value)).replace("\n", "<br>\n")
    if isinstance(value, Link) and value.startswith(("https://", "http://")):
        return f'<a href="{escaped}" style="{STYLE["a"]}">{escaped}</a>'
    return escaped


@dataclass(frozen=True)
class Block:
    """A piece of a letter: its kind (h1, h2, p, ul, dl, blockquote, hr) and its lines, still with slots."""

    kind: str
    lines: tuple[str, ...]


def blocks(body: str) -> list[Block]:
    """Read a rendered body."""
    found: list[Block] = []
    kind = ""
    lines: list[str] = []
    for raw in (*body.split("\n"), ""):
        mark, line = _mark(raw.strip())
        if mark != kind or kind in {"h1", "h2", "hr"}:
            if lines:
                found.append(Block(kind, tuple(lines)))
            kind, lines = mark, []
        if mark:
            lines.append(line)
    return [block for block in found if block.lines]


def _mark(line: str) -> tuple[str, str]:
    """Tell a line's kind by its first characters; an empty one has none."""
    if line == "---":
        return "hr", line
    for sign, kind in (("# ", "h1"), ("## ", "h2"), ("- ", "ul"), ("> ", "blockquote")):
        if line.startswith(sign):
            return kind, line[len(sign) :]
    if line in {"-", ">"}:
        return "", ""
    if " ::" in line:
        return ("dl", line) if line.split(" ::", 1)[1].strip() else ("", "")
    return ("p", line) if line else ("", "")


def as_text(body: str, slots: Slots) -> str:
    """Write the text part."""
    return "\n\n".join(_text_block(block, slots.text) for block in blocks(body)) + "\n"


def _text_block(block: Block, put: Callable[[str], str]) -> str:
    if block.kind in UNDERLINES:
        title = put(block.lines[0])
        return f"{title}\n{UNDERLINES[block.kind] * min(len(title), LONGEST_UNDERLINE)}"
    if block.kind == "ul":
        return "\n".join(f"- {put(line)}" for line in block.lines)
    if block.kind == "dl":
        return "\n".join(f"{put(key)}: {put(value)}" for key, value in _pairs(block))
    return put((" " if block.kind == "p" else "\n").join(block.lines))


def _pairs(block: Block) -> Iterator[tuple[str, str]]:
    for line in block.lines:
        key, value = line.split(" ::", 1)
        yield key.strip(), value.strip()


def as_html(body: str, slots: Slots, language: str) -> str:
    """Write one language's piece of the HTML part."""
    inner = "\n".join(_html_block(block, slots.html) for block in blocks(body))
    return f'<div lang="{language}" style="{STYLE["div"]}">\n{inner}\n</div>'


def _html_block(block: Block, put: Callable[[str], str]) -> str:
    kind = block.kind
    if kind == "hr":
        return _tag("hr")
    if kind == "ul":
        items = "\n".join(f"<li>{put(line)}</li>" for line in block.lines)
        return f"{_tag('ul')}\n{items}\n</ul>"
    if kind == "dl":
        pairs = "\n".join(f"{_tag('dt')}{put(k)}</dt>\n{_tag('dd')}{put(v)}</dd>" for k, v in _pairs(block))
        return f"{_tag('dl')}\n{pairs}\n</dl>"
    joined = " ".join(block.lines) if kind == "p" else "\n".join(block.lines)
    direction = ' dir="auto"' if kind == "blockquote" else ""
    return f"{_tag(kind, direction)}{put(joined)}</{kind}>"


def _tag(name: str, more: str = "") -> str:
    return f'<{name}{more} style="{STYLE[name]}">'


def page(title: str, pieces: list[str], language: str) -> str:
    """Put the pieces into one document: nothing remote, no script, readable without styles."""
    body = f"\n{_tag('hr')}\n".join(pieces)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n</head>\n"
        f"{_tag('body')}\n{body}\n</body>\n</html>\n"
    )
