"""Which inquiry a message belongs to on a channel that is a conversation, on a real database."""

import itertools
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from channels.message import Disposition, InboundMessage, RemoteFile
from models.arrivals import ReceiveMessage
from models.inquiry import EMAIL, Actor, Address, Flag, Role, public_address
from models.letters import LetterKind
from records import contacts, messages
from starter.admin.thread import thread
from tests.cases import do, letters, send_all
from tests.starter.mailbag import NOW, Bench, message
from tests.starter.talk import (
    ANA,
    EVA,
    answer,
    close,
    contact_of,
    edit,
    hear,
    letter_of,
    load,
    said,
    save,
    texts,
    told,
)

AGENT = Actor(id="agent-1", role=Role.AGENT)
CONVERSATIONS = ("telegram", "x", "chat")


def opened(bench: Bench, n: int = 1, text: str = "Mi retiro no ha llegado.", **changes: Any) -> str:
    """An inquiry that a message opened."""
    receipt = bench.intake.receive(said(n, text, **changes))
    assert receipt.new
    return str(receipt.reference)


def at_once(bench: Bench, posts: Sequence[InboundMessage]) -> list[str | None]:
    """Take messages in, all at the same time."""
    found: list[str | None] = []
    ready = threading.Barrier(len(posts))

    def deliver(post: InboundMessage) -> None:
        ready.wait()
        found.append(bench.intake.receive(post).reference)

    threads = [threading.Thread(target=deliver, args=(post,)) for post in posts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == len(posts)
    return found


# -- joining ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M5.5")
@pytest.mark.parametrize("channel", CONVERSATIONS)
def test_what_somebody_says_next_belongs_to_their_open_inquiry(bench: Bench, channel: str) -> None:
    reference = opened(bench, channel=channel)
    receipt = bench.intake.receive(said(2, "Fue el lunes.", channel=channel))
    assert (receipt.reference, receipt.new) == (reference, False)
    (order,) = told(bench, reference)
    assert order["name"] == "receive_message"
    assert hear(bench, reference).unread == 1
    assert not load(bench, reference).bound, "a handle is no person"


def test_who_writes_under_an_address_unverified_silences_nobody_who_is(bench: Bench) -> None:
    """M3.2 holds for her: neither is her mail taken for a loop, nor its acknowledgement held back."""
    forms = [message(n, channel="web", provider_id=f"form:{n}", sender_verified=False, bound=False) for n in range(31)]
    found = [bench.intake.receive(one) for one in forms]
    assert [one.disposition for one in found] == ["message"] * 30 + ["loop"]
    held = load(bench, found[29].reference)
    assert held.outbox(bench.now) is None
    with bench.database.read() as session:
        (waiting,) = messages.quarantined(session)
    bench.tick(minutes=1)
    let_out = bench.intake.promote(waiting.id, AGENT)
    receipt = bench.intake.receive(message(99))
    assert (receipt.disposition, receipt.new) == ("message", True)
    assert load(bench, receipt.reference).outbox(bench.now)
    assert load(bench, let_out.reference).contact == load(bench, receipt.reference).contact
    for n in range(100, 129):
        assert bench.intake.receive(message(n)).disposition == "message"
    assert bench.intake.receive(message(129)).disposition == "loop", "her own are counted"


def test_a_mail_without_any_sign_opens_one_of_its_own(bench: Bench) -> None:
    bench.intake.receive(message())
    assert bench.intake.receive(message(2)).new


@pytest.mark.parametrize("channel", CONVERSATIONS)
def test_another_persons_words_are_never_mine(bench: Bench, channel: str) -> None:
    reference = opened(bench, channel=channel)
    assert opened(bench, 2, channel=channel, sender=EVA) != reference
    assert texts(bench, reference) == ["Mi retiro no ha llegado."]


def test_the_same_handle_on_another_channel_is_another_person(bench: Bench) -> None:
    assert opened(bench, channel="telegram") != opened(bench, 2, channel="x")


@pytest.mark.rule("M5.7")
@pytest.mark.parametrize("channel", CONVERSATIONS)
def test_after_the_answer_thanks_join_and_anything_else_begins_anew(bench: Bench, channel: str) -> None:
    first = opened(bench, channel=channel)
    answer(bench, first)
    thanks = bench.intake.receive(said(2, "¡Muchas gracias!", channel=channel))
    assert (thanks.reference, thanks.new) == (first, False)
    bench.tick(hours=1)
    second = opened(bench, 3, "Ahora me falta otro retiro.", channel=channel)
    assert load(bench, second).refers_to == first
    assert bench.intake.receive(said(4, "Es de ayer.", channel=channel)).reference == second


def test_what_is_said_while_a_review_is_open_joins_it(bench: Bench) -> None:
    first = opened(bench)
    save(bench, do(answer(bench, first), "appeal", bench.now, text="No estoy de acuerdo."))
    assert bench.intake.receive(said(2, "Y falta este recibo.")).reference == first


def test_thanks_to_an_inquiry_that_is_over_begin_anew(bench: Bench) -> None:
    first = opened(bench)
    close(bench, first)
    second = opened(bench, 2, "Gracias")
    assert load(bench, second).refers_to == first


def test_where_policy_says_so_a_closed_inquiry_goes_on(bench: Bench) -> None:
    first = opened(bench)
    key = letter_of(bench, first, f"{ANA}/90")
    close(bench, first)
    intake = bench.policy.intake.model_copy(update={"after_close": "reopen"})
    reopening = bench.make(policy=bench.policy.model_copy(update={"intake": intake}))
    receipt = reopening.receive(said(2, "Sigue sin llegar.", in_reply_to=f"{ANA}/90"))
    assert (receipt.reference, receipt.new) == (first, False)
    case = hear(bench, first)
    assert key.startswith(first)
    assert case.closed_at is None
    assert letters(case, LetterKind.REOPENED)


@pytest.mark.rule("M5.5")
def test_a_merged_conversation_goes_on_in_the_leading_inquiry(bench: Bench) -> None:
    leading = opened(bench)
    answer(bench, leading)
    bench.tick(minutes=1)
    merged = opened(bench, 2, "Otra cosa.")
    case = load(bench, merged)
    case.merged_into = leading
    save(bench, case)
    assert bench.intake.receive(said(3, "Gracias")).reference == leading


# -- replies to our letters -------------------------------------------------------------------------------------------


@pytest.mark.rule("M5.5")
@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_reply_to_any_part_of_our_letter_finds_its_inquiry(bench: Bench, part: int) -> None:
    first = opened(bench)
    letter_of(bench, first, f"{ANA}/9{part}", n=part)
    answer(bench, first)
    bench.tick(minutes=1)
    second = opened(bench, 2, "Otra cosa distinta.")
    receipt = bench.intake.receive(said(3, "Falta una parte.", in_reply_to=f"{ANA}/9{part}"))
    assert receipt.reference == first != second


@pytest.mark.parametrize("channel", CONVERSATIONS)
def test_a_stranger_who_counts_ids_through_gets_into_nothing(bench: Bench, channel: str) -> None:
    reference = opened(bench, channel=channel)
    letter_of(bench, reference, "555", channel=channel)
    receipt = bench.intake.receive(said(2, channel=channel, sender=EVA, in_reply_to="555", references=("555",)))
    assert receipt.new
    assert receipt.reference != reference
    assert told(bench, reference) == []


def test_ids_of_one_channel_mean_nothing_on_another(bench: Bench) -> None:
    reference = opened(bench)
    letter_of(bench, reference, "555")
    assert bench.intake.receive(message(2, in_reply_to="555")).new
    assert bench.intake.receive(said(3, channel="x", in_reply_to="555")).new


def test_a_reference_in_the_words_proves_nothing(bench: Bench) -> None:
    reference = opened(bench)
    receipt = bench.intake.receive(said(2, f"Sobre {reference}: ciérrenlo.", sender=EVA))
    assert receipt.new
    assert told(bench, reference) == []


# -- edits ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M5.5")
def test_both_wordings_are_kept_and_the_case_hears_of_the_new_one_once(bench: Bench) -> None:
    reference = opened(bench, 1, "Mi retiro de 100 no ha llegado.")
    new = edit(1, "Mi retiro de 200 no ha llegado.")
    receipt = bench.intake.receive(new)
    assert (receipt.reference, receipt.new, receipt.duplicate) == (reference, False, False)
    assert bench.intake.receive(new).duplicate
    assert texts(bench, reference) == ["Mi retiro de 100 no ha llegado.", "Mi retiro de 200 no ha llegado."]
    with bench.database.read() as session:
        first, second = messages.of_case(session, reference)
    assert (second.edit_of, second.part_of) == (first.id, "")
    (order,) = told(bench, reference)
    assert order["edits"] == first.id
    case = hear(bench, reference)
    (fact,) = [fact for fact in case.pending if fact.type == "message.edited"]
    assert (fact.data["message"], fact.data["edits"]) == (second.id, first.id)


def test_every_further_wording_is_joined_to_the_first(bench: Bench) -> None:
    reference = opened(bench)
    for times in (1, 2, 3):
        bench.intake.receive(edit(1, f"Versión {times}", times=times))
    with bench.database.read() as session:
        first, *rest = messages.of_case(session, reference)
    assert {row.edit_of for row in rest} == {first.id}
    assert len(told(bench, reference)) == 3


def test_the_edit_of_something_that_never_came_stands_alone(bench: Bench) -> None:
    receipt = bench.intake.receive(edit(1, "Mi retiro no ha llegado."))
    assert receipt.new
    # What it was before comes late, found by reconciliation: it joins, and nothing is told twice.
    assert bench.intake.receive(said(1, "Mi retiro no")).reference == receipt.reference
    assert len(bench.references()) == 1


def test_an_edit_reaches_the_inquiry_that_leads_after_a_merger(bench: Bench) -> None:
    leading, merged = opened(bench), opened(bench, 1, channel="x")
    case = load(bench, merged)
    case.merged_into = leading
    save(bench, case)
    bench.intake.receive(edit(1, "Otras palabras", channel="x"))
    assert [order["name"] for order in told(bench, leading)] == ["receive_message"]
    assert told(bench, merged) == []


def test_nobody_words_anothers_message_anew(bench: Bench) -> None:
    reference = opened(bench)
    forged = edit(1, "Retiro mi reclamo.", provider_id="7:forged", sender=EVA, edit_of=f"7:{ANA}/1")
    assert bench.intake.receive(forged).reference != reference
    assert texts(bench, reference) == ["Mi retiro no ha llegado."]


# -- albums -----------------------------------------------------------------------------------------------------------


def picture(n: int, caption: str = "", **changes: Any) -> InboundMessage:
    file = RemoteFile(id=f"file-{n}", filename=f"{n}.jpg", content_type="image/jpeg", size=1)
    return said(n, caption, **{"album": f"{ANA}/al", "files": (file,), "subject": caption or "photo.jpg", **changes})


@pytest.mark.rule("M5.5")
def test_pictures_continue_the_first_message_and_are_told_once(bench: Bench) -> None:
    reference = opened(bench, 9, "Hola, tengo un problema")
    for n in (1, 2, 3):
        assert bench.intake.receive(picture(n, "Mi comprobante" if n == 2 else "")).reference == reference
    assert len(told(bench, reference)) == 1
    with bench.database.read() as session:
        _, first, *rest = messages.of_case(session, reference)
    assert [row.part_of for row in rest] == [first.id, first.id]


def test_the_caption_of_a_later_picture_stands_as_the_cases_words(bench: Bench) -> None:
    receipts = [bench.intake.receive(picture(n, "Este cobro no es mío" if n == 3 else "")) for n in (1, 2, 3)]
    assert len({one.reference for one in receipts}) == 1
    assert [one.new for one in receipts] == [True, False, False]
    reference = str(receipts[0].reference)
    assert told(bench, reference) == []
    with bench.database.read() as session:
        assert messages.first_words(session, reference) == "Este cobro no es mío"


def test_another_persons_album_of_the_same_mark_is_another(bench: Bench) -> None:
    reference = bench.intake.receive(picture(1)).reference
    assert bench.intake.receive(picture(2, sender=EVA)).reference != reference


def test_an_edited_caption_belongs_to_its_picture(bench: Bench) -> None:
    reference = str(bench.intake.receive(picture(1)).reference)
    bench.intake.receive(picture(2, "Uno"))
    assert bench.intake.receive(edit(2, "Dos", album=f"{ANA}/al")).reference == reference
    (order,) = told(bench, reference)
    with bench.database.read() as session:
        _, second, third = messages.of_case(session, reference)
    assert order["edits"] == second.id == third.edit_of


# -- twice, at once, out of order -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["first", "next", "edit", "picture"])
def test_the_same_update_fifty_times_at_once_has_one_effect(bench: Bench, what: str) -> None:
    reference = None if what == "first" else opened(bench)
    post = {"first": said(1), "next": said(2), "edit": edit(1, "Otra"), "picture": picture(2)}[what]
    found = at_once(bench, [post] * 50)
    (one,) = bench.references()
    assert set(found) == {one}
    assert reference in {None, one}
    assert len(told(bench, one)) == (0 if what == "first" else 1)
    assert len(texts(bench, one)) == (1 if what == "first" else 2)


def test_pictures_of_an_album_at_once_are_one_inquiry(bench: Bench) -> None:
    found = at_once(bench, [picture(n) for n in range(1, 11)])
    (reference,) = bench.references()
    assert set(found) == {reference}
    with bench.database.read() as session:
        first, *rest = messages.of_case(session, reference)
    assert {row.part_of for row in rest} == {first.id}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_whatever_comes_first_the_conversation_is_one(bench: Bench, order: tuple[int, ...]) -> None:
    posts = [said(n, f"Parte {n}", received_at=NOW - timedelta(minutes=9 - n)) for n in (1, 2, 3)]
    found = {bench.intake.receive(posts[n]).reference for n in order}
    (reference,) = bench.references()
    assert found == {reference}
    with bench.database.read() as session:
        assert [turn.text for turn in thread(session, reference)] == ["Parte 1", "Parte 2", "Parte 3"]


def test_a_provider_that_tells_the_same_message_in_other_words_tells_it_once(bench: Bench) -> None:
    reference = opened(bench, channel="x")
    again = said(1, "Mi retiro no ha llegado. https://t.co/x", channel="x", raw=b"as the reconciliation lists it")
    receipt = bench.intake.receive(again)
    assert (receipt.reference, receipt.duplicate) == (reference, True)
    assert texts(bench, reference) == ["Mi retiro no ha llegado."]


# -- in public --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.1")
@pytest.mark.parametrize(("channel", "place"), [("telegram", "-100/5"), ("x", "17")])
def test_a_public_post_is_a_reception_answered_with_an_invitation_alone(bench: Bench, channel: str, place: str) -> None:
    reference = opened(bench, channel=channel, public_place=place)
    case = load(bench, reference)
    assert case.addresses == ()
    leaving = case.outbox(NOW)
    assert leaving
    assert (leaving.kind, leaving.address) == (LetterKind.INVITATION, public_address(channel))
    sent = send_all(case, NOW + timedelta(days=40))
    assert {one.kind for one in sent} == {LetterKind.INVITATION}
    assert Flag.UNDELIVERED in case.flags
    with bench.database.read() as session:
        assert messages.public_place(session, reference) == place
        assert messages.thread(session, reference, channel) == [], "no letter answers a public post"


@pytest.mark.rule("M3.2")
def test_the_acknowledgement_leaves_once_they_write_in_private(bench: Bench) -> None:
    reference = opened(bench, public_place="-100/5")
    case = load(bench, reference)
    send_all(case, NOW)
    save(bench, case)
    receipt = bench.intake.receive(said(2, "Aquí estoy."))
    assert (receipt.reference, receipt.new) == (reference, False)
    case = hear(bench, reference)
    (sent,) = send_all(case, NOW)
    assert sent.kind is LetterKind.ACKNOWLEDGEMENT
    assert sent.address
    with bench.database.read() as session:
        assert contacts.reveal(session, sent.address.id)[:2] == ("telegram", ANA)


def test_what_lay_without_an_address_leaves_though_they_begin_anew(bench: Bench) -> None:
    first = opened(bench, public_place="-100/5")
    answer(bench, first)
    bench.tick(minutes=1)
    second = opened(bench, 2, "Otra cosa, en privado.")
    assert second != first
    case = hear(bench, first)
    kinds = [one.kind for one in send_all(case, bench.now)]
    assert kinds == [LetterKind.ACKNOWLEDGEMENT, LetterKind.FINAL_UPHELD]


@pytest.mark.rule("M4.2")
def test_who_writes_again_can_be_reached_in_all_their_inquiries(bench: Bench) -> None:
    first = opened(bench)
    answer(bench, first)
    bench.tick(minutes=1)
    second = opened(bench, 2, "Otra cosa.")
    for reference in (first, second):
        case = load(bench, reference)
        case.dead = tuple(one.id for one in case.addresses)
        save(bench, case)
    bench.intake.receive(said(3, "Ya los desbloqueé."))
    assert not hear(bench, first).dead
    assert not hear(bench, second).dead


def test_a_public_post_within_a_private_conversation_brings_no_public_letter(bench: Bench) -> None:
    reference = opened(bench)
    assert bench.intake.receive(said(2, "¿Y mi retiro?", public_place="-100/6")).reference == reference
    (order,) = told(bench, reference)
    assert "addresses" not in order
    case = hear(bench, reference)
    assert not letters(case, LetterKind.INVITATION)
    assert all(one.address and one.address.channel == "telegram" for one in case.letters)


def test_a_strangers_private_message_gets_nothing_of_a_public_post(bench: Bench) -> None:
    reference = opened(bench, public_place="-100/5")
    assert bench.intake.receive(said(2, sender=EVA)).reference != reference
    assert told(bench, reference) == []


# -- other addresses --------------------------------------------------------------------------------------------------


@pytest.mark.rule("M4.2")
def test_an_address_given_with_the_message_is_where_letters_can_go_on(bench: Bench) -> None:
    reference = opened(bench, channel="chat", further=((EMAIL, "ana@example.org"),))
    case = load(bench, reference)
    assert [one.channel for one in case.addresses] == ["chat", EMAIL]
    assert not any(one.registered for one in case.addresses)
    assert not case.bound


def test_one_given_later_joins_the_open_inquiries(bench: Bench) -> None:
    reference = opened(bench, channel="chat")
    bench.intake.take_address("chat", ANA, (EMAIL, "ana@example.org"))
    bench.intake.take_address("chat", "nobody", (EMAIL, "eva@example.org"))
    assert [one.channel for one in hear(bench, reference).addresses] == ["chat", EMAIL]


def test_an_answer_from_the_address_given_is_the_persons_own(bench: Bench) -> None:
    reference = opened(bench, channel="chat", further=((EMAIL, "ana@example.org"),))
    key = letter_of(bench, reference, "-", channel=EMAIL)
    bench.intake.receive(message(2, in_reply_to=f"{key.replace('/', '.')}@example.org"))
    with bench.database.read() as session:
        row = messages.of_case(session, reference)[-1]
    assert (row.channel, row.third_party) == (EMAIL, False)


def test_giving_somebodys_address_makes_nobody_that_person(bench: Bench) -> None:
    """Else whoever names a mailbox first would stand behind its owner's account for ever."""
    mine = opened(bench, channel="chat", sender=EVA, further=((EMAIL, "ana@example.org"),))
    hers = str(bench.intake.receive(message()).reference)
    assert contact_of(bench, EMAIL, "ana@example.org") != contact_of(bench, "chat", EVA)
    assert load(bench, hers).contact != load(bench, mine).contact
    assert [one.channel for one in load(bench, hers).addresses] == [EMAIL]


def test_absurdly_many_addresses_do_no_harm(bench: Bench) -> None:
    many = tuple((EMAIL, f"a{n}@example.org") for n in range(100))
    reference = opened(bench, channel="chat")
    assert bench.intake.receive(said(2, channel="chat", further=many)).reference == reference
    (order,) = told(bench, reference)
    assert len(ReceiveMessage.model_validate({k: v for k, v in order.items() if k != "name"}).addresses) == 10


# -- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.rule("M2.1")
def test_what_cannot_be_read_opens_an_inquiry_that_says_so(bench: Bench) -> None:
    reference = opened(bench, 1, "", channel="x", unreadable="encrypted")
    case = load(bench, reference)
    assert [one.kind for one in case.letters] == [LetterKind.ACKNOWLEDGEMENT, LetterKind.UNREADABLE]
    bench.intake.receive(said(2, "", channel="x", unreadable="encrypted"))
    (order,) = told(bench, reference)
    assert (order["unreadable"], order["channel"]) == (True, "x")
    assert len(letters(hear(bench, reference), LetterKind.UNREADABLE)) == 2


# -- quarantine -------------------------------------------------------------------------------------------------------


def held(bench: Bench, post: InboundMessage) -> str:
    receipt = bench.intake.receive(post)
    assert receipt.reference is None
    with bench.database.read() as session:
        return messages.quarantined(session)[-1].id


def test_a_handle_let_out_of_quarantine_is_still_no_person(bench: Bench) -> None:
    """Else everything about the case would leave in full to whoever has the telephone."""
    receipt = bench.intake.promote(held(bench, said(disposition=Disposition.AUTO_REPLY)), AGENT)
    assert receipt.new
    assert not load(bench, receipt.reference).bound


def test_a_public_post_let_out_is_answered_with_an_invitation_too(bench: Bench) -> None:
    name = held(bench, said(disposition=Disposition.LOOP, public_place="-100/5"))
    case = load(bench, bench.intake.promote(name, AGENT).reference)
    assert case.addresses == ()
    assert letters(case, LetterKind.INVITATION)


def test_what_cannot_be_read_is_told_when_it_is_let_out(bench: Bench) -> None:
    name = held(bench, said(1, "", disposition=Disposition.LOOP, unreadable="encrypted"))
    assert letters(load(bench, bench.intake.promote(name, AGENT).reference), LetterKind.UNREADABLE)


def test_the_rest_of_an_album_comes_out_with_its_first(bench: Bench) -> None:
    name = held(bench, picture(1, disposition=Disposition.LOOP))
    second = bench.intake.receive(picture(2, "Mi comprobante"))
    assert (second.reference, second.duplicate) == (None, False)
    bench.intake.receive(edit(1, "Con palabras", album=f"{ANA}/al"))
    reference = str(bench.intake.promote(name, AGENT).reference)
    assert texts(bench, reference) == ["", "Mi comprobante", "Con palabras"]
    assert [order["edits"] for order in told(bench, reference)] == [name]
    with bench.database.read() as session:
        assert messages.quarantined(session) == []


def test_what_is_let_out_joins_the_conversation(bench: Bench) -> None:
    reference = opened(bench)
    name = held(bench, said(2, disposition=Disposition.LOOP))
    receipt = bench.intake.promote(name, AGENT)
    assert (receipt.reference, receipt.new) == (reference, False)
    assert [order["message"] for order in told(bench, reference)] == [name]


def test_what_is_let_out_begins_anew_where_the_inquiry_is_over(bench: Bench) -> None:
    first = opened(bench)
    letter_of(bench, first, f"{ANA}/90")
    close(bench, first)
    name = held(bench, said(2, disposition=Disposition.LOOP, in_reply_to=f"{ANA}/90"))
    receipt = bench.intake.promote(name, AGENT)
    assert receipt.new
    assert load(bench, receipt.reference).refers_to == first


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_the_longest_ids_fit_everywhere(bench: Bench) -> None:
    longest = "9" * 255
    reference = opened(bench, provider_id=longest, sender="s" * 4_000, album="a" * 4_000)
    (address,) = load(bench, reference).addresses
    assert Address.model_validate(address.model_dump()) == address
    more = said(
        2, provider_id="8", sender="s" * 4_000, in_reply_to="r" * 4_000, edit_of="e" * 4_000, public_place="p" * 4_000
    )
    assert bench.intake.receive(more).reference == reference
    hear(bench, reference)
