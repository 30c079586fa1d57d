import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from channels.x.adapter import X
from counterparts.x.app import Arrangement
from tests.channels.x.places import House, Standin, Taken, adapter, letter, open_house, open_standin
from tests.mailrooms import Catcher, open_catcher
from tests.waiting import until

USER = {"Authorization": "Bearer development"}
APP = {"Authorization": "Bearer development-app"}
OAUTH = ("development", "development")


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with open_catcher() as caught:
        yield caught


@pytest.fixture
def standin(catcher: Catcher) -> Iterator[Standin]:
    with open_standin(Arrangement(catcher.url, tries=3)) as opened:
        yield opened


def send(standin: Standin, to: str, body: Any, **headers: str) -> httpx2.Response:
    path = f"/x/2/dm_conversations/with/{to}/messages"
    return standin.http.post(path, json=body, headers={**USER, **headers})


def events(standin: Standin, **query: str) -> httpx2.Response:
    return standin.http.get("/x/2/dm_events", params=query, headers=USER)


def told(catcher: Catcher) -> list[dict[str, Any]]:
    return [json.loads(body)["data"] for _, body in catcher.posts]


def refresh(standin: Standin, token: str, auth: tuple[str, str] = OAUTH) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "development"}
    return standin.http.post("/x/2/oauth2/token", data=form, auth=auth)


def test_an_event_is_posted_with_signatures_over_its_raw_body(standin: Standin, catcher: Catcher) -> None:
    ana = standin.join()
    said = standin.says(ana, "ñandú & https://example.org/a")
    standin.settled()
    [(headers, body)] = catcher.posts
    wanted = "sha256=" + base64.b64encode(hmac.new(b"development", body, hashlib.sha256).digest()).decode()
    named = {name.lower(): value for name, value in headers.items()}
    assert named["x-twitter-webhooks-signature"] == named["x-twitter-webhooks-signature-oauth2"] == wanted
    [event] = told(catcher)
    assert (event["event_type"], event["filter"]) == ("dm.received", {"user_id": "1"})
    [message] = event["payload"]["direct_message_events"]
    assert (message["type"], message["id"]) == ("message_create", said["id"])
    data = message["message_create"]["message_data"]
    assert data["text"].startswith("ñandú &amp; https://t.co/")
    assert data["entities"]["urls"][0]["expanded_url"] == "https://example.org/a"
    assert set(event["payload"]["users"]) == {ana, "1"}


def test_an_event_is_repeated_until_it_is_taken_or_given_up(standin: Standin, catcher: Catcher) -> None:
    ana = standin.join()
    catcher.answers = [500, 503]
    standin.says(ana, "uno")
    standin.says(ana, "dos")
    assert standin.settled()["delivered"] == 2
    texts = [
        one["payload"]["direct_message_events"][0]["message_create"]["message_data"]["text"] for one in told(catcher)
    ]
    assert texts == ["uno", "uno", "uno", "dos"]
    catcher.answers = [401, 401, 401]
    standin.says(ana, "tres")
    assert standin.settled()["lost"] == 1


def test_events_may_come_twice_and_may_be_lost(standin: Standin, catcher: Catcher) -> None:
    ana = standin.join()
    standin.fault("duplicate_events")
    standin.says(ana, "dos veces")
    standin.fault("lose_events")
    standin.says(ana, "nunca")
    assert standin.settled()["lost"] == 1
    assert len(catcher.posts) == 2
    assert catcher.posts[0][1] == catcher.posts[1][1]


def test_what_we_send_is_told_as_sent(standin: Standin, catcher: Catcher) -> None:
    ana = standin.join()
    answer = send(standin, ana, {"text": "Hola"})
    assert (answer.status_code, sorted(answer.json()["data"])) == (201, ["dm_conversation_id", "dm_event_id"])
    standin.settled()
    assert [one["event_type"] for one in told(catcher)] == ["dm.sent"]


