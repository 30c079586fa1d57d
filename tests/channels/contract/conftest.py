from collections.abc import Iterator, Mapping

import pytest

from channels.port import Adapter
from models.policy import Policy
from tests.channels.contract.finding import build, house_with_examples
from tests.channels.contract.specimen import Specimen
from tests.databases import Template


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policy]:
    with house_with_examples(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def it(
    request: pytest.FixtureRequest, policy: Policy, blank_records: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Specimen]:
    """A specimen at work: built by the registry, from the policy and the environment alone."""
    way: type[Specimen] = request.param
    var = tmp_path_factory.mktemp(way.channel)
    made: list[Adapter] = []
    records_url, _ = blank_records.apart(var)
    with way.opened(var, records_url) as specimen:

        def rebuilt(changes: Mapping[str, str]) -> Adapter:
            variables = {"PLAZO_VAR": str(var), **specimen.environment(), **changes}
            every = build(policy, variables, specimen.transcript)
            made.append(every[way.channel])
            return made[-1]

        specimen.policy, specimen.rebuilt = policy, rebuilt
        specimen.adapter = rebuilt({})
        try:
            yield specimen
        finally:
            for one in made:
                one.close()
