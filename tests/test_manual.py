"""docs/manual.md holds what it says: every rule is there, what is kept is shown, defaults are the policy's."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.manual import Results, in_order, verdict
from tests.rules import MANUAL, Rule, State, read_rules, read_settings

HOUSE = Path(__file__).parents[1]
TEXT = MANUAL.read_text(encoding="utf-8")
RULES = read_rules(TEXT)
KNOWN = [
    *(f"M{chapter}.{n}" for chapter, most in enumerate((2, 1, 11, 2, 7, 1, 1), start=1) for n in range(1, most + 1))
]
POLICY = tomllib.loads((HOUSE / "policies" / "roxom" / "policy.toml").read_text(encoding="utf-8"))
NAMES = {"operator", "manual", "authority", "channels", "areas", "signing"}
"""Sections that name things; their keys decide nothing by themselves."""
DECIDING = {"answered_by", "conversation"}
"""What decides something of a channel all the same."""


@cache
def marked() -> dict[str, frozenset[str]]:
    """The rules that each test is marked with, by `tests/file.py::name`, read off the source."""
    found: dict[str, frozenset[str]] = {}
    for path in sorted((HOUSE / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for name in _names(node):
                rules = re.findall(r"pytest\.mark\.rule\('([^']+)'\)", ast.unparse(node))
                found[f"{path.relative_to(HOUSE)}::{name}"] = frozenset(rules)
    return found


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def test_every_rule_of_the_manual_stands_there_once() -> None:
    assert [rule.id for rule in RULES] == KNOWN
    assert all(rule.text for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_a_rule_says_of_itself_is_so(rule: Rule) -> None:
    anywhere = {name for name, rules in marked().items() if rule.id in rules}
    if rule.promised:
        assert anywhere, f"{rule.id} is kept, but no test is marked with it"
        assert rule.shown, f"{rule.id} names no test"
    assert set(rule.shown) <= anywhere, "it names tests that do not exist or do not bear its mark"
    assert bool(rule.open) == (rule.state is not State.KEPT), "what is missing stands under Open, and nowhere else"


def test_no_mark_names_a_rule_that_the_manual_does_not_have() -> None:
    assert {rule for rules in marked().values() for rule in rules} <= set(KNOWN)


def test_the_readings_name_every_setting_with_its_default() -> None:
    said = read_settings(TEXT)
    deciding = {f"{section}.{key}" for section in set(POLICY) - NAMES - {"version"} for key in POLICY[section]}
    named = {name: channel for name, channel in POLICY["channels"].items() if isinstance(channel, dict)}
    deciding |= {f"channels.{name}.{key}" for name, channel in named.items() for key in set(channel) & DECIDING}
    assert deciding <= set(said), "a setting of policy.toml is missing in docs/manual.md"
    for name, default in said.items():
        value: Any = POLICY
        for part in name.split("."):
            value = value[part]
        if default:
            assert value == tomllib.loads(f"default = {default}")["default"], name


def test_the_thirteen_readings_stand_there_in_order() -> None:
    readings = TEXT.split("## The readings")[1]
    assert re.findall(r"^### (\d+)\. ", readings, flags=re.MULTILINE) == [str(n) for n in range(1, 14)]


def rule(state: State) -> Rule:
    return Rule("M3.2", state, "a rule", (), "")


@pytest.mark.parametrize(
    ("state", "passed", "failed", "said", "good"),
    [
        (State.KEPT, {"a"}, set(), "pass", True),
        (State.KEPT, set(), set(), "no test", False),
        (State.PARTLY, set(), set(), "no test", False),
        (State.PARTLY, {"a"}, {"b"}, "fail", False),
        (State.OPEN, set(), set(), "open", True),
        (State.OPEN, set(), {"b"}, "fail", False),
    ],
)
def test_a_kept_rule_without_a_passing_test_is_not_in_order(
    state: State, passed: set[str], failed: set[str], said: str, *, good: bool
) -> None:
    results = Results()
    results.passed["M3.2"] |= passed
    results.failed["M3.2"] |= failed
    assert verdict(rule(state), results) == said
    assert in_order([rule(state)], results) is good


def test_a_mark_with_an_unknown_rule_is_not_in_order() -> None:
    results = Results()
    results.passed["M3.2"].add("a")
    assert in_order([rule(State.KEPT)], results)
    results.passed["M9.9"].add("a")
    assert not in_order([rule(State.KEPT)], results)
