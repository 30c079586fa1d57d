import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from counterparts.telegram.app import Arrangement, telegram
from tests.channels.telegram.town import TOKEN, Town, file, open_town, serve
from tests.mailrooms import Catcher, open_catcher
from tests.waiting import until


@pytest.fixture(scope="module")
def shared() -> Iterator[Town]:
    with open_town() as opened:
        yield opened


@pytest.fixture
def town(shared: Town) -> Iterator[Town]:
    yield shared
    shared.http.delete("/api/faults")
    shared.call("deleteWebhook", drop_pending_updates=True)


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with open_catcher() as caught:
        yield caught


def refused(answer: httpx2.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["ok"] is False
    assert body["error_code"] == answer.status_code
    return answer.status_code, body["description"]


def updates(town: Town, **arguments: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.call("getUpdates", **arguments).json()["result"]
    return found


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/bot4242:wrong/getMe", (401, "Unauthorized")),
        ("/botnonsense/getMe", (404, "Not Found")),
        (f"/bot{TOKEN}/sendLetter", (404, "Not Found")),
        ("/file/bot4242:wrong/documents/a", (401, "Unauthorized")),
        (f"/file/bot{TOKEN}/documents/a", (404, "Not Found")),
    ],
)
def test_the_token_and_the_method_are_checked(town: Town, path: str, answer: tuple[int, str]) -> None:
    assert refused(town.http.get(path)) == answer


def test_calls_come_in_every_form(town: Town) -> None:
    ana = town.person()
    town.write(ana, "/start")
    address = f"/bot{TOKEN}/sendmessage"
    call = {"chat_id": str(ana), "text": "Hola"}
    for answer in (
        town.http.get(address, params=call),
        town.http.post(address, params=call),
        town.http.post(address, data=call),
        town.http.post(address, json={"chat_id": ana, "text": "Hola"}),
        town.http.post(address, data=call, files={"unused": ("a", b"x")}),
    ):
        assert answer.json()["result"]["text"] == "Hola"
    assert len(town.said(ana)) == 5
    assert refused(town.http.post(address, content=b"{", headers={"Content-Type": "application/json"}))[0] == 400


def test_what_may_be_said_is_checked(town: Town) -> None:
    ana, stranger = town.person(), town.person()
    town.write(ana, "/start")
    assert refused(town.call("sendMessage", text="x")) == (400, "Bad Request: chat_id is empty")
    assert refused(town.call("sendMessage", chat_id=7, text="x")) == (400, "Bad Request: chat not found")
    assert refused(town.call("sendMessage", chat_id=ana, text=" \n")) == (400, "Bad Request: message text is empty")
    too_long = town.call("sendMessage", chat_id=ana, text="😀" * 2049)
    assert refused(too_long) == (400, "Bad Request: message is too long")
    assert town.call("sendMessage", chat_id=ana, text="😀" * 2048).json()["ok"]
    first = town.call("sendMessage", chat_id=stranger, text="x")
    assert refused(first) == (403, "Forbidden: bot can't initiate conversation with a user")
    town.block(ana)
    assert refused(town.call("sendMessage", chat_id=ana, text="x")) == (403, "Forbidden: bot was blocked by the user")
    town.unblock(ana)
    reply: dict[str, Any] = {"message_id": 1}
    gone = town.call("sendMessage", chat_id=ana, text="x", reply_parameters=reply)
    assert refused(gone) == (400, "Bad Request: message to be replied not found")
    reply["allow_sending_without_reply"] = True
    assert town.call("sendMessage", chat_id=ana, text="x", reply_parameters=reply).json()["ok"]
    assert refused(town.call("sendDocument", chat_id=ana)) == (400, "Bad Request: there is no document in the request")
    sent = town.http.post(
        f"/bot{TOKEN}/sendDocument", data={"chat_id": ana, "caption": "x" * 1025}, files={"document": ("a.txt", b"x")}
    )
    assert refused(sent) == (400, "Bad Request: message caption is too long")
    assert refused(town.call("getFile", file_id="x"))[0] == 400


def test_a_writer_who_blocked_the_bot_has_to_take_it_back(town: Town) -> None:
    ana = town.person()
    town.block(ana)
    town.block(ana)
    assert town.http.post(f"/api/people/{ana}/messages", json={"text": "x"}).status_code == 409
    assert town.http.post("/api/people/1/messages", json={"text": "x"}).status_code == 404
    assert len(updates(town)) == 1


