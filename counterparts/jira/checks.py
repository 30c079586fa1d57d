"""What Jira finds wrong with an issue, field by field in its own words, and the few searches understood here."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from counterparts.jira.adf import is_document
from counterparts.jira.issues import Issue

LONGEST_SUMMARY = 255
LONGEST_TEXT = 32_767
NO_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
UNKNOWN = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."

_CLAUSE = re.compile(r'^\s*(project|labels)\s*=\s*"?([^"\s]+)"?\s*$', re.IGNORECASE)
_ORDER = re.compile(r"\s+order\s+by\s+created(?:\s+(asc|desc))?\s*$", re.IGNORECASE)


def wrong_with(fields: dict[str, Any], project: str, types: frozenset[str]) -> dict[str, str]:
    """Return what is wrong, by field; nothing where Jira would take the issue."""
    checks: dict[str, Callable[[Any], str]] = {
        "project": lambda value: "" if _named(value, "key") == project else "valid project is required",
        "issuetype": lambda value: "" if _named(value, "name") in types else "Specify a valid issue type",
        "summary": _summary,
        "description": _description,
        "labels": _labels,
    }
    found = {name: check(fields.get(name)) for name, check in checks.items()}
    found |= {name: UNKNOWN.format(name) for name in fields if name not in checks}
    return {name: said for name, said in found.items() if said}


class Search(NamedTuple):
    """A search for issues."""

    project: str
    label: str
    newest_first: bool

    def finds(self, issue: Issue, project: str) -> bool:
        """Say whether an issue is among what is searched for."""
        here = not self.project or self.project == project
        return here and (not self.label or self.label in issue.fields.get("labels", []))


def read_jql(text: str) -> Search | str:
    """Read a search, or say what Jira would say against it."""
    order = _ORDER.search(text)
    clauses = _ORDER.sub("", text).strip()
    if not clauses:
        return "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
    found: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", clauses, flags=re.IGNORECASE):
        match = _CLAUSE.match(clause)
        if match is None:
            return f"Error in the JQL Query: {clause[:60]!r} is not understood here."
        found[match[1].lower()] = match[2]
    return Search(found.get("project", ""), found.get("labels", ""), bool(order and (order[1] or "").lower() == "desc"))


def _summary(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        return "You must specify a summary of the issue."
    if "\n" in value or "\r" in value:
        return "The summary is invalid because it contains newline characters."
    return "" if len(value) <= LONGEST_SUMMARY else "Summary can't exceed 255 characters."


def _description(value: object) -> str:
    if value is None:
        return ""
    if not is_document(value):
        return NO_DOCUMENT
    long = len(str(value)) > LONGEST_TEXT
    return "The entered text is too long. It exceeds the allowed limit of 32,767 characters." if long else ""


def _labels(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return "data was not an array"
    spaced = next((one for one in value if " " in one), None)
    return f"The label '{spaced}' contains spaces which is invalid." if spaced else ""


def _named(value: object, name: str) -> str:
    return str(value.get(name, "")) if isinstance(value, dict) else ""
