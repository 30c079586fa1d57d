"""`make manual`: every rule of the manual, the tests that show it, pass or fail, and what is open.

It runs the tests that are marked with a rule, and leaves with 1 when one of them fails, when a rule that is kept has no
passing test, or when a mark names a rule that the manual does not have.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from rich.console import Console
from rich.table import Table

from tests.rules import MANUAL, Rule, read_rules

WIDTH = 150
FINE = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""Ways for a test run to end after which its results mean something."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that are marked with a rule, and let each report carry its rules, also from another process."""
    marked = [item for item in items if item.get_closest_marker("rule")]
    config.hook.pytest_deselected(items=[item for item in items if item not in marked])
    items[:] = marked
    for item in marked:
        item.user_properties += [("rule", mark.args[0]) for mark in item.iter_markers("rule")]


@dataclass
class Results:
    """What became of the tests, by rule: their ids, and whether they passed."""

    passed: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of a test: a call that passed shows something, a failure in any phase is one."""
        rules = {str(value) for name, value in report.user_properties if name == "rule"}
        for rule in rules:
            if report.failed:
                self.failed[rule].add(report.nodeid)
            elif report.passed and report.when == "call":
                self.passed[rule].add(report.nodeid)

    @property
    def rules(self) -> set[str]:
        """Every rule that a mark names."""
        return set(self.passed) | set(self.failed)


def verdict(rule: Rule, results: Results) -> str:
    """`pass`, `fail`, `no test`, or `open` for a rule that nothing keeps yet."""
    if results.failed[rule.id]:
        return "fail"
    if results.passed[rule.id]:
        return "pass"
    return "no test" if rule.promised else "open"


def in_order(rules: Iterable[Rule], results: Results) -> bool:
    """Whether every rule that is kept is shown, nothing failed, and no mark names an unknown rule."""
    known = list(rules)
    return results.rules <= {rule.id for rule in known} and all(
        verdict(rule, results) in {"pass", "open"} for rule in known
    )


def table(rules: Sequence[Rule], results: Results) -> Table:
    """The rules with their tests."""
    made = Table("rule", "state", "what", "tests", "result", "open", title="The manual, rule by rule", show_lines=True)
    for rule in rules:
        count = len(results.passed[rule.id] | results.failed[rule.id])
        made.add_row(rule.id, rule.state, rule.text, str(count), verdict(rule, results), rule.open)
    return made


def main() -> int:
    """Run the marked tests, print the table, and return the exit code."""
    rules, results = read_rules(MANUAL.read_text(encoding="utf-8")), Results()
    code = pytest.main(["-q", "-n", "2", "--dist", "loadfile", "-p", "tests.manual"], plugins=[results])
    console = Console(width=WIDTH)
    console.print(table(rules, results))
    for rule in rules:
        for test in sorted(results.failed[rule.id]):
            console.print(f"{rule.id} fails: {test}", highlight=False, markup=False)
    for unknown in sorted(results.rules - {rule.id for rule in rules}):
        console.print(f"{unknown}: tests are marked with it, but docs/manual.md has no such rule", highlight=False)
    if code not in FINE:
        console.print(f"the tests could not all be run: {pytest.ExitCode(code).name}", highlight=False)
    return 0 if code in FINE and in_order(rules, results) else 1


if __name__ == "__main__":
    sys.exit(main())
