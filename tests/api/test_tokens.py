"""Tokens of a sign-in provider: the good ones pass, and no bad one does, whatever it points at."""

import base64
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from pydantic import ValidationError
from typer.testing import CliRunner

from models.errors import VerificationError
from models.inquiry import Role
from models.tables import StaffRow
from records import audit, sign_ins, staff
from starter.admin.jwks import FRESH, OLDEST, PAUSE, ProviderAway, ProviderKeys
from starter.admin.oidc import LONGEST, SignedIn, Tokens
from starter.admin.oidc_settings import OidcSettings
from starter.cli import build
from starter.house.staff import development_staff
from tests.api.providers import Provider, open_documents, open_provider, signed, unsigned, with_secret
from tests.api.test_commands import UNFOUNDED
from tests.api.world import World, now

STRANGER = RSAKey.generate_key(2048, {"kid": "stranger"}, private=True)


class Clock:
    """Seconds that go on when told."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with open_provider() as one:
        yield one


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.app.state.asked.clear()
    return running


@pytest.fixture
def documents() -> Iterator[Callable[[bytes], str]]:
    with open_documents() as says:
        yield says


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(provider: Provider, clock: Clock) -> ProviderKeys:
    return ProviderKeys(provider.url, "", clock)


@pytest.fixture
def tokens(provider: Provider, keys: ProviderKeys) -> Tokens:
    return Tokens(OidcSettings(issuer=provider.url), keys)


def test_a_good_token_says_who_and_for_which_areas(tokens: Tokens, provider: Provider) -> None:
    found = tokens.read(provider.token(), now())
    assert (found.subject, found.actor.role, found.areas) == ("agent-1", Role.AGENT, frozenset({"cx"}))
    assert tokens.read(provider.token(aud=["other", "plazo"], areas="cx, legal Nonsense"), now()).areas == frozenset(
        ["cx", "legal"]
    )
    assert tokens.read(provider.token(areas=None, nbf=None, iat=None), now()).areas is None
    assert provider.asked == 2


@pytest.mark.parametrize("subject", ["ana@example.org", "plazo", "cx-lead", "console", "a b", "x" * 255])
def test_a_token_alone_names_a_stranger(tokens: Tokens, provider: Provider, subject: str) -> None:
    found = tokens.read(provider.token(sub=subject), now()).actor.id
    assert found.startswith("oidc-")
    assert subject not in found
    assert tokens.read(provider.token(sub=subject), now()).actor.id == found


def believe(front: World, tokens: Tokens | None) -> None:
    """Let the web process read the tokens of that provider."""
    app: Any = front.http._transport
    app.app.state.desk = dataclasses.replace(front.desk, tokens=tokens)


BAD: dict[str, Callable[[Provider], str]] = {
    "alg none": lambda p: unsigned({"alg": "none"}, p.claims()),
    "alg none with a key": lambda p: unsigned({"alg": "none", "kid": p.keys.all[0].kid}, p.claims()),
    "alg missing": lambda p: unsigned({"kid": p.keys.all[0].kid}, p.claims()),
    "signature gone": lambda p: p.token().rpartition(".")[0] + ".",
    "HS256 signed with the public key": lambda p: with_secret(
        {"alg": "HS256", "kid": p.keys.all[0].kid}, p.claims(), p.keys.all[0].as_pem(private=False)
    ),
    "another RSA algorithm": lambda p: p.token(header={"alg": "PS256"}),
    "an algorithm of another kind of key": lambda p: p.token(
        header={"alg": "ES256"}, key=ECKey.generate_key("P-256", private=True)
    ),
    "EdDSA with a stranger's key": lambda p: signed(
        {"alg": "Ed25519", "kid": p.keys.all[0].kid}, p.claims(), OKPKey.generate_key("Ed25519", private=True)
    ),
    "another key under the same id": lambda p: p.token(key=STRANGER),
    "another key's id": lambda p: p.token(header={"kid": "stranger"}, key=STRANGER),
    "no key's id": lambda p: signed({"alg": "RS256"}, p.claims(), p.keys.all[0]),
    "key's id is no text": lambda p: p.token(header={"kid": 7}),
    "key's id is a path": lambda p: p.token(header={"kid": "../../etc/passwd"}, key=STRANGER),
    "jku": lambda p: p.token(header={"kid": "stranger", "jku": f"{p.url}/control/asked"}, key=STRANGER),
    "x5u": lambda p: p.token(header={"kid": "stranger", "x5u": f"{p.url}/control/asked"}, key=STRANGER),
    "its own key": lambda p: p.token(header={"kid": "stranger", "jwk": STRANGER.as_dict(private=False)}, key=STRANGER),
    "crit": lambda p: p.token(header={"crit": ["exp"]}),
    "no audience": lambda p: p.token(aud=None),
    "another audience": lambda p: p.token(aud="portal"),
    "other audiences": lambda p: p.token(aud=["portal", "plaz"]),
    "another issuer": lambda p: p.token(iss="https://idp.example.net"),
    "no issuer": lambda p: p.token(iss=None),
    "ended": lambda p: p.token(exp=int(now().timestamp()) - 60),
    "no end": lambda p: p.token(exp=None),
    "an end that is no time": lambda p: p.token(exp="2099-01-01"),
    "an end that is true": lambda p: p.token(exp=True),
    "an end beyond any sense": lambda p: p.token(exp=10**400),
    "begins later": lambda p: p.token(nbf=int(now().timestamp()) + 120),
    "issued later": lambda p: p.token(iat=int(now().timestamp()) + 120),
    "nobody": lambda p: p.token(sub=None),
    "nobody's name": lambda p: p.token(sub=""),
    "a name that nobody can write": lambda p: p.token(sub="a\0"),
    "too long": lambda p: p.token(more="x" * LONGEST),
    "nonsense": lambda _p: "a.b.c",
    "no header": lambda _p: "..",
    "a header that is no object": lambda _p: "W10.e30.x",
    "deep": lambda _p: "W1tbW1tb" * 500 + ".e30.x",
    "an altered claim": lambda p: ".".join(
        [p.token().split(".")[0], p.token(role="compliance").split(".")[1], p.token().split(".")[2]]
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_token_never_passes_and_makes_us_fetch_nothing(tokens: Tokens, provider: Provider, name: str) -> None:
    tokens.read(provider.token(), now())
    asked = provider.asked
    with pytest.raises(VerificationError):
        tokens.read(BAD[name](provider), now())
    assert provider.asked == asked


async def test_a_bad_token_is_a_401_over_http(front: World, provider: Provider, tokens: Tokens) -> None:
    believe(front, tokens)
    for name, make in BAD.items():
        answer = await front.http.get("/api/me", headers={"Authorization": f"Bearer {make(provider)}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "token.refused"), name
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_good_one_does(front: World, provider: Provider, tokens: Tokens) -> None:
    believe(front, tokens)
    signed_in = {"Authorization": f"Bearer {provider.token(role='supervisor', sub='The Boss')}"}
    me = (await front.http.get("/api/me", headers=signed_in)).json()
    assert (me["id"][:5], me["role"], me["may_command"]) == ("oidc-", "supervisor", True)
    for roles in ("nobody", ["agent", "supervisor"], None, 5, ["intake", "auditor"]):
        without = {"Authorization": f"Bearer {provider.token(role=roles)}"}
        answer = await front.http.get("/api/me", headers=without)
        assert (answer.status_code, answer.json()["code"]) == (403, "token.no-role")
    with front.desk.database.write() as session:
        left = StaffRow(
            id="boss", email="boss@example.org", role="supervisor", language="es", areas=[], languages=[],
            joined_at=now(), left_at=now(),
        )  # fmt: skip
        staff.add(session, left)
        assert sign_ins.bind(session, "boss", provider.url, "The Boss", "compliance-1", now())
    assert (await front.http.get("/api/me", headers=signed_in)).status_code == 401


@pytest.mark.rule("M5.3")
async def test_one_person_is_one_actor_with_a_key_and_with_a_token(
    world: World, provider: Provider, tokens: Tokens
) -> None:
    believe(world, tokens)
    reference = await world.opened()
    by_token = {"Authorization": f"Bearer {provider.token(sub='a-1', role='supervisor', areas=None)}"}

    async def ask(path: str, body: Any) -> tuple[int, str]:
        answer = await world.http.post(f"/api/inquiries/{reference}/{path}", json=body, headers=by_token)
        return answer.status_code, answer.json().get("code", "")

    async def sign_in(who: str, role: Role = Role.SUPERVISOR, **body: str) -> tuple[int, str]:
        path = f"/api/staff/{who}/sign-in"
        answer = await world.http.post(path, json=body, headers=world.bearer(role))
        return answer.status_code, answer.json().get("code", "")

    order = {"command": "resolve", "order": UNFOUNDED}
    assert (await world.command(reference, "propose", order)).status_code == 200
    yes = await world.approval(reference)
    assert await ask("approve", yes) == (409, "actor.not-staff")
    assert await sign_in("agent-1", Role.AGENT, subject="a-1") == (403, "staff.role")
    assert await sign_in("supervisor-1", subject="a-1") == (409, "staff.oneself")
    assert await sign_in("nobody", subject="a-1") == (404, "staff.unknown")
    assert await sign_in("agent-1", subject="a-1") == (200, "")
    assert await sign_in("auditor-1", subject="a-1") == (409, "sign-in.taken")
    assert await ask("approve", yes) == (409, "approval.same-person")
    assert await sign_in("agent-1", subject="a-2") == (200, "")
    assert await ask("approve", yes) == (409, "actor.not-staff"), "one sub at a time"
    known = await world.get("/api/staff/agent-1", Role.COMPLIANCE)
    assert known.json()["subjects"] == ["a-2"]
    assert (await world.get("/api/staff/agent-1")).json()["subjects"] == []
    path = "/api/staff/agent-1/sign-in"
    ended = [await world.http.delete(path, headers=world.bearer(Role.COMPLIANCE)) for _ in range(2)]
    assert [(one.status_code, one.json().get("code")) for one in ended] == [(200, None), (404, "sign-in.none")]
    believe(world, None)
    assert await sign_in("agent-1", subject="a-1") == (409, "sign-in.no-provider")


async def test_a_provider_that_is_away_lets_nobody_in_and_keys_work_on(front: World, clock: Clock) -> None:
    nowhere = ProviderKeys("http://127.0.0.1:1", "", clock)
    tokens = Tokens(OidcSettings(issuer="http://127.0.0.1:1"), nowhere)
    believe(front, tokens)
    token = signed({"alg": "RS256", "kid": "one"}, {"iss": "http://127.0.0.1:1"}, STRANGER)
    answer = await front.http.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (503, "token.provider-away")
    assert answer.headers["retry-after"] == "30"
    assert (await front.get("/api/me")).status_code == 200
    believe(front, None)
    answer = await front.http.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token.unwanted")


def test_a_new_key_is_learned_and_made_up_ids_cause_no_flood(
    keys: ProviderKeys, provider: Provider, clock: Clock
) -> None:
    first = provider.keys.all[0].kid
    assert first
    assert keys.key(first) is not None
    provider.keys.rotate()
    second = provider.keys.all[0].kid
    assert second
    # Somebody has just looked: the new one is not known yet.
    assert keys.key(second) is None
    clock.at += PAUSE
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(keys.key, [second, *(f"made-up-{n}" for n in range(500))]))
    assert found[1:] == [None] * 500
    assert keys.key(second) is not None
    assert provider.asked == 4
    clock.at += PAUSE
    assert [keys.key(f"made-up-{n}") for n in range(100)] == [None] * 100
    assert provider.asked == 6


def test_a_key_that_was_taken_back_is_worth_nothing_within_the_hour(
    keys: ProviderKeys, provider: Provider, clock: Clock
) -> None:
    first = provider.keys.all[0].kid
    assert first
    assert keys.key(first) is not None
    provider.keys.rotate(keep=False)
    clock.at += FRESH + 1
    assert keys.key(first) is None


def test_what_is_known_stays_good_for_a_day_while_the_provider_is_away(clock: Clock) -> None:
    with open_provider() as provider:
        keys = ProviderKeys(provider.url, "", clock)
        kid = provider.keys.all[0].kid
        assert kid
        assert keys.key(kid) is not None
    clock.at += OLDEST - 1
    assert keys.key(kid) is not None
    clock.at += 2
    with pytest.raises(ProviderAway):
        keys.key(kid)


def test_while_one_looks_the_others_go_on_with_what_is_known(
    keys: ProviderKeys, provider: Provider, clock: Clock
) -> None:
    kid = provider.keys.all[0].kid
    assert kid
    keys.key(kid)
    clock.at += FRESH + 1
    with keys._lock:
        done: list[bool] = []
        thread = threading.Thread(target=lambda: done.append(keys.key(kid) is not None))
        thread.start()
        thread.join(5)
    assert done == [True]


@pytest.mark.parametrize(
    "document",
    [
        b"[]",
        b"no json",
        b'{"keys": 5}',
        b'{"issuer": "https://idp.example.net", "jwks_uri": "http://127.0.0.1:1/jwks"}',
        b" " * 600_000,
    ],
)
def test_a_document_that_is_none_is_no_key(document: bytes, clock: Clock, documents: Callable[[bytes], str]) -> None:
    with pytest.raises(ProviderAway):
        ProviderKeys(documents(document), "", clock).key("one")


def test_weak_secret_and_foreign_keys_are_left_out(clock: Clock, documents: Callable[[bytes], str]) -> None:
    weak = {"kid": "weak", "kty": "RSA", "e": "AQAB", "n": base64.urlsafe_b64encode(b"k" * 128).decode().rstrip("=")}
    whole = STRANGER.as_dict(private=True) | {"kid": "whole"}
    shared = OctKey.generate_key(256, {"kid": "shared"}, private=True).as_dict(private=True)
    sealing = STRANGER.as_dict(private=False) | {"kid": "sealing", "use": "enc"}
    good = ECKey.generate_key("P-256", {"kid": "good"}, private=True).as_dict(private=False)
    odd = {"kid": "odd", "kty": "XYZ"}
    url = documents(json.dumps({"keys": [weak, whole, shared, sealing, good, odd, {"kty": "RSA"}]}).encode())
    keys = ProviderKeys("https://idp.example.net", url, clock)
    assert keys.key("good") is not None
    for kid in ("weak", "whole", "shared", "sealing", "odd", ""):
        assert keys.key(kid) is None


@pytest.mark.parametrize("names", ["none", "HS256", "RS256,HS256", "", "RS256,nonsense"])
def test_an_algorithm_with_a_shared_secret_cannot_be_allowed(names: str) -> None:
    with pytest.raises(ValidationError):
        OidcSettings(algorithms=names)


def test_in_production_a_provider_is_spoken_to_over_https() -> None:
    with pytest.raises(ValidationError):
        OidcSettings(_environment="production", issuer="http://idp.example.net")


def test_eddsa_means_ed25519(clock: Clock, documents: Callable[[bytes], str]) -> None:
    key = OKPKey.generate_key("Ed25519", {"kid": "one"}, private=True)
    url = documents(json.dumps({"keys": [key.as_dict(private=False)]}).encode())
    tokens = Tokens(OidcSettings(issuer="https://idp.example.net"), ProviderKeys("https://idp.example.net", url, clock))
    at = int(now().timestamp())
    claims = {"iss": "https://idp.example.net", "aud": "plazo", "sub": "a", "role": "agent", "exp": at + 60}
    header = {"alg": "Ed25519", "kid": "one"}
    assert tokens.read(signed(header, claims, key), now()).subject == "a"
    with pytest.raises(VerificationError):
        tokens.read(signed(header, claims | {"aud": "x"}, key), now())


def test_a_role_may_lie_deeper(provider: Provider, keys: ProviderKeys) -> None:
    tokens = Tokens(OidcSettings(issuer=provider.url, role_claim="realm_access.roles"), keys)
    found: SignedIn = tokens.read(provider.token(realm_access={"roles": ["offline", "auditor"]}), now())
    assert found.actor.role is Role.AUDITOR


def test_the_stand_in_gives_tokens_to_the_users_of_development(
    provider: Provider, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAZO_OIDC_ISSUER", provider.url)
    run = CliRunner()
    printed = run.invoke(build(["token"]), ["token", "dev-supervisor"])
    assert tokens.read(printed.output.strip(), now()).actor.role is Role.SUPERVISOR
    assert run.invoke(build(["token"]), ["token", "nobody"]).exit_code == 1
    assert len(httpx2.post(f"{provider.url}/control/rotate").json()["kids"]) == 2
    assert httpx2.get(f"{provider.url}/control/asked").json() == {"discovery": 1, "jwks": 1}
    monkeypatch.setenv("PLAZO_OIDC_ISSUER", "http://127.0.0.1:1")
    assert run.invoke(build(["token"]), ["token", "dev-supervisor"]).exit_code == 3


async def test_a_token_opens_what_temporal_keeps_and_names_its_bearer(
    front: World, tokens: Tokens, provider: Provider
) -> None:
    believe(front, tokens)
    development_staff(front.desk.policy, front.desk.database, now(), provider.url)
    for role, status in (("agent", 403), ("supervisor", 200)):
        bearer = {"Authorization": f"Bearer {provider.token(role=role, sub='dev-agent')}"}
        answer = await front.http.post("/codec/decode", json={"payloads": []}, headers=bearer)
        assert answer.status_code == status
    with front.desk.database.read() as session:
        lines = [(one.actor, one.outcome, one.detail) for one in audit.page(session, action="codec.decode")]
    assert lines == [("dev-agent", "done", "0 payloads"), ("dev-agent", "denied", "codec.role")]
