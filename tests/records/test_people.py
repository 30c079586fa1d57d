"""Contacts that turn out to be one person, and the addresses of an account."""

from models.inquiry import EMAIL, Address
from records import bindings, case_list, cases, contact_cases, contacts
from records.database import Database
from tests.cases import new_case
from tests.records.mail import NOW


def test_two_contacts_become_one(database: Database) -> None:
    with database.write() as session:
        former, by_mail = contacts.find_or_add(session, EMAIL, "ana@example.org", now=NOW)
        contacts.find_or_add(session, "x", "7", contact=former, now=NOW)
        contact, by_telegram = contacts.find_or_add(session, "telegram", "1001", now=NOW)
        contacts.merge(session, former, contact)
        assert contacts.addresses(session, former) == ()
        assert {one.channel for one in contacts.addresses(session, contact)} == {EMAIL, "x", "telegram"}
        assert contacts.address_id(session, EMAIL, " ANA@example.org ") == by_mail.id != by_telegram.id
        assert contacts.address_id(session, EMAIL, "nobody@example.org") is None


def test_a_code_follows_the_contact_that_it_was_made_for(database: Database) -> None:
    with database.write() as session:
        former, contact = contacts.add(session, NOW), contacts.add(session, NOW)
        code, _ = bindings.make(session, former, bound=False, made_by="agent-1", now=NOW)
        contacts.merge(session, former, contact)
    with database.write() as session:
        row = bindings.find(session, code, NOW)
        assert row
        assert row.contact == contact
        assert bindings.shown_from(session, code) is None
        bindings.use(session, row, "ad_1", NOW)
        assert bindings.shown_from(session, code) == "ad_1"
        assert bindings.shown_from(session, "another") is None


def test_of_an_accounts_addresses_on_a_channel_the_newest_is_registered(database: Database) -> None:
    with database.write() as session:
        contact = contacts.add(session, NOW)
        found: list[Address] = []
        for channel, value in ((EMAIL, "old@example.org"), ("x", "7"), (EMAIL, "new@example.org")):
            _, address = contacts.find_or_add(session, channel, value, registered=True, contact=contact, now=NOW)
            found.append(address)
        contacts.only_registered(session, contact, found[2])
        kept = {one.id: one.registered for one in contacts.addresses(session, contact)}
    assert [kept[one.id] for one in found] == [False, True, True]


def test_an_account_has_one_contact_which_keeps_it(database: Database) -> None:
    with database.write() as session:
        contact, other = contacts.add(session, NOW), contacts.add(session, NOW)
        assert contacts.account_of(session, contact) is None
        contacts.bind(session, contact, NOW, account="user-1")
        contacts.bind(session, contact, NOW, account="user-2")
        assert contacts.account_of(session, contact) == "user-1"
        assert contacts.of_account(session, "user-1") == contact
        assert contacts.account_of(session, other) is None
        assert contacts.account_of(session, "ct_nobody") is None


def test_whose_case_it_is_no_late_projection_changes(database: Database) -> None:
    case = new_case()
    with database.write() as session:
        contacts.find_or_add(session, EMAIL, "ana@example.org", now=NOW)
        assert cases.add(session, case, subject="s", excerpt="e", status_token="t")
        contact_cases.hand_over(session, case.contact, "ct_2")
        assert cases.project(session, case)
        assert case_list.line(session, case.reference).contact == "ct_2"
        assert cases.load(session, case.reference).contact == "ct_2"
        assert contact_cases.open_of(session, "ct_2") == [case.reference]
