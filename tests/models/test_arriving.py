"""What the world reports: channels shut and opened, a person who becomes known, posts in public, and messages."""

from datetime import datetime
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.commands import OURS_ALONE, read
from models.deciding import decide
from models.errors import Refused
from models.inquiry import EMAIL, Address, Flag, Status
from models.letters import Letter, LetterKind, LetterState
from models.obligations import ObligationKind
from models.post import Acceptance, accept, fail
from tests.cases import (
    AGENT,
    DAY,
    FULL,
    MONDAY,
    ORIGIN,
    REGISTERED,
    SECOND_MAIL,
    TELEGRAM,
    acknowledged,
    back,
    closed,
    do,
    end_of,
    letters,
    live,
    new_case,
    public_case,
    send_all,
)

TUESDAY = MONDAY + DAY
BOTH = (ORIGIN, TELEGRAM)
ON_X = Address(id="ad_x", channel="x")


def arrives(case: Case, now: datetime = TUESDAY, **more: Any) -> Case:
    """A message of the user joins the case."""
    addresses = [one.model_dump() for one in more.pop("addresses", ())]
    return do(case, "receive_message", now, **{"message": "ms_2", "at": now.isoformat(), **more}, addresses=addresses)


def shut(case: Case, address: Address = ORIGIN, now: datetime = TUESDAY) -> Case:
    return do(case, "address_closed", now, address=address.id, reason="blocked")


def bind(case: Case, *addresses: Address, bound: bool = True, contact: str = "ct_1", now: datetime = TUESDAY) -> Case:
    given = [one.model_dump() for one in addresses]
    return do(case, "identity_bound", now, contact=contact, addresses=given, bound=bound)


def kinds(sent: list[Letter]) -> list[LetterKind]:
    return [one.kind for one in sent]


def facts(case: Case, what: str) -> list[dict[str, Any]]:
    return [fact.data for fact in case.pending if fact.type == what]


# --------------------------------------------------------------------------------------------- channels shut and opened


@pytest.mark.rule("M4.2")
def test_what_waits_for_a_channel_that_was_shut_leaves_over_another_that_is_told_first() -> None:
    case = shut(do(new_case(addresses=BOTH), "reply", MONDAY, draft=FULL))
    sent = send_all(case, TUESDAY)
    assert kinds(sent) == [LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT, LetterKind.REPLY]
    assert {one.address for one in sent} == {TELEGRAM}
    assert (sent[0].facts["old"], sent[0].facts["new"]) == (EMAIL, "telegram")
    assert case.obligations[0].kept
    assert not case.owed(ObligationKind.CHANNEL_CHANGE)
    assert facts(case, "address.closed") == [{"address": ORIGIN.id}]
    assert [fact.texts for fact in case.pending if fact.type == "address.closed"] == [{"reason": "blocked"}]


@pytest.mark.rule("M4.2")
def test_a_channel_that_was_shut_is_told_at_once_though_nothing_waits() -> None:
    case = shut(acknowledged(addresses=BOTH))
    assert case.channel_now == "telegram"
    (owed,) = case.owed(ObligationKind.CHANNEL_CHANGE)
    assert owed.due == end_of(case, 2026, 2, 4), "one business day after the old channel failed"
    assert kinds(send_all(case, TUESDAY)) == [LetterKind.CHANNEL_CHANGE]
    again = do(case, "reply", TUESDAY, draft=FULL)
    assert kinds(send_all(again, TUESDAY)) == [LetterKind.REPLY], "told once"


@pytest.mark.rule("M4.2")
def test_a_channel_that_letters_do_not_take_is_shut_without_a_word() -> None:
    case = shut(acknowledged(addresses=BOTH), TELEGRAM)
    assert not case.waiting()
    assert case.channel_now == EMAIL
    assert case.dead == (TELEGRAM.id,)
    another = shut(acknowledged(addresses=(ORIGIN, SECOND_MAIL)))
    assert not another.waiting(), "the channel is the same"
    assert another.address() == SECOND_MAIL


