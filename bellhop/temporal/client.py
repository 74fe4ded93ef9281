"""The connection to Temporal, and what operators can search there: ids and enums, never a guest's data."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client, TLSConfig
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from bellhop.domain.answers import WAITING
from bellhop.domain.ids import Prefix, render
from bellhop.domain.priorities import KEYS
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import STATUS, Stage
from bellhop.temporal import search_attributes as keys
from bellhop.temporal.settings import TemporalSettings

log = structlog.get_logger()

RPC_TIMEOUT = timedelta(seconds=5)
REFUSALS = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.UNIMPLEMENTED,
    }
)
"""Answers that will be the same in a second: another namespace, attributes it does not know, a wrong key."""


async def connect(settings: TemporalSettings, *, lazy: bool) -> Client:
    """A client. `lazy`: connect at the first call (the API); workers need a connection, see `connect_when_up`."""
    tls: TLSConfig | bool = settings.tls or settings.api_key is not None
    if settings.tls_client_cert_file or settings.tls_server_ca_file:
        tls = TLSConfig(
            server_root_ca_cert=settings.tls_server_ca_file.read_bytes() if settings.tls_server_ca_file else None,
            client_cert=settings.tls_client_cert_file.read_bytes() if settings.tls_client_cert_file else None,
            client_private_key=settings.tls_client_key_file.read_bytes() if settings.tls_client_key_file else None,
        )
    return await Client.connect(
        settings.address,
        namespace=settings.namespace,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        tls=tls,
        # Ids and enums: what they would shrink by is less than what packing them costs.
        grpc_compression=GrpcCompression.NONE,
        lazy=lazy,
    )


def log_no_long_tasks() -> None:
    """For a worker in which messages wait for their time: that their workflow tasks take seconds is as it should be, no
    reason for a warning of Temporal's SDK. Once, before anything connects."""
    usual = TelemetryFilter(core_level="WARN", other_level="ERROR").formatted()
    filter_ = f"{usual},temporalio_sdk_core::worker::workflow::managed_run=ERROR"
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=filter_))))


async def connect_when_up(settings: TemporalSettings, pause: float = 2.0) -> Client:
    """A connected client, however long Temporal takes to come up; says once a minute that it is still waiting."""
    tried = 0
    while True:
        try:
            client = await connect(settings, lazy=False)
            await register_search_attributes(client)
            return client
        except (RuntimeError, RPCError, OSError) as error:
            if tried % max(1, int(60 / pause)) == 0:
                log.warning("waiting for Temporal", setting="TEMPORAL_ADDRESS", error=type(error).__name__)
            tried += 1
            await asyncio.sleep(pause)


async def register_search_attributes(client: Client) -> None:
    """Make Temporal know our search attributes: an unknown one would fail every start. Safe to repeat."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=RPC_TIMEOUT
    )
    missing = [key.name for key in keys.ALL if key.name not in known.custom_attributes]
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes=dict.fromkeys(missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD),
            ),
            timeout=RPC_TIMEOUT,
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


def attributes_of(row: MessageRow, *, asleep: bool) -> TypedSearchAttributes:
    """What an operator can search a message by. `asleep`: its workflow starts later."""
    status = STATUS[row.shown].value
    if row.shown is Stage.QUEUED and asleep:
        status = WAITING if row.waits_for is None else row.waits_for.value
    pairs = [
        SearchAttributePair(keys.PROPERTY, render(Prefix.PROPERTY, row.property_id)),
        SearchAttributePair(keys.CHANNEL, row.channel.value),
        SearchAttributePair(keys.STATUS, status),
    ]
    if row.guest_id:
        pairs.append(SearchAttributePair(keys.GUEST, render(Prefix.GUEST, row.guest_id)))
    if row.provider:
        pairs.append(SearchAttributePair(keys.PROVIDER, row.provider))
    return TypedSearchAttributes(pairs)


def priority_of(row: MessageRow) -> Priority:
    """When it is a message's turn among what waits for a worker: by its priority, and within one each scope in turn.
    The workflow's activities inherit it."""
    return turn_of(row.scope_id, KEYS[row.priority])


def turn_of(scope_id: UUID, priority_key: int | None = None) -> Priority:
    """The same for what has no priority of its own."""
    return Priority(priority_key=priority_key, fairness_key=str(scope_id))
