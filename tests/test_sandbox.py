"""What the sandbox is not entered for must hold of every workflow."""

from pathlib import Path

import pytest

from settings import HOUSE

WORKFLOWS = sorted((HOUSE / "workflows").glob("*.py"))


@pytest.mark.parametrize("module", WORKFLOWS, ids=lambda path: path.stem)
@pytest.mark.parametrize("way", ["child_workflow", "external_workflow", "nexus"])
def test_a_workflows_payloads_are_all_its_own(module: Path, way: str) -> None:
    assert way not in module.read_text(encoding="utf-8"), "`sandbox.CaseInstance` knows no other owner yet"
