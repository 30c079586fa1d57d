"""The supervisor: restarts with patience, stops in order, leaves nothing behind however it dies."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

from starter.house.supervisor import Child, House, Patience, ending
from starter.house.tether import Tether, kill_group, tied
from tests.waiting import PATIENCE

QUICK = Patience(first=0.05, longest=0.2, forgive=60, ask=0.02)
STAY = "import time; time.sleep(60)"


def python(name: str, code: str, *arguments: object, **more: object) -> Child:
    return Child(name, (sys.executable, "-I", "-S", "-c", code, *map(str, arguments)), **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(") ", 1)[1][0] != "Z"


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


def numbers(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


class Running:
    """A house that runs beside the test, and what it said."""

    def __init__(self, tmp_path: Path, *children: Child, patience: Patience = QUICK) -> None:
        self.said: list[str] = []
        self.settled = asyncio.Event()
        self.house = House(children, tmp_path / "log", self.said.append, patience)

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.house.run(self.settled.set))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.house.stop()
        await self.task


async def test_a_dead_child_starts_again_and_the_pauses_grow(tmp_path: Path) -> None:
    births = tmp_path / "births"
    code = "import sys, time; open(sys.argv[1], 'a').write(f'{time.monotonic_ns()}\\n'); print('tired'); sys.exit(3)"
    async with Running(tmp_path, python("mayfly", code, births)) as running:
        await until(lambda: len(numbers(births)) >= 5)
    pauses = [(b - a) / 1e9 for a, b in zip(numbers(births), numbers(births)[1:], strict=False)]
    assert all(measured >= due for measured, due in zip(pauses, [0.05, 0.1, 0.2, 0.2], strict=False))
    assert "mayfly ended with status 3; starting it again in 0.05 s" in running.said[0]
    assert running.said[1] == "mayfly | tired"


def test_pauses_double_up_to_the_longest() -> None:
    patience = Patience()
    assert [patience.pause(n) for n in (1, 2, 3, 7, 8, 5000)] == [0.5, 1, 2, 30, 30, 30]


async def test_a_child_that_lived_long_enough_is_forgiven(tmp_path: Path) -> None:
    forgiving = Patience(first=0.01, longest=30, forgive=0.0, ask=0.02)
    async with Running(tmp_path, python("mayfly", "raise SystemExit(1)"), patience=forgiving) as running:
        await until(lambda: sum("starting it again" in line for line in running.said) >= 4)
    assert all("in 0.01 s" in line for line in running.said if "starting" in line)


async def test_children_stop_one_after_the_other_the_last_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = """
import signal, sys, time
def leave(*_):
    time.sleep(0.1)
    open(sys.argv[1], "a").write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
open(sys.argv[1] + "." + sys.argv[2], "w").close()
time.sleep(60)
"""
    names = ("temporal", "mailroom", "worker", "web")

    def seen(name: str) -> Callable[[int], object]:
        async def ready(_pid: int) -> bool:
            return Path(f"{order}.{name}").exists()

        return ready

    children = [python(name, code, order, name, ready=seen(name), holds_back=name == "temporal") for name in names]
    async with Running(tmp_path, *children) as running:
        await asyncio.wait_for(running.settled.wait(), PATIENCE)
    assert order.read_text().split() == ["web", "worker", "mailroom", "temporal"]
    assert running.said == []


async def test_the_next_wait_for_a_child_that_holds_them_back(tmp_path: Path) -> None:
    door, pids = tmp_path / "door", tmp_path / "pids"

    async def open_door(_pid: int) -> bool:
        return door.exists()

    note = f"import os, sys; open(sys.argv[1], 'a').write(f'{{os.getpid()}}\\n'); {STAY}"
    first = python("first", note, pids, holds_back=True, ready=open_door)
    async with Running(tmp_path, first, python("second", note, pids)) as running:
        await until(lambda: len(numbers(pids)) == 1)
        await asyncio.sleep(0.2)
        assert len(numbers(pids)) == 1
        assert not running.settled.is_set()
        door.touch()
        await asyncio.wait_for(running.settled.wait(), PATIENCE)
        await until(lambda: len(numbers(pids)) == 2)


async def test_a_deaf_child_and_its_own_children_are_killed_after_its_grace(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-I", "-S", "-c", {STAY!r}])
open(sys.argv[1], "w").write(f"{{os.getpid()}} {{grandchild.pid}}")
time.sleep(60)
"""
    async with Running(tmp_path, python("deaf", code, pids, grace=0.2)) as running:
        await until(lambda: len(numbers(pids)) == 2)
    assert running.said == ["deaf did not stop within 0.2 s and is killed"]
    await until(lambda: not any(map(alive, numbers(pids))))


