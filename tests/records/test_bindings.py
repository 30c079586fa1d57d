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


def test_a_number_stands_for_the_code_of_its_own_inquiry_alone(database: Database) -> None:
    reference, secret, life = "RX-7KQ4-M2PD", b"secret", timedelta(hours=72)
    with database.write() as session:
        contact = contacts.add(session, NOW)
        number, ends_at = bindings.number(session, contact, reference, secret, made_by="agent-1", now=NOW, life=life)
    assert ends_at == NOW + life
    link = f"https://example.org/confirm?code={number}"
    leaves = bindings.spelled_out(f"{link} {number}", reference, secret)
    code = leaves.split("code=")[1].split()[0]
    assert leaves.endswith(f" {number}"), "nothing but a link is changed"
    assert CODE.fullmatch(code)
    assert bindings.masked(leaves) == bindings.masked(f"{link} {number}")
    others = (bindings.spelled_out(link, "RX-2222-2222", secret), bindings.spelled_out(link, reference, b"another"))
    with database.write() as session:
        for other in (*others, link):
            assert bindings.find(session, other.split("code=")[1], NOW) is None
        row = bindings.find(session, code, NOW)
        assert row
        assert (row.bound, row.contact, row.made_by) == (False, contact, "agent-1")
        assert bindings.find(session, code, NOW + life) is None
