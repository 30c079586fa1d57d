"""One person on several handles: one-time codes, accounts, and channels that are shut to us; on a real database."""

import dataclasses
import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from channels.message import Disposition, RemoteFile
from channels.port import Arrivals
from channels.report import Delivery, DeliveryEvent, Reach
from channels.tokens import reply_token
from models.arrivals import AddressClosed, NoticeBounced
from models.inquiry import EMAIL, Address, Flag
from models.letters import LetterKind
from models.messages import Order
from records import bindings, contact_cases, contacts, messages, notices
from starter.reception.persons import of_account, register
from starter.reception.reports import take_reports
from tests.cases import AGENT, FULL, do, letters, send_all
from tests.starter.mailbag import NOW, REPLY_SECRET, Bench, left, message
from tests.starter.talk import ANA, EVA, close, contact_of, edit, hear, load, said, save, shown, told

ACCOUNT = "user-77"


def account(bench: Bench, name: str = ACCOUNT, email: str = "ana@example.org") -> str:
    """An account with its registered e-mail, as the portal tells of it; its contact."""
    with bench.database.write() as session:
        contact = of_account(session, name, bench.now)
        register(session, contact, (EMAIL, email), bench.now)
    return contact


def code_for(bench: Bench, contact: str, *, bound: bool = True) -> str:
    with bench.database.write() as session:
        code, ends_at = bindings.make(session, contact, bound=bound, made_by="portal", now=bench.now)
    assert ends_at == bench.now + timedelta(minutes=15)
    return code


def show(bench: Bench, code: str, address: str = ANA, channel: str = "telegram") -> None:
    bench.intake.take(channel, shown(code, address))


def write(bench: Bench, code: str, address: str = ANA, channel: str = "telegram") -> None:
    """Somebody writes a code, which no link does for them."""
    post = said(900, code, channel=channel, sender=address)
    assert bench.intake.receive(post).disposition == Disposition.CLAIM


def of_contact(bench: Bench, contact: str) -> set[tuple[str, str]]:
    with bench.database.read() as session:
        return {contacts.reveal(session, one.id)[:2] for one in contacts.addresses(session, contact)}


def reach(event_id: str = "7:1", *, opened: bool = False, address: str = ANA, reason: str = "blocked") -> Arrivals:
    one = Reach(event_id=event_id, channel="telegram", address=address, open=opened, at=NOW, reason=reason)
    return Arrivals(reaches=(one,))


# -- deep links -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.7")
def test_a_code_shown_from_a_handle_makes_it_the_accounts(bench: Bench) -> None:
    contact = account(bench)
    code = code_for(bench, contact)
    show(bench, code)
    assert contact_of(bench, "telegram", ANA) == contact
    reference = str(bench.intake.receive(said()).reference)
    case = load(bench, reference)
    assert case.bound
    assert [one.channel for one in case.addresses] == ["telegram", EMAIL]
    assert case.addresses[1].registered


def test_a_code_is_good_once(bench: Bench) -> None:
    code = code_for(bench, account(bench))
    show(bench, code)
    show(bench, code, EVA)
    assert contact_of(bench, "telegram", EVA) is None


def test_of_many_who_show_it_at_once_one_is_bound(bench: Bench) -> None:
    code, handles = code_for(bench, account(bench)), [str(n) for n in range(20)]
    ready = threading.Barrier(len(handles))

    def press(handle: str) -> None:
        ready.wait()
        show(bench, code, handle)

    threads = [threading.Thread(target=press, args=(one,)) for one in handles]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(contact_of(bench, "telegram", one) is not None for one in handles) == 1


def test_a_code_lives_for_fifteen_minutes(bench: Bench) -> None:
    first, second = (code_for(bench, account(bench)) for _ in range(2))
    bench.tick(minutes=14, seconds=59)
    show(bench, first)
    assert contact_of(bench, "telegram", ANA)
    bench.tick(seconds=1)
    show(bench, second, EVA)
    assert contact_of(bench, "telegram", EVA) is None