def test_an_offset_confirms_and_a_future_one_does_not(town: Town) -> None:
    ana = town.person()
    for text in "abc":
        town.write(ana, text)
    first, second, third = updates(town)
    assert [one["message"]["text"] for one in (first, second, third)] == ["a", "b", "c"]
    assert updates(town, limit=1) == [first]
    assert updates(town, offset=second["update_id"] + 1_000_000) == [first, second, third]
    assert updates(town, offset=-1) == [third]
    assert updates(town, offset=third["update_id"] + 1) == []


def test_only_what_is_wanted_is_handed_over(town: Town) -> None:
    ana = town.person()
    town.call("getUpdates", allowed_updates=["my_chat_member"])
    town.write(ana, "a")
    town.block(ana)
    assert [sorted(one) for one in updates(town)] == [["my_chat_member", "update_id"]]
    town.call("getUpdates", allowed_updates=[])


def test_a_question_is_held_until_there_is_an_answer(town: Town) -> None:
    ana = town.person()
    with ThreadPoolExecutor(1) as executor:
        held = executor.submit(updates, town, timeout=10)
        until(lambda: town.http.get("/api/updates").json()["asking"], "it is held")
        town.write(ana, "Hola")
        assert [one["message"]["text"] for one in held.result(5)] == ["Hola"]


