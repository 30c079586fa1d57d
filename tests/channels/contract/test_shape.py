"""A channel is a package with `build`, which knows of nothing but models, settings and the channels' common modules."""

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.message import RemoteFile
from channels.port import Adapter, Greeting
from models.errors import ChannelError, VerificationError
from models.policy import Policy
from tests.channels.contract.finding import (
    WAYS,
    build,
    each,
    each_excused,
    sources,
    specimens_of,
    wanted,
    without_specimen,
)
from tests.channels.contract.specimen import Point, Specimen, utcnow

COMMON = {"channels.port", "channels.message", "channels.letter", "channels.report", "channels.text", "channels.guess"}
COMMON |= {"channels.tokens", "channels.unread"}
OURS = {"models", "records", "activities", "workflows", "channels", "starter", "counterparts", "tests"}
OURS |= {"worker", "settings", "plugin", "engine", "codec", "keys", "logs"}
UNWANTED = {"httpx", "requests", "aiohttp", "sqlmodel", "sqlalchemy", "temporalio", "fastapi", "starlette"}
CHANNELS = sorted({way.channel for way in WAYS})


def test_every_channel_of_the_policy_is_tried(policy: Policy) -> None:
    assert set(wanted(policy)) >= {"email", "chat", "x", "telegram", "pigeon"}
    assert set(build(policy, {})) == set(wanted(policy)), "the registry builds what the policy switches on"
    assert not without_specimen(wanted(policy))


def test_a_channel_that_nobody_tries_is_named() -> None:
    assert not specimens_of("albatross")
    assert without_specimen(["email", "albatross"]) == (
        "channels.albatross has no specimen, so nobody tries it: write"
        " tests/channels/contract/specimens/albatross.py with WAYS (docs/channels.md, Add a channel)"
    )


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.channel}-{way.way}")
def test_what_a_way_has_not_is_said_in_words(way: type[Specimen]) -> None:
    assert all(len(why.split()) > 1 for why in way.excused.values())
    assert way.excused.keys() <= set(Point)


@each()
def test_it_is_built_under_its_own_name(it: Specimen) -> None:
    assert isinstance(it.adapter, Adapter)
    assert it.adapter.name == it.channel
    module = inspect.getmodule(type(it.adapter))
    assert module is not None
    assert module.__name__ == f"channels.{it.channel}.adapter"


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize("channel", CHANNELS)
def test_it_imports_no_more_than_a_channel_may(channel: str) -> None:
    for name, text in sources(channel).items():
        for module in imported(text):
            first = module.partition(".")[0]
            own = module == f"channels.{channel}" or module.startswith(f"channels.{channel}.")
            allowed = own or module in COMMON or first in {"models", "settings"} or first not in OURS
            assert allowed, f"channels/{channel}/{name}.py imports {module}"
            assert first not in UNWANTED, f"channels/{channel}/{name}.py imports {module}"


@each()
def test_doors_have_plain_names_and_a_limit(it: Specimen) -> None:
    for name, door in it.adapter.doors.items():
        assert re.fullmatch(r"[a-z]{1,32}", name)
        assert 1024 <= door.limit <= 64 * 1024 * 1024
    assert {post.door for post in it.posts(utcnow()).values()} <= it.adapter.doors.keys()


@each()
def test_feeds_have_names_of_their_own(it: Specimen) -> None:
    feeds = it.adapter.feeds()
    for feed in feeds:
        with closing(feed):
            assert feed.name == it.channel or feed.name.startswith(f"{it.channel}_") or feed.name == "imap"
            assert 0 <= feed.pause <= 3600
    assert len({feed.name for feed in feeds}) == len(feeds)


@each_excused(Point.FEED)
def test_who_asks_for_nothing_has_no_feed(it: Specimen) -> None:
    assert it.adapter.feeds() == ()


@each()
@settings(max_examples=30, deadline=None)
@given(door=st.sampled_from(["", "events", "nowhere"]), query=st.dictionaries(st.text(), st.text(), max_size=4))
def test_a_handshake_is_answered_or_refused(it: Specimen, door: str, query: dict[str, str]) -> None:
    asked = [door, *it.adapter.doors]
    for one in asked:
        with suppress(VerificationError):
            assert it.adapter.shake(one, query) is None or Point.SHAKE not in it.excused


@each(Point.SHAKE)
@pytest.mark.parametrize("token", ["", "x" * 2000, "x" * 1_000_000])
def test_a_malformed_handshake_is_refused(it: Specimen, token: str) -> None:
    [door] = it.adapter.doors
    assert it.adapter.shake(door, {"crc_token": "fine"})
    with pytest.raises(VerificationError):
        it.adapter.shake(door, {"crc_token": token})


@each()
def test_a_link_shows_the_code_or_there_is_none(it: Specimen) -> None:
    link = it.adapter.link("a-Code_1")
    if Point.LINK in it.excused:
        assert link == ""
    else:
        assert re.fullmatch(r"https://\S+\ba-Code_1\b\S*", link)


@each(Point.GREET)
def test_who_says_nothing_yet_is_told_how_to_go_on(it: Specimen) -> None:
    person = it.person()
    it.adapter.greet(Greeting(person, None))
    [said] = it.delivered(person)
    assert it.policy.operator.name in said
    with pytest.raises(ChannelError):
        it.adapter.greet(Greeting("nobody at all", None))


@each(Point.FILES)
def test_a_file_is_fetched_from_the_provider_alone(it: Specimen) -> None:
    left, content = it.file()
    assert it.adapter.fetch(left) == content
    for strange in ("gone", "../../etc/passwd", "http://127.0.0.1:9/x", "https://example.org/x", "x" * 1000):
        with pytest.raises(ChannelError) as refused:
            it.adapter.fetch(RemoteFile(id=strange, filename="x", content_type="x"))
        assert not any(secret in str(refused.value) for secret in it.secrets)


@each_excused(Point.FILES)
def test_who_leaves_no_files_fetches_none(it: Specimen) -> None:
    assert type(it.adapter).fetch is Adapter.fetch


@each_excused(Point.GREET)
def test_who_greets_nobody_keeps_quiet(it: Specimen) -> None:
    assert type(it.adapter).greet is Adapter.greet


@each_excused(Point.ANSWER)
@pytest.mark.rule("M3.1")
def test_where_answers_name_no_letter_the_open_inquiry_takes_them(it: Specimen) -> None:
    assert it.policy.channels.named[it.channel].conversation


def imported(text: str) -> Iterator[str]:
    """The modules that a source imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