def test_only_a_codes_hash_is_kept(bench: Bench) -> None:
    code = code_for(bench, account(bench))
    with bench.database.read() as session:
        (row,) = session.connection().execute(text("SELECT * FROM bindings")).all()
    assert code not in str(row)


def test_a_wrong_code_changes_nothing(bench: Bench) -> None:
    show(bench, "x" * 24)
    show(bench, "\ud800" * 24)
    assert contact_of(bench, "telegram", ANA) is None
    assert bench.references() == []


# -- typed codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["telegram", "x", "chat"])
def test_a_typed_code_binds_and_opens_no_inquiry(bench: Bench, channel: str) -> None:
    contact = account(bench)
    post = said(1, f"  {code_for(bench, contact)}\n", channel=channel)
    receipt = bench.intake.receive(post)
    assert (receipt.reference, receipt.disposition, receipt.duplicate) == (None, "claim", False)
    assert bench.intake.receive(post).duplicate
    assert bench.references() == []
    assert contact_of(bench, channel, ANA) == contact
    with bench.database.read() as session:
        assert messages.quarantined(session) == [], "it waits for nobody"


def test_a_mail_with_a_code_binds_its_sender(bench: Bench) -> None:
    reference = str(bench.intake.receive(said()).reference)
    code = code_for(bench, load(bench, reference).contact, bound=False)
    assert bench.intake.receive(message(2, text=code)).disposition == "claim"
    case = hear(bench, reference)
    assert {one.channel for one in case.addresses} == {"telegram", EMAIL}
    assert not case.bound, "who made the code vouched for nobody"


@pytest.mark.parametrize(
    "changes",
    [
        {"sender_verified": False, "bound": False},
        {"spf": "forged", "sender_verified": False},
        {"disposition": Disposition.AUTO_REPLY},
    ],
)
def test_a_forged_mail_with_a_code_binds_nobody(bench: Bench, changes: dict[str, Any]) -> None:
    contact = account(bench)
    code = code_for(bench, contact)
    receipt = bench.intake.receive(message(1, text=code, sender="eva@example.org", **changes))
    assert receipt.disposition != "claim"
    assert contact_of(bench, EMAIL, "eva@example.org") != contact
    show(bench, code)
    assert contact_of(bench, "telegram", ANA) == contact, "the code is as good as it was"


def test_a_code_in_public_binds_nobody(bench: Bench) -> None:
    contact = account(bench)
    bench.intake.receive(said(1, code_for(bench, contact), public_place="-100/5"))
    assert contact_of(bench, "telegram", ANA) != contact


def test_a_code_with_a_file_is_a_message(bench: Bench) -> None:
    file = RemoteFile(id="f", filename="f.jpg", content_type="image/jpeg")
    assert bench.intake.receive(said(1, code_for(bench, account(bench)), files=(file,))).new


def test_a_code_that_is_not_good_is_an_ordinary_message(bench: Bench) -> None:
    assert bench.intake.receive(said(1, "w" * 24)).new
    code = code_for(bench, account(bench))
    bench.tick(minutes=15)
    late = bench.intake.receive(said(2, code))
    assert late.disposition == "message"
    assert late.reference


def test_a_code_worded_anew_is_an_ordinary_message(bench: Bench) -> None:
    bench.intake.receive(said(1, code_for(bench, account(bench))))
    receipt = bench.intake.receive(edit(1, "Mi retiro no ha llegado."))
    assert receipt.new, "nobody would ever answer it in quarantine"


# -- links that somebody was led to press ---------------------------------------------------------------------------


def pressed(bench: Bench, code: str, address: str = ANA) -> list[str]:
    """A link was pressed; what the handle is told of it."""
    greetings = bench.intake.take("telegram", shown(code, address)).greetings
    assert {one.to for one in greetings} <= {address}
    return [one.what for one in greetings]


