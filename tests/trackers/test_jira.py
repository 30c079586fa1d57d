"""The tracker `jira` against the stand-in, which checks what Jira checks, over real HTTP."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from models.area_work import IncidentState
from models.errors import ChannelError, OperatorError, TransientError, UnknownOutcome, VerificationError
from tests.cases import policy
from tests.trackers.site import DRAFT, KEY, NOW, Listener, Site, tracker
from tests.waiting import until
from trackers.jira.adapter import IDENTIFIER, SIGNATURE, Jira
from trackers.port import Change

LABEL = "RX-7KQ4-M2PD-inc-1"


def arrived(jira: Jira, listener: Listener, count: int) -> list[Change]:
    """What so many posts say, each verified as the door does."""
    until(lambda: len(listener.posts) >= count, f"{count} posts have come")
    changes: list[Change] = []
    for headers, body in listener.posts[:count]:
        jira.verify(headers, body, NOW)
        changes += jira.parse(headers, body, NOW)
    return changes


@pytest.mark.rule("M5.6")
def test_an_issue_is_opened_found_again_and_says_nothing_but_the_reference(site: Site, jira: Jira) -> None:
    assert jira.find(KEY) is None
    ref = jira.create(DRAFT)
    assert jira.find(KEY) == ref
    (issue,) = site.issues()
    assert (issue["id"], issue["fields"]["summary"]) == (ref.id, DRAFT.title)
    assert issue["fields"]["labels"] == [LABEL, "area-operations"]
    assert issue["description"] == DRAFT.title
    assert ref.url == f"{site.url}/browse/{issue['key']}"
    assert site.http.get(ref.url).status_code == 200


def test_what_policy_lets_leave_is_a_document_whose_characters_mean_nothing(site: Site, jira: Jira) -> None:
    words = "*bold* [~ana] <b>\n\n{code}é 漢字 \U0001f600"
    jira.create(DRAFT._replace(description=words))
    (issue,) = site.issues()
    assert issue["description"].splitlines() == [DRAFT.title, "*bold* [~ana] <b>", "", "{code}é 漢字 \U0001f600"]
    jira.create(DRAFT._replace(key="RX-7KQ4-M2PD/inc-2", title="x" * 400, description="y" * 60_000))
    assert len(site.issues()[1]["fields"]["summary"]) == 255


def test_a_search_lags_behind_what_was_opened(site: Site, jira: Jira) -> None:
    site.behave(search_delay=3600)
    ref = jira.create(DRAFT)
    assert jira.find(KEY) is None
    site.behave(search_delay=0)
    assert jira.find(KEY) == ref


def test_of_copies_with_the_same_label_the_first_is_ours(site: Site, jira: Jira) -> None:
    ref = jira.create(DRAFT)
    site.act(ref.id, "clone")
    assert jira.find(KEY) == ref
    assert jira.find("RX-7KQ4-M2PD/inc-2") is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, OperatorError),
        (401, OperatorError),
        (403, OperatorError),
        (404, OperatorError),
        (408, UnknownOutcome),
        (429, TransientError),
        (500, UnknownOutcome),
        (503, UnknownOutcome),
    ],
)
def test_what_an_answer_means(site: Site, jira: Jira, status: int, kind: type[ChannelError]) -> None:
    site.fault("status", status=status, retry_after=7)
    with pytest.raises(kind) as caught:
        jira.create(DRAFT)
    assert type(caught.value) is kind
    assert caught.value.retry_after == (None if kind is OperatorError else 7)
    site.fault("status", status=status)
    with pytest.raises(OperatorError if kind is OperatorError else TransientError):
        jira.find(KEY)
    assert not site.issues()


@pytest.mark.parametrize(("kind", "left"), [("hang_up_before", 0), ("hang_up_after_accept", 1)])
def test_a_connection_that_breaks_leaves_it_open_whether_the_issue_was_opened(
    site: Site, jira: Jira, kind: str, left: int
) -> None:
    site.fault(kind)
    with pytest.raises(UnknownOutcome):
        jira.create(DRAFT)
    assert len(site.issues()) == left
    site.fault(kind)
    with pytest.raises(TransientError):
        jira.find(KEY)


def test_a_site_that_is_away_surely_took_nothing(listener: Listener) -> None:
    with pytest.raises(TransientError):
        tracker("http://127.0.0.1:1").create(DRAFT)
    with pytest.raises(OperatorError, match="address"):
        tracker("http://127.0.0.1:x").create(DRAFT)


def test_another_account_is_a_fault_of_ours_and_told_without_its_token(site: Site) -> None:
    with pytest.raises(OperatorError, match="Jira answered 401") as caught:
        tracker(site.url, token=SecretStr("other-token")).create(DRAFT)
    assert "other-token" not in str(caught.value)


def test_what_jira_refuses_is_told_by_field_and_without_what_was_sent(site: Site, jira: Jira) -> None:
    with pytest.raises(OperatorError) as caught:
        jira.create(DRAFT._replace(title="two\nlines"))
    assert caught.value.detail == "Jira answered 400 about summary"


@pytest.mark.rule("M5.6")
def test_how_many_joined_is_a_comment_and_comes_back_as_no_news(site: Site, jira: Jira, listener: Listener) -> None:
    ref = jira.create(DRAFT)
    jira.count(ref.id, KEY, 12, NOW)
    (issue,) = site.issues()
    assert [one["text"] for one in issue["comments"]] == [f"{KEY}: inquiries that joined it by now: 12."]
    created, commented = arrived(jira, listener, 2)
    assert [one.words for one in (created, commented)] == ["", ""]


@pytest.mark.rule("M5.6")
def test_who_quotes_us_is_heard_all_the_same(site: Site, jira: Jira, listener: Listener) -> None:
    ref = jira.create(DRAFT)
    jira.count(ref.id, KEY, 12, NOW)
    quoted = f"{KEY}: inquiries that joined it by now: 12.\nThe bank has the list."
    said = "We know of the inquiries that joined it by now."
    for text in (quoted, said):
        site.act(ref.id, "comments", text=text)
    assert [one.words for one in arrived(jira, listener, 4)] == ["", "", "The bank has the list.", said]


@pytest.mark.parametrize(("outcome", "status"), [(IncidentState.RESOLVED, "Done"), (IncidentState.REJECTED, "Done")])
@pytest.mark.rule("M5.6")
def test_the_cases_outcome_is_written_below_the_issue_which_is_done_then(
    site: Site, jira: Jira, listener: Listener, outcome: IncidentState, status: str
) -> None:
    ref = jira.create(DRAFT)
    jira.close(ref.id, KEY, outcome)
    jira.close(ref.id, KEY, outcome)
    (issue,) = site.issues()
    assert issue["fields"]["status"]["name"] == status
    assert [one["text"] for one in issue["comments"]] == [f"{KEY}: the case has its outcome, {outcome.value}."]
    created, commented, moved = arrived(jira, listener, 3)
    assert [one.words for one in (created, commented, moved)] == ["", "", ""]
    assert moved.state is IncidentState.RESOLVED


def test_a_lost_issue_cannot_be_closed(jira: Jira) -> None:
    with pytest.raises(OperatorError, match="404"):
        jira.close("99", KEY, IncidentState.RESOLVED)


@pytest.mark.rule("M5.6")
def test_what_specialists_do_comes_back_signed_with_state_time_and_words(
    site: Site, jira: Jira, listener: Listener
) -> None:
    ref = jira.create(DRAFT)
    site.act(ref.id, "move", status="In Progress")
    site.act(ref.id, "move", status="Blocked")
    site.act(ref.id, "comments", text="The bank is asked.")
    site.act(ref.id, "move", status="Done", comment="Paid on Tuesday.")
    site.act(ref.id, "move", status="To Do")
    site.act(ref.id, "move", status="Done", resolution="Won't Do")
    changes = arrived(jira, listener, 7)
    assert [(one.state.value, one.words) for one in changes] == [
        ("open", ""),
        ("in_progress", ""),
        ("blocked", ""),
        ("blocked", "The bank is asked."),
        ("resolved", "Paid on Tuesday."),
        ("open", ""),
        ("rejected", ""),
    ]
    assert [one.outcome for one in changes] == ["", "", "", "", "Done", "", "Won't Do"]
    assert {one.id for one in changes} == {ref.id}
    assert {one.key for one in changes} == {KEY, ""}
    assert {one.url for one in changes} == {ref.url}
    assert len({one.event for one in changes}) == 7
    assert all(abs((one.at - datetime.now(UTC)).total_seconds()) < 60 for one in changes)
    standing = jira.standing(ref.id, NOW)
    assert standing
    assert (standing.state, standing.at) == (IncidentState.REJECTED, NOW)
    site.http.delete(f"/api/issues/{ref.id}").raise_for_status()
    gone = arrived(jira, listener, 8)[-1]
    assert (gone.state, gone.outcome) == (IncidentState.REJECTED, "deleted in Jira")


def test_a_post_that_is_not_taken_comes_again_as_the_same_event(site: Site, jira: Jira, listener: Listener) -> None:
    listener.statuses = [503, 429]
    jira.create(DRAFT)
    changes = arrived(jira, listener, 3)
    assert len({one.event for one in changes}) == 1
    assert listener.posts[2][0]["x-atlassian-webhook-retry"] == "2"
    listener.statuses = [401]
    jira.create(DRAFT._replace(key="RX-7KQ4-M2PD/inc-2"))
    until(lambda: site.http.get("/api/hooks").json()["lost"] == 1, "a post that is refused is lost")


@pytest.mark.rule("M5.6")
@pytest.mark.parametrize(
    "change",
    [
        lambda headers, body: ({}, body),
        lambda headers, body: ({SIGNATURE: ""}, body),
        lambda headers, body: ({SIGNATURE: headers[SIGNATURE].upper()}, body),
        lambda headers, body: ({SIGNATURE: headers[SIGNATURE].removeprefix("sha256=")}, body),
        lambda headers, body: ({SIGNATURE: "sha256=ñ"}, body),
        lambda headers, body: (headers, body + b" "),
        lambda headers, body: (headers, json.dumps(json.loads(body)).encode() + b"\n"),
    ],
)
def test_what_is_not_jiras_is_not_believed(site: Site, jira: Jira, listener: Listener, change: Any) -> None:
    jira.create(DRAFT)
    until(lambda: listener.posts, "a post has come")
    jira.verify(*listener.posts[0], NOW)
    headers, body = change(*listener.posts[0])
    with pytest.raises(VerificationError):
        jira.verify(headers, body, NOW)


ISSUE: dict[str, Any] = {"id": "1", "key": "OPS-1", "fields": {"labels": [LABEL]}}


@pytest.mark.parametrize(
    ("post", "wanted"),
    [
        ([], ()),
        ("x", ()),
        ({}, ()),
        ({"issue": "x"}, ()),
        ({"issue": {**ISSUE, "id": None}}, ()),
        ({"issue": ISSUE}, ("open", "", NOW)),
        ({"issue": ISSUE, "timestamp": 10**30}, ("open", "", NOW)),
        ({"issue": ISSUE, "timestamp": True}, ("open", "", NOW)),
        ({"issue": ISSUE, "timestamp": 0}, ("open", "", datetime(1970, 1, 1, tzinfo=UTC))),
        ({"issue": {**ISSUE, "fields": {"status": {"statusCategory": {"key": ["x"]}}}}}, ("open", "", NOW)),
        ({"issue": {**ISSUE, "fields": {"status": {"name": "Blocked"}}}}, ("blocked", "", NOW)),
        ({"issue": ISSUE, "comment": {"body": {"type": "doc", "content": [{"text": "a"}]}}}, ("open", "a", NOW)),
        ({"issue": ISSUE, "changelog": {"items": [1, {"field": "status"}]}}, ("open", "", NOW)),
    ],
)
def test_a_verified_post_is_read_whatever_is_in_it(jira: Jira, post: Any, wanted: tuple[Any, ...]) -> None:
    changes = jira.parse({IDENTIFIER: "e"}, json.dumps(post).encode(), NOW)
    assert [(one.state.value, one.words, one.at) for one in changes] == ([wanted] if wanted else [])


def test_a_post_without_an_identifier_is_known_by_its_bytes(jira: Jira) -> None:
    body = json.dumps({"issue": ISSUE}).encode()
    assert jira.parse({}, body, NOW) == jira.parse({}, body, NOW)


def test_the_operators_names_of_states_are_the_policys() -> None:
    assert policy().tracker.jira.states["Won't Do"] is IncidentState.REJECTED
