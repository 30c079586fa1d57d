"""The quick ones of the fault experiments, in one town; `make faults` plays all of them."""

import random

import pytest
import pytest_asyncio

from tests.faults.experiments.experiment import Elsewhere, Experiment
from tests.faults.experiments.stage import Stage
from tests.faults.experiments.table import TABLE, TOWNS
from tests.faults.experiments.verdict import kept
from tests.faults.senders import Load
from tests.faults.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED, SCALE = 20, 0.05
QUICK = {
    "10": "Temporal's database is locked",
    "15": "the provider refuses what we send",
    "19": "one command 30 times at once",
    "24": "poisoned commands",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(here: Town) -> Stage:
    return Stage(here, Load(here, random.Random(SEED)), random.Random(SEED), SCALE)


@pytest.mark.parametrize("name", QUICK, ids=QUICK.values())
async def test_whatever_is_done_to_the_town_the_invariants_hold(stage: Stage, name: str) -> None:
    (one,) = [one for one in TABLE if isinstance(one, Experiment) and one.name == name]
    before = len(stage.load.people)
    found = await one.play(stage)
    await stage.mend()
    judged = await kept(stage, {person.reference for person in stage.load.people[before:]})
    assert found.wrong + judged.wrong == []


async def test_the_table_names_each_experiment_once_and_where_the_others_are() -> None:
    assert sorted(int(one.name) for one in TABLE) == list(range(1, 28))
    assert {one.where.partition(":")[0] for one in TABLE if isinstance(one, Elsewhere)} == {
        "make faults-kills",
        "make test",
    }


async def test_each_is_played_in_one_town() -> None:
    played = [name for names in TOWNS for name in names]
    assert sorted(played) == sorted(one.name for one in TABLE if isinstance(one, Experiment))