@pytest.mark.rule("M3.7")
@pytest.mark.parametrize("over", [False, True])
def test_a_pressed_link_hands_nobodys_inquiries_over(bench: Bench, over: bool) -> None:  # noqa: FBT001
    reference = str(bench.intake.receive(said()).reference)
    if over:
        close(bench, reference)
    owner = load(bench, reference).contact
    contact = account(bench)
    code = code_for(bench, contact)
    assert pressed(bench, code) == ["link_to_type"]
    assert (contact_of(bench, "telegram", ANA), load(bench, reference).contact) == (owner, owner)
    assert told(bench, reference) == []
    assert not load(bench, bench.intake.receive(said(2, "Fue el lunes.")).reference).bound
    write(bench, code)
    assert (contact_of(bench, "telegram", ANA), load(bench, reference).contact) == (contact, contact)


def test_whoever_shows_a_code_is_told_what_came_of_it(bench: Bench) -> None:
    code = code_for(bench, account(bench))
    assert pressed(bench, code) == ["connected"]
    assert pressed(bench, code) == [], "the provider may bring it again"
    assert pressed(bench, code, EVA) == ["link_over"]
    assert pressed(bench, "x" * 24) == ["link_over"]
    assert pressed(bench, code_for(bench, account(bench, "user-88", "eva@example.org"))) == ["link_other"]
    typed = said(1, code_for(bench, account(bench)), sender=EVA)
    for greetings in (["connected"], []):
        brought = bench.intake.take("telegram", Arrivals(messages=(typed,)))
        assert [one.what for one in brought.greetings] == greetings


def test_a_code_is_good_for_whom_its_person_turned_out_to_be(bench: Bench) -> None:
    reference = str(bench.intake.receive(said()).reference)
    code = code_for(bench, load(bench, reference).contact, bound=False)
    contact = account(bench)
    write(bench, code_for(bench, contact))
    show(bench, code, "33", "x")
    assert contact_of(bench, "x", "33") == contact


# -- what the cases hear ----------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.7")
def test_the_open_cases_of_both_are_told_and_say_all_from_then_on(bench: Bench) -> None:
    by_mail = str(bench.intake.receive(message(sender_verified=False, bound=False)).reference)
    by_chat = str(bench.intake.receive(said()).reference)
    over = str(bench.intake.receive(said(1, channel="x", sender=EVA)).reference)
    close(bench, over)
    contact = account(bench)
    hear(bench, by_mail)
    write(bench, code_for(bench, contact))
    write(bench, code_for(bench, contact), EVA, "x")
    for reference in (by_mail, by_chat):
        case = hear(bench, reference)
        assert (case.contact, case.bound) == (contact, True)
        assert EMAIL in {one.channel for one in case.addresses}
    assert {one.channel for one in load(bench, by_chat).addresses} == {EMAIL, "telegram", "x"}
    assert load(bench, over).contact == contact, "what is over is theirs as well"
    assert [order["name"] for order in told(bench, over)] == []


def test_the_case_is_theirs_before_its_workflow_hears_of_it(bench: Bench) -> None:
    """Temporal may be away: what the person says next must find its way meanwhile."""
    reference = str(bench.intake.receive(said()).reference)
    stale = load(bench, reference)
    contact = account(bench)
    write(bench, code_for(bench, contact))
    save(bench, stale)
    assert load(bench, reference).contact == contact
    assert bench.intake.receive(said(2, "Fue el lunes.")).reference == reference


@pytest.mark.rule("M4.2")
def test_letters_without_an_address_leave_whole_once_they_are_known(bench: Bench) -> None:
    reference = str(bench.intake.receive(said(public_place="-100/5")).reference)
    case = load(bench, reference)
    send_all(case, NOW)
    save(bench, case)
    assert Flag.UNDELIVERED in case.flags
    write(bench, code_for(bench, account(bench)))
    case = hear(bench, reference)
    assert case.bound
    kinds = [one.kind for one in send_all(case, bench.now)]
    assert LetterKind.ACKNOWLEDGEMENT in kinds
    assert Flag.UNDELIVERED not in case.flags


