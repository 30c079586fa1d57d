"""A small disk of our own, where this machine lets us have one: it is gone with this process."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

NEW_MOUNTS = 0x00020000  # CLONE_NEWNS of linux/sched.h


class NoDisk(Exception):
    """This machine gives us none; the text says why."""


def small_disk(folder: Path, megabytes: int) -> None:
    """Put a disk of that size where the folder is, for this process and its children alone. Raises NoDisk."""
    if sys.platform != "linux":
        raise NoDisk("only Linux has file systems in memory that end with a process")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS) != 0:
        raise NoDisk(f"mounting needs privileges ({os.strerror(ctypes.get_errno())})")
    for command in (
        ("mount", "--make-rprivate", "/"),
        ("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "plazo-faults", str(folder)),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoDisk(f"mounting needs privileges ({done.stderr.strip()[:100]})")
