from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.headers import mailboxes
from channels.tokens import read_token, reply_address, reply_token

SECRET = b"secret"
REFERENCE = "RX-7KQ4-M2PD"


def test_a_token_names_its_inquiry_in_any_case() -> None:
    token = reply_token(SECRET, REFERENCE)
    assert read_token(SECRET, token) == REFERENCE
    assert read_token(SECRET, token.upper()) == REFERENCE
    assert read_token(SECRET, f" {token} ") == REFERENCE


def test_a_token_of_another_inquiry_or_secret_is_none() -> None:
    token = reply_token(SECRET, REFERENCE)
    assert read_token(b"other", token) is None
    assert read_token(SECRET, token.replace("rx-7kq4-m2pd", "rx-7kq4-m2pe")) is None
    assert all(read_token(SECRET, token[:at] + "~" + token[at + 1 :]) is None for at in range(len(token)))


@settings(deadline=None)
@given(st.text())
def test_nothing_made_up_is_a_token(token: str) -> None:
    assert read_token(SECRET, token) is None


def test_a_token_fits_into_an_address() -> None:
    address = reply_address("help@example.org", reply_token(SECRET, REFERENCE))
    assert mailboxes(address) == [(address, "")]
    assert len(address.partition("@")[0]) <= 64
