"""One letter on its way out: its parts, what it answers, where it may be read; the real activity on real records."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.events import Events
from activities.notices import Notices
from channels.letter import Accepted, OutboundLetter
from channels.port import Parts
from models.case import Case
from models.errors import RecipientError, TransientError, UnknownOutcome
from models.inquiry import EMAIL
from models.letters import LetterKind, LetterState
from models.post import accept, fail
from models.tables import Notice
from models.work import RECIPIENT_FAILED, Delivery, Insisted, Recording, Written, absorb
from records import cases, documents, ledger, notices
from starter.admin.thread import thread
from tests.cases import AGENT, do
from tests.lives import stationery
from tests.starter.mailbag import Bench, left, message
from tests.starter.talk import ANA, EVA, hear, load, said, save

UNKNOWN = timedelta(seconds=301)
"""Longer than the policy waits for the provider's word."""


@dataclass
class Provider:
    """Takes each letter in three parts; `faults` come before the part of that number, `after` once it is taken."""

    bench: Bench
    faults: dict[int, Exception] = field(default_factory=dict)
    after: dict[int, Exception] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    letters: list[OutboundLetter] = field(default_factory=list)

    def send(self, letter: OutboundLetter, parts: Parts) -> Accepted:
        self.letters.append(letter)
        for n in range(len(parts.taken) + 1, 4):
            if fault := self.faults.pop(n, None):
                raise fault
            provider_id = f"{letter.to}/{900 + len(self.parts)}"
            self.parts.append(f"{letter.notice}#{n}")
            if fault := self.after.pop(n, None):
                raise fault
            parts.take(provider_id)
        return Accepted(provider_id=parts.taken[0], at=self.bench.now)


@dataclass
class Post:
    """The activity, and the workflow's part in it."""

    bench: Bench

    def __post_init__(self) -> None:
        self.provider = Provider(self.bench)
        senders = dict.fromkeys(("telegram", "x", "chat", EMAIL), self.provider)
        words = stationery()
        self.notices = Notices(self.bench.database, words, senders, lambda: self.bench.now)

    def opened(self, **changes: Any) -> str:
        return str(self.bench.intake.receive(said(**changes)).reference)

    def send(self, reference: str, *, kind: LetterKind | None = None) -> Case:
        """Send the case's next letter, as its workflow does. Raises ApplicationError."""
        case = load(self.bench, reference)
        letter = next((one for one in case.waiting() if one.kind is kind), None) or case.outbox(self.bench.now)
        assert letter
        errand = Delivery(case=case.model_copy(deep=True), letter=letter.key)
        written: Written = ActivityEnvironment().run(self.notices.deliver, errand)
        assert written.acceptance
        absorb(case, written)
        accept(case, written.acceptance)
        save(self.bench, case)
        return case

    def fails(self, reference: str) -> ApplicationError:
        with pytest.raises(ApplicationError) as caught:
            self.send(reference)
        return caught.value

    def notice(self, reference: str, name: str = "acknowledgement/1") -> Notice:
        with self.bench.database.read() as session:
            found = notices.find(session, f"{reference}/{name}")
        assert found
        return found


@pytest.fixture
def post(bench: Bench) -> Post:
    return Post(bench)


def test_the_clock_is_never_asked_by_whoever_holds_the_writers_turn(post: Post) -> None:
    # A test server's clock answers from its own event loop, which may itself be waiting for that turn: a dead end.
    def clock() -> datetime:
        with post.bench.database.write():
            return post.bench.now

    post.notices = replace(post.notices, clock=clock)
    case = post.send(post.opened())
    written = ActivityEnvironment().run(Events(post.bench.database, clock).record, Recording(case=case))
    assert written.head == case.head, "nothing was left to write"
    assert case.letters[0].accepted_at


# -- parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.7")
@pytest.mark.parametrize("failed", [1, 2, 3])
def test_the_next_try_goes_on_behind_what_was_taken(post: Post, failed: int) -> None:
    reference = post.opened()
    post.provider.faults = {failed: TransientError("answered 429", retry_after=30)}
    error = post.fails(reference)
    assert (error.next_retry_delay, error.non_retryable) == (timedelta(seconds=30), False)
    case = post.send(reference)
    key = f"{reference}/acknowledgement/1"
    assert post.provider.parts == [f"{key}#1", f"{key}#2", f"{key}#3"], "each part left once"
    assert not case.letters[0].duplicate
    assert case.letters[0].provider_id == f"{ANA}/900"
    kept = post.notice(reference)
    assert (kept.state, kept.tries, kept.possible_duplicate) == ("accepted", 2, False)
    assert len({one.text for one in post.provider.letters}) == 1, "the same words on every try"


