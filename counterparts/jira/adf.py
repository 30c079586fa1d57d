"""Whether a document is one of the Atlassian Document Format, as far as anybody here writes it."""

BLOCKS = {
    "paragraph": "inline",
    "heading": "inline",
    "blockquote": "block",
    "bulletList": "item",
    "orderedList": "item",
    "codeBlock": "inline",
    "rule": "",
}
"""What each block may hold."""

DEEPEST = 20


def is_document(value: object) -> bool:
    """Say whether Jira would take it: a `doc` of version 1 whose blocks hold what they may."""
    if not isinstance(value, dict) or value.get("type") != "doc" or value.get("version") != 1:
        return False
    content = value.get("content")
    return isinstance(content, list) and set(value) == {"type", "version", "content"} and all(map(_is_block, content))


def text_of(value: object) -> str:
    """Return the words of a document, a line for each block."""
    if not isinstance(value, dict):
        return ""
    if value.get("type") == "text":
        return str(value.get("text", ""))
    inner = [text_of(one) for one in value.get("content", [])]
    return "\n".join(inner) if value.get("type") == "doc" else "".join(inner)


def document(text: str) -> dict[str, object]:
    """Return a text as a document."""
    lines = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in text.splitlines() if line]
    return {"type": "doc", "version": 1, "content": lines}


def _is_block(node: object, depth: int = 0) -> bool:
    if not isinstance(node, dict) or depth > DEEPEST or node.get("type") not in BLOCKS:
        return False
    content, holds = node.get("content", []), BLOCKS[str(node["type"])]
    if not isinstance(content, list) or not set(node) <= {"type", "content", "attrs"}:
        return False
    if holds == "inline":
        return all(map(_is_inline, content))
    if holds == "item":
        return all(_is_item(one, depth) for one in content)
    return all(_is_block(one, depth + 1) for one in content) if holds else not content


def _is_item(node: object, depth: int) -> bool:
    if not isinstance(node, dict) or node.get("type") != "listItem":
        return False
    content = node.get("content")
    return isinstance(content, list) and all(_is_block(one, depth + 1) for one in content)


def _is_inline(node: object) -> bool:
    if not isinstance(node, dict):
        return False
    if node.get("type") == "hardBreak":
        return True
    text = node.get("text")
    # An empty text node is refused by the real one too.
    return node.get("type") == "text" and isinstance(text, str) and bool(text)