async def test_what_a_dead_child_left_of_its_group_is_gone_before_it_starts_again(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"""
import subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-I", "-S", "-c", {STAY!r}])
open(sys.argv[1], "a").write(f"{{grandchild.pid}}\\n")
"""
    async with Running(tmp_path, python("careless", code, pids)):
        await until(lambda: len(numbers(pids)) >= 2)
        await until(lambda: not alive(numbers(pids)[0]))
    await until(lambda: not any(map(alive, numbers(pids))))


async def test_important_lines_are_shown_and_all_lines_are_kept(tmp_path: Path) -> None:
    code = f"print('info all is well [uvicorn.error]', flush=True); print('ERROR the lamp is out', flush=True); {STAY}"
    async with Running(tmp_path, python("lamp", code)) as running:
        await until(lambda: running.said == ["lamp | ERROR the lamp is out"])
    assert (tmp_path / "log" / "lamp.log").read_text() == "info all is well [uvicorn.error]\nERROR the lamp is out\n"


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with Running(tmp_path, Child("ghost", ("/nowhere/at/all",))) as running:
        await until(lambda: len(running.said) >= 2)
    assert "ghost ended with status 1" in running.said[0]
    assert running.said[1] == "ghost | cannot start /nowhere/at/all: No such file or directory"


async def test_a_mistake_of_the_house_stops_everything_and_is_raised(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    note = f"import os, sys; open(sys.argv[1], 'a').write(f'{{os.getpid()}}\\n'); {STAY}"

    async def broken(_pid: int) -> bool:
        await until(lambda: len(numbers(pids)) == 2)
        raise ZeroDivisionError

    running = Running(tmp_path, python("sound", note, pids), python("broken", note, pids, ready=broken))
    with pytest.raises(ZeroDivisionError):
        await running.house.run(running.settled.set)
    assert not any(map(alive, numbers(pids)))


SUPERVISOR = """
import asyncio, sys
from pathlib import Path
from starter.house.supervisor import Child, House
note = "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " \\
    "g = subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)']); " \\
    "open(sys.argv[1], 'a').write(f'{os.getpid()} {g.pid}\\\\n'); time.sleep(60)"
children = [Child(name, (sys.executable, "-I", "-S", "-c", note, sys.argv[1])) for name in ("one", "two")]
asyncio.run(House(children, Path(sys.argv[2]), print).run(lambda: None))
"""


async def test_children_and_grandchildren_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(pids), str(tmp_path / "log")]) as supervisor:
        await until(lambda: len(numbers(pids)) == 4)
        assert all(map(alive, numbers(pids)))
        supervisor.kill()
    await until(lambda: not any(map(alive, numbers(pids))), 5)


async def test_the_kernel_alone_kills_a_tied_child_with_its_parent(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has this rope; the watcher holds elsewhere")
    pid = tmp_path / "pid"
    child = f"import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); {STAY}"
    parent = "import subprocess, sys; from starter.house.tether import tied; subprocess.call(tied(sys.argv[1:]))"
    command = [sys.executable, "-c", parent, sys.executable, "-I", "-S", "-c", child, str(pid)]
    with subprocess.Popen(command, start_new_session=True) as process:
        await until(lambda: bool(numbers(pid)))
        process.kill()
    await until(lambda: not alive(numbers(pid)[0]), 5)


async def test_the_watcher_kills_what_is_held_and_spares_what_was_released() -> None:
    command = [sys.executable, "-I", "-S", "-c", STAY]
    with (
        subprocess.Popen(command, start_new_session=True) as held,
        subprocess.Popen(command, start_new_session=True) as released,
    ):
        with Tether() as tether:
            tether.hold(held.pid)
            tether.hold(released.pid)
            tether.release(released.pid)
        assert await asyncio.to_thread(held.wait, 10) == -signal.SIGKILL
        assert released.poll() is None
        kill_group(released.pid)
    kill_group(released.pid)  # gone already: fine


def test_a_tether_whose_watcher_was_killed_is_no_mistake() -> None:
    with Tether() as tether:
        tether._watcher.kill()
        tether._watcher.wait()
        tether.hold(1)
        tether.release(1)


async def test_a_child_born_after_its_parents_death_leaves_at_once() -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has this rope")
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", ""]) as gone:
        gone.wait()
    command = [str(gone.pid) if part == str(os.getpid()) else part for part in tied((sys.executable, "-c", STAY))]
    with subprocess.Popen(command) as orphan:
        assert await asyncio.to_thread(orphan.wait, 10) == 1


def test_endings_in_words() -> None:
    assert ending(2) == "ended with status 2"
    assert ending(-9) == "was killed (SIGKILL)"
