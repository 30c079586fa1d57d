"""Each command of a case: what it changes, what it must carry, when it is refused."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from models.case import Case
from models.clock import wake
from models.commands import COMMANDS, OURS_ALONE, SIGNALS, read
from models.deciding import decide
from models.errors import Malformed, Refused, Stale
from models.inquiry import AUTHORITY, EMAIL, Address, Flag, Kind, Outcome, Status
from models.letters import LetterKind, LetterState
from models.obligations import ObligationKind
from models.post import Acceptance, accept
from tests.cases import AGENT, AUDITOR, FULL, MONDAY, OTHER, SUPERVISOR, do, draft, letters, new_case, send_all

DAY = timedelta(days=1)
TELEGRAM = Address(id="ad_telegram", channel="telegram")
ORIGIN = new_case().addresses[0]


def acknowledged(**more: Any) -> Case:
    case = new_case(**more)
    send_all(case, MONDAY)
    return case


def answered() -> Case:
    case = do(acknowledged(), "resolve", MONDAY + DAY, outcome="upheld", draft=FULL)
    send_all(case, MONDAY + DAY)
    return case


def closed() -> Case:
    case = answered()
    wake(case, MONDAY + 100 * DAY)
    assert case.status is Status.CLOSED
    return case


def refused(case: Case, name: str, code: str, now: datetime = MONDAY + DAY, **payload: Any) -> Refused:
    before = case.model_dump_json()
    with pytest.raises(Refused) as caught:
        do(case, name, now, **payload)
    assert caught.value.code == code
    assert case.model_dump_json() == before
    return caught.value


def local(case: Case, at: datetime | None) -> date:
    assert at
    return case.calendar.local_date(at)


# -- opening -----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M3.4")
def test_an_inquiry_opens_with_two_promises() -> None:
    case = new_case()
    assert [(o.kind, o.rule, local(case, o.due)) for o in case.owed()] == [
        (ObligationKind.ACKNOWLEDGEMENT, "M3.2", date(2026, 2, 9)),
        (ObligationKind.FINAL, "M3.4", date(2026, 3, 16)),
    ]
    assert case.status is Status.RECEIVED
    assert case.told is None


@pytest.mark.rule("M3.2")
@pytest.mark.rule("M4.1")
def test_the_acknowledgement_goes_where_the_first_contact_came_from_and_tells_the_date() -> None:
    case = new_case()
    (sent,) = send_all(case, MONDAY)
    assert sent.kind is LetterKind.ACKNOWLEDGEMENT
    assert sent.address == ORIGIN
    assert local(case, case.told) == date(2026, 3, 16)
    assert case.status is Status.OPEN
    assert not case.owed(ObligationKind.ACKNOWLEDGEMENT)


@pytest.mark.rule("M4.1")
def test_letters_go_on_over_the_channel_of_the_first_contact() -> None:
    case = new_case(addresses=(TELEGRAM, ORIGIN))
    case.channel_now = "telegram"
    assert letters(do(case, "reply", MONDAY, draft=FULL), LetterKind.REPLY)[0].address == TELEGRAM
    case.channel_now = EMAIL
    assert letters(do(case, "reply", MONDAY, draft=FULL), LetterKind.REPLY)[0].address == ORIGIN


@pytest.mark.rule("M3.7")
def test_the_registered_mail_gets_a_copy_that_meets_nothing() -> None:
    registered = Address(id="ad_registered", channel=EMAIL, registered=True)
    case = new_case(addresses=(ORIGIN, registered))
    original, copy = send_all(case, MONDAY)
    assert copy.address == registered
    assert copy.key == f"{original.key}/copy"
    assert copy.meets == ()


@pytest.mark.rule("M1.2")
def test_inquiries_and_complaints_owe_the_same() -> None:
    assert [o.due for o in new_case(kind=Kind.INQUIRY).owed()] == [o.due for o in new_case().owed()]


# -- the way through ---------------------------------------------------------------------------------------------------


def test_every_command_of_the_table_exists() -> None:
    wanted = """reply refer answer_referral extend escalate re_estimate institution_answered resolve appeal
        appeal_decided change_channel propose approve send_back request_information note merge split withdraw
        reopen assign reclassify open_incident close_incident"""
    assert set(wanted.split()) <= set(COMMANDS)
    reports = {"receive_message", "notice_bounced", "notice_delivered"}
    assert set(SIGNALS) == {"extend", "escalate", "appeal"} | reports | OURS_ALONE
    assert {"address_closed", "address_open", "identity_bound", "incident_changed", "glass_broken"} == OURS_ALONE
    assert not OURS_ALONE & set(COMMANDS), "nobody decides them"


@pytest.mark.parametrize(
    ("name", "payload", "field"),
    [
        ("dance", {}, ""),
        ("note", {}, "text"),
        ("note", {"text": ""}, "text"),
        ("note", {"text": 5}, "text"),
        ("note", {"text": "x" * 4001}, "text"),
        ("note", {"text": "x", "colour": "red"}, "colour"),
        ("note", None, ""),
        ("note", [1], ""),
        ("extend", {"until": "soon", "reasons": "x"}, "until"),
        ("extend", {"until": "2026-02-30", "reasons": "x"}, "until"),
        ("extend", {"until": "2026-02-20T10:00:00", "reasons": "x"}, "until"),
        ("extend", {"until": 20260220, "reasons": "x"}, "until"),
        ("note", {"text": "x", "expected_version": -1}, "expected_version"),
    ],
)
def test_what_cannot_be_read_is_malformed_and_names_the_field(name: str, payload: object, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(name, payload)
    assert caught.value.field == field


def test_times_may_be_given_as_dates_or_moments() -> None:
    bare = read("extend", {"until": date(2026, 3, 20), "reasons": "x"})
    aware = read("extend", {"until": MONDAY, "reasons": "x"})
    assert (bare.until, aware.until) == (date(2026, 3, 20), MONDAY)  # type: ignore[attr-defined]


def test_control_characters_do_not_get_in() -> None:
    order = read("note", {"text": "a\x00b\nc\ud800"})
    assert order.text == "ab\nc"  # type: ignore[attr-defined]


def test_a_repeated_key_decides_once_and_answers_the_same() -> None:
    case = acknowledged()
    once = do(case, "note", MONDAY, text="seen", key="k1")
    twice = do(once, "note", MONDAY, text="seen", key="k1")
    assert twice.version == once.version == 1
    assert twice.answers["k1"] == once.answers["k1"]


def test_the_oldest_keys_are_forgotten() -> None:
    case = acknowledged()
    case.answers = {f"k{n}": case.answer() for n in range(500)}
    assert list(do(case, "note", MONDAY, text="x", key="new").answers)[:2] == ["k1", "k2"]


def test_a_stale_version_is_refused() -> None:
    case = do(acknowledged(), "note", MONDAY, text="x")
    assert do(case, "note", MONDAY, text="y", expected_version=1).version == 2
    with pytest.raises(Stale, match="version 1"):
        do(case, "note", MONDAY, text="y", expected_version=0)


def test_an_unsealed_order_acts_as_the_operator_whatever_it_says() -> None:
    order = read("note", {"text": "x", "actor": SUPERVISOR.model_dump()})
    after = decide(acknowledged(), "note", order, MONDAY, trusted=False)
    assert after.pending[-1].actor.id == "temporal-operator"


def test_an_unsealed_message_brings_no_address() -> None:
    order = read("receive_message", {"message": "ms_1", "at": MONDAY.isoformat(), "addresses": [TELEGRAM.model_dump()]})
    with pytest.raises(Refused, match="only our own intake"):
        decide(acknowledged(), "receive_message", order, MONDAY, trusted=False, signal=True)


def test_auditors_decide_nothing() -> None:
    with pytest.raises(Refused, match="the role auditor decides nothing"):
        do(acknowledged(), "note", MONDAY, actor=AUDITOR, text="x")


def test_a_date_beyond_the_calendar_is_refused() -> None:
    refused(acknowledged(), "extend", "date.absurd", until="9999-12-31", reasons="x")
    refused(acknowledged(), "escalate", "date.absurd", institution="b", estimate="9999-12-31", reasons="x")


# -- extension ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.5")
def test_an_extension_is_real_once_its_letter_is_accepted() -> None:
    case = do(acknowledged(), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    assert local(case, case.resolution_due) == date(2026, 3, 16)
    assert case.extension_pending
    (letter,) = send_all(case, MONDAY + DAY)
    assert letter.kind is LetterKind.EXTENSION
    assert letter.texts == {"reasons": "complex"}
    assert local(case, case.resolution_due) == local(case, case.told) == date(2026, 4, 10)
    old = next(o for o in case.obligations if o.superseded_at and o.kind is ObligationKind.FINAL)
    assert (local(case, old.due), old.superseded_why) == (date(2026, 3, 16), "extended")
    assert Flag.EXTENDED in case.flags


@pytest.mark.rule("M3.5")
def test_an_extension_unaccepted_by_the_old_date_is_void_and_the_old_date_is_missed() -> None:
    case = do(acknowledged(), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    due = case.resolution_due
    assert due
    wake(case, due + timedelta(seconds=1))
    (extension,) = case.extensions
    assert extension.void_at == due
    assert letters(case, LetterKind.EXTENSION)[0].state is LetterState.VOID
    assert case.final_term
    assert case.final_term.missed_at == due


@pytest.mark.rule("M3.5")
def test_a_late_acceptance_does_not_extend_and_one_learned_late_does() -> None:
    case = do(acknowledged(), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    due = case.resolution_due
    assert due
    key = case.extensions[0].letter
    late = case.model_copy(deep=True)
    accept(late, Acceptance(key=key, at=due + timedelta(seconds=1)))
    assert late.extensions[0].void_at
    assert late.resolution_due == due
    wake(case, due + DAY)
    accept(case, Acceptance(key=key, at=due - DAY))
    assert case.extensions[0].effective_at == due - DAY
    assert local(case, case.resolution_due) == date(2026, 4, 10)


@pytest.mark.rule("M3.5")
def test_extension_refusals() -> None:
    case = acknowledged()
    refused(new_case(kind=Kind.INQUIRY), "extend", "extension.not-a-complaint", until="2026-04-10", reasons="x")
    refused(case, "extend", "extension.not-later", until="2026-03-16", reasons="x")
    refused(case, "extend", "extension.too-long", until="2026-05-05", reasons="x")
    refused(case, "extend", "extension.too-late", now=MONDAY + 60 * DAY, until="2026-04-10", reasons="x")
    refused(answered(), "extend", "extension.nothing-runs", until="2026-04-10", reasons="x")
    pending = do(case, "extend", MONDAY + DAY, until="2026-04-10", reasons="x")
    refused(pending, "extend", "extension.pending", until="2026-04-13", reasons="x")


@pytest.mark.rule("M3.5")
def test_a_further_extension_is_a_supervisors_act() -> None:
    case = do(acknowledged(), "extend", MONDAY + DAY, until="2026-04-10", reasons="complex")
    send_all(case, MONDAY + DAY)
    refused(case, "extend", "extension.over-the-cap", until="2026-05-12", reasons="still")
    further = do(case, "extend", MONDAY + DAY, actor=SUPERVISOR, until="2026-05-12", reasons="still")
    (letter,) = send_all(further, MONDAY + DAY)
    assert letter.facts["number"] == "2"


# -- external institution ----------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.6")
def test_an_escalation_is_told_within_a_business_day_and_moves_nothing_else() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, institution="a bank", reasons="x", estimate="2026-03-10")
    (owed,) = case.owed(ObligationKind.EXTERNAL)
    assert local(case, owed.due) == date(2026, 2, 4)
    assert case.status is Status.EXTERNAL
    (letter,) = send_all(case, MONDAY + DAY)
    assert (letter.kind, letter.texts["institution"]) == (LetterKind.EXTERNAL, "a bank")
    assert local(case, case.resolution_due) == date(2026, 3, 16)
    (following,) = case.owed(ObligationKind.EXTERNAL)
    assert local(case, following.due) == date(2026, 3, 10)


@pytest.mark.rule("M3.6")
def test_an_estimate_beyond_the_term_needs_the_extension_in_the_same_letter() -> None:
    far: dict[str, Any] = {"institution": "a bank", "reasons": "x", "estimate": "2026-04-01"}
    refused(acknowledged(), "escalate", "escalation.needs-extension", **far)
    refused(acknowledged(), "escalate", "escalation.needs-extension", **far, until="2026-03-20")
    case = do(acknowledged(), "escalate", MONDAY + DAY, **far, until="2026-04-10")
    (letter,) = send_all(case, MONDAY + DAY)
    assert letter.kind is LetterKind.EXTERNAL
    assert {"new", "old", "estimate"} <= set(letter.facts)
    assert local(case, case.resolution_due) == date(2026, 4, 10)


@pytest.mark.rule("M3.6")
def test_a_re_estimate_is_told_before_the_old_one_passes() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, institution="a bank", reasons="x", estimate="2026-03-10")
    send_all(case, MONDAY + DAY)
    case = do(case, "re_estimate", MONDAY + 2 * DAY, estimate="2026-03-12", reasons="slow")
    (letter,) = send_all(case, MONDAY + 2 * DAY)
    assert (letter.kind, letter.facts["moved"]) == (LetterKind.RE_ESTIMATE, "1")
    kept = [o for o in case.obligations if o.kind is ObligationKind.EXTERNAL and o.kept]
    assert len(kept) == 2
    assert local(case, case.owed(ObligationKind.EXTERNAL)[0].due) == date(2026, 3, 12)


@pytest.mark.rule("M3.6")
def test_an_early_answer_of_the_institution_makes_ours_due_in_five_business_days() -> None:
    case = do(acknowledged(), "escalate", MONDAY + DAY, institution="a bank", reasons="x", estimate="2026-03-10")
    send_all(case, MONDAY + DAY)
    case = do(case, "institution_answered", MONDAY + 2 * DAY, summary="paid")
    assert local(case, case.resolution_due) == date(2026, 2, 11)
    assert local(case, case.told) == date(2026, 3, 16), "the user's date stands (reading 4)"
    assert not case.owed(ObligationKind.EXTERNAL)
    late = do(acknowledged(), "escalate", MONDAY + DAY, institution="a bank", reasons="x", estimate="2026-03-16")
    late = do(late, "institution_answered", MONDAY + 40 * DAY, summary="paid")
    assert local(late, late.resolution_due) == date(2026, 3, 16), "never later than it was"


@pytest.mark.rule("M3.6")
def test_escalation_refusals() -> None:
    order: dict[str, Any] = {"institution": "a bank", "reasons": "x", "estimate": "2026-03-10"}
    refused(answered(), "escalate", "escalation.answered", **order)
    refused(acknowledged(), "escalate", "estimate.past", **order | {"estimate": "2026-02-01"})
    refused(acknowledged(), "escalate", "estimate.absurd", **order | {"estimate": "2031-01-01"})
    refused(acknowledged(), "re_estimate", "escalation.none", estimate="2026-03-10", reasons="x")
    refused(acknowledged(), "institution_answered", "escalation.none", summary="x")
    case = do(acknowledged(), "escalate", MONDAY + DAY, **order)
    refused(case, "escalate", "escalation.open", **order)
    refused(case, "re_estimate", "estimate.unchanged", estimate="2026-03-10", reasons="x")


# -- answering ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.4")
@pytest.mark.rule("M5.7")
@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.UNFOUNDED])
def test_a_final_answer_meets_its_term_when_the_letter_is_accepted(outcome: Outcome) -> None:
    case = do(acknowledged(), "resolve", MONDAY + DAY, outcome=outcome, draft=FULL)
    decided = case.status
    assert decided is Status.ANSWERING
    assert case.final_term, "deciding alone meets nothing"
    (letter,) = send_all(case, MONDAY + DAY)
    assert letter.kind.value == f"final_{outcome.value}"
    assert not case.owed(ObligationKind.FINAL)
    assert case.status is Status.ANSWERED


@pytest.mark.rule("M3.8")
@pytest.mark.rule("M3.9")
def test_the_gate_names_what_is_empty() -> None:
    refusal = refused(acknowledged(), "resolve", "gate.empty", outcome="upheld", draft=draft("points"))
    assert (refusal.field, refusal.rule) == ("actions", "M3.8")
    refusal = refused(acknowledged(), "resolve", "gate.empty", outcome="partial", draft=draft("points", "actions"))
    assert (refusal.field, refusal.rule) == ("reasons", "M3.9")


@pytest.mark.rule("M3.9")
@pytest.mark.rule("M5.3")
def test_an_unfounded_answer_wants_a_second_pair_of_eyes() -> None:
    order: dict[str, Any] = {"outcome": "unfounded", "draft": FULL}
    refused(acknowledged(), "resolve", "approval.missing", **order)
    case = do(acknowledged(), "propose", MONDAY + DAY, command="resolve", order=order)
    refused(case, "approve", "approval.same-person")
    refused(case, "send_back", "approval.same-person", reasons="no")
    back = do(case, "send_back", MONDAY + DAY, actor=OTHER, reasons="weak")
    assert back.proposal is None
    refused(back, "approve", "approval.nothing")
    done = do(case, "approve", MONDAY + DAY, actor=OTHER)
    assert done.final
    assert done.final.outcome is Outcome.UNFOUNDED
    assert [f.actor.id for f in done.pending if f.type in {"command.approved", "case.resolved"}] == [
        "cx-deputy",
        "agent-1",
    ]


def test_what_could_not_be_decided_cannot_be_proposed() -> None:
    refused(acknowledged(), "propose", "proposal.unknown", command="approve", order={})
    refused(
        acknowledged(), "propose", "gate.empty", command="resolve", order={"outcome": "unfounded", "draft": draft()}
    )
    with pytest.raises(Malformed):
        do(acknowledged(), "propose", MONDAY, command="note", order={"text": ""})


@pytest.mark.rule("M3.5")
def test_a_signal_that_lacks_the_second_pair_becomes_a_proposal() -> None:
    case = acknowledged(approvals=("extend",))
    order = read("extend", {"until": "2026-04-10", "reasons": "x"})
    after = decide(case, "extend", order, MONDAY, trusted=False, signal=True)
    assert after.proposal
    assert after.proposal.command == "extend"
    assert not after.extensions
    done = do(after, "approve", MONDAY, actor=SUPERVISOR)
    assert done.extension_pending


@pytest.mark.rule("M3.3")
@pytest.mark.rule("M5.3")
def test_a_referral_tells_the_user_the_area_and_holds_the_final_answer() -> None:
    case = do(acknowledged(), "refer", MONDAY + DAY, area="security", question="hacked?")
    assert case.status is Status.REFERRED
    (letter,) = send_all(case, MONDAY + DAY)
    assert (letter.kind, letter.facts) == (LetterKind.REFERRAL, {"area": "security"})
    assert not case.owed(ObligationKind.REFERRAL), "the letter keeps the promise to tell"
    refused(case, "resolve", "resolve.referral-open", outcome="upheld", draft=FULL)
    refused(case, "refer", "referral.open", area="security", question="again?")
    refused(case, "refer", "referral.unknown-area", area="nobody", question="x")
    refused(case, "answer_referral", "referral.none", area="finance", findings="x")
    case = do(case, "answer_referral", MONDAY + DAY, area="security", findings="yes")
    assert do(case, "resolve", MONDAY + DAY, outcome="upheld", draft=FULL).final
    refused(case, "answer_referral", "referral.none", area="security", findings="x")


def test_replies_stay_legal_until_the_case_is_closed() -> None:
    for case in (acknowledged(), answered()):
        assert letters(do(case, "reply", MONDAY + DAY, draft=FULL), LetterKind.REPLY)
    refused(closed(), "reply", "case.closed", draft=FULL)
    refused(acknowledged(), "reply", "gate.empty", draft=draft())


def test_information_is_asked_for_and_suspends_nothing() -> None:
    case = do(acknowledged(), "request_information", MONDAY + DAY, draft=FULL, by="2026-02-10")
    (letter,) = send_all(case, MONDAY + DAY)
    assert letter.kind is LetterKind.INFORMATION_REQUEST
    assert local(case, case.resolution_due) == date(2026, 3, 16)
    refused(case, "request_information", "information.past", draft=FULL, by="2026-01-10")
    refused(case, "request_information", "gate.empty", draft=draft(), by="2026-02-10")
    refused(answered(), "request_information", "case.answered", draft=FULL, by="2026-02-10")


# -- review, withdrawal, reopening -------------------------------------------------------------------------------------


@pytest.mark.rule("M3.10")
def test_a_review_of_the_authority_owes_it_an_answer() -> None:
    case = do(answered(), "appeal", MONDAY + 2 * DAY, text="they ask", by="authority", file_number="DC-1")
    (owed,) = case.owed(ObligationKind.AUTHORITY_REPLY)
    assert local(case, owed.due) == date(2026, 2, 11)
    assert case.status is Status.APPEALED
    (noted,) = send_all(case, MONDAY + 2 * DAY)
    assert (noted.kind, noted.texts) == (LetterKind.REVIEW_NOTED, {"file_number": "DC-1"})
    case = do(case, "reply", MONDAY + 2 * DAY, draft=FULL, to="authority")
    (reply,) = send_all(case, MONDAY + 2 * DAY)
    assert (reply.kind, reply.address) == (LetterKind.AUTHORITY_REPLY, AUTHORITY)
    assert not case.owed()
    case = do(case, "appeal_decided", MONDAY + 3 * DAY, result="overturned", text="pay back")
    (result,) = send_all(case, MONDAY + 3 * DAY)
    assert (result.kind, result.facts) == (LetterKind.REVIEW_RESULT, {"result": "overturned"})
    assert case.status is Status.ANSWERED


@pytest.mark.rule("M3.10")
def test_a_review_may_come_before_any_answer_and_its_date_is_kept() -> None:
    case = do(acknowledged(), "appeal", MONDAY + DAY, text="too slow", by="authority", answer_by="2026-02-20")
    assert local(case, case.owed(ObligationKind.AUTHORITY_REPLY)[0].due) == date(2026, 2, 20)
    assert case.final_term, "M3.4 keeps running"
    refused(case, "appeal", "appeal.open", text="again")
    decided = do(case, "appeal_decided", MONDAY + DAY, result="settled", text="agreed")
    assert not decided.owed(ObligationKind.AUTHORITY_REPLY)
    refused(decided, "appeal_decided", "appeal.none", result="upheld", text="x")


@pytest.mark.rule("M3.10")
def test_the_authority_writes_again_and_is_answered_by_that_date_too() -> None:
    case = do(answered(), "appeal", MONDAY + DAY, text="I disagree")
    order: dict[str, Any] = {"by": "authority", "text": "they ask", "file_number": "DC-1"}
    case = do(case, "appeal", MONDAY + 2 * DAY, **order, answer_by="2026-02-20")
    case = do(case, "appeal", MONDAY + 3 * DAY, by="authority", text="again", answer_by="2026-02-13")
    assert [local(case, one.due) for one in case.owed(ObligationKind.AUTHORITY_REPLY)] == [
        date(2026, 2, 13),
        date(2026, 2, 20),
    ]
    (review,) = case.appeals
    assert (review.by_authority, review.file_number) == (True, "DC-1")
    assert [one.kind for one in send_all(case, MONDAY + 3 * DAY)] == [LetterKind.REVIEW_NOTED] * 3
    assert [fact.type for fact in case.pending].count("authority.wrote") == 2
    refused(case, "appeal", "appeal.open", text="and I once more")
    old = do(acknowledged(authority_writes_again=False), "appeal", MONDAY + DAY, text="I disagree")
    refused(old, "appeal", "appeal.open", by="authority", text="they ask")


@pytest.mark.rule("M3.10")
def test_a_date_that_had_passed_when_the_authoritys_letter_came_is_refused_and_one_that_passed_since_is_late() -> None:
    order: dict[str, Any] = {"by": "authority", "text": "they ask", "answer_by": "2026-02-03"}
    later = MONDAY + 3 * DAY
    refusal = refused(acknowledged(), "appeal", "appeal.past", later, **order)
    assert (refusal.field, refusal.rule) == ("answer_by", "M3.10")
    refused(acknowledged(), "appeal", "appeal.past", later, **order, received_at=later.isoformat())
    refused(acknowledged(), "appeal", "appeal.past", later, **order, received_at=(later + DAY).isoformat())
    case = do(acknowledged(), "appeal", later, **order, received_at=MONDAY.isoformat())
    assert [local(case, one.due) for one in case.owed(ObligationKind.AUTHORITY_REPLY)] == [date(2026, 2, 3)]
    assert do(acknowledged(dates_bounded=False), "appeal", later, **order).appeal


@pytest.mark.rule("M3.10")
def test_a_users_own_review_keeps_a_case_open() -> None:
    case = do(closed(), "appeal", MONDAY + 200 * DAY, text="I disagree")
    send_all(case, MONDAY + 200 * DAY)
    wake(case, MONDAY + 300 * DAY)
    assert case.status is Status.APPEALED


def test_only_the_user_withdraws_and_it_is_confirmed() -> None:
    case = do(new_case(), "withdraw", MONDAY + DAY, reasons="never mind", message="ms_1")
    (owed,) = case.owed()
    assert (owed.kind, local(case, owed.due)) == (ObligationKind.WITHDRAWAL, date(2026, 2, 4))
    (letter,) = send_all(case, MONDAY + DAY)
    assert letter.kind is LetterKind.WITHDRAWN
    assert case.status is Status.CLOSED
    assert Flag.WITHDRAWN in case.flags
    refused(case, "withdraw", "case.closed", reasons="x", message="ms_1")


def test_withdrawing_ends_what_was_under_way() -> None:
    case = do(acknowledged(), "escalate", MONDAY, institution="b", reasons="x", estimate="2026-03-10")
    case = do(case, "extend", MONDAY, until="2026-04-10", reasons="x")
    case = do(case, "withdraw", MONDAY, reasons="x", message="ms_1")
    assert case.escalated is None
    assert case.extension_pending is None


def test_reopening_is_a_new_reception_with_new_terms() -> None:
    case = do(closed(), "reopen", MONDAY + 120 * DAY, reasons="new facts")
    assert [o.kind for o in case.owed()] == [ObligationKind.ACKNOWLEDGEMENT, ObligationKind.FINAL]
    (letter,) = send_all(case, MONDAY + 120 * DAY)
    assert letter.kind is LetterKind.REOPENED
    assert case.told == case.resolution_due
    refused(case, "reopen", "reopen.not-answered", reasons="x")
    future = (MONDAY + 400 * DAY).isoformat()
    refused(answered(), "reopen", "reopen.future", reasons="x", received_at=future)
    merged = do(
        acknowledged(), "merge", MONDAY, other="RX-2", leads=False, contact="ct_1", received_at=MONDAY.isoformat()
    )
    refused(merged, "reopen", "reopen.merged", reasons="x")


# -- handling ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.3")
@pytest.mark.rule("M5.4")
def test_a_case_has_an_owner_and_an_area() -> None:
    case = do(acknowledged(), "assign", MONDAY, owner="agent-7", area="finance", reasons="theirs")
    assert (case.owner, case.area) == ("agent-7", "finance")
    assert do(case, "assign", MONDAY, owner="agent-8", reasons="x").area == "finance"
    refused(case, "assign", "assign.unknown-area", owner="a", area="nobody", reasons="x")
    orders: dict[str, dict[str, Any]] = {
        "assign": {"owner": "a", "reasons": "x"},
        "note": {"text": "x"},
        "reclassify": {"kind": "inquiry", "reasons": "x"},
        "change_channel": {"channel": "telegram", "reasons": "x"},
        "merge": {"other": "RX-2", "leads": True, "contact": "ct_1", "received_at": MONDAY.isoformat()},
        "split": {"other": "RX-2", "points": ["x"]},
    }
    for name, order in orders.items():
        refused(closed(), name, "case.closed", **order)


@pytest.mark.rule("M1.2")
def test_a_complaint_becomes_an_inquiry_only_by_a_supervisor_who_tells_the_user() -> None:
    case = acknowledged()
    refused(case, "reclassify", "reclassify.same", kind="complaint", reasons="x")
    refused(case, "reclassify", "reclassify.supervisor", kind="inquiry", reasons="x")
    with pytest.raises(Refused, match="the user must be told"):
        do(case, "reclassify", MONDAY, actor=SUPERVISOR, kind="inquiry", reasons="x")
    inquiry = do(case, "reclassify", MONDAY, actor=SUPERVISOR, kind="inquiry", reasons="x", draft=FULL)
    assert inquiry.kind is Kind.INQUIRY
    assert letters(inquiry, LetterKind.REPLY)
    back = do(inquiry, "reclassify", MONDAY, kind="complaint", reasons="it is one")
    assert (back.kind, back.received_at) == (Kind.COMPLAINT, case.received_at)


@pytest.mark.rule("M4.2")
def test_a_change_of_channel_is_told_on_both() -> None:
    case = do(new_case(addresses=(ORIGIN, TELEGRAM)), "change_channel", MONDAY, channel="telegram", reasons="asked")
    sent = send_all(case, MONDAY)
    assert [(one.kind, one.address) for one in sent] == [
        (LetterKind.CHANNEL_CHANGE, TELEGRAM),
        (LetterKind.CHANNEL_CHANGE, ORIGIN),
        (LetterKind.ACKNOWLEDGEMENT, TELEGRAM),
    ]
    assert not case.owed(ObligationKind.CHANNEL_CHANGE)
    refused(case, "change_channel", "channel.same", channel="telegram", reasons="x")
    refused(case, "change_channel", "channel.no-address", channel="x", reasons="x")


def test_merging_keeps_the_earliest_reception_and_every_promise() -> None:
    earlier = (MONDAY - 7 * DAY).isoformat()
    due = case_due = new_case(MONDAY - 7 * DAY).resolution_due
    assert due
    lead = do(
        acknowledged(),
        "merge",
        MONDAY,
        other="RX-2",
        leads=True,
        contact="ct_1",
        received_at=earlier,
        final_due=due.isoformat(),
    )
    assert lead.resolution_due == case_due
    assert lead.received_at == MONDAY - 7 * DAY
    (letter,) = send_all(lead, MONDAY)
    assert letter.kind is LetterKind.MERGED
    assert lead.told == due
    other = do(acknowledged(), "merge", MONDAY, other="RX-1", leads=False, contact="ct_1", received_at=earlier)
    send_all(other, MONDAY)
    assert other.status is Status.CLOSED
    assert Flag.MERGED in other.flags
    later = do(
        acknowledged(), "merge", MONDAY, other="RX-2", leads=True, contact="ct_1", received_at=MONDAY.isoformat()
    )
    assert local(later, later.resolution_due) == date(2026, 3, 16)


def test_merge_and_split_refusals() -> None:
    order: dict[str, Any] = {"other": "RX-2", "leads": True, "contact": "ct_1", "received_at": MONDAY.isoformat()}
    refused(acknowledged(), "merge", "merge.other-person", **order | {"contact": "ct_9"})
    refused(acknowledged(), "merge", "merge.itself", **order | {"other": "RX-7KQ4-M2PD"})
    refused(acknowledged(), "split", "split.itself", other="RX-7KQ4-M2PD", points=["x"])
    case = do(acknowledged(), "split", MONDAY, other="RX-2", points=["fees", "delay"])
    assert letters(case, LetterKind.SPLIT)[0].texts == {"point_1": "fees", "point_2": "delay"}


@pytest.mark.rule("M5.5")
def test_messages_join_the_case_and_wait_to_be_read() -> None:
    order: dict[str, Any] = {"message": "ms_1", "at": MONDAY.isoformat(), "addresses": [TELEGRAM.model_dump()]}
    case = do(acknowledged(), "receive_message", MONDAY, **order)
    assert (case.unread, case.addresses) == (1, (ORIGIN, TELEGRAM))
    assert do(case, "reply", MONDAY, draft=FULL).unread == 0


def test_the_provider_cannot_report_a_letter_that_was_never_written() -> None:
    refused(
        acknowledged(), "notice_bounced", "notice.unknown", notice="RX-7KQ4-M2PD/extension/1", at=MONDAY.isoformat()
    )
    refused(acknowledged(), "notice_delivered", "notice.unknown", notices=["RX-X"], at=MONDAY.isoformat())


def test_what_the_policy_takes_an_actor_for_is_named_in_the_facts() -> None:
    case = do(acknowledged(), "note", MONDAY, text="seen")
    assert case.pending[-1].actor == AGENT
    assert case.pending[-1].texts == {"text": "seen"}
