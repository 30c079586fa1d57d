"""The bar, in short: real processes killed under a load. `make faults-kills` runs it in full."""

import random
from pathlib import Path

from tests.faults.trial import trial

SEED = 20


async def test_whatever_is_killed_nothing_that_got_its_2xx_is_lost_and_no_letter_leaves_twice_unrecorded(
    tmp_path: Path, records_url: str
) -> None:
    found = await trial(tmp_path, records_url, random.Random(SEED), kills=3, rate=5, pause=(0.2, 0.8))
    assert found.wrong == []
    assert found.figures["messages stored"] == found.figures["messages that got their 2xx"] > 0
    assert found.figures["posts without a 2xx"] > 0, "the kills were felt"
    assert [found.figures[f"kills of {name}"] for name in ("worker", "web", "temporal")] == [3, 3, 3]
