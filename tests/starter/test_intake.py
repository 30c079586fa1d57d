"""The one use case "open or append", on a real database."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from channels.message import Attachment, Disposition
from channels.report import Delivery, DeliveryEvent
from channels.tokens import reply_token
from models.case import Case
from models.errors import Malformed, RecordsUnavailable, Refused
from models.inquiry import EMAIL, Actor, Flag, Kind, Language, Role
from models.letters import LetterKind
from records import case_list, cases, contacts, dispatches, documents, messages, notices
from records.database import Database
from records.documents import FolderStore, Kept
from starter.reception.receipt import Receipt
from starter.reception.web_form import WebForm
from tests.forms import fill_in
from tests.starter.mailbag import NOW, REPLY_SECRET, Bench, Emptied, left, message

AGENT = Actor(id="agent-1", role=Role.AGENT)


def load(bench: Bench, reference: str | None) -> Case:
    with bench.database.read() as session:
        return cases.load(session, str(reference))


def kept(bench: Bench, path: str) -> bytes:
    with documents.FolderStore(bench.folder).open(path) as file:
        return file.read()


def known(bench: Bench, n: int = 1, **changes: Any) -> str:
    """An inquiry of Ana's."""
    return str(bench.intake.receive(message(n, **changes)).reference)


def letter(bench: Bench, reference: str, kind: str = "acknowledgement") -> str:
    """A letter of ours that left; its key."""
    row = left(reference, kind)
    with bench.database.write() as session:
        notices.begin(session, row)
    return row.key


# -- opening ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M3.1")
@pytest.mark.rule("M1.2")
@pytest.mark.parametrize("kind", list(Kind))
def test_a_first_message_opens_an_inquiry_with_its_promises(bench: Bench, kind: Kind) -> None:
    receipt = bench.intake.receive(message(kind=kind))
    case = load(bench, receipt.reference)
    assert receipt.new
    assert not receipt.duplicate
    assert case.kind is kind
    assert (case.area, case.owner) == ("cx", "cx-supervisor"), "of the staff nobody is known here"
    assert case.bound
    assert (case.received_at, case.opened_at) == (NOW, NOW)
    assert receipt.acknowledge_by is not None
    assert receipt.answer_by is not None
    assert case.calendar.local_date(receipt.acknowledge_by).isoformat() == "2026-02-09"
    assert case.calendar.local_date(receipt.answer_by).isoformat() == "2026-03-16"
    assert [one.kind for one in case.letters] == [LetterKind.ACKNOWLEDGEMENT]
    assert bench.rows() == [(receipt.reference, "start")]
    assert bench.woken == 1


@pytest.mark.rule("M5.5")
def test_what_an_erasure_takes_away_before_the_message_is_stored_is_kept_again(bench: Bench) -> None:
    file = Attachment(filename="a.txt", content_type="text/plain", content=b"proof", sha256="0" * 64)
    intake = bench.make(files=Emptied(bench.folder))
    reference = str(intake.receive(message(attachments=(file,), raw=b"the very bytes")).reference)
    with bench.database.read() as session:
        (row,) = messages.of_case(session, reference)
        (attached,) = documents.attachments(session, row.id)
    assert (kept(bench, row.raw_path), kept(bench, attached.path)) == (b"the very bytes", b"proof")


@pytest.mark.rule("M5.5")
def test_the_message_is_kept_whole_and_belongs_to_the_inquiry(bench: Bench) -> None:
    file = Attachment(filename="a.txt", content_type="text/plain", content=b"proof", sha256="0" * 64)
    reference = known(bench, attachments=(file,), raw=b"the very bytes")
    with bench.database.read() as session:
        (row,) = messages.of_case(session, reference)
        (attached,) = documents.attachments(session, row.id)
        line = case_list.line(session, reference)
        revealed = contacts.reveal(session, load(bench, reference).addresses[0].id)
    assert kept(bench, row.raw_path) == b"the very bytes"
    assert kept(bench, attached.path) == b"proof"
    assert (line.subject, line.excerpt) == ("Retiro pendiente", "Mi retiro 1 no ha llegado.")
    assert revealed == ("email", "ana@example.org", "Ana")