@pytest.mark.parametrize(
    ("headers", "status", "title"),
    [
        ({"Authorization": ""}, 401, "Unauthorized"),
        ({"Authorization": "Bearer nobody"}, 401, "Unauthorized"),
        ({"Authorization": "Basic development"}, 401, "Unauthorized"),
        (APP, 403, "Unsupported Authentication"),
    ],
)
def test_who_is_not_the_account_is_refused(standin: Standin, headers: dict[str, str], status: int, title: str) -> None:
    answer = send(standin, standin.join(), {"text": "Hola"}, **headers)
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [{}, [], {"text": ""}, {"text": "  "}, {"text": 7}, {"text": "a" * 10_001}])
def test_a_message_that_is_none_is_refused(standin: Standin, body: Any) -> None:
    answer = send(standin, standin.join(), body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")


def test_nobody_and_we_ourselves_cannot_be_written_to(standin: Standin) -> None:
    for to in ("404", "1", "ana"):
        assert "participant_id" in send(standin, to, {"text": "Hola"}).json()["errors"][0]["parameters"]


def test_direct_messages_close_and_open(standin: Standin) -> None:
    ana = standin.join()
    standin.ask("PUT", f"/x/api/people/{ana}/open", open=False)
    answer = send(standin, ana, {"text": "Hola"})
    assert answer.json() == {
        "title": "Forbidden",
        "detail": "You do not have permission to DM one or more participants.",
        "type": "about:blank",
        "status": 403,
    }
    standin.ask("PUT", f"/x/api/people/{ana}/open", open=True)
    assert send(standin, ana, {"text": "Hola"}).status_code == 201


def test_credits_run_out(standin: Standin) -> None:
    ana = standin.join()
    standin.set(credits=0.02)
    assert send(standin, ana, {"text": "Hola"}).status_code == 201
    answer = send(standin, ana, {"text": "Hola"})
    assert (answer.status_code, answer.json()["title"]) == (402, "CreditsDepleted")
    assert answer.json()["type"].endswith("/problems/credits")


def test_limits_are_told_and_hold_when_told_to(standin: Standin) -> None:
    left = [events(standin).headers["x-rate-limit-remaining"] for _ in range(16)]
    assert left[:2] == ["14", "13"]
    assert left[14:] == ["0", "0"]
    standin.set(limited=True)
    answer = events(standin)
    assert (answer.status_code, answer.headers["x-rate-limit-limit"]) == (429, "15")
    assert int(answer.headers["x-rate-limit-reset"]) > 1_700_000_000


def test_tokens_rotate_and_an_old_one_is_worth_nothing(standin: Standin) -> None:
    first = refresh(standin, "development").json()
    assert (first["expires_in"], first["token_type"]) == (7200, "bearer")
    again = refresh(standin, "development")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert refresh(standin, first["refresh_token"], ("development", "wrong")).status_code == 401
    assert refresh(standin, first["refresh_token"]).status_code == 200
    me = standin.http.get("/x/2/users/me", headers={"Authorization": f"Bearer {first['access_token']}"})
    assert me.json()["data"] == {"id": "1", "name": "Help", "username": "help", "verified_type": "none"}


def test_the_list_is_newest_first_in_pages_with_the_fields_asked_for(standin: Standin) -> None:
    ana = standin.join()
    said = [standin.says(ana, f"{number}")["id"] for number in range(5)]
    first = events(standin, max_results="3").json()
    assert [one["id"] for one in first["data"]] == said[:1:-1]
    assert set(first["data"][0]) == {"id", "event_type", "text"}
    query = {"max_results": "3", "pagination_token": first["meta"]["next_token"], "expansions": "sender_id"}
    last = events(standin, **query, **{"dm_event.fields": "sender_id,created_at"}).json()
    assert [one["id"] for one in last["data"]] == said[1::-1]
    assert set(last["data"][0]) == {"id", "event_type", "text", "sender_id", "created_at"}
    assert last["includes"]["users"][0]["id"] == ana
    assert "next_token" not in last["meta"]


@pytest.mark.parametrize("query", [{"max_results": "0"}, {"max_results": "101"}, {"pagination_token": "made up"}])
def test_a_list_asked_for_wrongly_is_refused(standin: Standin, query: dict[str, str]) -> None:
    assert events(standin, **query).status_code == 400


def test_the_list_goes_back_thirty_days(catcher: Catcher) -> None:
    at = [1_790_000_000.0]
    with open_standin(Arrangement(clock=lambda: at[0])) as aged:
        ana = aged.join()
        aged.says(ana, "viejo")
        at[0] += 31 * 86_400
        aged.says(ana, "nuevo")
        assert [one["text"] for one in events(aged).json()["data"]] == ["nuevo"]


def test_a_post_is_refused_that_is_too_long_or_said_already(standin: Standin) -> None:
    post = standin.ask("POST", f"/x/api/people/{standin.join()}/posts", text="@help hola")["id"]

    def publish(text: str) -> httpx2.Response:
        body = {"text": text, "reply": {"in_reply_to_tweet_id": post}}
        return standin.http.post("/x/2/tweets", json=body, headers=USER)

    assert "too long" in publish("a" * 281).json()["detail"]
    assert publish("a" * 280).status_code == 201
    assert "duplicate" in publish("a" * 280).json()["detail"]


def test_the_webhook_is_listed_and_validated_for_the_app_alone(standin: Standin, catcher: Catcher) -> None:
    hooks = standin.http.get("/x/2/webhooks", headers=APP).json()["data"]
    assert hooks == [{"id": "1234567890", "url": catcher.url, "valid": True}]
    assert standin.http.get("/x/2/webhooks", headers=USER).status_code == 401
    # The catcher knows no handshake.
    answer = standin.http.put("/x/2/webhooks/1234567890", headers=APP)
    assert (answer.status_code, answer.json()["title"]) == (400, "CrcValidationFailed")
    assert standin.http.put("/x/2/webhooks/7", headers=APP).json()["title"] == "WebhookIdInvalid"
    standin.says(standin.join(), "perdido")
    assert standin.settled()["lost"] == 1


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Standin, House, X]]:
    with open_house() as house, open_standin(Arrangement(house.url, tries=2)) as opened:
        house.channel = adapter(opened.port, tmp_path)
        yield opened, house, house.channel


