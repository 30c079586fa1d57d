import socket
import time
from typing import Any, get_args

import pytest

from channels.port import Courtesy, Greeting
from channels.telegram.adapter import Telegram
from channels.telegram.greeting import greeting as words_of
from channels.telegram.splitting import LONGEST, units
from models.errors import ChannelError, OperatorError, RecipientError, TransientError, UnknownOutcome
from models.inquiry import Language
from tests.channels.telegram.conftest import Make
from tests.channels.telegram.town import NOW, TOKEN, Taken, Town, answering, http, letter

KEY = TOKEN.partition(":")[2]


def send(bot: Telegram, to: int | str, *args: Any, **more: Any) -> tuple[str, Taken]:
    taken = Taken()
    return bot.send(letter(to, *args, **more), taken).provider_id, taken


@pytest.mark.rule("M4.1")
def test_a_letter_is_a_message_of_the_bot(town: Town, bot: Telegram) -> None:
    ana = town.person()
    [asked] = town.write(ana, "No me llega el retiro")
    text = "Recibimos su reclamo.\n\n<b>*_no markup_*</b> https://example.org/s/abc"
    taken = Taken()
    accepted = bot.send(letter(ana, text, in_reply_to=f"{ana}/{asked['message_id']}"), taken)
    [said] = town.said(ana)
    assert accepted.provider_id == f"{ana}/{said['message_id']}"
    assert accepted.at == NOW
    assert taken.taken == (accepted.provider_id,)
    assert said["text"] == text
    assert "entities" not in said
    assert said["reply_to_message"]["message_id"] == asked["message_id"]


def test_what_is_answered_may_be_gone_or_elsewhere(town: Town, bot: Telegram) -> None:
    ana = town.person()
    [asked] = town.write(ana, "Hola")
    for answers in (f"{ana}/999999", f"{ana + 1}/{asked['message_id']}", "a@example.org", None):
        send(bot, ana, in_reply_to=answers)
    assert [said.get("reply_to_message") for said in town.said(ana)] == [None] * 4


@pytest.mark.rule("M4.1")
def test_a_long_letter_is_split_and_the_first_part_is_the_reply(town: Town, bot: Telegram) -> None:
    ana = town.person()
    [asked] = town.write(ana, "Hola")
    text = "Explicación 😀 detallada. " * 600
    provider_id, taken = send(bot, ana, text, in_reply_to=f"{ana}/{asked['message_id']}")
    said = town.said(ana)
    assert len(said) == 4
    assert all(units(one["text"]) <= LONGEST for one in said)
    assert " ".join(one["text"] for one in said).split() == text.split()
    assert ["reply_to_message" in one for one in said] == [True, False, False, False]
    assert taken.taken == tuple(f"{ana}/{one['message_id']}" for one in said)
    assert provider_id == taken.taken[0]


@pytest.mark.parametrize("fault", ["status", "hang_up_before"])
def test_a_later_try_goes_on_behind_the_parts_that_were_taken(town: Town, bot: Telegram, fault: str) -> None:
    ana = town.person()
    town.write(ana, "Hola")
    text = " ".join(f"{number:07}" for number in range(1500))
    taken = Taken(least=2)
    with pytest.raises(KeyboardInterrupt):
        bot.send(letter(ana, text), taken)
    town.fault(fault, status=429, count=1)
    with pytest.raises(ChannelError):
        bot.send(letter(ana, text), taken)
    accepted = bot.send(letter(ana, text), taken)
    assert accepted.provider_id == taken.taken[0]
    assert bot.send(letter(ana, text), taken).provider_id == accepted.provider_id
    said = town.said(ana)
    assert len(said) == len(taken.taken) == 3
    assert " ".join(one["text"] for one in said).split() == text.split()


@pytest.mark.rule("M4.1")
def test_a_very_long_letter_is_a_document(town: Town, bot: Telegram) -> None:
    ana = town.person()
    [asked] = town.write(ana, "Hola")
    text = "Explicación detallada, ñandú 😀.\n" * 1000
    answered = f"{ana}/{asked['message_id']}"
    provider_id, taken = send(bot, ana, text, subject="Respuesta final", in_reply_to=answered)
    [said] = town.said(ana)
    assert (said["caption"], said["document"]["file_name"]) == (
        "Respuesta final",
        "RX-7KQ4-M2PD-acknowledgement-1.txt",
    )
    assert said["reply_to_message"]["message_id"] == asked["message_id"]
    assert town.http.get(f"/files/{said['document']['file_id']}").content.decode("utf-8-sig") == text
    assert taken.taken == (provider_id,)
    bot.send(letter(ana, text), taken)
    assert len(town.said(ana)) == 1