@pytest.mark.rule("M3.7")
def test_of_an_unknown_end_the_unknown_part_alone_is_repeated_and_recorded(post: Post) -> None:
    reference = post.opened()
    post.provider.after = {2: UnknownOutcome("hung up")}
    post.fails(reference)
    waits = post.fails(reference)
    assert waits.type == UnknownOutcome.__name__
    assert len(post.provider.letters) == 1, "nothing leaves while the provider may still tell"
    post.bench.now += UNKNOWN
    case = post.send(reference)
    assert [one.rpartition("#")[2] for one in post.provider.parts] == ["1", "2", "2", "3"]
    assert case.letters[0].duplicate
    assert post.notice(reference).possible_duplicate


def test_a_crash_after_a_part_was_taken_is_an_unknown_end(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = post.opened()

    def crash(*_: object, **__: object) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as dying:
        dying.setattr(notices, "take_part", crash)
        with pytest.raises(SystemExit):
            post.send(reference)
    post.fails(reference)
    post.bench.now += UNKNOWN
    assert post.send(reference).letters[0].duplicate
    assert [one.rpartition("#")[2] for one in post.provider.parts] == ["1", "1", "2", "3"]


@pytest.mark.rule("M5.5")
def test_a_reply_to_any_part_finds_the_case_of_its_person_alone(post: Post) -> None:
    reference = post.opened()
    post.send(reference)
    for n, provider_id in enumerate((f"{ANA}/900", f"{ANA}/901", f"{ANA}/902"), 10):
        receipt = post.bench.intake.receive(said(n, in_reply_to=provider_id))
        assert receipt.reference == reference
    assert post.bench.intake.receive(said(20, sender=EVA, in_reply_to=f"{ANA}/900")).new


@pytest.mark.rule("M5.5")
def test_every_letter_stands_in_the_thread_with_how_far_it_got(post: Post) -> None:
    reference = post.opened()
    post.provider.faults = {2: TransientError("answered 503")}
    post.fails(reference)
    with post.bench.database.read() as session:
        assert [(turn.direction, turn.state) for turn in thread(session, reference)] == [
            ("in", "received"),
            ("out", "refused"),
        ]
    post.bench.tick(minutes=1)
    post.send(reference)
    with post.bench.database.read() as session:
        _, letter = thread(session, reference)
    assert (letter.state, letter.provider_id, letter.channel, letter.public) == (
        "accepted",
        f"{ANA}/900",
        "telegram",
        False,
    )
    assert letter.at == post.bench.now


# -- threads ----------------------------------------------------------------------------------------------------------


def test_a_letter_answers_what_came_on_its_own_channel(post: Post) -> None:
    reference = post.opened()
    post.send(reference)
    (letter,) = post.provider.letters
    assert (letter.in_reply_to, letter.references) == (f"{ANA}/1", (f"{ANA}/1",))


@pytest.mark.rule("M4.2")
def test_a_mail_names_no_id_of_another_channel(post: Post) -> None:
    reference = post.opened(further=((EMAIL, "ana@example.org"),))
    post.send(reference)
    case = load(post.bench, reference)
    case = do(case, "change_channel", post.bench.now, channel=EMAIL, reasons="asked for it")
    save(post.bench, case)
    post.send(reference)
    change = post.provider.letters[-1]
    assert (change.to, change.in_reply_to, change.references) == ("ana@example.org", None, ())
    save(post.bench, do(load(post.bench, reference), "reply", post.bench.now, draft=kept_draft(post, reference)))
    post.bench.tick(minutes=1)
    while load(post.bench, reference).outbox(post.bench.now):
        post.send(reference)
    reply = next(one for one in post.provider.letters if one.kind == "reply")
    assert reply.references == (change.message_id,), "mails thread with mails"


def kept_draft(post: Post, reference: str) -> dict[str, Any]:
    with post.bench.database.write() as session:
        made = documents.save_draft(
            session, reference, "reply", {"text": "We looked into it."}, author=AGENT, now=post.bench.now
        )
    return made.model_dump(mode="json")


def test_an_answer_by_mail_to_a_mail_is_threaded_to_it(post: Post) -> None:
    reference = str(post.bench.intake.receive(message()).reference)
    post.send(reference)
    (letter,) = post.provider.letters
    assert letter.in_reply_to == "m1@mail.example.org"


# -- in public --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M2.1")
@pytest.mark.parametrize(("channel", "place"), [("telegram", "-100/5"), ("x", "17")])
def test_in_public_nothing_of_the_case_is_ever_said(post: Post, channel: str, place: str) -> None:
    words = "Me robaron 500 en la cuenta 8841."
    reference = post.opened(channel=channel, text=words, public_place=place)
    post.send(reference)
    post.bench.intake.receive(said(2, "En privado.", channel=channel))
    hear(post.bench, reference)
    while load(post.bench, reference).outbox(post.bench.now):
        post.send(reference)
    public, *private = post.provider.letters
    assert (public.public, public.to, public.kind) == (True, place, "invitation")
    assert public.in_reply_to is None
    with post.bench.database.read() as session:
        token = cases.status_token(session, reference)
        shown = [(turn.public, turn.direction) for turn in thread(session, reference)]
    for secret in (reference, token, "Ana", ANA, "500", "8841", words):
        assert secret not in f"{public.subject} {public.text} {public.html}"
    assert [(one.kind, one.public, one.to) for one in private] == [("acknowledgement", False, ANA)]
    assert private[0].in_reply_to == f"{ANA}/2", "never to what stands in public"
    assert shown.count((True, "out")) == shown.count((True, "in")) == 1


# -- addresses that take nothing --------------------------------------------------------------------------------------


@pytest.mark.rule("M4.2")
@pytest.mark.parametrize("kept", ["never tried", "tried before"])
def test_an_address_that_no_letter_can_bear_gives_way_to_the_next(post: Post, kept: str) -> None:
    """Else a letter would be tried for ever, and nobody would ever hear of it."""
    reference = post.opened(provider_id="7:1", sender="9" * 400, further=((EMAIL, "ana@example.org"),))
    if kept == "tried before":
        row = left(reference)
        row.channel, row.address_id = "telegram", load(post.bench, reference).addresses[0].id
        with post.bench.database.write() as session:
            notices.begin(session, row)
            notices.refused(session, row.key, "answered 503", post.bench.now)
    error = post.fails(reference)
    assert (error.type, error.non_retryable) == (RECIPIENT_FAILED, True)
    assert "9999" not in str(error)
    assert post.provider.letters == []
    case = load(post.bench, reference)
    fail(case, f"{reference}/acknowledgement/1", post.bench.now, str(error))
    save(post.bench, case)
    for kind in ("channel_change", "acknowledgement"):
        post.send(reference)
        assert (post.provider.letters[-1].kind, post.provider.letters[-1].to) == (kind, "ana@example.org")


@pytest.mark.rule("M4.2")
def test_a_person_who_shut_the_channel_is_told_on_the_next(post: Post) -> None:
    reference = post.opened(further=((EMAIL, "ana@example.org"),))
    post.provider.faults = {1: RecipientError("403: the bot was blocked")}
    error = post.fails(reference)
    assert (error.type, error.non_retryable) == (RECIPIENT_FAILED, True)
    assert post.notice(reference).state == "failed"
    case = load(post.bench, reference)
    fail(case, f"{reference}/acknowledgement/1", post.bench.now, str(error))
    save(post.bench, case)
    assert [one.state for one in case.letters if one.kind is LetterKind.ACKNOWLEDGEMENT] == [
        LetterState.FAILED,
        LetterState.OWED,
    ]
    post.send(reference)
    assert post.provider.letters[-1].kind == "channel_change"


# -- letters that were stuck ------------------------------------------------------------------------------------------


def insisted(post: Post, case: Case) -> Insisted:
    """Try on with the acknowledgement, as it was asked for when the case stood like this."""
    errand = Delivery(case=case, letter=f"{case.reference}/acknowledgement/1", since=post.bench.now)
    found: Insisted = ActivityEnvironment().run(post.notices.insist, errand)
    return found


def written(post: Post, case: Case) -> None:
    """The chain goes on."""
    events = Events(post.bench.database, lambda: post.bench.now)
    ActivityEnvironment().run(events.record, Recording(case=case.model_copy(deep=True)))


def test_a_letter_that_left_while_the_chain_went_on_is_not_sent_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, send = post.opened(), post.provider.send

    def slow(letter: OutboundLetter, parts: Parts) -> Accepted:
        accepted = send(letter, parts)
        written(post, load(post.bench, reference))
        return accepted

    monkeypatch.setattr(post.provider, "send", slow)
    case = load(post.bench, reference)
    errand = Delivery(case=case.model_copy(deep=True), letter=case.letters[0].key)
    found: Written = ActivityEnvironment().run(post.notices.deliver, errand)
    assert found.acceptance is None
    assert post.notice(reference).accepted_at
    assert insisted(post, case).acceptance, "whoever asks later learns of it"
    settled = post.send(reference)
    assert not settled.letters[0].duplicate
    assert len(post.provider.letters) == 1


def test_a_stuck_letter_leaves_though_the_chain_went_on(post: Post) -> None:
    reference = post.opened()
    before = load(post.bench, reference)
    written(post, before)
    found = insisted(post, before)
    assert found.acceptance
    assert found.tries
    assert found.tries.attempts == 2, "it was tried before"
    with post.bench.database.read() as session:
        assert [event.type for event in ledger.of_case(session, reference)][-1] == "letter.owed"


def test_a_stuck_letter_that_is_no_longer_owed_is_not_sent(post: Post) -> None:
    reference = post.opened()
    before = load(post.bench, reference)
    late = before.model_copy(deep=True)
    late.void(late.letters[0], post.bench.now, why="it is not owed any more")
    written(post, late)
    assert insisted(post, before) == Insisted()
    assert post.provider.letters == []
