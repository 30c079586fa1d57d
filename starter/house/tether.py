"""The tether: nothing a supervisor started outlives it, however it dies.

A supervisor that is killed with -9 can stop nobody. Two ropes hold its children:

- on Linux the kernel kills a child whose parent died: `tied` has the child ask for that before it becomes its program;
- everywhere, one small process reads a pipe that the supervisor holds open (`Tether`). The supervisor writes `+<group>`
  when it starts a process group and `-<group>` when that group is gone. When the pipe ends, because the supervisor
  closed it or died, the groups still on the list are killed, grandchildren included.

Run as a program, by its path and without site packages so that it starts in milliseconds, it is either of the two.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PROGRAM = (sys.executable, "-I", "-S", __file__)


def kill_group(group: int) -> None:
    """Kill a process group at once; one that is gone already is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(group, signal.SIGKILL)


def tied(command: Sequence[str]) -> tuple[str, ...]:
    """The command that runs `command`, under the same process id, to be killed by the kernel when this process dies."""
    return (*PROGRAM, "tie", str(os.getpid()), *command) if sys.platform == "linux" else tuple(command)


class Tether:
    """The supervisor's end of the pipe, as a context: leaving it kills what is still on the list."""

    def __enter__(self) -> Self:
        self._watcher = subprocess.Popen([*PROGRAM, "watch"], stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 -- our own file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watcher.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._watcher.stdin.close()
        self._watcher.wait()

    def hold(self, group: int) -> None:
        """Put a process group on the list."""
        self._write(f"+{group}\n")

    def release(self, group: int) -> None:
        """Take a process group that is gone from the list, before its number is given to somebody else."""
        self._write(f"-{group}\n")

    def _write(self, line: str) -> None:
        if self._watcher.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher: the kernel's rope still holds
                self._watcher.stdin.write(line.encode())
                self._watcher.stdin.flush()


def tie(parent: int, command: Sequence[str]) -> None:
    """Ask the kernel to be killed with the parent, then become the command."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        sys.exit(1)
    try:
        os.execvp(command[0], list(command))  # noqa: S606 -- no shell is wanted
    except OSError as error:
        sys.exit(f"cannot start {command[0]}: {error.strerror}")


def watch(lines: Iterable[str]) -> None:
    """Follow the list until the pipe ends, then kill what is left on it."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    if sys.argv[1] == "tie":
        tie(int(sys.argv[2]), sys.argv[3:])
    else:
        watch(sys.stdin)
