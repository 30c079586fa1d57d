import json
import socket
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.x.api import Grants, open_client
from channels.x.tokens import Pair, Tokens
from models.errors import ChannelError, OperatorError, TransientError
from tests.channels.x.places import Standin, Taken, adapter, letter, now
from tests.waiting import PATIENCE

FIRST = Pair("a0", "r0")
AT = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


class Counter:
    """X's counter for tokens: takes each refresh token once."""

    def __init__(self, newest: str = "r0") -> None:
        self.newest, self.count = newest, 0
        self.ends = 0.0

    def exchange(self, refresh: str) -> Pair:
        if refresh != self.newest:
            raise OperatorError("used up")
        self.count += 1
        self.newest = f"r{self.count}"
        return Pair(f"a{self.count}", self.newest, self.ends)


def tokens(path: Path, counter: Counter, first: Pair = FIRST) -> Tokens:
    return Tokens(path / "sub" / "tokens.json", first, counter.exchange, lambda: AT)


def test_a_new_pair_is_kept_for_the_next_process_and_for_nobody_else(tmp_path: Path) -> None:
    counter = Counter()
    assert tokens(tmp_path, counter).access() == "a0"
    assert tokens(tmp_path, counter).renew("a0") == "a1"
    assert tokens(tmp_path, counter).access() == "a1"
    assert tokens(tmp_path, counter).renew("a0") == "a1"
    assert tokens(tmp_path, counter).renew("a1") == "a2"
    file = tmp_path / "sub" / "tokens.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert counter.count == 2


def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    counter = Counter()
    counter.ends = (AT + timedelta(seconds=30)).timestamp()
    assert tokens(tmp_path, counter, Pair("", "r0")).access() == "a1"
    counter.ends = (AT + timedelta(hours=2)).timestamp()
    assert tokens(tmp_path, counter, Pair("", "r0")).access() == "a2"
    assert tokens(tmp_path, counter, Pair("", "r0")).access() == "a2"


def test_another_first_pair_puts_the_file_aside(tmp_path: Path) -> None:
    tokens(tmp_path, Counter()).renew("a0")
    assert tokens(tmp_path, Counter("s0"), Pair("b0", "s0")).access() == "b0"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"origin":7}', b"[" * 100_000])
def test_a_broken_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sub" / "tokens.json"
    file.parent.mkdir()
    file.write_bytes(content)
    assert tokens(tmp_path, Counter()).access() == "a0"


def test_wrong_types_in_the_file_are_borne(tmp_path: Path) -> None:
    counter = Counter()
    tokens(tmp_path, counter).renew("a0")
    file = tmp_path / "sub" / "tokens.json"
    kept = json.loads(file.read_bytes())
    file.write_text(json.dumps(kept | {"ends": "soon", "refresh": 7}))
    assert tokens(tmp_path, counter).access() == "a1"
    with pytest.raises(OperatorError, match="PLAZO_X_REFRESH_TOKEN"):
        tokens(tmp_path, counter).renew("a1")


def test_a_pair_that_could_not_be_written_down_is_not_asked_for(tmp_path: Path) -> None:
    counter = Counter()
    (tmp_path / "sub").write_text("a file where the folder should be")
    with pytest.raises(OperatorError, match="PLAZO_X_TOKENS_FILE"):
        tokens(tmp_path, counter).renew("a0")
    assert counter.count == 0


def test_no_token_stands_in_a_representation() -> None:
    assert "secret" not in repr(Pair("secret-a", "secret-r"))


def test_two_adapters_on_one_file_refresh_once_in_all(standin: Standin, tmp_path: Path) -> None:
    ana, failed = standin.join(), list[ChannelError]()
    both = [adapter(standin.port, tmp_path), adapter(standin.port, tmp_path)]

    for round_ in range(1, 4):
        standin.set(expire=True)
        ready = threading.Barrier(8)

        def write(number: int, ready: threading.Barrier = ready) -> None:
            ready.wait()
            try:
                both[number % 2].send(letter(ana, f"{number}"), Taken())
            except ChannelError as error:
                failed.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert failed == []
        assert standin.stands()["refreshes"] == round_
    assert len(standin.thread(ana)) == 24


SENDING = """
import sys
from pathlib import Path
from tests.channels.x.places import Taken, adapter, letter
adapter(int(sys.argv[1]), Path(sys.argv[2])).send(letter(sys.argv[3], sys.argv[4]), Taken())
"""


def test_two_processes_on_one_file_refresh_once_in_all(standin: Standin, tmp_path: Path) -> None:
    ana = standin.join()
    standin.set(expire=True)
    command = [sys.executable, "-c", SENDING, str(standin.port), str(tmp_path), ana]
    processes = [subprocess.Popen([*command, str(number)]) for number in range(2)]
    assert [process.wait(PATIENCE) for process in processes] == [0, 0]
    assert sorted(standin.thread(ana)) == ["0", "1"]
    assert standin.stands()["refreshes"] == 1


def test_a_counter_that_fails_is_asked_again_and_one_that_refuses_is_the_operators(standin: Standin) -> None:
    host = f"http://127.0.0.1:{standin.port}/x"
    grants = Grants(host, open_client(), now, "development", "development")
    standin.fault("status", status=503)
    with pytest.raises(TransientError):
        grants.exchange("development")
    fresh = grants.exchange("development")
    assert 7100 < fresh.ends - now().timestamp() < 7300
    for refused, counter in (
        ("development", grants),
        (fresh.refresh, Grants(host, open_client(), now, "development", "wrong")),
        (fresh.refresh, Grants(host, open_client(), now, "development", "")),
        (fresh.refresh, Grants(f"{host}/nowhere", open_client(), now, "development", "development")),
        (fresh.refresh, Grants("no url", open_client(), now, "development", "development")),
    ):
        with pytest.raises(OperatorError):
            counter.exchange(refused)
    assert grants.exchange(fresh.refresh).access != fresh.access


def test_without_a_connection_the_counter_is_asked_later(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        grants = Grants(f"http://127.0.0.1:{unused.getsockname()[1]}", open_client(), now, "a", "b")
        with pytest.raises(TransientError):
            grants.exchange("r")
