"""Which channels there are to be tried: those of the policy and of the examples, each by its specimens."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import channels
from channels.port import Adapter, Transcript
from channels.registry import load_channels
from environment import PREFIX
from models.inquiry import Channel
from models.policy import Policy
from models.policy_reading import load_policy
from settings import HOUSE, load_settings
from tests.channels.contract.specimen import Point, Specimen, utcnow

ROXOM = HOUSE / "policies" / "roxom"
EXAMPLES = HOUSE / "docs" / "examples"
SPECIMENS = "tests.channels.contract.specimens"


@cache
def examples() -> tuple[Channel, ...]:
    """The channels among the examples of the documentation."""
    return tuple(sorted(one.parent.name for one in EXAMPLES.glob("*/adapter.py")))


def wanted(policy: Policy) -> list[Channel]:
    """The channels that carry letters of their own."""
    return [name for name, one in policy.channels.named.items() if one.enabled and one.answered_by == name]


def specimens_of(name: Channel) -> tuple[type[Specimen], ...]:
    """A channel's specimens; none where nobody wrote any."""
    module = f"docs.examples.{name}.specimen" if name in examples() else f"{SPECIMENS}.{name}"
    if find_spec(module) is None:
        return ()
    ways: tuple[type[Specimen], ...] = import_module(module).WAYS
    return ways


def without_specimen(names: list[Channel]) -> str:
    """What is to be done about channels that nobody tries; empty where there are none."""
    return "\n".join(
        f"channels.{name} has no specimen, so nobody tries it: write tests/channels/contract/specimens/{name}.py"
        " with WAYS (docs/channels.md, Add a channel)"
        for name in names
        if not specimens_of(name)
    )


WAYS = [way for name in (*wanted(load_policy(ROXOM)), *examples()) for way in specimens_of(name)]


def each(*points: Point) -> pytest.MarkDecorator:
    """Run a test with every way that has these points."""
    ways = [way for way in WAYS if way.excused.keys().isdisjoint(points)]
    return pytest.mark.parametrize("it", ways, ids=[f"{way.channel}-{way.way}" for way in ways], indirect=True)


def each_excused(point: Point) -> pytest.MarkDecorator:
    """Run a test with every way that says it has not this point."""
    ways = [way for way in WAYS if point in way.excused]
    return pytest.mark.parametrize("it", ways, ids=[f"{way.channel}-{way.way}" for way in ways], indirect=True)


@contextmanager
def house_with_examples(folder: Path) -> Iterator[Policy]:
    """A house that has the examples' channels too: their packages beside ours, their sections in a copied policy."""
    shutil.copytree(ROXOM, folder / "policy")
    for name in examples():
        shutil.copytree(EXAMPLES / name, folder / "channels" / name, ignore=shutil.ignore_patterns("__pycache__"))
        with (folder / "policy" / "policy.toml").open("a", encoding="utf-8") as file:
            file.write("\n" + (EXAMPLES / name / "policy.toml").read_text(encoding="utf-8"))
    channels.__path__.append(str(folder / "channels"))
    try:
        yield load_policy(folder / "policy")
    finally:
        channels.__path__.remove(str(folder / "channels"))


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """An environment with these variables of ours and no other."""
    before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in before:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in [one for one in os.environ if one.startswith(PREFIX)]:
            del os.environ[name]
        os.environ.update(before)


def build(policy: Policy, variables: Mapping[str, str], transcript: Transcript | None = None) -> dict[str, Adapter]:
    """Build every channel as the house does, in an environment of these variables."""
    with environment(variables):
        return dict(load_channels(policy, load_settings(), utcnow, transcript))


def sources(name: Channel) -> dict[str, str]:
    """The modules of a channel's package, by name."""
    spec = find_spec(f"channels.{name}")
    assert spec is not None
    assert spec.submodule_search_locations is not None, f"channels.{name} is to be a package"
    folder = Path(spec.submodule_search_locations[0])
    files = (one for one in folder.glob("*.py") if one.name != "specimen.py")
    return {one.stem: one.read_text(encoding="utf-8") for one in files}


def squeezed(text: str) -> str:
    """A text with every stretch of white space as one blank, as letters are compared."""
    return re.sub(r"\s+", " ", text).strip()
