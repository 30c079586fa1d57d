"""The project's issues, in memory, and what happens to them; one listener hears of all of it."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from counterparts.jira.adf import text_of

STATUSES = {
    "To Do": ("10000", "new"),
    "In Progress": ("10001", "indeterminate"),
    "Blocked": ("10002", "indeterminate"),
    "Done": ("10003", "done"),
}
"""Each with its id and its category."""

TRANSITIONS = {str(11 + 10 * place): name for place, name in enumerate(STATUSES)}
"""Every status can be reached from every other one."""

_CATEGORIES = {"new": (2, "To Do"), "indeterminate": (4, "In Progress"), "done": (3, "Done")}

Tell = Callable[[dict[str, Any]], None]


@dataclass
class Comment:
    """What somebody wrote below an issue, as a document."""

    id: str
    author: str
    body: dict[str, Any]
    created: float


@dataclass
class Issue:
    """One issue. Times are seconds since 1970."""

    id: str
    key: str
    fields: dict[str, Any]
    created: float
    status: str = "To Do"
    resolution: str = ""
    comments: list[Comment] = field(default_factory=list)
    updated: float = 0.0


class Project:
    """One project on a site; `clock` gives seconds since 1970, `name` is its key, `us` the account of the API.

    Ids count from `first` on. `tell` hears of everything that happens.
    """

    def __init__(self, name: str, us: str, site: str, clock: Callable[[], float], first: int) -> None:
        self.name, self.us, self.site, self.clock = name, us, site, clock
        self.issues: dict[str, Issue] = {}
        self.tell: Tell = lambda _: None
        self._ids, self._numbers = itertools.count(first), itertools.count(1)

    def find(self, id_or_key: str) -> Issue | None:
        """Return an issue by its id or its key."""
        return next((one for one in self.issues.values() if id_or_key in {one.id, one.key}), None)

    def add(self, fields: dict[str, Any]) -> Issue:
        """Open an issue."""
        now = self.clock()
        issue = Issue(str(next(self._ids)), f"{self.name}-{next(self._numbers)}", fields, now, updated=now)
        self.issues[issue.id] = issue
        self._post("jira:issue_created", issue)
        return issue

    def move(self, issue: Issue, status: str, resolution: str = "", words: dict[str, Any] | None = None) -> None:
        """Move an issue; at its end it gets a resolution. `words` are a comment made with it."""
        before, issue.status, issue.updated = issue.status, status, self.clock()
        items = [{"field": "status", "fieldtype": "jira", "fromString": before, "toString": status}]
        ended = STATUSES[status][1] == "done"
        former, issue.resolution = issue.resolution, (resolution or "Done") if ended else ""
        if former != issue.resolution:
            items.append(
                {"field": "resolution", "fieldtype": "jira", "fromString": former, "toString": issue.resolution}
            )
        more = {"comment": _plain(self.written(issue, "Specialist", words))} if words else {}
        self._post("jira:issue_updated", issue, changelog={"id": "1", "items": items}, **more)

    def comment(self, issue: Issue, author: str, body: dict[str, Any]) -> Comment:
        """Write below an issue."""
        comment = self.written(issue, author, body)
        # What a post about a comment holds of the issue is little: no labels among it.
        little = {"id": issue.id, "key": issue.key, "self": self.place(issue)}
        fields = {name: value for name, value in self.shown(issue).items() if name in {"summary", "status"}}
        self._send(
            {"webhookEvent": "comment_created", "comment": _plain(comment), "issue": {**little, "fields": fields}}
        )
        return comment

    def delete(self, issue: Issue) -> None:
        """Delete an issue."""
        del self.issues[issue.id]
        self._post("jira:issue_deleted", issue)

    def written(self, issue: Issue, author: str, body: dict[str, Any]) -> Comment:
        """Add a comment without a word to anybody."""
        comment = Comment(str(next(self._ids)), author, body, self.clock())
        issue.comments.append(comment)
        return comment

    def shown(self, issue: Issue) -> dict[str, Any]:
        """An issue's fields as the API shows them."""
        return {
            **issue.fields,
            "status": status_view(issue.status),
            "resolution": {"name": issue.resolution} if issue.resolution else None,
            "created": moment(issue.created),
            "updated": moment(issue.updated),
        }

    def place(self, issue: Issue) -> str:
        """An issue's address in the API."""
        return f"{self.site}/rest/api/3/issue/{issue.id}"

    def _post(self, event: str, issue: Issue, **more: Any) -> None:
        # Webhooks carry rich text as plain text.
        fields = {**self.shown(issue), "description": text_of(issue.fields.get("description"))}
        shown = {"id": issue.id, "key": issue.key, "self": self.place(issue), "fields": fields}
        self._send({"webhookEvent": event, "issue": shown, **more})

    def _send(self, post: dict[str, Any]) -> None:
        self.tell({"timestamp": int(self.clock() * 1000), **post})


def status_view(name: str) -> dict[str, Any]:
    """A status as the API shows it."""
    id_, category = STATUSES[name]
    number, words = _CATEGORIES[category]
    return {"id": id_, "name": name, "statusCategory": {"id": number, "key": category, "name": words}}


def moment(at: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _plain(comment: Comment) -> dict[str, Any]:
    author = {"displayName": comment.author, "accountType": "atlassian"}
    return {"id": comment.id, "author": author, "body": text_of(comment.body), "created": moment(comment.created)}
