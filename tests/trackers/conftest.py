from collections.abc import Iterator

import pytest

from tests.trackers.site import Listener, Site, open_site, tracker
from trackers.jira.adapter import Jira


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as one:
        yield one


@pytest.fixture
def site(listener: Listener) -> Iterator[Site]:
    with open_site(webhook_url=listener.url, email="us@example.org", token="token") as one:
        yield one


@pytest.fixture
def jira(site: Site) -> Jira:
    return tracker(site.url)
