"""The bar of all channels, in short: Temporal away while everybody speaks. `make faults-channels` runs it in full."""

import random
from pathlib import Path

import pytest

from tests.faults.channels import SHORT, trial

SEED = 20


@pytest.mark.rule("M2.1")
@pytest.mark.rule("M3.1")
async def test_what_is_said_on_any_channel_while_temporal_is_away_is_kept_once_and_in_order(
    tmp_path: Path, records_url: str
) -> None:
    found = await trial(tmp_path, records_url, random.Random(SEED), SHORT)
    assert found.wrong == []
    assert (found.figures["inquiries"], found.figures["messages stored"]) == (40, 100)
    assert found.figures["messages sent while Temporal was away"] > 0, "its absence was felt"
