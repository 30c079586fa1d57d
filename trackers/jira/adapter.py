"""The tracker `jira`: issues of one project of Jira Cloud, found again by a label, their changes told by webhook.

Jira knows no idempotency key, and its search finds a new issue only after a while; what was opened last is therefore
kept with us before the call, and after a lost answer nothing is opened anew before the search has settled.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from models.area_work import IncidentState
from models.errors import OperatorError, UnknownOutcome, UnreadableMessage, VerificationError
from models.sections.tracker import Jira as Project
from trackers.http import Line
from trackers.jira.adf import document
from trackers.jira.reading import key_of, label_of, moment_of, outcome_of, state_of, words_of
from trackers.jira.settings import JiraSettings
from trackers.port import Change, Draft, Ref, Tracker

SIGNATURE, IDENTIFIER = "x-hub-signature", "x-atlassian-webhook-identifier"
LONGEST_TITLE = 255
DELETED = "jira:issue_deleted"
OURS = "the case has its outcome"
COUNTED = "inquiries that joined it by now"
"""What our own comments say, and nobody needs to be told of again."""

_SCHEME = "sha256="


class Jira(Tracker):
    """One project. The stand-in at `mailroom_port` answers where the settings name no site."""

    name: ClassVar[str] = "jira"
    settles: ClassVar[timedelta] = timedelta(seconds=60)

    def __init__(self, settings: JiraSettings, project: Project, mailroom_port: int) -> None:
        self._site = settings.host or f"http://127.0.0.1:{mailroom_port}/jira"
        login = f"{settings.email}:{settings.token.get_secret_value()}"
        self._signed_in = {"authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        self._secret = settings.secret.get_secret_value().encode()
        self._project, self._line = project, Line("Jira")

    def find(self, key: str) -> Ref | None:
        """Look for the label; what was opened just now may not be found yet."""
        wanted = f'project = "{self._project.project}" AND labels = "{label_of(key)}" ORDER BY created ASC'
        query = urlencode({"jql": wanted, "fields": "status", "maxResults": 1})
        issues = self._read(f"/rest/api/3/search/jql?{query}").get("issues")
        first = issues[0] if isinstance(issues, list) and issues else None
        return self._ref(first) if isinstance(first, dict) else None

    def create(self, draft: Draft) -> Ref:
        """Open an issue."""
        text = f"{draft.title}\n{draft.description}" if draft.description else draft.title
        fields = {
            "project": {"key": self._project.project},
            "issuetype": {"name": self._project.issue_type},
            "summary": draft.title[:LONGEST_TITLE],
            "description": document(text),
            "labels": [label_of(draft.key), f"area-{draft.area}"],
        }
        ref = self._ref(self._write("/rest/api/3/issue", {"fields": fields}))
        if ref is None:
            raise UnknownOutcome("Jira opened an issue without saying which")
        return ref

    def close(self, id_: str, key: str, state: IncidentState) -> None:
        """Say so in a comment, then move the issue to a status that means the outcome, or is done at least."""
        place = f"/rest/api/3/issue/{quote(id_, safe='')}"
        fields = _object(self._read(f"{place}?fields=status,resolution").get("fields"))
        if state_of(fields, {}) is IncidentState.RESOLVED:
            return
        offered = self._read(f"{place}/transitions").get("transitions")
        wanted = self._transition(offered if isinstance(offered, list) else [], state)
        self._write(f"{place}/comment", {"body": document(f"{key}: {OURS}, {state.value}.")})
        self._write(f"{place}/transitions", {"transition": {"id": wanted}})

    def count(self, id_: str, key: str, cases: int, now: datetime) -> None:  # noqa: ARG002 - a comment has its own time
        """Say so in a comment."""
        place = f"/rest/api/3/issue/{quote(id_, safe='')}/comment"
        self._write(place, {"body": document(f"{key}: {COUNTED}: {cases}.")})

    def standing(self, id_: str, now: datetime) -> Change | None:
        """Ask Jira."""
        issue = self._read(f"/rest/api/3/issue/{quote(id_, safe='')}?fields=status,resolution,labels")
        fields = _object(issue.get("fields"))
        state = state_of(fields, self._project.states)
        outcome, id_ = outcome_of(fields), str(issue.get("id") or id_)
        return Change(
            event=f"asked {now.isoformat()}", state=state, at=now, id=id_, url=self._shown(issue), outcome=outcome
        )

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:  # noqa: ARG002 - carries no time
        """Check the signature. It says nothing of when; a post's identifier makes a repetition change nothing."""
        given = headers.get(SIGNATURE, "")
        wanted = _SCHEME + hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        if not given.isascii() or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise VerificationError("the signature is missing or does not fit; is PLAZO_JIRA_SECRET the webhook's?")

    def parse(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Change, ...]:
        """Read a post about an issue or a comment; an issue that was deleted is a rejected incident."""
        try:
            post: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise UnreadableMessage("the post is not JSON") from None
        issue = _object(_object(post).get("issue"))
        fields = _object(issue.get("fields"))
        if not issue.get("id"):
            return ()
        deleted = post.get("webhookEvent") == DELETED
        state = IncidentState.REJECTED if deleted else state_of(fields, self._project.states)
        key = key_of(fields.get("labels"))
        return (
            Change(
                event=headers.get(IDENTIFIER) or hashlib.sha256(body).hexdigest(),
                state=state,
                at=moment_of(post.get("timestamp"), now),
                key=key,
                id=str(issue["id"]),
                url=self._shown(issue),
                outcome="deleted in Jira" if deleted else outcome_of(fields),
                words=words_of(post, (OURS, COUNTED)),
            ),
        )

    def _transition(self, offered: list[Any], state: IncidentState) -> str:
        """The transition that means the outcome by the operator's own names, else any that leads to done."""
        ways = [one for one in (_object(each) for each in offered) if one.get("id")]
        ends = [one for one in ways if state_of({"status": one.get("to")}, {}) is IncidentState.RESOLVED]
        named = [one for one in ways if state_of({"status": one.get("to")}, self._project.states) is state]
        if not named and not ends:
            raise OperatorError("Jira offers our account no way from the issue's status to one that is done")
        return str((named or ends)[0]["id"])

    def _ref(self, issue: Mapping[str, Any]) -> Ref | None:
        return Ref(str(issue["id"]), self._shown(issue)) if issue.get("id") and issue.get("key") else None

    def _shown(self, issue: Mapping[str, Any]) -> str:
        """Where people see an issue; its key may change, its id does not."""
        return f"{self._site}/browse/{quote(str(issue.get('key', '')), safe='')}"

    def _read(self, path: str) -> dict[str, Any]:
        return self._line.read(self._site + path, {**self._signed_in, "accept": "application/json"}).object()

    def _write(self, path: str, content: Mapping[str, Any]) -> dict[str, Any]:
        headers = {**self._signed_in, "accept": "application/json", "content-type": "application/json"}
        return self._line.write("POST", self._site + path, headers, json.dumps(content).encode()).object()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
