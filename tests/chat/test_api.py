"""The chat's API as a page uses it: sessions, messages, and everything that is refused."""

import base64
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from joserfc import jwk, jwt

from channels.chat.adapter import Chat
from models.case import Case
from models.errors import RecipientError, RecordsUnavailable
from models.inquiry import CHAT, EMAIL, Language
from models.tables import NoticeEvent
from records import bindings, cases, chat, contacts, dispatches, documents, notices
from records.chat import LETTER, MESSAGE
from starter.chat import abandoned
from starter.chat.desk import LeftAddress
from starter.http import threads
from starter.http.limits import Rate, network
from tests.chat.site import REPLY_SECRET, SECRET, Site, letter
from tests.starter.mailbag import left
from tests.waiting import PATIENCE

COMPLAINT = "Mi retiro no ha llegado y nadie me responde."


def problem(answer: httpx2.Response, status: int) -> str:
    """The code of a refusal, which is always told the same way."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    return str(answer.json()["code"])


def case(site: Site, reference: str) -> Case:
    with site.database.read() as session:
        return cases.load(session, reference)


def identity(site: Site, **claims: Any) -> str:
    now = int(site.now().timestamp())
    plain = {"iss": "platform", "aud": "plazo-chat", "sub": "user-17", "email": "ana@example.org", "name": "Ana"}
    key = jwk.OctKey.import_key(SECRET)
    return jwt.encode({"alg": "HS256"}, {**plain, "iat": now, "exp": now + 600, **claims}, key)


# ------------------------------------------------------------------------------------------------------------ sessions


def test_anybody_opens_a_session_and_only_its_hash_is_kept(site: Site) -> None:
    visit = site.open(locale="es-SV")
    row = site.row(visit.session)
    assert len(base64.urlsafe_b64decode(visit.token + "=")) == 32
    assert visit.token not in row.model_dump_json()
    assert (row.language, row.bound, row.email) == ("es", False, "")
    assert visit.expires_at - site.now() > timedelta(days=179)
    assert site.open(locale="fr").session != visit.session
    assert site.http.post("/chat/v1/sessions").status_code == 201, "a body is not needed"


@pytest.mark.parametrize(
    "body",
    ['{"locale": 1}', "[]", "{", '{"more": 1}', '{"email": "none"}', '{"name": "\\ud800"}', "[" * 9000, '"\xff"'],
)
def test_a_session_that_makes_no_sense_is_refused(site: Site, body: str) -> None:
    answer = site.http.post("/chat/v1/sessions", content=body.encode("latin-1"))
    assert problem(answer, 422) == "chat.malformed"
    assert problem(site.http.post("/chat/v1/sessions", content=b" " * 20_000), 413) == "body.too-large"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer \xff\xfe", "Bearer " + "x" * 5000])
def test_without_the_token_nothing_is_told(site: Site, header: str) -> None:
    visit = site.open()
    visit.taken("Hola")
    calls = (("GET", "/history"), ("GET", "/events"), ("PATCH", "/session"), ("POST", "/messages"), ("POST", "/seen"))
    for method, path in (*calls, ("POST", "/tickets"), ("POST", "/typing")):
        raw = [(b"authorization", header.encode("latin-1"))]
        answer = site.http.request(method, f"/chat/v1{path}", headers=raw if header else None)
        assert problem(answer, 401) in {"session.missing", "session.unknown"}
        assert answer.headers["www-authenticate"].startswith("Bearer")
    site.later = timedelta(days=181)
    assert problem(visit.call("GET", "/history"), 401) == "session.unknown"


def test_an_anonymous_visitor_leaves_an_address(site: Site) -> None:
    visit = site.open()
    told: list[LeftAddress] = []
    assert visit.call("PATCH", "/session", {"name": "Ana\r\nBcc: x"}).json()["email"] is False
    answer = visit.call("PATCH", "/session", {"email": "ana@example.org"})
    assert answer.json() == {"session": visit.session, "bound": False, "email": True}
    row = site.row(visit.session)
    assert (row.email, row.name, row.email_told) == ("ana@example.org", "Ana Bcc: x", False)
    site.desk.address_left = told.append
    visit.call("PATCH", "/session", {"email": "ana@example.org"})
    visit.call("PATCH", "/session", {"email": "ana@example.org"})
    assert told == [(visit.session, "ana@example.org", "Ana Bcc: x")], "its case is told once"
    assert site.row(visit.session).email_told
    assert problem(visit.call("PATCH", "/session", {"email": "ana@"}), 422) == "chat.malformed"


def test_a_signed_identity_binds_the_session(serve: Callable[..., Site]) -> None:
    site = serve(identity_secret=SECRET)
    visit = site.open(identity_jwt=identity(site), email="other@example.org", name="Other")
    assert visit.bound
    row = site.row(visit.session)
    assert (row.bound, row.account, row.email, row.name) == (True, "user-17", "ana@example.org", "Ana")
    assert visit.expires_at - site.now() <= timedelta(hours=24)
    assert problem(visit.call("PATCH", "/session", {"email": "other@example.org"}), 409) == "session.bound"
    taken = visit.taken(COMPLAINT)
    assert case(site, taken["reference"]).bound
    assert not case(site, site.open().taken(COMPLAINT)["reference"]).bound


@pytest.mark.parametrize("forged", ["", "x", "a.b.c", "x" * 4000, ".." * 100])
def test_an_identity_that_is_not_believed_opens_nothing(serve: Callable[..., Site], forged: str) -> None:
    site = serve(identity_secret=SECRET)
    for token in (forged, identity(site, exp=int(site.now().timestamp()) + 601), identity(site, aud="x")):
        answer = site.http.post("/chat/v1/sessions", json={"identity_jwt": token})
        assert problem(answer, 401) == "identity.unverified"
        assert token not in answer.text or not token


def test_without_a_key_no_identity_is_believed(site: Site) -> None:
    answer = site.http.post("/chat/v1/sessions", json={"identity_jwt": identity(site)})
    assert problem(answer, 401) == "identity.unverified"


# ------------------------------------------------------------------------------------------------------------ messages


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M5.2")
def test_a_message_is_an_inquiry_though_nobody_is_there(site: Site) -> None:
    visit, key = site.open(locale="en", email="ana@example.org", name="Ana"), str(uuid.uuid4())
    taken = visit.taken(COMPLAINT, key)
    assert taken == {**taken, "seq": 1, "duplicate": False}
    for promised in ("acknowledge_by", "answer_by"):
        assert datetime.fromisoformat(taken[promised]).utcoffset() == timedelta(hours=-6)
    opened, row = case(site, taken["reference"]), site.stored(visit.session, key)
    assert (opened.channel, opened.channel_now, opened.language) == (CHAT, CHAT, Language.ES)
    assert row is not None
    assert (row.text, row.sender, row.sender_name, row.sender_verified) == (COMPLAINT, visit.session, "Ana", True)
    with site.database.read() as session:
        assert [one.name for one in dispatches.undone(session, taken["reference"])] == [dispatches.START]
        given = contacts.addresses(session, opened.contact)
        assert {one.channel for one in given} == {CHAT}, "an address that somebody merely gives is nobody's yet"
    assert {one.channel for one in opened.addresses} == {CHAT, EMAIL}, "the case can go on by e-mail (M4.2)"
    assert site.row(visit.session).email_told
    [event] = site.book(visit.session)
    assert (event.seq, event.kind, event.key, event.reference) == (1, MESSAGE, key, taken["reference"])


def test_further_messages_join_the_sessions_inquiry(site: Site) -> None:
    visit = site.open()
    first, second = visit.taken(COMPLAINT), visit.taken("Otra cosa más.")
    assert first["reference"] == second["reference"]
    assert [first["seq"], second["seq"]] == [1, 2]
    assert site.open().taken(COMPLAINT)["reference"] != first["reference"]


def test_sent_again_a_message_counts_once_and_other_words_are_refused(site: Site) -> None:
    visit, key = site.open(), str(uuid.uuid4())
    first = visit.taken(COMPLAINT, key)
    visit.call("PATCH", "/session", {"email": "ana@example.org"})
    again = [visit.taken(COMPLAINT, key.upper()) for _ in range(3)]
    assert again == [{**first, "duplicate": True}] * 3
    assert problem(visit.say("Otra cosa", key), 409) == "message.other-words"
    assert problem(visit.say(COMPLAINT, key, attachments=[{"data": "YQ=="}]), 409) == "message.other-words"
    assert [event.text for event in site.book(visit.session)] == [COMPLAINT]
    assert site.open().taken("Otra cosa", key)["reference"] != first["reference"], "an id is the session's own"


def test_sent_many_times_at_once_a_message_counts_once(site: Site) -> None:
    visit, key = site.open(), str(uuid.uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: visit.say("Hola" if n % 4 else "Otra", key), range(16)))
    texts = {event.text for event in site.book(visit.session)}
    assert len(texts) == 1
    assert sorted({answer.status_code for answer in answers}) == [202, 409]
    assert len({answer.json()["reference"] for answer in answers if answer.status_code == 202}) == 1
    assert sum(not answer.json()["duplicate"] for answer in answers if answer.status_code == 202) == 1
    with site.database.read() as session:
        assert len(cases.open_references(session)) == 1
        assert chat.gaps(session) == []


def test_messages_sent_at_once_open_one_inquiry(site: Site) -> None:
    visit = site.open()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: visit.taken(f"Mi retiro {n} no ha llegado."), range(8)))
    assert len({one["reference"] for one in taken}) == 1
    assert sorted(one["seq"] for one in taken) == list(range(1, 9))


def test_what_died_between_the_two_writes_is_completed_by_the_sender(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, key = site.open(), str(uuid.uuid4())

    def die(*_: Any) -> None:
        raise RecordsUnavailable("gone between the two")

    with monkeypatch.context() as patch:
        patch.setattr(chat, "add", die)
        assert problem(visit.say(COMPLAINT, key), 503) == "records.unavailable"
    stored = site.stored(visit.session, key)
    assert stored is not None, "intake has it"
    assert site.book(visit.session) == []
    assert problem(visit.say("Otra cosa", key), 409) == "message.other-words"
    taken = visit.taken(COMPLAINT, key)
    assert taken == {**taken, "seq": 1, "duplicate": True, "reference": stored.reference}
    assert visit.taken("Y algo más.")["seq"] == 2
    with site.database.read() as session:
        assert len(cases.open_references(session)) == 1
        assert chat.gaps(session) == []


def test_files_are_kept_up_to_the_policys_number(site: Site) -> None:
    visit, key = site.open(), str(uuid.uuid4())
    files = [{"filename": f"{n}.pdf", "content_type": "application/pdf", "data": "JVBERg=="} for n in range(60)]
    visit.taken("", key, attachments=files)
    row = site.stored(visit.session, key)
    assert row is not None
    with site.database.read() as session:
        kept = documents.attachments(session, row.id)
    assert len(kept) == 50
    assert (kept[0].filename, kept[0].size) == ("0.pdf", 4)
    [event] = site.book(visit.session)
    assert event.attachments[0] == {"filename": "0.pdf", "content_type": "application/pdf", "size": 4}


def test_hostile_words_are_stored_as_they_came(site: Site) -> None:
    visit, key = site.open(), str(uuid.uuid4())
    words = "<script>alert(1)</script> {{7*7}} %s \u202eolleh\0"
    visit.taken(words, key)
    row = site.stored(visit.session, key)
    assert row is not None
    assert row.text == words.rstrip("\0")
    shown = visit.call("GET", "/history")
    assert shown.json()["events"][0]["text"] == words.rstrip("\0")
    assert shown.headers["content-type"] == "application/json"
    assert shown.headers["cache-control"] == "no-store"


# -------------------------------------------------------------------------------------------------------------- letters


@pytest.mark.rule("M3.7")
def test_the_code_of_a_link_stands_in_what_the_visitor_reads_and_not_in_the_book(site: Site) -> None:
    visit = site.open()
    reference = visit.taken(COMPLAINT)["reference"]
    link = "https://example.org/confirm?code=ic_abcdefghijklmnop"
    visit.write(f"{reference}/identity_request/1", text=link, html=f"<p>{link}</p>")
    shown = visit.call("GET", "/history").json()["events"][1]
    spelled = bindings.spelled_out(link, reference, REPLY_SECRET)
    assert (shown["text"], shown["html"]) == (spelled, f"<p>{spelled}</p>")
    assert spelled != link
    assert site.book(visit.session)[1].text == link


def test_letters_stand_in_the_history_harmless(site: Site) -> None:
    visit = site.open()
    reference = visit.taken(COMPLAINT)["reference"]
    visit.write(f"{reference}/reply/1", html="<p onclick=x>Sí</p><script>alert(1)</script><img src=//x.example>")
    events = visit.call("GET", "/history").json()
    assert [event["event"] for event in events["events"]] == ["message", "letter"]
    shown = events["events"][1]
    assert (shown["subject"], shown["text"], shown["html"]) == ("Su retiro", "Su retiro llegó.", "<p>Sí</p>")
    assert shown["reference"] == reference
    assert (events["last_seq"], events["read_seq"]) == (2, 0)
    assert [event["seq"] for event in visit.call("GET", "/history?after=1").json()["events"]] == [2]
    assert problem(visit.call("GET", "/history?after=-1"), 422) == "request.malformed"


def sent(site: Site, reference: str) -> str:
    """A letter as the worker begins it; returns its key."""
    notice = left(reference)
    with site.database.write() as session:
        notices.begin(session, notice)
    return notice.key


def reports(site: Site, key: str) -> list[NoticeEvent]:
    with site.database.read() as session:
        return notices.events(session, key)


@pytest.mark.rule("M3.7")
def test_a_letter_that_was_seen_is_delivered_once(site: Site) -> None:
    visit = site.open()
    key = sent(site, visit.taken(COMPLAINT)["reference"])
    visit.write(key)
    assert visit.call("POST", "/seen", {"seq": 1}).json() == {"seq": 1}
    assert reports(site, key) == []
    for _ in range(3):
        assert visit.call("POST", "/seen", {"seq": 99}).json() == {"seq": 2}
    [report] = reports(site, key)
    assert (report.event_id, report.kind) == (f"chat/{visit.session}/2", "delivered")
    assert visit.call("POST", "/seen", {"seq": 1}).json() == {"seq": 2}
    for wrong in ({"seq": -1}, {"seq": 10**400}, {"seq": "x"}, {}):
        assert problem(visit.call("POST", "/seen", wrong), 422) == "chat.malformed"


class Whole:
    """A letter of one part."""

    taken: tuple[str, ...] = ()

    def take(self, provider_id: str) -> None:
        raise AssertionError(provider_id)


@pytest.mark.rule("M4.2")
def test_the_channel_writes_to_whoever_is_there_and_refuses_once_they_have_left(site: Site) -> None:
    visit, channel = site.open(email="ana@example.org"), Chat(site.transcript, site.now)
    visit.taken(COMPLAINT)
    for _ in range(2):
        assert channel.send(letter(visit.session), Whole()).provider_id == f"{visit.session}/2"
    assert [event.kind for event in site.book(visit.session)] == [MESSAGE, LETTER], "tried again it is written once"
    site.later = timedelta(minutes=3)
    with pytest.raises(RecipientError, match="the visitor has left"):
        channel.send(letter(visit.session, "RX-7KQ4-M2PD/reply/2"), Whole())
    assert len(site.book(visit.session)) == 2


@pytest.mark.rule("M4.2")
def test_a_letter_left_unseen_comes_back_once(site: Site) -> None:
    visit = site.open(email="ana@example.org")
    key = sent(site, visit.taken(COMPLAINT)["reference"])
    assert site.transcript.reachable(visit.session, site.now())
    visit.write(key)
    assert abandoned.give_back(site.database, site.desk.intake, site.now()) == 0
    site.later = timedelta(minutes=3)
    assert not site.transcript.reachable(visit.session, site.now())
    assert abandoned.give_back(site.database, site.desk.intake, site.now()) == 1
    assert abandoned.give_back(site.database, site.desk.intake, site.now()) == 0
    [report] = reports(site, key)
    assert (report.event_id, report.kind, report.hard) == (f"chat/{visit.session}/2/left", "bounce", True)
    assert "ana" not in report.reason


@pytest.mark.rule("M4.2")
def test_nothing_is_put_before_the_visitor_of_an_ended_session_and_what_lay_there_comes_back(site: Site) -> None:
    visit, channel = site.open(), Chat(site.transcript, site.now)
    key = sent(site, visit.taken(COMPLAINT)["reference"])
    visit.write(key)
    site.later = timedelta(days=179)
    assert channel.send(letter(visit.session), Whole()).provider_id == f"{visit.session}/3"
    assert abandoned.give_back(site.database, site.desk.intake, site.now()) == 0
    site.later = timedelta(days=181)
    assert problem(visit.call("GET", "/history"), 401) == "session.unknown"
    with pytest.raises(RecipientError, match="session is over"):
        channel.send(letter(visit.session, "RX-7KQ4-M2PD/reply/2"), Whole())
    assert abandoned.give_back(site.database, site.desk.intake, site.now()) == 2
    assert abandoned.give_back(site.database, site.desk.intake, site.now()) == 0
    assert [(one.kind, one.hard) for one in reports(site, key)] == [("bounce", True)]


def told_of(site: Site, reference: str) -> list[str]:
    """The chat sessions that an open case was told of after its start."""
    with site.database.read() as session:
        rows = [row for row in dispatches.undone(session, reference) if row.name == "identity_bound"]
        return [contacts.reveal(session, row.payload["visit"]["address"]["id"]).value for row in rows]


@pytest.mark.rule("M4.2")
def test_the_new_session_of_an_account_gives_its_address_to_what_is_open(
    serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.chat.desk.RETURNS_PER_DAY", 2)
    site = serve(identity_secret=SECRET)
    reference = site.open(identity_jwt=identity(site, email="")).taken(COMPLAINT)["reference"]
    site.open(identity_jwt=identity(site, sub="user-18"))
    site.open()
    assert told_of(site, reference) == []
    again = [site.open(identity_jwt=identity(site, email="")).session for _ in range(3)]
    assert told_of(site, reference) == again[:2], "so many in a day"


# --------------------------------------------------------------------------------------------------------------- limits


def test_one_address_opens_so_many_sessions_a_minute(serve: Callable[..., Site]) -> None:
    site = serve(sessions_per_minute=2)
    site.open()
    site.open()
    answer = site.http.post("/chat/v1/sessions", json={})
    assert problem(answer, 429) == "chat.too-many"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    site.later = timedelta(minutes=1)
    site.open()


def test_one_session_says_so_much_a_minute(serve: Callable[..., Site]) -> None:
    site = serve(messages_per_minute=2)
    visit = site.open()
    visit.taken("a")
    visit.taken("b")
    answer = visit.say("c")
    assert problem(answer, 429) == "chat.too-many"
    assert int(answer.headers["retry-after"]) >= 1
    site.open().taken("somebody else")
    site.later = timedelta(minutes=1)
    visit.taken("c")


def test_light_calls_are_counted_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.desk.light = Rate(2)
    visit = site.open()
    answers = [visit.call("POST", "/typing").status_code for _ in range(3)]
    assert answers == [204, 204, 429]
    for method, path in (("PATCH", "/session"), ("POST", "/tickets"), ("GET", "/history"), ("POST", "/seen")):
        assert problem(visit.call(method, path), 429) == "chat.too-many"


def test_a_message_beyond_all_measure_is_refused(site: Site) -> None:
    visit = site.open()
    with httpx2.Client(base_url=site.url, timeout=PATIENCE) as http:
        most = site.desk.policy.intake.max_mail_bytes
        body = b'{"client_msg_id": "' + str(uuid.uuid4()).encode() + b'", "text": "' + b"a" * most + b'"}'
        answer = http.post("/chat/v1/messages", content=body, headers=visit.headers)
    assert problem(answer, 413) == "body.too-large"
    assert site.book(visit.session) == []


def test_too_many_at_once_are_asked_to_come_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "AT_ONCE", 0)
    answer = site.http.post("/chat/v1/sessions", json={})
    assert problem(answer, 503) == "intake.busy"
    assert "retry-after" in answer.headers


def test_a_rate_forgets_what_is_over(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starter.http.limits.MOST_KEYS", 3)
    rate, now = Rate(1), site.now()
    assert [rate.wait(key, now) for key in "aab"] == [0, 60, 0]
    later = now + timedelta(seconds=59.5)
    assert [rate.wait("b", later), rate.wait("c", later), rate.wait("d", later)] == [1, 0, 0]
    assert rate.wait("a", now + timedelta(seconds=60)) == 0


def test_an_ipv6_subscriber_is_one_address() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("192.0.2.1") != network("192.0.2.2")
    assert network("::ffff:192.0.2.1") != network("::ffff:192.0.2.2")
    assert network(None) == network("") == ""


def test_while_the_records_are_away_the_sender_is_asked_to_come_again(site: Site) -> None:
    visit = site.open()
    with site.database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE chat_sessions RENAME TO gone")
    assert problem(visit.say("Hola"), 503) == "records.unavailable"
    with site.database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE gone RENAME TO chat_sessions")
    visit.taken("Hola")


def test_the_openapi_description_holds_every_route(site: Site) -> None:
    described = site.http.get("/openapi.json").json()
    assert {path for path in described["paths"] if path.startswith("/chat")} == {
        f"/chat/v1/{name}"
        for name in ("sessions", "session", "tickets", "messages", "history", "seen", "typing", "events")
    }
    body = described["paths"]["/chat/v1/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    place = body["properties"]["attachments"]["items"]["$ref"]
    found = described
    for step in place.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/")]
    assert found["properties"]["data"] == {"title": "Data", "type": "string"}