def test_the_same_binding_handed_over_twice_counts_once(bench: Bench) -> None:
    reference = str(bench.intake.receive(said()).reference)
    write(bench, code_for(bench, account(bench)))
    hear(bench, reference, done=False)
    facts = [fact.type for fact in hear(bench, reference).pending]
    assert facts.count("identity.bound") == 1


# -- accounts ---------------------------------------------------------------------------------------------------------


def in_chat(n: int, session: str, **changes: Any) -> Any:
    signed = {"channel": "chat", "sender": session, "account": ACCOUNT, "bound": True}
    return said(n, **{**signed, "further": ((EMAIL, "ana@example.org"),), **changes})


@pytest.mark.rule("M3.7")
def test_an_accounts_second_handle_is_the_same_person(bench: Bench) -> None:
    first = str(bench.intake.receive(in_chat(1, "cs_1")).reference)
    bench.tick(minutes=1)
    second = bench.intake.receive(in_chat(2, "cs_2", received_at=bench.now))
    assert second.reference == first, "it is one conversation with one person"
    case = hear(bench, first)
    assert case.bound
    assert [(one.channel, one.registered) for one in case.addresses] == [("chat", False), (EMAIL, True)]
    assert shown_at(bench, case.addresses) == ["cs_2", "ana@example.org"], "where they are now"


def shown_at(bench: Bench, addresses: Iterable[Address]) -> list[str]:
    """The addresses in clear."""
    with bench.database.read() as session:
        return [contacts.reveal(session, one.id).value for one in addresses]


def visits(bench: Bench, session_id: str) -> None:
    """Whoever is signed in opens another session, and says nothing yet."""
    bench.tick(minutes=1)
    with bench.database.write() as session:
        contact = contacts.of_account(session, ACCOUNT)
        contacts.find_or_add(session, "chat", session_id, contact=contact, now=bench.now)
    bench.intake.take_address("chat", session_id, ("chat", session_id))


@pytest.mark.rule("M4.2")
def test_of_many_visits_the_case_knows_the_last_and_its_next_letter_goes_there(bench: Bench) -> None:
    reference = str(bench.intake.receive(in_chat(1, "cs_0")).reference)
    for n in range(1, 26):
        visits(bench, f"cs_{n}")
    case = hear(bench, reference)
    assert shown_at(bench, case.addresses) == ["cs_25", "ana@example.org"]
    case = do(case, "reply", bench.now, draft=FULL)
    (reply,) = letters(case, LetterKind.REPLY)
    assert reply.address == case.addresses[0]
    assert sum(fact.type == "address.added" for fact in case.pending) == 25, "the history has them all"


@pytest.mark.rule("M4.2")
def test_whoever_writes_in_an_earlier_visit_is_there_again(bench: Bench) -> None:
    reference = str(bench.intake.receive(in_chat(1, "cs_phone")).reference)
    visits(bench, "cs_desk")
    bench.tick(minutes=1)
    bench.intake.receive(in_chat(2, "cs_phone", received_at=bench.now))
    assert shown_at(bench, hear(bench, reference).addresses) == ["cs_phone", "ana@example.org"]


@pytest.mark.rule("M4.2")
def test_a_new_inquiry_knows_the_last_visit_alone(bench: Bench) -> None:
    bench.intake.receive(in_chat(1, "cs_0"))
    for n in (1, 2):
        visits(bench, f"cs_{n}")
    mailed = bench.intake.receive(message(2, subject="Otra cosa", text="Otra cosa distinta."))
    assert shown_at(bench, load(bench, mailed.reference).addresses) == ["ana@example.org", "cs_2"]
    close(bench, str(bench.intake.receive(in_chat(3, "cs_0", received_at=bench.now)).reference))
    chatted = bench.intake.receive(in_chat(4, "cs_1", text="Algo nuevo: mi tarjeta.", received_at=bench.now))
    assert chatted.new
    assert shown_at(bench, load(bench, chatted.reference).addresses) == ["cs_1", "ana@example.org"]