@pytest.mark.rule("M4.2")
@pytest.mark.rule("M3.7")
def test_shut_with_nowhere_else_to_go_is_a_flag_until_it_is_opened_or_the_user_writes() -> None:
    case = shut(new_case())
    assert Flag.UNDELIVERED in case.flags
    assert facts(case, "letter.undeliverable")
    assert case.outbox(TUESDAY) is None
    opened = do(case, "address_open", TUESDAY, address=ORIGIN.id)
    assert facts(opened, "address.open") == [{"address": ORIGIN.id}]
    assert Flag.UNDELIVERED not in opened.flags
    assert kinds(send_all(opened, TUESDAY)) == [LetterKind.ACKNOWLEDGEMENT]
    wrote = arrives(case, addresses=(ORIGIN,))
    assert kinds(send_all(wrote, TUESDAY)) == [LetterKind.ACKNOWLEDGEMENT], "who writes from there can be reached there"
    from_elsewhere = arrives(case, addresses=(TELEGRAM,))
    assert kinds(send_all(from_elsewhere, TUESDAY)) == [LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT]


@pytest.mark.rule("M4.2")
def test_a_channel_found_when_nothing_waited_is_told_before_its_first_use() -> None:
    case = shut(acknowledged())
    assert not case.undelivered
    case = do(arrives(case, addresses=(TELEGRAM,)), "reply", TUESDAY, draft=FULL)
    assert kinds(send_all(case, TUESDAY)) == [LetterKind.CHANNEL_CHANGE, LetterKind.REPLY]


@pytest.mark.rule("M4.2")
def test_word_about_a_channel_that_was_shut_too_gives_way_to_word_about_the_next() -> None:
    case = shut(shut(acknowledged(addresses=BOTH)), TELEGRAM)
    (stuck,) = case.waiting()
    assert (stuck.kind, stuck.address) == (LetterKind.CHANNEL_CHANGE, None)
    opened = do(case, "address_open", TUESDAY, address=TELEGRAM.id)
    (sent,) = send_all(opened, TUESDAY)
    assert (sent.address, sent.facts["new"]) == (TELEGRAM, "telegram")
    back_again = do(case, "address_open", TUESDAY, address=ORIGIN.id)
    (sent,) = send_all(back_again, TUESDAY)
    assert (sent.address, sent.facts["old"], sent.facts["new"]) == (ORIGIN, "telegram", EMAIL)
    assert not back_again.owed(ObligationKind.CHANNEL_CHANGE)


@pytest.mark.rule("M4.2")
def test_shut_twice_or_unknown_changes_nothing_nor_does_opening_what_is_open() -> None:
    case = shut(acknowledged(addresses=BOTH))
    before = case.model_copy(update={"version": case.version + 1})
    assert shut(case) == before
    assert shut(case, ON_X) == before
    assert do(case, "address_open", TUESDAY, address=TELEGRAM.id) == before
    assert do(case, "address_open", TUESDAY, address=ON_X.id) == before


@pytest.mark.rule("M4.2")
def test_an_address_that_dies_with_a_letter_nobody_needs_again_is_left_too() -> None:
    case = do(acknowledged(addresses=BOTH), "extend", TUESDAY, until="2026-04-10", reasons="x")
    back(case, case.extensions[0].letter, TUESDAY)
    case = do(case, "reply", TUESDAY, draft=FULL)
    assert kinds(send_all(case, TUESDAY)) == [LetterKind.CHANNEL_CHANGE, LetterKind.REPLY]


@pytest.mark.rule("M4.2")
def test_a_copy_to_an_address_that_was_shut_is_let_go() -> None:
    case = shut(new_case(addresses=(TELEGRAM, REGISTERED), channel="telegram"), REGISTERED)
    assert kinds(send_all(case, TUESDAY)) == [LetterKind.ACKNOWLEDGEMENT]
    assert case.letters[1].state is LetterState.VOID


# -- the end, and after it


@pytest.mark.rule("M4.2")
@pytest.mark.parametrize(
    ("name", "order", "then"),
    [
        ("appeal", {"text": "I disagree"}, LetterKind.REVIEW_NOTED),
        ("reopen", {"reasons": "new facts"}, LetterKind.REOPENED),
        ("receive_message", {"reopens": True}, LetterKind.REOPENED),
        ("receive_message", {"unreadable": True}, LetterKind.UNREADABLE),
    ],
)
def test_a_closed_case_only_remembers_and_tells_the_channel_when_it_goes_on(
    name: str, order: dict[str, Any], then: LetterKind
) -> None:
    now = MONDAY + 101 * DAY
    case = shut(closed(addresses=BOTH), now=now)
    assert case.dead == (ORIGIN.id,)
    assert not case.waiting()
    assert not case.owed()
    assert case.status is Status.CLOSED
    found = bind(case, SECOND_MAIL, now=now)
    assert found.status is Status.CLOSED
    assert not found.waiting()
    goes_on = arrives(case, now, **order) if name == "receive_message" else do(case, name, now, **order)
    sent = send_all(goes_on, now)
    assert [(one.kind, one.address) for one in sent] == [(LetterKind.CHANNEL_CHANGE, TELEGRAM), (then, TELEGRAM)]


