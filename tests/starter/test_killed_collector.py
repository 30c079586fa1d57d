"""A collector that was killed leaves its feeds held; the next one on the same machine need not wait for the leases."""

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest

from records import feeds
from records.database import Database
from starter.collector import free_the_dead
from tests.starter.mailbag import NOW

HERE = socket.gethostname()


def held(database: Database, holder: str) -> bool:
    """Whether a feed that `holder` has is held still after the dead were freed."""
    with database.write() as session:
        feeds.hold(session, "imap", "email", holder, now=NOW, lease=timedelta(minutes=2))
    freed = free_the_dead(database)
    with database.read() as session:
        [row] = feeds.all_of_them(session)
    assert (freed == []) is (row.holder == holder)
    return row.holder == holder


def test_who_was_killed_here_is_not_waited_for(database: Database) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not held(database, f"{HERE}:{gone.pid}")


def test_who_lives_keeps_what_they_hold(database: Database) -> None:
    assert held(database, f"{HERE}:{os.getpid()}")


@pytest.mark.parametrize("holder", ["elsewhere.example.org:4194999", "nobody"])
def test_who_may_live_elsewhere_keeps_what_they_hold(database: Database, holder: str) -> None:
    assert held(database, holder)