def test_a_webhook_excludes_polling_and_gets_the_secret(town: Town, catcher: Catcher) -> None:
    bad = town.call("setWebhook", url="http://example.org/hook")
    assert refused(bad) == (400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    assert refused(town.call("setWebhook", url=catcher.url, secret_token="ñ"))[0] == 400
    ana, luz = town.person(), town.person()
    catcher.answers += [500] * 3
    for text in "ab":
        town.write(ana, text)
        town.write(luz, text)
    assert town.call("setWebhook", url=catcher.url, secret_token="s_-9").json()["result"] is True
    conflict = refused(town.call("getUpdates"))
    assert conflict[0] == 409
    assert "deleteWebhook" in conflict[1]
    until(lambda: not town.http.get("/api/updates").json()["waiting"], "all was posted")
    posted = [httpx2.Response(200, content=body).json() for _, body in catcher.posts]
    for person in (ana, luz):
        said = [one["message"]["text"] for one in posted if one["message"]["chat"]["id"] == person]
        assert list(dict.fromkeys(said)) == ["a", "b"]
    secrets = {headers["X-Telegram-Bot-Api-Secret-Token"] for headers, _ in catcher.posts}
    assert secrets == {"s_-9"}
    assert len(catcher.posts) == 7
    info = town.call("getWebhookInfo").json()["result"]
    assert (info["pending_update_count"], info["max_connections"]) == (0, 40)
    assert "500" in info["last_error_message"]


def test_a_webhook_that_is_away_loses_nothing(town: Town, catcher: Catcher) -> None:
    ana = town.person()
    town.call("setWebhook", url="http://127.0.0.1:9/hook")
    town.write(ana, "a")
    until(lambda: town.call("getWebhookInfo").json()["result"].get("last_error_message"), "it was tried")
    town.call("setWebhook", url=catcher.url)
    until(lambda: catcher.posts, "it was posted")
    town.call("setWebhook", url="")
    assert updates(town) == []


def test_rates_are_enforced_when_asked_for(town: Town) -> None:
    people = [town.person() for _ in range(31)]
    for person in people:
        town.write(person, "/start")
    town.fault("limits")
    assert town.call("sendMessage", chat_id=people[0], text="x").is_success
    again = town.call("sendMessage", chat_id=people[0], text="x")
    assert refused(again) == (429, "Too Many Requests: retry after 1")
    assert again.json()["parameters"] == {"retry_after": 1}
    began = time.monotonic()
    statuses = {town.call("sendMessage", chat_id=person, text="x").status_code for person in people[1:]}
    assert 429 in statuses or time.monotonic() - began > 0.9


def test_faults_are_for_one_method_and_a_count(town: Town) -> None:
    town.fault("status", method="getMe", status=503, count=2)
    assert [town.call("getMe").status_code for _ in range(3)] == [503, 503, 200]
    town.fault("hang_up_before", method="getMe", count=1)
    with pytest.raises(httpx2.TransportError):
        town.call("getMe")
    assert town.http.get("/api/faults").json() == []


def test_a_file_can_be_had_and_a_large_one_cannot(town: Town) -> None:
    ana = town.person()
    [small] = town.write(ana, "Mire", files=[file("a.pdf", b"%PDF")])
    [large] = town.write(ana, "", files=[file("b.mp4", size=20 * 1024 * 1024 + 1)])
    found = town.call("getFile", file_id=small["document"]["file_id"]).json()["result"]
    assert found["file_size"] == 4
    assert town.http.get(f"/file/bot{TOKEN}/{found['file_path']}").content == b"%PDF"
    gone = town.call("getFile", file_id=large["document"]["file_id"])
    assert refused(gone) == (400, "Bad Request: file is too big")


def test_numbers_go_on_when_it_is_started_again() -> None:
    first = Arrangement().first
    assert abs(first - time.time()) < 60


HOSTILE = "<script>alert(1)</script>"


def test_nobody_gets_the_id_of_somebody_of_before() -> None:
    met: list[int] = []
    for first in (1_900_000_000, 1_900_000_001):
        with (
            serve(telegram(Arrangement(token=TOKEN, first=first))) as url,
            httpx2.Client(base_url=url, timeout=20) as http,
        ):
            again = Town(url, http)
            met += [again.person(), again.person(), again.group(), again.group()]
    assert len(set(met)) == 8
    assert all(-(2**52) < one < 2**52 for one in met)


@pytest.mark.parametrize("words", [r'"\ud800"', "1e999"])
def test_what_no_answer_could_hold_is_refused_and_polling_goes_on(town: Town, words: str) -> None:
    ana = town.person()
    for path, body in (
        ("/api/updates", f'{{"update_id": 7, "message": {{"text": {words}}}}}'),
        (f"/api/people/{ana}/messages", f'{{"contents": {{"text": {words}}}}}'),
    ):
        answer = town.http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
    town.write(ana, "Hola")
    assert [one["message"]["text"] for one in updates(town)] == ["Hola"]


def test_a_newcomer_writes_and_reads_in_the_browser() -> None:
    house = FastAPI()
    house.mount("/telegram", telegram(Arrangement(token=TOKEN)))
    with serve(house) as url, httpx2.Client(base_url=url, follow_redirects=True, timeout=20) as browser:
        page = browser.post("/telegram/people", data={"first_name": HOSTILE, "language": "en"})
        home = page.url.path
        assert home.startswith("/telegram/people/")
        ana = home.rpartition("/")[2]
        browser.post(f"{home}/start", data={"link": ""})
        browser.post(f"{home}/messages", data={"chat": ana, "text": f"Hi {HOSTILE}"})
        album = [("files", (f"{HOSTILE}.png", b"\x89PNG", "image/png")), ("files", ("a.pdf", b"%PDF", "text/html"))]
        browser.post(f"{home}/messages", data={"chat": ana, "text": "Proof"}, files=album)
        told = browser.get(f"/telegram/bot{TOKEN}/getUpdates").json()["result"]
        assert [one["message"].get("text") or one["message"].get("caption") for one in told] == [
            *("/start", f"Hi {HOSTILE}", "Proof", None)
        ]
        assert told[2]["message"]["media_group_id"] == told[3]["message"]["media_group_id"]
        said = told[1]["message"]["message_id"]
        browser.post(f"{home}/edits", data={"chat": ana, "message_id": said, "text": "Hello"})
        call = {"chat_id": ana, "text": f"Received {HOSTILE}", "reply_parameters": f'{{"message_id": {said}}}'}
        assert browser.post(f"/telegram/bot{TOKEN}/sendMessage", data=call).is_success
        shown = browser.get(home)
        assert HOSTILE not in shown.text
        for words in ("Hello", "edited", "Received &lt;script&gt;", f"in reply to {said}", "a.pdf", "memory"):
            assert words in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]
        link = shown.text.partition('href="/telegram/files/')[2].partition('"')[0]
        kept = browser.get(f"/telegram/files/{link}")
        assert kept.content == b"\x89PNG"
        assert kept.headers["content-disposition"] == "attachment"
        assert "Unblock" in browser.post(f"{home}/block").text
        assert "Block the bot" in browser.post(f"{home}/unblock").text
        listed = browser.post("/telegram/groups", data={"title": HOSTILE})
        assert HOSTILE not in listed.text
        assert browser.get("/telegram").url.path == "/telegram/"
        group = browser.get(home).text.partition("?chat=")[2].partition('"')[0]
        browser.post(f"{home}/messages", data={"chat": group, "text": "In public"})
        assert "In public" in browser.get(f"{home}?chat={group}").text
        assert browser.get("/telegram/people/7").status_code == 404
