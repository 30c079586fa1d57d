"""What Jira says of an issue, read leniently: where it stands, whose incident it is, what people wrote."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from models.area_work import IncidentState
from trackers.jira.adf import plain

_OF_INCIDENT = re.compile(r"^\S+/inc-[0-9]+: ")
"""How our own comments begin: with the incident's key."""

CATEGORIES = {
    "new": IncidentState.OPEN,
    "undefined": IncidentState.OPEN,
    "indeterminate": IncidentState.IN_PROGRESS,
    "done": IncidentState.RESOLVED,
}
"""A status belongs to one of these four, whatever a project calls it."""


def label_of(key: str) -> str:
    """Return the label that an issue bears for a key: a label holds no slash."""
    return key.replace("/", "-")


def key_of(labels: object) -> str:
    """Return the key among an issue's labels; empty where there is none."""
    for label in labels if isinstance(labels, list) else ():
        reference, found, number = str(label).rpartition("-inc-")
        if found and number.isascii() and number.isdigit():
            return f"{reference}/inc-{number}"
    return ""


def state_of(fields: Mapping[str, Any], states: Mapping[str, IncidentState]) -> IncidentState:
    """Return where an issue stands: by the operator's names of resolution and status, else by the status's category."""
    status = _object(fields.get("status"))
    for name in (_name(fields.get("resolution")), _name(status)):
        if name in states:
            return states[name]
    category = str(_object(status.get("statusCategory")).get("key", ""))
    return CATEGORIES.get(category, IncidentState.OPEN)


def outcome_of(fields: Mapping[str, Any]) -> str:
    """Return the name of an issue's resolution; empty while it has none."""
    return _name(fields.get("resolution"))


def words_of(post: Mapping[str, Any], ours: tuple[str, ...]) -> str:
    """Return the comment that came with a post, but for lines that say of an incident what one of `ours` does."""
    comment = plain(_object(post.get("comment")).get("body"))
    return "\n".join(line for line in comment.splitlines() if not _says(line, ours)).strip()


def _says(line: str, ours: tuple[str, ...]) -> bool:
    key = _OF_INCIDENT.match(line)
    return key is not None and line[key.end() :].startswith(ours)


def moment_of(milliseconds: object, now: datetime) -> datetime:
    """Return the time of a post, aware UTC; ours where it says none that can be."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return now
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return now


def _name(value: object) -> str:
    return str(_object(value).get("name", ""))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