def form(standin: Standin, path: str, **fields: str) -> httpx2.Response:
    return standin.http.post(f"/x{path}", data=fields)


@pytest.mark.rule("M2.1")
def test_a_newcomer_writes_on_the_pages_and_reads_what_came_back(pair: tuple[Standin, House, X]) -> None:
    standin, house, channel = pair
    assert "kept in memory" in standin.http.get("/x/").text
    joined = form(standin, "/people", name="<b>Eva</b>", username="eva")
    here = joined.headers["location"].removeprefix("/x")
    assert "&lt;b&gt;Eva" in standin.http.get("/x/").text
    assert form(standin, f"{here}/messages", text="<script>mi retiro</script>").status_code == 303
    assert form(standin, f"{here}/chats").status_code == 303
    assert form(standin, f"{here}/posts", text="@help ayuda").status_code == 303
    until(lambda: len(house.stored) == 3, "all three arrived")
    message, chat, post = house.stored.values()
    assert (message.text, message.sender_name) == ("<script>mi retiro</script>", "<b>Eva</b> (@eva)")
    assert (chat.unreadable, chat.text, chat.sender) == ("encrypted", "", message.sender)
    assert (post.text, post.public_place) == ("@help ayuda", post.provider_id.removeprefix("post/"))

    channel.send(letter(message.sender, "Lo recibimos <hoy>"), Taken())
    channel.send(letter(post.public_place, "Escríbanos en privado", public=True), Taken())
    page = standin.http.get(f"/x{here}")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for shown in ("&lt;script&gt;mi retiro", "[encrypted]", "Lo recibimos &lt;hoy&gt;", "Escríbanos en privado"):
        assert shown in page.text
    assert "<script" not in page.text

    form(standin, f"{here}/open", open="false")
    assert "They are closed" in standin.http.get(f"/x{here}").text
    assert standin.http.get("/x/people/404").status_code == 404


def test_an_answer_to_our_post_is_told_as_one(pair: tuple[Standin, House, X]) -> None:
    standin, house, channel = pair
    ana = standin.join()
    post = standin.ask("POST", f"/x/api/people/{ana}/posts", text="@help ayuda")["id"]
    ours = channel.send(letter(post, "Escríbanos en privado", public=True), Taken()).provider_id
    standin.ask("POST", f"/x/api/people/{ana}/posts", text="no puedo", answers=ours.removeprefix("post/"))
    standin.settled()
    assert [(one.text, one.in_reply_to) for one in house.stored.values()] == [("@help ayuda", ""), ("no puedo", ours)]


def test_a_house_with_another_secret_stores_nothing(
    pair: tuple[Standin, House, X], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin, house, _ = pair
    monkeypatch.setenv("PLAZO_X_CONSUMER_SECRET", "another")
    monkeypatch.setenv("PLAZO_X_CLIENT_SECRET", "another")
    house.channel = adapter(standin.port, tmp_path)
    standin.says(standin.join(), "hola")
    assert standin.settled()["lost"] == 1
    assert (house.answers, house.stored) == ([401, 401], {})


def test_a_message_that_comes_a_hundred_times_is_one(pair: tuple[Standin, House, X]) -> None:
    standin, house, _ = pair
    ana = standin.join()
    standin.ask("POST", "/x/api/faults", kind="duplicate_events", count=50)
    for _ in range(50):
        standin.says(ana, "hola")
    assert standin.settled()["delivered"] == 100
    assert len(house.stored) == 50
