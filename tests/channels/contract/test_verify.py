"""Nothing is believed but what the provider really posted: whatever else comes is a VerificationError, and no other."""

import ast
import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.port import Post
from models.errors import VerificationError
from tests.channels.contract.finding import each, each_excused, sources
from tests.channels.contract.specimen import Point, Specimen, utcnow

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)
CONTENT = {"content-type", "user-agent", "accept"}
"""Headers that prove nothing."""


def refused(it: Specimen, post: Post) -> None:
    with pytest.raises(VerificationError) as error:
        it.adapter.verify(post, utcnow())
    told = str(error.value)
    assert told
    assert not any(secret in told for secret in it.secrets), "an error shows a secret"


def proofs(post: Post) -> dict[str, str]:
    return {name: value for name, value in post.headers.items() if name not in CONTENT}


def without(post: Post, name: str) -> dict[str, str]:
    return {one: value for one, value in post.headers.items() if one != name}


@each(Point.DOOR)
def test_what_the_provider_posts_is_believed(it: Specimen) -> None:
    now = utcnow()
    posts = it.posts(now)
    assert posts
    for post in posts.values():
        it.adapter.knock(post.door, post.headers)
        it.adapter.verify(post, now)


@each_excused(Point.DOOR)
def test_where_nothing_is_posted_nothing_is_believed(it: Specimen) -> None:
    assert it.posts(utcnow()) == {}


@each()
def test_forgeries_are_refused(it: Specimen) -> None:
    forged = it.forgeries(utcnow())
    assert forged
    for post in forged.values():
        refused(it, post)


@each()
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_strangers_post_is_refused(it: Specimen, data: st.DataObject) -> None:
    known = sorted({name for post in it.posts(utcnow()).values() for name in post.headers})
    names = st.sampled_from([*known, "authorization"]) | ANY_TEXT
    values = ANY_TEXT | st.sampled_from(["Bearer ", "Basic", "Basic Og==", "sha256=", "sha256=AAAA", "0", "9" * 5000])
    doors = st.sampled_from([*it.adapter.doors, "nowhere"])
    headers = data.draw(st.dictionaries(names, values, max_size=5))
    whole = data.draw(st.booleans())
    refused(it, Post(data.draw(doors), headers, data.draw(st.binary(max_size=300)), whole=whole))


@each(Point.DOOR)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_proof_that_is_not_whole_is_none(it: Specimen, data: st.DataObject) -> None:
    post = data.draw(st.sampled_from(list(it.posts(utcnow()).values())))
    name = data.draw(st.sampled_from(sorted(proofs(post))))
    value = post.headers[name]
    other = data.draw(
        st.sampled_from(
            [
                "",
                value[:-5],
                value[5:],
                value[::-1],
                value * 2,
                value.swapcase(),
                f"{value}é",
                f"{value}\0",
                "\u0661" * 10,
            ]
        )
        | ANY_TEXT
    )
    if other.strip() == value:
        return
    # Of two headers that each prove it, either may be missing; neither may be wrong alone.
    refused(it, Post(post.door, {name: other}, post.body))


@each(Point.SIGNED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_body_is_refused(it: Specimen, data: st.DataObject) -> None:
    post = data.draw(st.sampled_from(list(it.posts(utcnow()).values())))
    at = data.draw(st.integers(0, len(post.body)))
    put, skipped = data.draw(st.binary(max_size=5)), data.draw(st.integers(0, 5))
    changed = post.body[:at] + put + post.body[at + skipped :]
    if changed != post.body:
        refused(it, Post(post.door, post.headers, changed))
    refused(it, Post(post.door, post.headers, post.body + b"\n"))
    refused(it, Post(post.door, post.headers, b""))


@each(Point.FRESH)
@pytest.mark.parametrize("minutes", [-60, -6, 6, 60])
def test_what_was_signed_at_another_time_is_refused(it: Specimen, minutes: int) -> None:
    for post in it.posts(utcnow() + timedelta(minutes=minutes)).values():
        refused(it, post)


@each(Point.KNOCK)
def test_a_stranger_is_turned_away_before_the_body_is_read(it: Specimen) -> None:
    post = next(iter(it.posts(utcnow()).values()))
    for name in proofs(post):
        for headers in ({}, without(post, name), {**post.headers, name: "wrong"}, {**post.headers, name: "é\0"}):
            with pytest.raises(VerificationError):
                it.adapter.knock(post.door, headers)


@each(Point.DOOR)
@pytest.mark.usefixtures("policy")
def test_secrets_are_compared_in_constant_time(it: Specimen) -> None:
    """By construction: a comparison that stops at the first difference stands nowhere where posts are verified."""
    modules = sources(it.channel)
    text = modules.get("verify", modules["adapter"])
    assert re.search(r"\bcompare_digest\(", text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            compared = ast.unparse(node)
            assert not re.search(r"secret|signature|digest|token|given", compared, re.IGNORECASE), compared
