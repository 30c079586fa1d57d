"""`plazo run`, the program behind `make run`: everything on embedded parts, in one terminal, on one machine.

It is for development and trying out. In production the worker, the web process and the collector are
started on their own, by whatever starts services there, and this refuses.
"""

import asyncio
import errno
import fcntl
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import typer

from models.errors import PlazoError, SettingsError
from models.inquiry import Role
from models.policy_reading import load_policy
from settings import Settings, load_settings
from starter.house.residents import LOOPBACK, ports, residents, temporal_program
from starter.house.supervisor import House

SLOW_AFTER = 30.0  # seconds until it says whom it still waits for


def run_command() -> None:
    """Start everything on embedded parts: Temporal with its UI, records, stand-ins, worker, web, collector."""
    try:
        settings = load_settings()
        with sole(settings.var):
            key = prepare(settings)
            asyncio.run(keep_house(settings, key))
    except PlazoError as error:
        typer.echo(f"plazo run: {error}", err=True)
        raise typer.Exit(2) from None


@contextmanager
def sole(var: Path) -> Iterator[None]:
    """Hold `var` for this process alone, however it ends. Raises SettingsError when another one has it."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "house.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SettingsError(
                f"Plazo runs already on {var} (process {lock.read().strip() or 'unknown'}); stop it with Ctrl-C where "
                "it runs, or set PLAZO_VAR and the four ports for a second one beside it"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def prepare(settings: Settings) -> str:
    """Check what can be checked before the start, migrate the records database, make development keys and staff.

    Returns a supervisor's key for the API. Raises SettingsError.
    """
    if settings.environment == "production":
        raise SettingsError(
            "starts embedded parts, which are not for production; start `python worker.py`, `python -m starter.web` "
            "and `python -m starter.collector` there, or unset PLAZO_ENVIRONMENT"
        )
    if not settings.temporal and not temporal_program().exists():
        raise SettingsError(f"{temporal_program()} is missing; run `make setup`, or name a server in PLAZO_TEMPORAL")
    for name, port in ports(settings).items():
        refuse_taken(name, port)
    settings.key_ring()
    # A second run and a taken port are told without waiting for these.
    from activities.letters.survey import sentence, waiting  # noqa: PLC0415
    from records.database import Database  # noqa: PLC0415
    from records.migrate import upgrade  # noqa: PLC0415
    from starter.admin.oidc_settings import oidc_settings  # noqa: PLC0415
    from starter.commands.keys import development_keys  # noqa: PLC0415
    from starter.house.staff import development_staff  # noqa: PLC0415

    for line in waiting(settings.policy):
        print_line(sentence(line))
    upgrade(settings.records_url)
    database = Database(settings.records_url)
    try:
        issuer = oidc_settings(settings).issuer
        development_staff(load_policy(settings.policy), database, datetime.now(UTC), issuer)
        return development_keys(settings, database, datetime.now(UTC))[Role.SUPERVISOR]
    finally:
        database.close()


def refuse_taken(name: str, port: int) -> None:
    """Raise SettingsError when something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise SettingsError(
                f"port {port} is taken by another program; stop it, or set PLAZO_{name.upper()} to a free one"
            ) from None


async def keep_house(settings: Settings, key: str, say: Callable[[str], None] | None = None) -> None:
    """Run the children until the first SIGINT, SIGTERM or SIGHUP. A second one leaves at once, and all are killed."""
    tell = say or print_line
    house = House(residents(settings), settings.var / "log", tell)
    loop = asyncio.get_running_loop()

    def leave(number: int) -> None:
        if house.stopping:
            os._exit(128 + number)
        tell("stopping; once more to kill everything at once")
        house.stop()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, leave, number)

    def slow() -> None:
        tell(f"still waiting for {', '.join(house.awaited)}; see {settings.var / 'log'}")

    impatience = loop.call_later(SLOW_AFTER, slow)

    def settled() -> None:
        impatience.cancel()
        tell(welcome(settings, key))

    tell("starting Temporal, mailroom, worker, web and collector")
    await house.run(settled)
    impatience.cancel()
    tell("stopped; nothing is left running, every open case waits for the next start")


def welcome(settings: Settings, key: str) -> str:
    """What a person reads once everything is healthy: the addresses, and what to try next."""
    ui = f"http://{LOOPBACK}:{settings.temporal_ui_port}"
    plazo = Path(sys.argv[0])
    return f"""Plazo is ready.

  API and its documentation   {settings.web_url}/docs
  mailroom (letters sent)     http://{LOOPBACK}:{settings.mailroom_port}
  Telegram, X (stand-ins)     http://{LOOPBACK}:{settings.mailroom_port}/telegram/  and  /x/
  web chat                    {settings.web_url}/chat
  Temporal's UI               {"see " + settings.temporal if settings.temporal else ui}
  key for the API             {key} (a supervisor's, for development alone)
  state and logs              {settings.var}/

Try next, in another terminal:

  {plazo} send-eml docs/examples/complaint.eml    a complaint comes in; its acknowledgement lies in the mailroom
  {plazo} list                                    the open inquiries and what each owes next
  curl -H "Authorization: Bearer {key}" {settings.web_url}/api/inquiries

Ctrl-C stops everything; starting again goes on with every open case.
"""


def print_line(line: str) -> None:
    """Print with the time of day, as a person at the terminal reads it."""
    typer.echo(f"{datetime.now().astimezone():%H:%M:%S} {line}")
