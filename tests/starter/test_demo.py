"""The demo plays its life, tells it whole, and ends quickly enough to be watched."""

import subprocess
import sys
from pathlib import Path

import pytest

from starter.commands.samples import samples
from tests.waiting import PATIENCE

PLAZO = Path(sys.executable).parent / "plazo"


@pytest.mark.rule("M3.9")
def test_the_demo_tells_a_whole_life(tmp_path: Path) -> None:
    done = subprocess.run([PLAZO, "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    said = done.stdout
    kinds = ["acknowledgement", "referral", "extension", "external", "re_estimate", "final_unfounded", "review_noted"]
    places = [said.index(f" {kind} ──") for kind in [*kinds, "review_result"]]
    assert places == sorted(places), "the letters come in the order of the life"
    assert "What was owed and what met it" in said
    assert "one chain, verified" in said
    assert "seconds for the whole life" in said


def test_the_samples_are_nine_real_complaints_as_mails(tmp_path: Path) -> None:
    subprocess.run([PLAZO, "samples", tmp_path / "mails"], check=True, capture_output=True)
    assert len(list((tmp_path / "mails").glob("*.eml"))) == len(samples()) == 9
