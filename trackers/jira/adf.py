"""Atlassian Document Format, the one shape in which version 3 of the API takes and gives words."""

from typing import Any

LONGEST = 32_000
"""Characters; Jira takes 32,767 in a field."""

DEEPEST = 20
_BLOCKS = frozenset({"paragraph", "heading", "listItem", "blockquote", "codeBlock", "rule", "hardBreak"})


def document(text: str) -> dict[str, Any]:
    """Return a text as a document: a paragraph for each line, and none of its characters means anything."""
    lines = text[:LONGEST].splitlines() or [""]
    return {"type": "doc", "version": 1, "content": [_paragraph(line) for line in lines]}


def plain(value: object) -> str:
    """Return the words of a document, or of the plain text that webhooks carry; empty for anything else."""
    if isinstance(value, str):
        return value.strip()
    words = "".join(_words(value, 0)).strip()
    return "\n".join(line for line in (one.strip() for one in words.split("\n")) if line)


def _paragraph(line: str) -> dict[str, Any]:
    # A text node must not be empty.
    content = [{"type": "text", "text": line}] if line else []
    return {"type": "paragraph", "content": content}


def _words(node: object, depth: int) -> list[str]:
    if not isinstance(node, dict) or depth > DEEPEST:
        return []
    own = node.get("text") if isinstance(node.get("text"), str) else ""
    inner = node.get("content")
    nested = [word for one in inner for word in _words(one, depth + 1)] if isinstance(inner, list) else []
    return [str(own), *nested, "\n" if node.get("type") in _BLOCKS else ""]
