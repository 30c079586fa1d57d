"""The alerts, the dashboard and the runbooks: about figures that the code gives, and tested."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from metrics import House, exposition
from records.database import Database
from tests.cases import MONDAY, policy

PLACE = Path(__file__).parents[1] / "deploy" / "observability"
ALERTS = (PLACE / "alerts.yml").read_text(encoding="utf-8")
TESTS = (PLACE / "alerts_test.yml").read_text(encoding="utf-8")
DASHBOARD = json.loads((PLACE / "dashboard.json").read_text(encoding="utf-8"))
RUNBOOKS = (PLACE.parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")
NAMES = re.findall(r"- alert: (\w+)", ALERTS)
FIGURE = re.compile(r"\b((?:plazo|temporal|process)_[a-z_]+|up)\b(?!=|-)")
OTHERS = {
    "up",  # Prometheus itself
    "temporal_num_pollers",  # the worker's SDK: tests/test_metrics.py sees it give these
    "temporal_worker_task_slots_available",
    "process_resident_memory_bytes",
}


def asked() -> list[str]:
    """Every expression of alerts and dashboard, without what its labels are compared with."""
    rules = re.findall(r"expr: (.+)", ALERTS)
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [re.sub(r'"[^"]*"', '""', expression) for expression in (*rules, *panels)]


def test_alerts_and_dashboard_ask_for_figures_that_are_given_and_leave_none_out(database: Database) -> None:
    given = {one.name for one in parse(exposition(House(database, policy(), lambda: MONDAY)).decode())}
    wanted = {name for expression in asked() for name in FIGURE.findall(expression)}
    assert wanted <= given | OTHERS
    ours = {name for name in given if name.startswith("plazo_")}
    assert ours <= wanted
    assert ours == set(re.findall(r"`(plazo_\w+)`", RUNBOOKS))


def test_every_alert_has_its_runbook_and_no_other() -> None:
    written = re.findall(r"^### (\w+)$", RUNBOOKS, flags=re.MULTILINE)
    assert written == NAMES
    assert re.findall(r"runbook: docs/operations.md#(\w+)", ALERTS) == [name.lower() for name in NAMES]
    for runbook in RUNBOOKS.split("\n### ")[1:]:
        for part in ("It means", "Look at", "Do"):
            assert f"**{part}**" in runbook, runbook.splitlines()[0]


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    for name in NAMES:
        assert f"- name: {name} fires" in TESTS
        assert f"- name: {name} is silent" in TESTS


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")])
def test_promtool_finds_nothing(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NO PROMTOOL FOUND: install Debian's `prometheus`")
    done = subprocess.run([promtool, *arguments], cwd=PLACE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
