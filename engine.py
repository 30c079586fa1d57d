"""The way to Temporal: the client every process makes once, and the search attributes it needs there."""

from typing import Any

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from models.errors import EngineUnavailable, SettingsError
from models.search import SEARCH_ATTRIBUTES
from plugin import plazo_plugin
from settings import Settings

NOT_FOR_CLIENTS = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED})

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def connect(settings: Settings, *, lazy: bool = False, runtime: Runtime | None = None) -> Client:
    """Return a client with the plugin; one for each process, made on its running loop.

    `runtime` is the SDK's own, for a process whose figures of it are read.

    What PLAZO_TEMPORAL and PLAZO_NAMESPACE name holds; else Temporal's own variables and profile (`TEMPORAL_ADDRESS`,
    `TEMPORAL_API_KEY`, TLS, ...); else the embedded server. A lazy client connects at its first call, which lets the
    web process start while Temporal is away; workers cannot use one. Raises SettingsError, EngineUnavailable.
    """
    try:
        options: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    except RuntimeError as error:
        raise SettingsError(f"Temporal's own settings cannot be read: {error}; see TEMPORAL_CONFIG_FILE") from error
    if settings.temporal is not None or "target_host" not in options:
        options["target_host"] = settings.temporal_address
    if "namespace" in settings.model_fields_set or "namespace" not in options:
        options["namespace"] = settings.namespace
    plugin = plazo_plugin(settings.key_ring())
    try:
        return await Client.connect(**options, plugins=[plugin], lazy=lazy, runtime=runtime)
    except RuntimeError as error:
        address = options["target_host"]
        raise EngineUnavailable(
            f"no Temporal server answers at {address}; start it, or correct PLAZO_TEMPORAL"
        ) from error


async def register_search_attributes(client: Client) -> None:
    """Make sure the namespace knows every search attribute; safe to call at each start and from several processes.

    Where no client may register them (Temporal Cloud), that is said in the log: they exist, or no case can start.
    Raises SettingsError when one exists with another type, and EngineUnavailable when the server cannot answer now.
    """
    try:
        await _register(client)
    except RPCError as error:
        if error.status in NOT_FOR_CLIENTS:
            log.error("engine.search-attributes", why=error.status.name)  # noqa: TRY400  a trace says nothing more
        elif error.status != RPCStatusCode.ALREADY_EXISTS:  # another process was quicker
            raise EngineUnavailable(
                f"Temporal does not answer for namespace {client.namespace}: {error.status.name}"
            ) from error


async def _register(client: Client) -> None:
    wanted = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
    present = await _present(client)
    for name, value_type in wanted.items():
        if present.get(name, value_type) != value_type:
            raise SettingsError(
                f"search attribute {name} of namespace {client.namespace} has another type; "
                f"remove it with `temporal operator search-attribute remove --name {name}`, or use another namespace"
            )
    missing = {name: value_type for name, value_type in wanted.items() if name not in present}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )


async def _present(client: Client) -> dict[str, IndexedValueType.ValueType]:
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        # The time-skipping test server can add, but not list.
        if error.status == RPCStatusCode.UNIMPLEMENTED:
            return {}
        raise
    return {**known.system_attributes, **known.custom_attributes}