def test_a_public_letter_is_posted_as_a_reply_in_the_group(town: Town, bot: Telegram) -> None:
    ana, group = town.person(), town.group()
    [post] = town.write(ana, "¿Y mi dinero?", chat=group)
    place = f"{group}/{post['message_id']}"
    provider_id, _ = send(bot, place, "Escríbanos en privado.", public=True)
    [said] = town.said(group)
    assert provider_id == f"{group}/{said['message_id']}"
    assert said["reply_to_message"]["message_id"] == post["message_id"]
    assert town.said(ana) == []


@pytest.mark.rule("M4.2")
def test_whoever_blocked_the_bot_needs_another_channel(town: Town, bot: Telegram) -> None:
    ana, stranger = town.person(), town.person()
    town.write(ana, "Hola")
    town.block(ana)
    for to, why in ((ana, "blocked"), (stranger, "initiate"), (12345678901, "chat not found")):
        with pytest.raises(RecipientError, match=why) as raised:
            send(bot, to)
        assert str(to) not in str(raised.value)
    town.unblock(ana)
    send(bot, ana)
    assert len(town.said(ana)) == 1


@pytest.mark.parametrize("to", ["ana@example.org", "@ana", "1/2", "-", "1" * 20, "ñ"])
def test_what_is_no_chat_is_no_address(bot: Telegram, to: str) -> None:
    with pytest.raises(RecipientError):
        send(bot, to)
    with pytest.raises(RecipientError):
        send(bot, f"{to}x", public=True)


def test_a_letter_without_a_text_is_our_mistake(town: Town, bot: Telegram) -> None:
    with pytest.raises(OperatorError, match="no text"):
        send(bot, town.person(), " \n ")


@pytest.mark.parametrize(
    ("status", "description", "error"),
    [
        (429, "", TransientError),
        (400, "Bad Request: chat not found", RecipientError),
        (400, "Bad Request: group chat was upgraded to a supergroup chat", RecipientError),
        (400, "Bad Request: message is too long", OperatorError),
        (401, "", OperatorError),
        (403, "Forbidden: user is deactivated", RecipientError),
        (403, "Forbidden: bot was kicked from the supergroup chat", RecipientError),
        (404, "", OperatorError),
        (302, "", OperatorError),
        (500, "", UnknownOutcome),
        (502, "", UnknownOutcome),
        (503, "", UnknownOutcome),
        (504, "", UnknownOutcome),
    ],
)
def test_every_refusal_has_its_class(
    town: Town, bot: Telegram, status: int, description: str, error: type[ChannelError]
) -> None:
    ana = town.person()
    town.write(ana, "Hola")
    town.fault("status", status=status, description=description, retry_after=7, count=1)
    with pytest.raises(error) as raised:
        send(bot, ana)
    assert type(raised.value) is error
    assert raised.value.retry_after == (7 if status == 429 else None)
    assert str(status) in str(raised.value)
    assert description in str(raised.value)
    assert town.said(ana) == []


def test_the_rates_of_telegram_are_honoured(town: Town, bot: Telegram) -> None:
    ana = town.person()
    town.write(ana, "Hola")
    town.fault("limits")
    send(bot, ana)
    with pytest.raises(TransientError) as raised:
        send(bot, ana)
    assert raised.value.retry_after == 1
    assert len(town.said(ana)) == 1


def test_an_answer_that_never_came_leaves_it_open(town: Town, bot: Telegram) -> None:
    ana = town.person()
    town.write(ana, "Hola")
    town.fault("hang_up_after_accept", count=1)
    with pytest.raises(UnknownOutcome):
        send(bot, ana)
    assert len(town.said(ana)) == 1