@pytest.mark.rule("M3.1")
def test_a_message_reopens_a_closed_case_with_new_promises_where_policy_wants_so() -> None:
    now = MONDAY + 101 * DAY
    received = now - 2 * DAY
    case = arrives(closed(), now, at=received.isoformat(), reopens=True)
    assert case.status is Status.RECEIVED
    assert (case.final, case.closed_at, case.window_ends, case.unread) == (None, None, None, 1)
    soon, late = case.owed()
    assert (soon.kind, late.kind) == (ObligationKind.ACKNOWLEDGEMENT, ObligationKind.FINAL)
    assert soon.due == case.calendar.due(received, 5), "counted from the message's reception, not from its storing"
    (letter,) = send_all(case, now)
    assert (letter.kind, letter.meets, letter.tells) == (LetterKind.REOPENED, (soon.n,), late.due)
    assert datetime.fromisoformat(letter.facts["received"]) == received
    assert letter.texts == {"reasons": ""}, "the user's words stay in the records"
    assert [fact.type for fact in case.pending if fact.rule in {"M3.1", "M5.5"}][-2:] == [
        "case.reopened",
        "message.received",
    ]


@pytest.mark.rule("M3.1")
def test_a_reception_ahead_of_our_clock_makes_no_promise_from_the_future() -> None:
    now = MONDAY + 101 * DAY
    case = arrives(closed(), now, at=(now + 30 * DAY).isoformat(), reopens=True)
    assert case.owed()[0].due == case.calendar.due(now, 5)


@pytest.mark.rule("M3.1")
def test_neither_an_open_case_nor_a_merged_one_is_reopened() -> None:
    case = arrives(acknowledged(), reopens=True)
    assert [o.kind for o in case.owed()] == [ObligationKind.FINAL]
    order: dict[str, Any] = {"contact": "ct_1", "received_at": MONDAY.isoformat(), "leads": False}
    merged = do(acknowledged(), "merge", TUESDAY, other="RX-OTHR-1111", **order)
    send_all(merged, TUESDAY)
    wake(merged, TUESDAY)
    assert merged.status is Status.CLOSED
    after = arrives(merged, reopens=True)
    assert after.status is Status.CLOSED
    assert not after.owed()
    assert after.unread == 1, "a person sees it"


# ---------------------------------------------------------------------------------------------------- a person is known


@pytest.mark.rule("M3.7")
def test_a_person_who_becomes_known_can_be_told_all_and_written_to_everywhere() -> None:
    case = bind(acknowledged(bound=False), ORIGIN, TELEGRAM, contact="ct_9")
    assert case.bound
    assert case.contact == "ct_9"
    assert case.addresses == BOTH
    assert facts(case, "identity.bound") == [{"addresses": [ORIGIN.id, TELEGRAM.id]}]
    assert not case.waiting(), "letters go on where they went"
    assert case.channel_now == EMAIL
    moved = do(case, "change_channel", TUESDAY, channel="telegram", reasons="asked")
    assert moved.channel_now == "telegram"


@pytest.mark.rule("M3.7")
def test_copies_go_to_a_registered_address_from_then_on() -> None:
    case = do(bind(acknowledged(), REGISTERED), "withdraw", TUESDAY, reasons="never mind", message="ms_1")
    assert [one.address for one in letters(case, LetterKind.WITHDRAWN)] == [ORIGIN, REGISTERED]


@pytest.mark.rule("M3.7")
def test_a_further_address_alone_makes_nobody_known_and_takes_nothing_back() -> None:
    case = bind(acknowledged(bound=False), TELEGRAM, bound=False)
    assert not case.bound
    assert facts(case, "address.added") == [{"addresses": [TELEGRAM.id]}]
    assert bind(acknowledged(bound=True), TELEGRAM, bound=False).bound


