"""One-time codes: long enough, kept as a hash, good once and not for long."""

from datetime import timedelta

from records import bindings, contacts
from records.bindings import CODE, LIFE
from records.database import Database
from tests.records.mail import NOW


def made(database: Database) -> str:
    with database.write() as session:
        contact = contacts.add(session, NOW)
        code, ends_at = bindings.make(session, contact, bound=True, made_by="agent-1", now=NOW)
    assert ends_at == NOW + LIFE
    return code


def test_codes_fit_a_deep_link_and_are_never_the_same(database: Database) -> None:
    codes = {made(database) for _ in range(50)}
    assert len(codes) == 50
    assert all(CODE.fullmatch(code) for code in codes)


def test_a_code_is_found_until_it_is_used_or_over(database: Database) -> None:
    first, second = made(database), made(database)
    with database.write() as session:
        assert bindings.find(session, first, NOW + LIFE - timedelta(microseconds=1))
        assert bindings.find(session, first, NOW + LIFE) is None
        assert bindings.find(session, first.swapcase(), NOW) is None
        assert bindings.find(session, "", NOW) is None
        row = bindings.find(session, first, NOW)
        assert row
        bindings.use(session, row, "ad_1", NOW)
        assert bindings.find(session, first, NOW) is None
        assert bindings.find(session, second, NOW)
    assert (row.used_at, row.address_id, row.made_by) == (NOW, "ad_1", "agent-1")