def test_a_slow_answer_leaves_it_open(town: Town, bot: Telegram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.telegram.bot.ANSWER_SECONDS", 0.1)
    ana = town.person()
    town.write(ana, "Hola")
    town.fault("delay", seconds=1, count=1)
    with pytest.raises(UnknownOutcome, match="ReadTimeout"):
        send(bot, ana)


def test_where_nobody_listens_nothing_was_accepted(make: Make) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        lonely = make(f"http://127.0.0.1:{held.getsockname()[1]}")
        with pytest.raises(TransientError, match="cannot be reached"):
            send(lonely, 1)
        with pytest.raises(TransientError):
            lonely.webhook_info()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http(200, b""), UnknownOutcome),
        (http(200, b"[]"), UnknownOutcome),
        (http(200, b'{"ok": true}'), UnknownOutcome),
        (http(200, b'{"ok": true, "result": true}'), UnknownOutcome),
        (http(200, b'{"ok": true, "result": {"message_id": "x"}}'), UnknownOutcome),
        (http(200, b"[" * 100_000), UnknownOutcome),
        (http(400, b"<h1>"), OperatorError),
        (http(413, b'{"description": ["x"]}'), OperatorError),
        (http(429, b'{"parameters": 7}'), TransientError),
        (http(429, b'{"parameters": {"retry_after": "soon"}}'), TransientError),
        (http(429, b'{"parameters": {"retry_after": -7}}'), TransientError),
        (http(502, b"\xff"), UnknownOutcome),
        (b"nonsense\r\n\r\n", UnknownOutcome),
        (b"", UnknownOutcome),
    ],
)
def test_strange_answers_have_their_class_too(make: Make, answer: bytes, error: type[ChannelError]) -> None:
    with answering(answer) as url, pytest.raises(error) as raised:
        send(make(url), 1)
    assert type(raised.value) is error
    assert (raised.value.retry_after or 0) >= 0


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 409, 413, 429, 500])
def test_neither_token_nor_person_stands_in_an_error_or_a_log(
    make: Make, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"ok": false, "description": "no %s for 9000000001 or @ana"}' % TOKEN.encode()
    with answering(http(status, body)) as url, caplog.at_level("DEBUG"):
        bot = make(url)
        for call in (
            lambda: send(bot, 9000000001, "x" * 30_000),
            lambda: send(bot, 9000000001),
            lambda: bot.greet(Greeting("9000000001", None)),
            bot.webhook_info,
        ):
            with pytest.raises(ChannelError) as raised:
                call()
            error: BaseException | None = raised.value
            while error is not None:
                told = f"{error!r} {error.__dict__} {getattr(error, 'request', None)!r}"
                assert KEY not in told
                assert "9000000001" not in told
                assert "@ana" not in told
                error = error.__cause__ or error.__context__
    assert caplog.records
    assert KEY not in caplog.text
    assert "9000000001" not in caplog.text


def test_a_broken_connection_shows_no_token(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    with answering(b"") as url, caplog.at_level("DEBUG"), pytest.raises(UnknownOutcome) as raised:
        send(make(url), 1)
    context = raised.value.__context__
    assert context is not None
    assert KEY not in f"{context!r} {getattr(context, 'request', None)!r}"
    assert KEY not in caplog.text


def test_a_broken_answer_is_not_waited_for_forever(make: Make) -> None:
    began = time.monotonic()
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{") as url, pytest.raises(UnknownOutcome):
        send(make(url), 1)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("language", "said", "unsaid"),
    [
        (Language.ES, ["frases semilla"], ["seed phrases"]),
        (Language.EN, ["seed phrases"], ["frases semilla"]),
        (None, ["frases semilla", "seed phrases"], []),
    ],
)
def test_a_greeting_says_how_to_go_on(
    town: Town, bot: Telegram, language: Language | None, said: list[str], unsaid: list[str]
) -> None:
    ana = town.person()
    town.write(ana, "/start")
    bot.greet(Greeting(str(ana), language))
    [greeted] = town.said(ana)
    assert "Plazo" in greeted["text"]
    assert all(words in greeted["text"] for words in said)
    assert not any(words in greeted["text"] for words in unsaid)
    assert "20 MB" in greeted["text"]


@pytest.mark.parametrize("what", get_args(Courtesy))
def test_there_are_words_for_every_courtesy(what: Courtesy) -> None:
    both = words_of("Plazo", None, what)
    assert all(words_of("Plazo", language, what) in both for language in (Language.ES, Language.EN))


@pytest.mark.rule("M4.1")
@pytest.mark.parametrize(
    ("what", "spanish", "english"),
    [
        ("connected", "quedó conectado a su cuenta en Plazo", "now connected to your account at Plazo"),
        ("link_over", "ya no es válido", "no longer good"),
        ("link_other", "conectado a otra cuenta", "connected to another account"),
        ("link_to_type", "escriba aquí, sin nada más, el código", "write here, and nothing else, the code"),
    ],
)
def test_who_showed_a_code_is_told_what_became_of_it(
    town: Town, bot: Telegram, what: Courtesy, spanish: str, english: str
) -> None:
    ana = town.person()
    town.write(ana, "/start c0de")
    for language in (Language.ES, Language.EN, None):
        bot.greet(Greeting(str(ana), language, what))
    said = [one["text"] for one in town.said(ana)]
    assert [(spanish in one, english in one) for one in said] == [(True, False), (False, True), (True, True)]
