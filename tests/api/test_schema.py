"""The OpenAPI document and the API agree, whatever is sent: no failure, no status and no body that is not announced.

Requests are drawn from the document itself, those that fit it and those that do not, always the same ones.
"""

import json
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import SchemathesisError
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from models.inquiry import Role
from tests.api.world import World

AnyCase = Case[Any]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EACH = 5
"""Requests of either kind to each operation."""

STREAM = "/chat/v1/events"
"""Never ends, so it is asked without a session, and by tests of its own with one."""


def drawn(operation: Any, mode: GenerationMode) -> list[AnyCase]:
    """Requests to an operation."""
    found: list[AnyCase] = []

    @seed(4)
    @settings(
        max_examples=EACH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def draw(case: AnyCase) -> None:
        found.append(case)

    try:
        draw()
    except (SchemathesisError, HypothesisException):
        # An operation that takes anything has no wrong request.
        if mode is GenerationMode.POSITIVE:
            raise
    return found[:EACH]


def all_drawn(document: dict[str, Any]) -> Iterator[AnyCase]:
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            yield from drawn(operation, mode)


async def send(world: World, case: AnyCase, headers: dict[str, str]) -> Any:
    sent = case.as_transport_kwargs(base_url="http://plazo.test")
    named = {name: str(value) for name, value in dict(sent["headers"]).items()} | headers
    request = world.http.build_request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        content=_content(sent),
        headers=[(name.encode(), value.encode("latin-1", "replace")) for name, value in named.items()],
    )
    return await world.http.send(request)


def _content(sent: dict[str, Any]) -> bytes | None:
    if sent.get("json") is not None:
        return json.dumps(sent["json"]).encode()
    data = sent.get("data")
    return data.encode() if isinstance(data, str) else data


async def test_the_api_does_what_its_document_says(world: World) -> None:
    reference = await world.opened()
    session = (await world.http.post("/chat/v1/sessions", json={})).json()["token"]
    document = world.http._transport.app.openapi()  # type: ignore[attr-defined]
    faults: dict[str, str] = {}
    answered: set[str] = set()
    for count, case in enumerate(all_drawn(document)):
        label = case.operation.label
        if count % 2 and "reference" in case.path_parameters:
            case.path_parameters["reference"] = reference
        headers = {} if case.path.startswith("/intake") else world.bearer(Role.SUPERVISOR)
        if case.path.startswith("/chat"):
            headers = {} if case.path == STREAM else {"Authorization": f"Bearer {session}"}
        response = await send(world, case, headers)
        answered.add(label)
        try:
            case.validate_response(response, checks=CHECKS)
        except (BaseExceptionGroup, AssertionError) as found:
            faults.setdefault(label, f"{response.status_code} {case.body!r:.200} {found!r:.600}")
    assert faults == {}, "\n\n".join(f"{label}: {what}" for label, what in faults.items())
    assert len(answered) == sum(len(methods) for methods in document["paths"].values())