def test_what_cannot_wait_is_marked_when_it_comes(bench: Bench) -> None:
    case = load(bench, known(bench, text="Buenas. ¡Me hackearon la cuenta anoche!"))
    assert Flag.URGENT in case.flags
    with bench.database.read() as session:
        assert case_list.line(session, case.reference).flags == ("urgent",)
    calm = known(bench, 2, text="¿Cuánto cobran por un retiro?", sender="ben@example.org")
    assert load(bench, calm).flags == ()
    bench.intake.receive(message(3, subject=f"Re: {calm}", text="Congelaron mi cuenta!", sender="ben@example.org"))
    row = next(row for row in bench.dispatches() if row.name == "receive_message")
    assert row.payload["urgent"] == "frozen_funds"


def test_what_cannot_wait_is_marked_too_when_somebody_lets_it_out_of_quarantine(bench: Bench) -> None:
    own = letter(bench, known(bench)).replace("/", ".") + "@example.org"
    words = "Congelaron mi cuenta!"
    bench.intake.receive(message(2, text=words, in_reply_to=own, disposition=Disposition.AUTO_REPLY))
    with bench.database.read() as session:
        (row,) = messages.quarantined(session)
    assert not bench.intake.promote(row.id, AGENT).new
    told = next(one for one in bench.dispatches() if one.name == "receive_message")
    assert told.payload["urgent"] == "frozen_funds"


def test_what_no_database_can_keep_is_left_out_of_every_text(bench: Bench) -> None:
    names = ("text", "full_text", "subject", "sender_name", "html", "message_id")
    said: dict[str, Any] = {name: f"a\0{name}\ud800" for name in names}
    receipt = bench.intake.receive(message(references=("r\0",), further=((EMAIL, "eva\0@example.org"),), **said))
    with bench.database.read() as session:
        (row,) = messages.of_case(session, str(receipt.reference))
    assert {name: getattr(row, name) for name in names} == {name: f"a{name}" for name in names}
    assert row.references == "r"
    key = letter(bench, str(receipt.reference))
    assert bench.intake.notice_event([event(Delivery.BOUNCE, key, reason="550 no\0body")]) == 1


def test_an_uncertain_language_gets_both(bench: Bench) -> None:
    assert load(bench, known(bench, language=None)).language is Language.BOTH


def test_a_late_found_message_keeps_its_reception(bench: Bench) -> None:
    bench.tick(days=3)
    case = load(bench, known(bench))
    assert case.received_at == NOW
    assert case.opened_at == NOW + timedelta(days=3)


def test_a_reception_in_the_future_is_not_believed(bench: Bench) -> None:
    assert load(bench, known(bench, received_at=NOW + timedelta(days=1))).received_at == NOW


def test_more_attachments_than_the_policy_takes_are_left_in_the_raw_copy(bench: Bench) -> None:
    many = tuple(
        Attachment(filename=f"{n}", content_type="text/plain", content=b"%d" % n, sha256="0" * 64) for n in range(60)
    )
    reference = known(bench, attachments=many)
    with bench.database.read() as session:
        (row,) = messages.of_case(session, reference)
        assert len(documents.attachments(session, row.id)) == 50
    assert row.dropped == [{"what": "attachments", "why": "only the first 50 are kept apart"}]


# -- twice ------------------------------------------------------------------------------------------------------------


