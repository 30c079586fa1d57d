"""Who stands behind the opaque ids."""

import pytest

from models.inquiry import EMAIL, Address
from records import contacts
from records.database import Database
from tests.records.mail import NOW


def test_an_address_is_found_again_however_it_is_spelled(database: Database) -> None:
    with database.write() as session:
        contact, address = contacts.find_or_add(session, EMAIL, " Ana@Example.ORG", name="Ana", now=NOW)
    with database.write() as session:
        again = contacts.find_or_add(session, EMAIL, "ana@example.org", name="other", registered=True, now=NOW)
        assert contacts.known(session, EMAIL, "ANA@example.org ") == contact
        assert contacts.known(session, EMAIL, "nobody@example.org") is None
    assert again == (contact, Address(id=address.id, channel=EMAIL, registered=True))
    assert contact.startswith("ct_")
    assert address.id.startswith("ad_")
    assert "ana" not in contact + address.id
    with database.read() as session:
        assert contacts.reveal(session, address.id) == (EMAIL, "Ana@Example.ORG", "Ana")
        assert contacts.addresses(session, contact) == (again[1],)
        assert contacts.addresses(session, "ct_none") == ()
        with pytest.raises(KeyError, match="ad_none"):
            contacts.reveal(session, "ad_none")


def test_case_counts_where_the_channel_says_so(database: Database) -> None:
    with database.write() as session:
        upper, _ = contacts.find_or_add(session, "telegram", "Ana", now=NOW)
        lower, _ = contacts.find_or_add(session, "telegram", "ana", now=NOW)
        assert upper != lower
        assert contacts.known(session, "telegram", "Ana") == upper


def test_a_contact_gathers_addresses_and_none_is_taken_from_another(database: Database) -> None:
    with database.write() as session:
        ana, first = contacts.find_or_add(session, EMAIL, "ana@example.org", now=NOW)
        luz, _ = contacts.find_or_add(session, EMAIL, "luz@example.org", now=NOW)
        same, second = contacts.find_or_add(session, "telegram", "77", contact=ana, now=NOW)
        assert same == ana
        assert set(contacts.addresses(session, ana)) == {first, second}
        assert contacts.find_or_add(session, EMAIL, "luz@example.org", contact=ana, now=NOW)[0] == luz
