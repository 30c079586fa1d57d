"""The web process: intake, admin API, status pages, and the dispatcher that hands everything to Temporal.

`python -m starter.web` runs it. It starts and takes in messages while Temporal is away; the dispatcher and the
reconciler begin once Temporal answers.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog
import uvicorn
from fastapi import FastAPI
from temporalio.client import Client

from channels.chat.settings import ChatSettings
from channels.registry import load_channels
from engine import connect, register_search_attributes
from listener import listening
from logs import configure_logs
from models.errors import EngineUnavailable, PlazoError, SettingsError
from models.inquiry import CHAT, EMAIL
from models.policy_reading import load_policy
from records.chat import Transcript
from records.database import Database
from settings import Settings, load_settings, read_section
from starter.admin import (
    answer_routes,
    api,
    approvals,
    audit,
    bindings,
    break_glass,
    command_routes,
    hooks,
    incidents,
    inquiries,
    own_incidents,
    prefill,
    quarantine,
    registrations,
    sign_ins,
    staff,
)
from starter.admin.desk import Desk
from starter.admin.jwks import ProviderKeys
from starter.admin.oidc import Tokens
from starter.admin.oidc_settings import oidc_settings
from starter.chat.desk import ChatDesk
from starter.chat.page import page_router
from starter.chat.routes import chat_router
from starter.codec_endpoint import Records, add_codec
from starter.health_routes import door_of, health_router
from starter.http.edge import Edge, EdgeSettings
from starter.http.limits import Rate
from starter.http.problems import install_problems, refusals
from starter.http.serving import serving
from starter.http.threads import Threads
from starter.http.traced import NOTHING_TOLD, Traced
from starter.reception.intake import make_intake
from starter.reception.pile import Pile
from starter.reception.posts import Posts
from starter.reception.web_form import FormEntrance
from starter.reception.webhooks import Hall, intake_router
from starter.reporting import api as reporting
from starter.reporting import quality_api as quality
from starter.status import routes as status
from starter.temporal.dispatcher import Dispatcher
from starter.temporal.engine import answering
from starter.temporal.reconciler import Reconciler
from starter.tracker_door import Door as TrackerDoor
from starter.tracker_door import tracker_router
from tracing import configure_traces, end_traces
from trackers.registry import load_trackers

THREADS = 8
"""Threads for the records database: it has one writer, and reading needs few."""

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds between tries to reach Temporal at the start."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The time, aware UTC."""
    return datetime.now(UTC)


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Make the application. Raises SettingsError and PolicyError; the database and Temporal may be away."""
    policy = load_policy(settings.policy)
    database = Database(settings.records_url)
    executor = ThreadPoolExecutor(THREADS, thread_name_prefix="records")
    dispatchers: list[Dispatcher] = []

    def wake() -> None:
        for dispatcher in dispatchers:
            dispatcher.wake()

    tokens = _tokens(settings)
    intake = make_intake(settings, policy, database, clock, wake)
    threads = Threads(executor)
    channels = load_channels(policy, settings, clock, Transcript(database))
    forms = FormEntrance(policy.intake.max_text_characters)
    pile = Pile(database, intake, {**channels, forms.name: forms}, clock, threads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = await connect(settings, lazy=True)
        dispatcher = Dispatcher(
            client, database, settings.task_queue, clock, executor=executor, hold_back=threads.hold_back
        )
        reconciler = Reconciler(client, database, clock, executor, wake)
        dispatchers.append(dispatcher)
        app.state.desk = Desk(settings, policy, database, client, intake, clock, wake, tokens)
        tasks = [asyncio.create_task(_hand_over(client, dispatcher, reconciler)), asyncio.create_task(pile.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            dispatchers.clear()
            executor.shutdown()
            database.close()

    app = FastAPI(
        title="Plazo",
        summary="Answers users on time, and can prove it.",
        version="1",
        lifespan=lifespan,
        telemetry=NOTHING_TOLD,
    )
    install_problems(app)
    app.add_middleware(Traced)
    app.add_middleware(Edge, settings=read_section(EdgeSettings, settings), clock=clock)
    hall = Hall(
        posts=Posts(pile, clock),
        channels=channels,
        form_entrance=forms,
        zone=ZoneInfo(policy.calendar_settings.zone),
        clock=clock,
        most_form_bytes=policy.intake.max_web_form_bytes,
        forms=Rate(settings.forms_per_minute),
    )
    app.state.channels = hall.channels
    app.include_router(intake_router(hall))
    app.state.trackers = load_trackers(policy, settings, clock)
    app.include_router(tracker_router(TrackerDoor(database, app.state.trackers, clock, threads, wake)))
    if CHAT in hall.channels:
        secret, chat = settings.reply_secret.get_secret_value().encode(), read_section(ChatSettings, settings)
        _add_chat(app, ChatDesk(database, intake, policy, chat, clock, threads, secret))
    rooms = (
        *(api, approvals, audit, inquiries, quarantine, command_routes, answer_routes, prefill),
        *(bindings, staff, sign_ins, break_glass, incidents, own_incidents, registrations),
        *(hooks, reporting, quality, status),
    )
    for room in rooms:
        app.include_router(room.router, responses=refusals(429))
    add_codec(app, settings, policy, Records(database, clock), signs_in=tokens is not None)
    app.state.door = door_of(settings, policy, database, clock)
    app.include_router(health_router(app.state.door, settings))
    return app


def _tokens(settings: Settings) -> Tokens | None:
    """Read the tokens of the sign-in provider, where there is one."""
    wanted = oidc_settings(settings)
    return Tokens(wanted, ProviderKeys(wanted.issuer, wanted.jwks_url, time.monotonic)) if wanted.issuer else None


def _add_chat(app: FastAPI, desk: ChatDesk) -> None:
    """The chat on the web platform, whose provider we are ourselves, and its page."""
    desk.address_left = lambda left: desk.intake.take_address(CHAT, left.session, (EMAIL, left.email))
    app.include_router(chat_router(desk))
    app.include_router(page_router(desk.policy))


async def _hand_over(client: Client, dispatcher: Dispatcher, reconciler: Reconciler) -> None:
    """Wait until Temporal answers and knows our search attributes; then dispatch and reconcile until cancelled."""
    await _prepare(client)
    async with asyncio.TaskGroup() as group:
        group.create_task(dispatcher.run())
        group.create_task(reconciler.run())


async def _prepare(client: Client) -> None:
    pause = FIRST_PAUSE
    while True:
        try:
            async with answering():
                await register_search_attributes(client)
        except EngineUnavailable as error:
            log.warning("web.temporal-away", why=str(error))
        except SettingsError as error:
            # What comes in is stored all the same, and the dispatcher says what Temporal refuses.
            log.error("web.search-attributes", why=str(error))  # noqa: TRY400  said in full
            return
        else:
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    try:
        settings = load_settings()
        configure_logs(settings.environment)
        configure_traces("web")
        app = create_app(settings)
    except PlazoError as error:
        sys.stderr.write(f"web: {error}\n")
        return 2
    # Once it has wound up uvicorn raises the signal again, which would end the process before its exit code is told.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    try:
        with listening(settings, app.state.door):
            uvicorn.Server(serving(app, settings)).run()
        end_traces()
    except SettingsError as error:
        sys.stderr.write(f"web: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The client's own threads may abort the interpreter on its way out.
    os._exit(code)
