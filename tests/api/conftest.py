import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.alerts import Alerts
from activities.erasing import Erasures
from activities.events import Events
from activities.mailing import Mailing
from activities.notices import Notices
from activities.tracker import Incidents
from engine import connect, register_search_attributes
from models.inquiry import EMAIL
from records.database import Database
from records.documents import FolderStore
from settings import Settings
from starter.admin import api, command_routes, inquiries, quarantine, staff
from starter.house.residents import temporal_program
from starter.http.problems import install_problems
from starter.web import create_app
from tests.api.crew import enlist
from tests.api.world import Post, World, make_keys, now
from tests.eased import eased_policy
from tests.waiting import UP
from trackers.registry import load_trackers
from worker import stationery
from workflows.inquiry import InquiryWorkflow


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one Temporal server for all tests of a process."""
    loop = asyncio.new_event_loop()
    env = loop.run_until_complete(
        WorkflowEnvironment.start_local(dev_server_startup_timeout=UP, dev_server_existing_path=str(temporal_program()))
    )
    yield env.client.service_client.config.target_host
    loop.run_until_complete(env.shutdown())
    loop.close()


@pytest.fixture
def settings(tmp_path: Path, records_url: str, server: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    for limit in ("KEYS", "CALLS"):  # all tests call from one address, and some of them a great deal
        monkeypatch.setenv(f"PLAZO_EDGE_{limit}_PER_MINUTE", "100000")
    return Settings(
        var=tmp_path,
        records_url=records_url,
        temporal=server,
        task_queue=f"plazo-{tmp_path.name}",
        policy=eased_policy(tmp_path),
    )


@pytest.fixture
def records(database: Database) -> Database:
    return database


@pytest.fixture
async def front(settings: Settings, records: Database) -> AsyncIterator[World]:
    """The web process alone: nobody works on what it hands to Temporal."""
    app = create_app(settings)
    enlist(records)
    transport = ASGITransport(app)
    async with app.router.lifespan_context(app), AsyncClient(transport=transport, base_url="http://plazo.test") as http:
        yield World(app.state.desk, http, make_keys(records), Post())


@pytest.fixture
async def world(front: World, settings: Settings, records: Database) -> AsyncIterator[World]:
    """The whole: web process and worker."""
    client = await connect(settings)
    await register_search_attributes(client)
    with ThreadPoolExecutor(8) as executor:
        paper = stationery(settings)
        notices = Notices(records, paper, {EMAIL: front.post}, now)
        alerts = Alerts(records, paper, Mailing(records, {EMAIL: front.post}, now), now)
        trackers = load_trackers(front.desk.policy, settings, now)
        told = Incidents(records, trackers, front.desk.policy.tracker, now, timedelta(seconds=0.2))
        erasures = Erasures(records, FolderStore(settings.documents), now)
        worker = Worker(
            client,
            task_queue=settings.task_queue,
            workflows=[InquiryWorkflow],
            activities=[
                *(notices.deliver, notices.insist, Events(records, now).record),
                *(told.track, alerts.alert, erasures.erase),
            ],
            activity_executor=executor,
            max_concurrent_activities=8,
        )
        async with worker:
            yield front


@pytest.fixture
async def http_without_engine(front: World, settings: Settings) -> AsyncIterator[AsyncClient]:
    """The same web process, where no Temporal answers."""
    nobody = settings.model_copy(update={"temporal": "127.0.0.1:1"})
    app = FastAPI()
    install_problems(app)
    for room in (api, inquiries, quarantine, command_routes, staff):
        app.include_router(room.router)
    app.state.desk = dataclasses.replace(front.desk, client=await connect(nobody, lazy=True))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://plazo.test") as http:
        yield http
