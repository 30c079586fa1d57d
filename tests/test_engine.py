"""The way to Temporal where the server will not register search attributes for us."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine import register_search_attributes
from models.errors import EngineUnavailable


def refusing(status: RPCStatusCode) -> Client:
    async def refuse(_request: Any) -> Any:
        raise RPCError("no", status, b"")

    operator = SimpleNamespace(list_search_attributes=refuse, add_search_attributes=refuse)
    return cast("Client", SimpleNamespace(namespace="default", operator_service=operator))


async def test_where_no_client_may_register_them_the_worker_starts_and_says_so() -> None:
    with capture_logs() as lines:
        await register_search_attributes(refusing(RPCStatusCode.PERMISSION_DENIED))
    assert [(line["event"], line["log_level"], line["why"]) for line in lines] == [
        ("engine.search-attributes", "error", "PERMISSION_DENIED")
    ]


@pytest.mark.parametrize("status", [RPCStatusCode.UNAVAILABLE, RPCStatusCode.NOT_FOUND])
async def test_a_server_that_cannot_answer_now_is_waited_for(status: RPCStatusCode) -> None:
    with pytest.raises(EngineUnavailable, match=status.name):
        await register_search_attributes(refusing(status))
