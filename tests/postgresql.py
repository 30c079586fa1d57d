"""A PostgreSQL server of the tests' own: its programs found, started on a socket in a folder, stopped by its id.

PostgreSQL will not run as root; there it runs as `nobody`, in a folder that is nobody's.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg

from tests.waiting import PATIENCE

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/bin")
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB")
"""A test's database need not survive a power cut."""


def programs() -> Path | None:
    """Return the folder of `initdb` and `postgres`, the newest there is, or None."""
    found = [folder for place in PLACES for folder in sorted(Path("/").glob(place.lstrip("/")), reverse=True)]
    on_path = shutil.which("initdb")
    folders = [*found, *([Path(on_path).parent] if on_path else [])]
    return next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)


class Server:
    """One server. `address` leads to a database of it."""

    def __init__(self) -> None:
        """Make it and start it; whoever did stops it."""
        found = programs()
        if found is None:
            raise FileNotFoundError("no PostgreSQL is installed here")
        self._programs = found
        # A socket's path is at most 107 bytes, and pytest's folders are longer and closed to others.
        self.folder = Path(tempfile.mkdtemp(prefix="plazo-pg-", dir="/tmp"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        data = str(self.folder / "data")
        making = [str(found / "initdb"), "-D", data, "-U", "plazo", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(making, user=self._user, check=True, capture_output=True, cwd=self.folder, timeout=PATIENCE)
        self._process = self._start(data)

    def _start(self, data: str) -> subprocess.Popen[bytes]:
        settings = [part for one in QUICK for part in ("-c", one)]
        where = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        running = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", data, *where, *settings],
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
        )
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-U", "plazo", "-d", "postgres"]
        for _ in range(600):
            if running.poll() is not None:
                break
            if subprocess.run(ready, check=False).returncode == 0:
                return running
            try:
                running.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        running.kill()
        raise TimeoutError("PostgreSQL did not start")

    def address(self, name: str) -> str:
        """Return the records' address of a database."""
        return f"postgresql+psycopg://plazo@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Make a database, empty or a copy of another that nobody is connected to; return its name."""
        name = f"t_{uuid.uuid4().hex[:16]}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def stop(self) -> None:
        """End it, and whoever is connected, at once; its folder goes."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, statement: str) -> None:
        """Say something to the server as its owner."""
        self.run_in("postgres", statement)

    def run_in(self, name: str, statement: str) -> None:
        """Say something in a database as its owner."""
        with psycopg.connect(f"host={self.folder} user=plazo dbname={name}", autocommit=True) as connection:
            connection.execute(statement.encode())