def test_the_same_message_fifty_times_at_once_is_one_inquiry(bench: Bench) -> None:
    receipts: list[Receipt] = []
    ready = threading.Barrier(50)

    def deliver() -> None:
        ready.wait()
        receipts.append(bench.intake.receive(message()))

    threads = [threading.Thread(target=deliver) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 50
    assert len({one.reference for one in receipts}) == 1
    assert sum(one.new for one in receipts) == 1
    assert sum(one.duplicate for one in receipts) == 49
    assert len(bench.references()) == 1
    assert len(bench.rows()) == 1


def test_other_words_under_a_known_message_id_are_another_message(bench: Bench) -> None:
    first = known(bench)
    forged = message(provider_id="m1@mail.example.org", raw=b"other", text="Otra cosa.", full_text="Otra cosa.")
    second = bench.intake.receive(forged)
    assert second.new
    assert second.reference != first
    assert bench.intake.receive(forged).duplicate


def test_the_same_mail_by_another_route_is_the_same_message(bench: Bench) -> None:
    known(bench)
    assert bench.intake.receive(message(raw=b"with another Received line")).duplicate


# -- appending --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M5.5")
def test_a_thread_token_leads_to_its_inquiry(bench: Bench) -> None:
    reference = known(bench)
    receipt = bench.intake.receive(message(2, tokens=("nonsense", reply_token(REPLY_SECRET, reference).upper())))
    assert (receipt.reference, receipt.new) == (reference, False)
    assert bench.rows() == [(reference, "start"), (reference, "receive_message")]
    with bench.database.read() as session:
        _, row = messages.of_case(session, reference)
    order = bench.dispatches()[1].payload
    assert order["message"] == order["key"] == row.id
    assert not row.third_party


def test_a_token_from_a_stranger_joins_as_a_third_party(bench: Bench) -> None:
    reference = known(bench)
    token = reply_token(REPLY_SECRET, reference)
    receipt = bench.intake.receive(message(2, sender="eva@example.net", tokens=(token,)))
    with bench.database.read() as session:
        _, row = messages.of_case(session, reference)
        answered = messages.thread(session, reference, EMAIL)
    assert receipt.reference == reference
    assert row.third_party
    assert answered == [message().message_id]
    assert len(load(bench, reference).addresses) == 1


def test_a_token_that_is_not_ours_leads_nowhere(bench: Bench) -> None:
    reference = known(bench)
    assert bench.intake.receive(message(2, tokens=(reply_token(b"another secret", reference),))).new


def test_reply_headers_lead_to_the_letter_they_answer(bench: Bench) -> None:
    reference = known(bench)
    key = letter(bench, reference)
    own = f"{key.replace('/', '.')}@example.org"
    assert bench.intake.receive(message(2, in_reply_to=own)).reference == reference
    assert bench.intake.receive(message(3, references=(own, "else@example.net"))).reference == reference
    assert bench.intake.receive(message(4, references=("else@example.net",))).new


def test_a_second_mail_in_ones_own_thread_joins_the_first(bench: Bench) -> None:
    reference = known(bench)
    assert bench.intake.receive(message(2, references=("m1@mail.example.org",))).reference == reference
    stranger = message(3, sender="eva@example.net", references=("m1@mail.example.org",))
    assert bench.intake.receive(stranger).new


@pytest.mark.parametrize("spelling", ["{}", "Re: {} gracias", "RV: {}"])
def test_a_reference_in_the_subject_counts_from_the_known_sender_alone(bench: Bench, spelling: str) -> None:
    reference = known(bench)
    subject = spelling.format(reference.lower().replace("-", " "))
    assert bench.intake.receive(message(2, subject=subject)).reference == reference
    assert bench.intake.receive(message(3, subject=subject, sender="eva@example.net")).new
    assert bench.intake.receive(message(4, subject=subject, sender_verified=False, spf="none")).new


@pytest.mark.parametrize("trail", ["token", "headers", "subject"])
def test_a_spoofed_sender_is_never_let_into_an_inquiry(bench: Bench, trail: str) -> None:
    reference = known(bench)
    key = letter(bench, reference)
    trails: dict[str, dict[str, Any]] = {
        "token": {"tokens": (reply_token(REPLY_SECRET, reference),)},
        "headers": {"in_reply_to": f"{key.replace('/', '.')}@example.org"},
        "subject": {"subject": f"Re: {reference}"},
    }
    receipt = bench.intake.receive(message(2, spf="fail", sender_verified=False, **trails[trail]))
    assert receipt.new
    assert receipt.reference != reference
    assert not load(bench, receipt.reference).bound
    with bench.database.read() as session:
        assert len(messages.of_case(session, reference)) == 1


def close(bench: Bench, reference: str) -> None:
    case = load(bench, reference)
    case.closed_at = NOW
    with bench.database.write() as session:
        cases.project(session, case)


def test_a_message_to_a_closed_inquiry_opens_one_that_refers_to_it(bench: Bench) -> None:
    reference = known(bench)
    close(bench, reference)
    receipt = bench.intake.receive(message(2, tokens=(reply_token(REPLY_SECRET, reference),)))
    assert receipt.new
    assert load(bench, receipt.reference or "").refers_to == reference


def test_where_policy_says_so_it_reopens_it(bench: Bench) -> None:
    reference = known(bench)
    close(bench, reference)
    policy = bench.policy.model_copy(
        update={"intake": bench.policy.intake.model_copy(update={"after_close": "reopen"})}
    )
    receipt = bench.make(policy=policy).receive(message(2, tokens=(reply_token(REPLY_SECRET, reference),)))
    assert (receipt.reference, receipt.new) == (reference, False)
    with bench.database.read() as session:
        assert dispatches.undone(session, reference)[-1].payload["reopens"] is True


def test_a_message_to_a_merged_inquiry_goes_to_the_leading_one(bench: Bench) -> None:
    leading, merged = known(bench), known(bench, 2)
    case = load(bench, merged)
    case.merged_into = leading
    with bench.database.write() as session:
        cases.project(session, case)
    assert bench.intake.receive(message(3, tokens=(reply_token(REPLY_SECRET, merged),))).reference == leading


# -- quarantine -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("disposition", sorted(set(Disposition) - {Disposition.MESSAGE, Disposition.CLAIM}))
def test_what_no_person_wrote_waits_for_a_person(bench: Bench, disposition: Disposition) -> None:
    reference = known(bench)
    token = reply_token(REPLY_SECRET, reference)
    receipt = bench.intake.receive(message(2, disposition=disposition, tokens=(token,)))
    assert (receipt.reference, receipt.disposition, receipt.new) == (None, disposition.value, False)
    assert bench.rows() == [(reference, "start")]
    with bench.database.read() as session:
        assert [row.disposition for row in messages.quarantined(session)] == [disposition.value]
    assert bench.intake.receive(message(2, disposition=disposition)).duplicate


def test_a_person_promotes_it_with_the_original_reception(bench: Bench) -> None:
    bench.intake.receive(message(disposition=Disposition.AUTO_REPLY))
    bench.tick(days=2)
    with bench.database.read() as session:
        (row,) = messages.quarantined(session)
    receipt = bench.intake.promote(row.id, AGENT)
    case = load(bench, receipt.reference)
    assert (case.received_at, case.opened_at) == (NOW, NOW + timedelta(days=2))
    assert case.pending[0].actor == AGENT
    assert bench.rows() == [(receipt.reference, "start")]
    with bench.database.read() as session:
        assert messages.quarantined(session) == []
        assert [one.id for one in messages.of_case(session, case.reference)] == [row.id]
    with pytest.raises(Refused, match="belongs to"):
        bench.intake.promote(row.id, AGENT)
    with pytest.raises(KeyError):
        bench.intake.promote("ms_nothing", AGENT)


def test_what_answers_a_letter_joins_its_inquiry_when_promoted(bench: Bench) -> None:
    reference = known(bench)
    own = letter(bench, reference).replace("/", ".") + "@example.org"
    bench.intake.receive(message(2, disposition=Disposition.AUTO_REPLY, in_reply_to=own))
    with bench.database.read() as session:
        (row,) = messages.quarantined(session)
    receipt = bench.intake.promote(row.id, AGENT)
    assert (receipt.reference, receipt.new) == (reference, False)
    assert bench.rows() == [(reference, "start"), (reference, "receive_message")]


def test_what_nobody_could_be_answered_about_is_not_promoted(bench: Bench) -> None:
    assert bench.intake.receive_unreadable(b"\0garbage").disposition == "unanswerable"
    with bench.database.read() as session:
        (row,) = messages.quarantined(session)
    assert kept(bench, row.raw_path) == b"\0garbage"
    with pytest.raises(Refused, match="no sender"):
        bench.intake.promote(row.id, AGENT)


# -- backscatter ------------------------------------------------------------------------------------------------------


def test_acknowledgements_beyond_the_days_fill_are_held_but_never_past_their_term(bench: Bench) -> None:
    receipts = [bench.intake.receive(message(n)) for n in range(12)]
    held = [load(bench, one.reference).letters[0].not_before for one in receipts]
    assert held[:10] == [None] * 10
    case = load(bench, receipts[-1].reference)
    last = case.calendar.local_date(receipts[-1].acknowledge_by or NOW)
    assert held[10:] == [case.calendar.at(last, 9)] * 2
    bench.tick(days=1)
    assert load(bench, known(bench, 20)).letters[0].not_before is None


def test_more_inquiries_than_a_person_writes_are_a_loop(bench: Bench) -> None:
    receipts = [bench.intake.receive(message(n)) for n in range(31)]
    assert [one.disposition for one in receipts] == ["message"] * 30 + ["loop"]
    assert bench.intake.receive(message(40, sender="eva@example.net")).new
    token = reply_token(REPLY_SECRET, str(receipts[0].reference))
    assert bench.intake.receive(message(41, tokens=(token,))).reference == receipts[0].reference


# -- the web form -----------------------------------------------------------------------------------------------------


def form(**changes: Any) -> WebForm:
    return WebForm(**{"email": "ana@example.org", "text": "Mi retiro no ha llegado, ayuda por favor.", **changes})


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.7")
def test_a_form_opens_an_inquiry_that_is_answered_by_mail(bench: Bench) -> None:
    receipt = fill_in(bench.intake, form(name="Ana", subject="Retiro"), "key-1", at=bench.now)
    case = load(bench, receipt.reference)
    assert receipt.new
    assert receipt.answer_by is not None
    assert (case.channel, case.channel_now) == ("web", "email")
    assert [one.channel for one in case.addresses] == ["email"]
    assert not case.bound
    assert case.language is Language.ES


def test_the_same_key_and_form_get_the_same_answer(bench: Bench) -> None:
    first = fill_in(bench.intake, form(), "key-1", at=bench.now)
    bench.tick(hours=1)
    again = fill_in(bench.intake, form(), "key-1", at=bench.now)
    assert again.duplicate
    assert (again.reference, again.acknowledge_by, again.answer_by) == (
        first.reference,
        first.acknowledge_by,
        first.answer_by,
    )
    assert len(bench.rows()) == 1


def test_the_same_key_with_another_form_is_refused(bench: Bench) -> None:
    fill_in(bench.intake, form(), "key-1", at=bench.now)
    with pytest.raises(Malformed, match="reused"):
        fill_in(bench.intake, form(text="Otra cosa."), "key-1", at=bench.now)
    assert len(bench.references()) == 1


def test_without_a_key_every_form_is_its_own(bench: Bench) -> None:
    assert fill_in(bench.intake, form(), at=bench.now).new
    assert fill_in(bench.intake, form(), at=bench.now).new


def test_kind_and_language_may_be_said(bench: Bench) -> None:
    said = form(kind="inquiry", language="en")
    case = load(bench, fill_in(bench.intake, said, at=bench.now).reference)
    assert (case.kind, case.language) == (Kind.INQUIRY, Language.EN)


# -- what the provider reports ----------------------------------------------------------------------------------------


def event(kind: Delivery, notice: str, n: int = 1, **changes: Any) -> DeliveryEvent:
    plain = {"event_id": f"e{n}", "notice": notice, "message_id": "", "provider_id": "", "hard": True, "at": NOW}
    return DeliveryEvent(**{**plain, "kind": kind, **changes})


@pytest.mark.parametrize("kind", [Delivery.BOUNCE, Delivery.DROPPED])
def test_a_letter_that_came_back_is_told_at_once_and_once(bench: Bench, kind: Delivery) -> None:
    reference = known(bench)
    key = letter(bench, reference)
    assert bench.intake.notice_event([event(kind, key, reason="550 no such user"), event(kind, key)]) == 1
    assert bench.intake.notice_event([event(kind, key)]) == 0
    assert bench.rows() == [(reference, "start"), (reference, "notice_bounced")]
    row = bench.dispatches()[1]
    assert row.not_before is None
    assert row.payload == {
        "notice": key,
        "at": "2026-02-02T16:30:00Z",
        "hard": True,
        "reason": "550 no such user",
        "key": "event:e1",
    }


def test_deliveries_travel_in_batches(bench: Bench) -> None:
    reference = known(bench)
    keys = [letter(bench, reference, kind) for kind in ("acknowledgement", "referral", "extension")]
    for n, key in enumerate(keys):
        bench.intake.notice_event([event(Delivery.DELIVERED, key, n)])
    assert bench.rows() == [(reference, "start"), (reference, "notice_delivered")]
    row = bench.dispatches()[1]
    assert row.payload["notices"] == keys
    assert row.not_before == NOW + timedelta(minutes=10)


def test_an_event_without_our_key_is_known_by_its_message_id(bench: Bench) -> None:
    reference = known(bench)
    key = letter(bench, reference)
    own = f"{key.replace('/', '.')}@example.org"
    bench.intake.notice_event([event(Delivery.BOUNCE, "", message_id=own)])
    assert bench.rows()[1] == (reference, "notice_bounced")


def test_an_acceptance_is_evidence_and_nothing_is_told(bench: Bench) -> None:
    reference = known(bench)
    key = letter(bench, reference)
    assert bench.intake.notice_event([event(Delivery.ACCEPTED, key), event(Delivery.BOUNCE, "RX-9999/x/1", 2)]) == 2
    assert bench.rows() == [(reference, "start")]
    with bench.database.read() as session:
        assert notices.evidence(session, key) is not None


# -- away -------------------------------------------------------------------------------------------------------------


def test_with_the_database_locked_nothing_is_stored_and_it_is_said(bench: Bench, records_url: str) -> None:
    impatient = Bench(Database(records_url, patience=0.1), bench.folder)
    with bench.database.write() as session:
        session.connection()
        with pytest.raises(RecordsUnavailable):
            impatient.intake.receive(message())
    assert bench.references() == []
    assert impatient.woken == 0
    assert impatient.intake.receive(message()).new
    impatient.database.close()


def test_files_are_put_away_while_others_may_write(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put = FolderStore.put

    def slowly(store: FolderStore, content: bytes) -> Kept:
        with bench.database.write():
            return put(store, content)

    monkeypatch.setattr(FolderStore, "put", slowly)
    scan = b"scan"
    file = Attachment(filename="a.pdf", content_type="application/pdf", content=scan, sha256="0" * 64)
    receipt = bench.intake.receive(message(attachments=(file,)))
    with bench.database.read() as session:
        (row,) = messages.of_case(session, str(receipt.reference))
        (kept_file,) = documents.attachments(session, row.id)
    assert kept(bench, kept_file.path) == scan


def test_a_flood_of_reports_lets_others_write_between(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starter.reception.intake.REPORTS_AT_ONCE", 2)
    reference = known(bench)
    key = letter(bench, reference)
    reports = [
        DeliveryEvent(event_id=f"e{n}", notice=key, message_id="", kind=Delivery.DELIVERED, hard=False, at=NOW)
        for n in range(5)
    ]
    assert bench.intake.notice_event(reports) == 5
    assert bench.intake.notice_event(reports) == 0
