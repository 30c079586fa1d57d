import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.verify import SIGNATURE, TIMESTAMP, verify_inbound, verify_secret, verify_signature
from counterparts.inbound_parse import basic, sign
from models.errors import VerificationError

NOW = datetime(2026, 3, 27, 15, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
PRIVATE = generate_private_key(SECP256R1())
OTHER = generate_private_key(SECP256R1())
BODY = '[{"event":"processed","name":"José"}]\r\n'.encode("latin-1")


def shown(key: object) -> str:
    public = key.public_key()  # type: ignore[attr-defined]
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


PUBLIC = shown(PRIVATE)


def test_a_genuine_post_passes_whatever_the_case_of_its_headers() -> None:
    headers = sign(PRIVATE, STAMP, BODY)
    verify_signature(PUBLIC, headers, BODY, NOW)
    verify_signature(PUBLIC, {name.lower(): value for name, value in headers.items()}, BODY, NOW)


@pytest.mark.parametrize(
    ("age", "passes"), [(300, True), (301, False), (-300, True), (-301, False), (94_608_000, False)]
)
def test_a_signature_counts_for_five_minutes(age: int, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    headers = sign(PRIVATE, STAMP, BODY)
    now = NOW + timedelta(seconds=age)
    if passes:
        verify_signature(PUBLIC, headers, BODY, now)
    else:
        with pytest.raises(VerificationError, match="seconds old"):
            verify_signature(PUBLIC, headers, BODY, now)


GENUINE = sign(PRIVATE, STAMP, BODY)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        ({SIGNATURE: GENUINE[SIGNATURE]}, BODY),
        ({TIMESTAMP: GENUINE[TIMESTAMP]}, BODY),
        (sign(OTHER, STAMP, BODY), BODY),
        (GENUINE, BODY + b" "),
        (GENUINE, BODY.strip()),
        (GENUINE, BODY.replace(b":", b": ")),
        (GENUINE, BODY.decode("latin-1").encode()),
        ({**GENUINE, TIMESTAMP: str(STAMP + 1)}, BODY),
        ({**GENUINE, TIMESTAMP: f"{STAMP}.0"}, BODY),
        ({**GENUINE, TIMESTAMP: "9" * 4000}, BODY),
        ({**GENUINE, TIMESTAMP: "٣"}, BODY),
        ({**GENUINE, SIGNATURE: "not base64!"}, BODY),
        ({**GENUINE, SIGNATURE: "ñandú"}, BODY),
        ({**GENUINE, SIGNATURE: "QUJD"}, BODY),
        ({**GENUINE, SIGNATURE: "A" * 10_000_000}, BODY),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_signature(PUBLIC, headers, body, NOW)


@pytest.mark.parametrize("key", ["", "?", "QUJD", shown(generate_private_key(SECP384R1())), f"-----BEGIN\n{PUBLIC}"])
def test_a_wrong_public_key_in_the_settings_is_said(key: str) -> None:
    with pytest.raises(VerificationError, match="public key"):
        verify_signature(key, GENUINE, BODY, NOW)


@settings(deadline=None)
@given(st.text(), st.text(), st.binary())
def test_no_header_raises_anything_else(signature: str, timestamp: str, body: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_signature(PUBLIC, {SIGNATURE: signature, TIMESTAMP: timestamp}, body, NOW)


def test_a_shared_secret_comes_as_password_or_bearer_token() -> None:
    verify_secret("s3cret", basic("s3cret")["Authorization"])
    verify_secret("s3cret", "Bearer s3cret")


@pytest.mark.parametrize(
    "given_header", [None, "", "Bearer", "Bearer wrong", "Basic ?", "Basic /w==", "Digest s3cret", "s3cret"]
)
def test_a_wrong_secret_is_refused(given_header: str | None) -> None:
    with pytest.raises(VerificationError):
        verify_secret("s3cret", given_header)
    with pytest.raises(VerificationError):
        verify_secret("", given_header)


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_authorization_raises_anything_else(secret: str, authorization: str) -> None:
    with pytest.raises(VerificationError):
        verify_secret(secret + "x", f"Basic {authorization}")


def test_a_post_of_mail_needs_the_signature_where_a_key_is_set_else_the_secret() -> None:
    verify_inbound(GENUINE, BODY, NOW, public_key=PUBLIC, secret="s")
    verify_inbound(basic("s"), BODY, NOW, public_key=None, secret="s")
    with pytest.raises(VerificationError):
        verify_inbound(basic("s"), BODY, NOW, public_key=PUBLIC, secret="s")
    with pytest.raises(VerificationError):
        verify_inbound(basic(""), BODY, NOW, public_key=None, secret=None)
