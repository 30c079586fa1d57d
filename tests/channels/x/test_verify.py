import base64
import hashlib
import hmac
import json
import time

import pytest

from channels.x.verify import BY_CLIENT_SECRET, BY_CONSUMER_SECRET, Signatures
from models.errors import VerificationError
from tests.channels.x.envelopes import DIRECT

BODY = json.dumps(DIRECT, ensure_ascii=False, separators=(",", ":")).encode()


def signed(secret: str, body: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.fixture
def signatures() -> Signatures:
    return Signatures("consumer", "client")


def test_a_handshake_is_answered_with_the_hmac_of_its_token(signatures: Signatures) -> None:
    answer = signatures.answer({"crc_token": "challenge_string", "nonce": "1"})
    assert answer == {"response_token": signed("consumer", b"challenge_string")}


def test_without_a_consumer_secret_the_client_secret_answers() -> None:
    assert Signatures("", "client").answer({"crc_token": "a"}) == {"response_token": signed("client", b"a")}


@pytest.mark.parametrize("query", [{}, {"crc_token": ""}, {"crc_token": "a" * 257}, {"crc_token": "a" * 1_000_000}])
def test_a_malformed_handshake_is_refused(signatures: Signatures, query: dict[str, str]) -> None:
    with pytest.raises(VerificationError):
        signatures.answer(query)


@pytest.mark.parametrize("forged", [BODY.decode(), ' {"a":1}', "[1]", '"x"', "a b", "a\n", "ñ"])
def test_a_handshake_signs_nothing_that_could_be_a_post(signatures: Signatures, forged: str) -> None:
    """Whoever asks gets a token signed with the secret that posts are signed with."""
    with pytest.raises(VerificationError):
        signatures.answer({"crc_token": forged})


@pytest.mark.parametrize("token", ["challenge_string", "12345", "null", "true", "1.5"])
def test_what_a_handshake_signed_is_no_post(signatures: Signatures, token: str) -> None:
    answer = signatures.answer({"crc_token": token})["response_token"]
    with pytest.raises(VerificationError, match="no JSON object"):
        signatures.check({BY_CONSUMER_SECRET: answer}, token.encode())


def test_no_secret_answers_and_believes_nothing() -> None:
    with pytest.raises(VerificationError):
        Signatures("", "").answer({"crc_token": "a"})
    with pytest.raises(VerificationError):
        Signatures("", "").check({BY_CONSUMER_SECRET: signed("", BODY)}, BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {BY_CONSUMER_SECRET: signed("consumer", BODY)},
        {BY_CLIENT_SECRET: signed("client", BODY)},
        {BY_CONSUMER_SECRET: signed("consumer", BODY), BY_CLIENT_SECRET: signed("client", BODY)},
    ],
)
def test_either_signature_over_the_raw_body_is_believed(signatures: Signatures, headers: dict[str, str]) -> None:
    signatures.check(headers, BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {BY_CONSUMER_SECRET: ""},
        {BY_CONSUMER_SECRET: signed("client", BODY)},
        {BY_CLIENT_SECRET: signed("consumer", BODY)},
        {BY_CONSUMER_SECRET: signed("consumer", BODY).removeprefix("sha256=")},
        {BY_CONSUMER_SECRET: signed("consumer", BODY).replace("sha256", "sha1")},
        {BY_CONSUMER_SECRET: signed("consumer", BODY)[:-3]},
        {BY_CONSUMER_SECRET: "sha256=!!!"},
        {BY_CONSUMER_SECRET: "sha256=ñandú\udc80"},
        {BY_CONSUMER_SECRET: "sha256=" + "A" * 10_000_000},
        # A secret of the other header, and a signature over what parsing and writing again makes of the body.
        {BY_CONSUMER_SECRET: signed("consumer", json.dumps(json.loads(BODY)).encode())},
    ],
)
def test_any_other_signature_is_not(signatures: Signatures, headers: dict[str, str]) -> None:
    begun = time.monotonic()
    with pytest.raises(VerificationError):
        signatures.check(headers, BODY)
    assert time.monotonic() - begun < 0.05


def test_a_changed_byte_is_noticed(signatures: Signatures) -> None:
    headers = {BY_CONSUMER_SECRET: signed("consumer", BODY)}
    for body in (BODY + b"\n", BODY[:-1], BODY.replace(b"2222", b"3333", 1)):
        with pytest.raises(VerificationError):
            signatures.check(headers, body)
