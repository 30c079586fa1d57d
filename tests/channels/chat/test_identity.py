"""Who a visitor is: what the platform signed is believed, everything else is refused and nothing else happens."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwk, jwt

from channels.chat.identity import Identity, Verifier
from channels.chat.settings import ChatSettings
from models.errors import SettingsError, VerificationError
from settings import Settings, read_section

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
T = int(NOW.timestamp())
SECRET = "a secret shared with the platform, long enough"
CLAIMS: dict[str, Any] = {
    "iss": "platform",
    "aud": "plazo-chat",
    "sub": "user-17",
    "email": "ana@example.org",
    "name": "Ana",
    "iat": T,
    "exp": T + 600,
}
ANA = Identity(account="user-17", email="ana@example.org", name="Ana")
ED25519 = jwk.OKPKey.generate_key("Ed25519")
P256 = jwk.ECKey.generate_key("P-256")


def verifier(**changes: Any) -> Verifier:
    return Verifier(ChatSettings(**changes))


def with_secret() -> Verifier:
    return verifier(identity_secret=SECRET)


def public(key: jwk.OKPKey | jwk.ECKey) -> str:
    return json.dumps(key.as_dict(private=False))


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header: Any = None, secret: bytes = SECRET.encode(), payload: Any = None, **claims: Any) -> str:
    """Any header and claims, signed by hand with HMAC: a library would refuse to write most of these."""
    given = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not ...}
    signed = f"{part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{part(given if payload is None else payload)}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def test_a_shared_secret_is_believed() -> None:
    assert with_secret().read(token(), NOW) == ANA
    assert with_secret().read(token({"alg": "HS256", "kid": "2026-02"}, aud=["other", "plazo-chat"]), NOW) == ANA
    bare = with_secret().read(token(email=..., name=...), NOW)
    assert bare == Identity(account="user-17", email="", name="")


def test_a_public_key_is_believed() -> None:
    signed = jwt.encode({"alg": "ES256"}, CLAIMS, P256, algorithms=["ES256"])
    assert verifier(identity_key=public(P256)).read(signed, NOW) == ANA
    with pytest.warns(match="EdDSA is deprecated"):
        signed = jwt.encode({"alg": "EdDSA"}, CLAIMS, ED25519, algorithms=["EdDSA"])
    assert verifier(identity_key=public(ED25519)).read(signed, NOW) == ANA
    signed = jwt.encode({"alg": "Ed25519"}, CLAIMS, ED25519, algorithms=["Ed25519"])
    assert verifier(identity_key=public(ED25519), identity_secret=SECRET).read(signed, NOW) == ANA


def test_a_clock_may_be_half_a_minute_off() -> None:
    assert with_secret().read(token(iat=T + 29, exp=T + 600), NOW) == ANA
    assert with_secret().read(token(iat=T - 629, exp=T - 29), NOW) == ANA


@pytest.mark.parametrize(
    "forged",
    [
        token({"alg": "none"}),
        f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
        token({"alg": "None", "typ": "JWT"}),
        token({"alg": "HS512"}),
        token({"alg": "RS256"}),
        token({"alg": ["HS256"]}),
        token({"alg": {"HS256": 1}}),
        token({"typ": "JWT"}),
        token([1]),
        token(secret=b"another secret that is long enough too"),
        token({"alg": "HS256", "typ": "at+jwt"}),
        token({"alg": "HS256", "kid": "../../etc/passwd"}),
        token({"alg": "HS256", "kid": 7.5e10}) + "x",
        token({"alg": "HS256", "jku": "http://127.0.0.1:1/keys"}),
        token({"alg": "HS256", "x5u": "http://127.0.0.1:1/keys"}),
        token({"alg": "HS256", "jwk": {"kty": "oct", "k": part(b"x" * 32)}}, secret=b"x" * 32),
        token({"alg": "HS256", "crit": ["exp"]}),
        token({"alg": "HS256", "crit": ["b64"], "b64": False}),
        token(aud="other"),
        token(aud=...),
        token(aud=["plazo-chat-2"]),
        token(aud={"plazo-chat": 1}),
        token(iss="other"),
        token(iss=...),
        token(exp=...),
        token(exp=None),
        token(exp="tomorrow"),
        token(exp=True),
        token(exp=float("nan")),
        token(exp=float("inf")),
        token(exp=10**400),
        token(exp=T - 30, iat=T - 600),
        token(exp=T + 601),
        token(iat=...),
        token(iat=T + 31),
        token(iat=-float("inf")),
        token(nbf=T + 31),
        token(nbf="x"),
        token(sub=...),
        token(sub=""),
        token(sub=17),
        token(sub="two words"),
        token(sub="x" * 129),
        token(email="no address"),
        token(email=["ana@example.org"]),
        token(payload=b"[" * 2000),
        token(payload=b"not json"),
        token(payload=[1, 2]),
        token(payload=b'{"exp": ' + b"9" * 3000 + b"}"),
        "",
        "a.b.c",
        "..",
        ".",
        "ü.ö.ä",
        "\x00.\ud800.x",
        token() + "." + token(),
        token() + "A" * 5000,
        token()[:-2],
    ],
)
def test_nothing_else_is_believed(forged: str) -> None:
    with pytest.raises(VerificationError):
        with_secret().read(forged, NOW)


@given(st.text() | st.tuples(st.binary(), st.binary(), st.binary()).map(lambda three: ".".join(map(part, three))))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_it_is_refused_and_nothing_breaks(text: str) -> None:
    with pytest.raises(VerificationError):
        with_secret().read(text, NOW)


def test_a_public_key_is_never_a_shared_secret() -> None:
    """HS256 signed with the public key, which everybody knows."""
    for key in (P256, ED25519):
        known = public(key)
        for secret in (known.encode(), key.as_pem(private=False)):
            with pytest.raises(VerificationError):
                verifier(identity_key=known).read(token(secret=secret), NOW)
            with pytest.raises(VerificationError):
                verifier(identity_key=known, identity_secret=SECRET).read(token(secret=secret), NOW)


def test_without_a_key_nobody_is_believed() -> None:
    with pytest.raises(VerificationError, match="PLAZO_CHAT_IDENTITY_SECRET"):
        verifier().read(token(), NOW)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("IDENTITY_SECRET", "short", "at least 32"),
        ("IDENTITY_SECRET", P256.as_pem(private=False).decode(), "public keys"),
        ("IDENTITY_KEY", "none", "is no JWK"),
        ("IDENTITY_KEY", "[]", "is no JWK"),
        ("IDENTITY_KEY", '{"kty": "EC"}', "is no JWK"),
        ("IDENTITY_KEY", '{"kty": "oct", "k": "eHh4"}', "one of the curves"),
        ("IDENTITY_KEY", '{"kty": ["EC"]}', "is no JWK"),
        ("IDENTITY_KEY", json.dumps(jwk.ECKey.generate_key("P-384").as_dict(private=False)), "one of the curves"),
        ("IDENTITY_KEY", json.dumps(P256.as_dict(private=True)), "private part"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    monkeypatch.setenv(f"PLAZO_CHAT_{name}", value)
    with pytest.raises(SettingsError, match=f"PLAZO_CHAT_{name}: .*{why}") as told:
        read_section(ChatSettings, Settings())
    assert value not in str(told.value)