@pytest.mark.rule("M4.2")
def test_who_is_bound_brings_the_last_of_their_visits(bench: Bench) -> None:
    contact = account(bench)
    for n in (1, 2):
        visits(bench, f"cs_{n}")
    reference = str(bench.intake.receive(said()).reference)
    write(bench, code_for(bench, contact))
    case = hear(bench, reference)
    assert sorted(shown_at(bench, case.addresses)) == [ANA, "ana@example.org", "cs_2"]


@pytest.mark.rule("M4.2")
def test_an_inquiry_with_nowhere_to_write_to_hears_of_the_visit_that_somebody_writes_in(bench: Bench) -> None:
    first = bench.intake.receive(in_chat(1, "cs_0", further=()))
    case = load(bench, first.reference)
    case.dead = tuple(one.id for one in case.addresses)
    save(bench, do(case, "resolve", bench.now, outcome="upheld", draft=FULL))
    bench.tick(minutes=1)
    other = bench.intake.receive(in_chat(2, "cs_1", further=(), received_at=bench.now))
    assert other.reference != first.reference
    assert shown_at(bench, hear(bench, str(first.reference)).addresses) == ["cs_1"]


def test_a_registered_mailbox_is_the_accounts_whoever_wrote_from_it_before(bench: Bench) -> None:
    by_mail = str(bench.intake.receive(message()).reference)
    bench.intake.receive(in_chat(1, "cs_1"))
    contact = contact_of(bench, "chat", "cs_1")
    assert contact_of(bench, EMAIL, "ana@example.org") == contact
    assert hear(bench, by_mail).contact == contact


def test_a_stranger_who_named_the_mailbox_first_is_not_in_the_account(bench: Bench) -> None:
    bench.intake.receive(said(1, channel="chat", sender="cs_eva", further=((EMAIL, "ana@example.org"),)))
    contact = account(bench)
    assert of_contact(bench, contact) == {(EMAIL, "ana@example.org")}
    assert contact_of(bench, "chat", "cs_eva") != contact


def test_a_mailbox_that_another_account_registers_takes_no_inquiries_along(bench: Bench) -> None:
    first = account(bench)
    reference = str(bench.intake.receive(message()).reference)
    second = account(bench, "user-88")
    assert first != second
    assert contact_of(bench, EMAIL, "ana@example.org") == second
    assert load(bench, reference).contact == first
    assert [order["name"] for order in told(bench, reference)] == ["address_closed"]


@pytest.mark.rule("M3.7")
def test_letters_of_an_account_go_no_more_to_what_is_anothers_now(bench: Bench) -> None:
    account(bench)
    reference = str(bench.intake.receive(message()).reference)
    token = reply_token(REPLY_SECRET, reference)
    account(bench, "user-88")
    late = bench.intake.receive(message(2, tokens=(token,)))
    assert late.reference == reference
    with bench.database.read() as session:
        assert messages.of_case(session, reference)[-1].third_party, "whatever the case has heard by then"
    case = hear(bench, reference)
    assert send_all(case, bench.now) == []
    assert Flag.UNDELIVERED in case.flags
    save(bench, case)
    assert bench.intake.receive(message(3)).new
    bench.tick(minutes=1)
    account(bench)
    case = hear(bench, reference)
    assert Flag.UNDELIVERED not in case.flags
    assert LetterKind.ACKNOWLEDGEMENT in [one.kind for one in send_all(case, bench.now)], "it is theirs again"


@pytest.mark.rule("M3.7")
def test_open_cases_follow_the_registered_mailbox(bench: Bench) -> None:
    contact = account(bench)
    show(bench, code_for(bench, contact))
    reference = str(bench.intake.receive(said()).reference)
    registered_at: list[str] = []
    for email in ("new@example.org", "new@example.org", "ana@example.org"):
        bench.tick(minutes=1)
        account(bench, email=email)
        heard = told(bench, reference)
        (one,) = (one for one in hear(bench, reference).addresses if one.registered)
        with bench.database.read() as session:
            registered_at.append(contacts.reveal(session, one.id).value)
        assert len(heard) == (0 if registered_at[-2:] == ["new@example.org"] * 2 else 1), "told only what is new"
    assert registered_at == ["new@example.org", "new@example.org", "ana@example.org"]