@pytest.mark.rule("M3.7")
def test_what_had_nowhere_to_go_leaves_for_an_address_of_the_person_that_works() -> None:
    case = shut(new_case(bound=False))
    assert case.undelivered
    case = bind(case, ORIGIN, TELEGRAM)
    assert case.dead == (ORIGIN.id,), "that it is theirs does not make it work"
    sent = send_all(case, TUESDAY)
    assert [(one.kind, one.address) for one in sent] == [
        (LetterKind.CHANNEL_CHANGE, TELEGRAM),
        (LetterKind.ACKNOWLEDGEMENT, TELEGRAM),
    ]
    assert bind(shut(new_case()), ORIGIN).undelivered


@pytest.mark.rule("M3.7")
def test_copies_follow_the_registered_address_to_another() -> None:
    former = SECOND_MAIL.model_copy(update={"registered": True})
    case = acknowledged(addresses=(TELEGRAM, former), channel="telegram")
    changed = bind(case, REGISTERED, SECOND_MAIL)
    assert changed.addresses == (TELEGRAM, SECOND_MAIL, REGISTERED)
    case = do(changed, "resolve", TUESDAY, outcome="upheld", draft=FULL)
    assert {one.address for one in send_all(case, TUESDAY)} == {TELEGRAM, REGISTERED}


@pytest.mark.parametrize("name", sorted(OURS_ALONE))
def test_only_our_own_intake_says_where_letters_go_and_to_whom(name: str) -> None:
    orders: dict[str, dict[str, Any]] = {
        "address_closed": {"address": ORIGIN.id},
        "address_open": {"address": ORIGIN.id},
        "identity_bound": {"contact": "ct_2", "addresses": [ON_X.model_dump()], "bound": True},
        "incident_changed": {"incident": 1, "state": "resolved", "at": TUESDAY.isoformat()},
        "glass_broken": {"by": AGENT.model_dump(), "until": TUESDAY.isoformat(), "reasons": "At once"},
    }
    incident: dict[str, Any] = {"area": "security", "matter": "access", "draft": FULL}
    case = do(acknowledged(bound=False), "open_incident", MONDAY, **incident)
    with pytest.raises(Refused, match="only our own intake") as caught:
        decide(case, name, read(name, orders[name]), TUESDAY, trusted=False, signal=True)
    assert caught.value.code == "signal.ours"
    decide(case, name, read(name, orders[name]), TUESDAY, trusted=True, signal=True)


# ------------------------------------------------------------------------------------------------------------- messages


@pytest.mark.rule("M5.5")
def test_an_edit_is_a_message_of_its_own_beside_the_first() -> None:
    case = arrives(acknowledged(), message="ms_3", edits="ms_1")
    told = {"message": "ms_3", "received_at": TUESDAY.isoformat()}
    assert facts(case, "message.edited") == [{**told, "edits": "ms_1"}]
    assert not facts(case, "message.received")
    assert case.unread == 1
    case = arrives(case, message="ms_4")
    assert facts(case, "message.received") == [{**told, "message": "ms_4"}]
    assert case.unread == 2


@pytest.mark.rule("M3.7")
def test_who_sent_what_nobody_can_read_is_told_so_and_the_term_runs_from_the_first_reception() -> None:
    case = new_case(unreadable=True)
    assert [o.due for o in case.owed()] == [o.due for o in new_case().owed()]
    assert kinds(send_all(case, MONDAY)) == [LetterKind.ACKNOWLEDGEMENT, LetterKind.UNREADABLE]
    assert letters(case, LetterKind.UNREADABLE)[0].meets == ()
    later = arrives(acknowledged(), unreadable=True, channel="x")
    (letter,) = send_all(later, TUESDAY)
    assert letter.kind is LetterKind.UNREADABLE
    assert letter.facts == {"received": TUESDAY.isoformat(), "channel": "x"}
    assert later.resolution_due == new_case().resolution_due


@pytest.mark.rule("M3.7")
def test_a_closed_case_is_open_until_the_sender_knows_that_nobody_can_read_it() -> None:
    now = MONDAY + 101 * DAY
    case = arrives(closed(), now, unreadable=True)
    assert case.closed_at is None
    assert kinds(send_all(case, now)) == [LetterKind.UNREADABLE]
    assert case.closed_at == now


