"""What a production lacks is told at once: one error, every variable by its name, and how to do without the channel."""

from pathlib import Path

import pytest

from models.errors import SettingsError
from models.policy import Policy
from tests.channels.contract.finding import WAYS, build
from tests.channels.contract.specimen import Point, Specimen
from tests.test_settings import PRODUCTION

OWN = [way for way in WAYS if Point.CREDENTIALS not in way.excused]
every = pytest.mark.parametrize("way", OWN, ids=lambda way: f"{way.channel}-{way.way}")


def production(var: Path, but: type[Specimen]) -> dict[str, str]:
    """A production that has all it needs but what that channel needs of its own."""
    others = {name: value for way in OWN if way.channel != but.channel for name, value in way.production.items()}
    return {**PRODUCTION, "PLAZO_VAR": str(var), **others}


@every
def test_with_its_credentials_a_production_starts(policy: Policy, tmp_path: Path, way: type[Specimen]) -> None:
    assert way.channel in build(policy, {**production(tmp_path, way), **way.production})


@every
def test_a_missing_credential_is_named_and_so_is_the_switch(
    policy: Policy, tmp_path: Path, way: type[Specimen]
) -> None:
    switch = f"set channels.{way.channel}.enabled = false in the policy"
    needed = 0
    for name, value in way.production.items():
        left = {**production(tmp_path, way), **way.production}
        del left[name]
        try:
            build(policy, left)
        except SettingsError as error:
            needed += 1
            told = str(error)
            assert name in told, f"{name} is missing, and not named"
            assert switch in told, f"{name}: how to do without the channel is not said"
            assert value not in told
    assert needed, "nothing is needed"


@every
def test_all_that_is_missing_is_told_at_once(policy: Policy, tmp_path: Path, way: type[Specimen]) -> None:
    choices = {name: value for name, value in way.production.items() if value in {"imap", "smtp"}}
    with pytest.raises(SettingsError) as error:
        build(policy, {**production(tmp_path, way), **choices})
    told = str(error.value)
    assert told.count("does not add up") == 1, "one error for all that is missing"
    assert len([name for name in way.production if name in told]) >= 2 or len(way.production) == 1


def test_what_is_missing_on_several_channels_is_one_error(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        build(policy, {**PRODUCTION, "PLAZO_VAR": str(tmp_path)})
    told = str(error.value)
    assert all(name in told for name in ("PLAZO_TELEGRAM_TOKEN", "PLAZO_X_USER_ID", "PLAZO_PIGEON_SECRET"))


def test_a_switched_on_channel_without_a_package_is_named(policy: Policy) -> None:
    named = {
        **policy.channels.named,
        "albatross": policy.channels.named["pigeon"].model_copy(update={"answered_by": "albatross"}),
    }
    channels = policy.channels.model_copy()
    channels.__pydantic_extra__ = named
    with pytest.raises(SettingsError, match=r"channels\.albatross: no such channel is built in"):
        build(policy.model_copy(update={"channels": channels}), {})