def test_an_inquiry_that_joins_an_account_hears_of_one_registered_mailbox(bench: Bench) -> None:
    account(bench, email="old@example.org")
    by_mail = str(bench.intake.receive(message()).reference)
    account(bench)
    assert sum(one.registered for one in hear(bench, by_mail).addresses) == 1


def test_the_mailbox_before_is_registered_no_more(bench: Bench) -> None:
    contact = account(bench)
    account(bench, email="new@example.org")
    with bench.database.read() as session:
        found = {contacts.reveal(session, one.id).value: one.registered for one in contacts.addresses(session, contact)}
    assert found == {"ana@example.org": False, "new@example.org": True}


@pytest.mark.parametrize("maker", ["account", "handle"])
def test_a_code_takes_nothing_away_from_another_account(bench: Bench, maker: str) -> None:
    """Somebody may have been led to press a link that another made."""
    contact = account(bench)
    show(bench, code_for(bench, contact))
    reference = str(bench.intake.receive(said()).reference)
    if maker == "account":
        other = account(bench, "user-88", "eva@example.org")
    else:
        other = load(bench, bench.intake.receive(said(sender=EVA)).reference).contact
    code = code_for(bench, other)
    show(bench, code)
    assert contact_of(bench, "telegram", ANA) == contact
    assert load(bench, reference).contact == contact
    assert told(bench, reference) == []
    receipt = bench.intake.receive(said(2, code))
    assert (receipt.reference, receipt.disposition) == (reference, "message")


@pytest.mark.rule("M3.7")
def test_a_mailbox_that_a_visitor_names_is_not_the_visitors_registered_one(bench: Bench) -> None:
    account(bench)
    visitor = {"channel": "chat", "sender": "cs_eva"}
    first = str(bench.intake.receive(said(1, further=((EMAIL, "ana@example.org"),), **visitor)).reference)
    assert [one.registered for one in load(bench, first).addresses] == [False, False]
    bench.intake.take_address("chat", "cs_eva", (EMAIL, "ana@example.org"))
    assert not any(one.registered for one in hear(bench, first).addresses)


def test_the_registered_mailbox_stays_registered_when_its_person_leaves_it(bench: Bench) -> None:
    reference = str(bench.intake.receive(in_chat(1, "cs_1")).reference)
    bench.intake.take_address("chat", "cs_1", (EMAIL, "ana@example.org"))
    assert sum(one.registered for one in hear(bench, reference).addresses) == 1


@pytest.mark.rule("M3.7")
def test_whoever_writes_under_an_address_unverified_is_not_its_account(bench: Bench) -> None:
    account(bench)
    stranger: dict[str, Any] = {"sender_verified": False, "bound": False}
    form = bench.intake.receive(message(1, channel="web", provider_id="form:1", **stranger))
    held = message(2, disposition=Disposition.LOOP, **stranger)
    assert bench.intake.receive(held).reference is None
    with bench.database.read() as session:
        (row,) = messages.quarantined(session)
    let_out = bench.intake.promote(row.id, AGENT)
    for reference in (form.reference, let_out.reference):
        assert not load(bench, reference).bound
    assert load(bench, bench.intake.receive(message(3)).reference).bound


# -- channels that are shut -------------------------------------------------------------------------------------------


@pytest.mark.rule("M4.2")
def test_a_block_moves_what_waits_to_the_next_address_and_tells_the_change(bench: Bench) -> None:
    reference = str(bench.intake.receive(said(further=((EMAIL, "ana@example.org"),))).reference)
    bench.intake.take("telegram", reach())
    case = hear(bench, reference)
    sent = send_all(case, bench.now)
    assert [one.kind for one in sent] == [LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT]
    assert {one.address.channel for one in sent if one.address} == {EMAIL}