# ------------------------------------------------------------------------------------------------------------ in public


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.2")
def test_a_post_in_public_is_a_reception_answered_there_with_an_invitation_and_nothing_else() -> None:
    case = public_case()
    assert [(o.kind, o.due) for o in case.owed()] == [(o.kind, o.due) for o in new_case().owed()]
    (invitation,) = send_all(case, MONDAY)
    assert invitation.kind is LetterKind.INVITATION
    assert invitation.address
    assert (invitation.address.id, invitation.address.channel) == ("public/x", "x")
    assert (invitation.meets, invitation.tells, invitation.due) == ((), None, None)
    assert case.owed(ObligationKind.ACKNOWLEDGEMENT), "an invitation acknowledges nothing"
    assert case.told is None


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M3.7")
def test_a_case_without_any_address_says_so_and_runs_on() -> None:
    case = public_case()
    assert (case.status, case.flags) == (Status.RECEIVED, (Flag.UNDELIVERED,))
    assert case.next_alarm() == case.obligations[0].warnings[0]
    send_all(case, MONDAY)
    live(case, end_of(case, 2026, 2, 10))
    assert (case.status, case.flags) == (Status.RECEIVED, (Flag.LATE, Flag.UNDELIVERED))
    assert kinds(case.waiting()) == [LetterKind.ACKNOWLEDGEMENT_LATE]
    case = arrives(case, end_of(case, 2026, 2, 10), addresses=(ON_X,))
    (sent,) = send_all(case, end_of(case, 2026, 2, 10))
    assert (sent.kind, sent.address) == (LetterKind.ACKNOWLEDGEMENT_LATE, ON_X), "the channel is the same"
    assert (case.status, case.flags) == (Status.OPEN, (Flag.LATE,))


@pytest.mark.rule("M3.7")
def test_one_who_is_found_on_another_channel_is_told_which_and_acknowledged_there() -> None:
    case = arrives(public_case(), addresses=(ORIGIN,))
    sent = send_all(case, TUESDAY)
    assert kinds(sent) == [LetterKind.CHANNEL_CHANGE, LetterKind.ACKNOWLEDGEMENT, LetterKind.INVITATION]
    assert case.obligations[0].met_by == sent[1].key


@pytest.mark.rule("M2.1")
def test_an_invitation_that_cannot_be_posted_goes_nowhere_else() -> None:
    case = public_case(addresses=(ORIGIN,), channel=EMAIL)
    invitation = letters(case, LetterKind.INVITATION)[0]
    fail(case, invitation.key, MONDAY, "the post is gone")
    assert letters(case, LetterKind.INVITATION)[0].state is LetterState.FAILED
    assert len(letters(case, LetterKind.INVITATION)) == 1
    assert not case.dead
    assert kinds(send_all(case, MONDAY)) == [LetterKind.ACKNOWLEDGEMENT]


@pytest.mark.rule("M2.1")
def test_an_invitation_that_was_taken_down_is_remembered_and_that_is_all() -> None:
    case = public_case(addresses=(ORIGIN,), channel=EMAIL)
    invitation = letters(case, LetterKind.INVITATION)[0]
    send_all(case, MONDAY)
    back(case, invitation.key, TUESDAY)
    assert facts(case, "letter.bounced")
    assert not case.waiting()
    assert not case.owed(ObligationKind.RESEND)
    assert not case.dead


@pytest.mark.rule("M4.2")
def test_an_invitation_stays_where_it_is_when_letters_go_elsewhere() -> None:
    case = public_case(addresses=BOTH, channel=EMAIL)
    accept(case, Acceptance(key=case.letters[0].key, at=MONDAY))
    moved = do(case, "change_channel", MONDAY, channel="telegram", reasons="asked")
    (invitation,) = letters(moved, LetterKind.INVITATION)
    assert (invitation.state, invitation.address) == (LetterState.OWED, letters(case, LetterKind.INVITATION)[0].address)
    assert letters(shut(case), LetterKind.INVITATION) == [invitation]


@pytest.mark.parametrize(("trusted", "who"), [(True, "plazo"), (False, "temporal-operator")])
def test_what_our_own_intake_reports_is_ours_and_nobody_elses(trusted: bool, who: str) -> None:  # noqa: FBT001
    order = read("receive_message", {"message": "ms_9", "at": TUESDAY.isoformat()})
    after = decide(new_case(), "receive_message", order, TUESDAY, trusted=trusted)
    assert after.pending[-1].actor.id == who


@pytest.mark.rule("M3.7")
def test_an_address_that_turns_out_registered_gets_the_copies_from_then_on() -> None:
    mail = Address(id="ad_mail", channel=EMAIL)
    case = bind(new_case(channel="x", addresses=(Address(id="ad_x", channel="x"), mail)))
    assert not case.addresses[1].registered
    after = bind(case, mail.model_copy(update={"registered": True}))
    assert [one.registered for one in after.addresses] == [False, True]
