"""How the web process serves: what it bounds of connections and waits for at its end."""

import uvicorn
from fastapi import FastAPI

from settings import Settings, read_section
from starter.http.connections import guarded
from starter.http.edge import EdgeSettings

MOST_CONNECTIONS = 800
"""Connections at once; more are answered 503, before the process runs out of files, of which it often gets 1,024."""

LAST_REQUESTS = 8
"""Seconds that requests under way get when the process ends."""


def serving(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return the server's settings. Raises SettingsError."""
    edge = read_section(EdgeSettings, settings)
    return uvicorn.Config(
        app,
        host=settings.web_host,
        port=settings.web_port,
        http=guarded(edge.connections, settings.trusted_proxies),
        # Nothing here speaks it, and who changes over to it would no longer be counted among the connections.
        ws="none",
        forwarded_allow_ips=settings.trusted_proxies,
        log_config=None,
        # A status link is a secret, and it stands in the path.
        access_log=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=LAST_REQUESTS,
        server_header=False,
    )
