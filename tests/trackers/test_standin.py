"""The stand-in for Jira refuses what the real one refuses, in the real one's shape."""

from typing import Any

import httpx2
import pytest

from tests.trackers.site import Listener, Site
from tests.waiting import until

DOCUMENT = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": "a"}]}]}
FIELDS: dict[str, Any] = {"project": {"key": "OPS"}, "issuetype": {"name": "Task"}, "summary": "s"}


def create(site: Site, **fields: Any) -> httpx2.Response:
    return site.http.post("/rest/api/3/issue", json={"fields": {**FIELDS, **fields}})


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "paragraph", "content": []}
    for _ in range(depth):
        node = {"type": "blockquote", "content": [node]}
    return {"type": "doc", "version": 1, "content": [node]}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"project": {"key": "NO"}}, "project"),
        ({"project": "OPS"}, "project"),
        ({"issuetype": {"name": "Epic"}}, "issuetype"),
        ({"summary": " "}, "summary"),
        ({"summary": "a\nb"}, "summary"),
        ({"summary": "x" * 256}, "summary"),
        ({"labels": "a"}, "labels"),
        ({"labels": ["a b"]}, "labels"),
        ({"priority": {"name": "High"}}, "priority"),
        ({"description": "plain text"}, "description"),
        ({"description": {**DOCUMENT, "version": 2}}, "description"),
        ({"description": {**DOCUMENT, "content": [{"type": "text", "text": "a"}]}}, "description"),
        (
            {
                "description": {
                    **DOCUMENT,
                    "content": [{"type": "paragraph", "content": [{"type": "text", "text": ""}]}],
                }
            },
            "description",
        ),
        ({"description": nested(30)}, "description"),
    ],
)
def test_an_issue_that_jira_would_refuse_is_refused_by_field(site: Site, fields: dict[str, Any], field: str) -> None:
    refused = create(site, **fields)
    assert refused.status_code == 400
    assert refused.json()["errorMessages"] == []
    assert list(refused.json()["errors"]) == [field]


def test_a_whole_document_is_taken(site: Site) -> None:
    paragraph = DOCUMENT["content"][0]  # type: ignore[index]
    blocks = [
        {"type": "bulletList", "content": [{"type": "listItem", "content": [paragraph]}]},
        {"type": "blockquote", "content": [paragraph]},
        {"type": "rule"},
        {"type": "paragraph", "content": [{"type": "hardBreak"}]},
    ]
    assert create(site, description={**DOCUMENT, "content": blocks}).status_code == 201


def test_nobody_without_a_login_is_let_in(site: Site) -> None:
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Basic x"}, {"authorization": "Basic eDp5"}):
        refused = httpx2.get(f"{site.url}/rest/api/3/issue/OPS-1", headers=headers)
        assert refused.status_code == 401


def test_the_search_that_was_removed_is_gone_and_one_without_a_bound_is_refused(site: Site) -> None:
    gone = site.http.get("/rest/api/3/search", params={"jql": "project = OPS"})
    assert (gone.status_code, "search/jql" in gone.json()["errorMessages"][0]) == (410, True)
    for jql in ("", "ORDER BY created DESC", "text ~ x"):
        assert site.http.get("/rest/api/3/search/jql", params={"jql": jql}).status_code == 400


def test_a_search_gives_ids_alone_unless_fields_are_asked_for(site: Site) -> None:
    first, second = (create(site, labels=["a"]).json()["id"] for _ in range(2))
    found = site.http.post("/rest/api/3/search/jql", json={"jql": "labels = a ORDER BY created DESC", "maxResults": 1})
    assert found.json() == {"issues": [{"id": second}], "isLast": False}
    asked = {"jql": "project = OPS AND labels = a ORDER BY created ASC", "fields": ["summary"]}
    issues = site.http.post("/rest/api/3/search/jql", json=asked).json()["issues"]
    assert [(one["id"], one["fields"]) for one in issues] == [(first, {"summary": "s"}), (second, {"summary": "s"})]


def test_what_there_is_not_is_a_404_and_what_is_no_json_a_400(site: Site) -> None:
    for path in ("issue/OPS-9", "issue/OPS-9/transitions", "project", "issue"):
        assert site.http.get(f"/rest/api/3/{path}").status_code == 404
    for content in (b"{", b"[]", b"{}"):
        assert site.http.post("/rest/api/3/issue", content=content).status_code == 400
    key = create(site).json()["key"]
    assert site.http.post(f"/rest/api/3/issue/{key}/votes").status_code == 404
    assert site.http.post(f"/rest/api/3/issue/{key}/comment", json={"body": "plain"}).status_code == 400
    assert site.http.post(f"/rest/api/3/issue/{key}/transitions", json={"transition": {"id": "11"}}).status_code == 400


def test_posts_can_be_lost_or_come_twice(site: Site, listener: Listener) -> None:
    site.fault("lose_events")
    create(site)
    site.fault("duplicate_events")
    create(site)
    until(lambda: len(listener.posts) == 2, "it came twice")
    identifiers = {headers["x-atlassian-webhook-identifier"] for headers, _ in listener.posts}
    assert len(identifiers) == 1
    assert site.http.get("/api/hooks").json()["lost"] == 1


def test_the_page_shows_what_was_written_and_runs_none_of_it(site: Site) -> None:
    key = create(site, summary="<script>alert(1)</script>", labels=["a"]).json()["key"]
    moved = site.http.post(f"/issues/{key}/move", data={"status": "Blocked", "comment": "<b>"}, follow_redirects=True)
    assert moved.status_code == 200
    written = site.http.post(f"/issues/{key}/comments", data={"text": "seen"}, follow_redirects=True)
    assert "<script" not in written.text
    assert "&lt;b&gt;" in written.text
    assert "seen" in written.text
    assert "default-src 'none'" in written.headers["content-security-policy"]
    assert site.http.post(f"/issues/{key}/move", data={"status": "Nowhere"}).status_code == 422