@pytest.mark.rule("M4.2")
def test_without_another_address_it_waits_until_they_let_us_in_again(bench: Bench) -> None:
    reference = str(bench.intake.receive(said()).reference)
    bench.intake.take("telegram", reach("7:1"))
    case = hear(bench, reference)
    assert (send_all(case, bench.now), Flag.UNDELIVERED in case.flags) == ([], True)
    bench.intake.take("telegram", reach("7:2", opened=True))
    assert [one.kind for one in send_all(hear(bench, reference), bench.now)] == [LetterKind.ACKNOWLEDGEMENT]


@pytest.mark.rule("M4.2")
def test_what_somebody_said_before_they_shut_the_channel_is_told_before(bench: Bench) -> None:
    reference = str(bench.intake.receive(said(further=((EMAIL, "ana@example.org"),))).reference)
    last = said(2, "Adiós.")
    bench.intake.take("telegram", Arrivals(messages=(last,), reaches=reach().reaches))
    assert [order["name"] for order in told(bench, reference)] == ["receive_message", "address_closed"]
    case = hear(bench, reference)
    assert [one.channel for one in case.addresses if one.id in case.dead] == ["telegram"]


def test_a_code_counts_for_what_is_said_after_it(bench: Bench) -> None:
    contact = account(bench)
    arrivals = shown(code_for(bench, contact))
    bench.intake.take("telegram", dataclasses.replace(arrivals, messages=(said(),)))
    (reference,) = bench.references()
    assert load(bench, reference).contact == contact


def test_an_event_told_again_counts_once(bench: Bench) -> None:
    reference = str(bench.intake.receive(said()).reference)
    for event_id, opened in (("7:1", False), ("7:2", True), ("7:1", False)):
        bench.intake.take("telegram", reach(event_id, opened=opened))
    case = hear(bench, reference)
    assert not case.dead
    assert [fact.type for fact in case.pending].count("address.closed") == 1


def test_a_stranger_who_blocks_us_is_no_matter(bench: Bench) -> None:
    bench.intake.take("telegram", reach())
    assert contact_of(bench, "telegram", ANA) is None


def test_long_ids_and_reasons_of_a_provider_stop_nothing(bench: Bench) -> None:
    reference = str(bench.intake.receive(said()).reference)
    for end in ("a", "b"):
        bench.intake.take("telegram", reach("7" * 300 + end, reason="r" * 2_000))
    row = left(reference)
    events = [
        DeliveryEvent(
            event_id="e" * 300 + end,
            notice=row.key,
            message_id="",
            kind=Delivery.BOUNCE,
            hard=False,
            at=NOW,
            reason="r" * 2_000,
        )
        for end in ("a", "b")
    ]
    with bench.database.write() as session:
        notices.begin(session, row)
        assert take_reports(session, events, NOW, gather=timedelta()) == 2
    orders = told(bench, reference)
    shapes: list[type[Order]] = [AddressClosed, AddressClosed, NoticeBounced, NoticeBounced]
    for order, shape in zip(orders, shapes, strict=True):
        assert shape.model_validate({key: value for key, value in order.items() if key != "name"}).key
    assert len({order["key"] for order in orders}) == 4, "two events never count as one"


@pytest.mark.rule("M4.2")
def test_only_open_cases_of_the_person_are_told(bench: Bench) -> None:
    over = str(bench.intake.receive(said()).reference)
    close(bench, over)
    other = str(bench.intake.receive(said(sender=EVA)).reference)
    bench.intake.take("telegram", reach())
    assert told(bench, over) == told(bench, other) == []
    assert not letters(load(bench, other), LetterKind.CHANNEL_CHANGE)


def test_two_handles_of_one_contact_keep_their_conversations_apart_by_channel(bench: Bench) -> None:
    contact = account(bench)
    show(bench, code_for(bench, contact))
    show(bench, code_for(bench, contact), "33", "x")
    by_telegram = bench.intake.receive(said())
    by_x = bench.intake.receive(said(channel="x", sender="33"))
    assert by_telegram.new
    assert by_x.new
    with bench.database.read() as session:
        assert contact_cases.conversation(session, contact, "x") == by_x.reference
