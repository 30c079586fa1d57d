"""What a town stands on: a policy with shorter waits, ports of its own, and where its records are kept."""

import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from models.errors import SettingsError
from records.migrate import revision
from settings import HOUSE
from tests.eased import ease

UNKNOWN_WAIT = 5
"""Seconds that a letter with an unknown end waits for the provider's word in a town (notices.unknown_wait_seconds)."""

GATHERED_FOR = 600
"""Seconds that deliveries are gathered as the policy is shipped (notices.delivered_after_seconds)."""

GIVEN: set[int] = set()
"""Ports of towns: one that is being built does not listen on all of its own yet."""


def short_policy(folder: Path, gather: int, more: Mapping[str, tuple[int, int]]) -> Path:
    """A copy of the policy with a short wait for the provider's word; deliveries are gathered for `gather` seconds.

    `more`: further numbers by name, as shipped and as wanted.
    """
    made = folder / "policy"
    shutil.copytree(HOUSE / "policies" / "roxom", made)
    file = made / "policy.toml"
    text = file.read_text(encoding="utf-8")
    for name, shipped, wanted in (
        ("unknown_wait_seconds", 300, UNKNOWN_WAIT),
        ("delivered_after_seconds", GATHERED_FOR, gather),
        *((name, *change) for name, change in more.items()),
    ):
        assert text.count(f"{name} = {shipped}") == 1
        text = text.replace(f"{name} = {shipped}", f"{name} = {wanted}")
    file.write_text(text, encoding="utf-8")
    ease(file)
    return made


def given_records(folder: Path) -> str:
    """The database in PLAZO_RECORDS_URL, else a file in the folder. Raises SettingsError for one that is not empty."""
    url = os.environ.get("PLAZO_RECORDS_URL") or f"sqlite:///{folder / 'records' / 'records.db'}"
    if revision(url) is not None:
        raise SettingsError("PLAZO_RECORDS_URL names records that are in use; a trial needs an empty database")
    return url


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now, and that nobody here was given before."""
    numbers: list[int] = []
    while len(numbers) < count:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number = int(probe.getsockname()[1])
        if number not in GIVEN:
            GIVEN.add(number)
            numbers.append(number)
    return numbers
