"""What tests of the doctor share: a property with a message, a Temporal of their own, and what was found."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from google.protobuf.duration_pb2 import Duration
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.ids import Prefix, render
from bellhop.domain.routing import carried
from bellhop.ops.doctor import Examination, examine
from bellhop.ops.doctor_check import Limits
from bellhop.ops.doctor_checks import TEMPORAL_CHECKS
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.providers import providers
from bellhop.settings import Settings
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import NewMessage

from .engine import stop_sweeping

OF_TEMPORAL = {check.name for check in TEMPORAL_CHECKS}


def names(found: Examination) -> set[str]:
    return {finding.check for finding in found.findings}


def said(found: Examination, check: str) -> str:
    """The sentence and the advice of the one finding of `check`."""
    (finding,) = [each for each in found.findings if each.check == check]
    return f"{finding.said} {finding.do}"


@pytest.fixture
async def scene(settings: Settings, engine: AsyncEngine, book: AddressBook) -> tuple[Settings, str]:
    """A property with one message that is due now, and nobody who works; the message's id."""
    async with engine.begin() as tx:
        scope = (await ensure_property(tx, "Grand Sunset Resort", "grand-sunset"))["test"]
        await ensure_accounts(tx, scope, settings)
        new = NewMessage(channel=Channel.SMS, recipient="+13055551234", content=Content(text="Your suite is ready."))
        row = await outbound.accept(tx, scope, new, book, carried(providers()), 3600.0)
    return settings, render(Prefix.MESSAGE, row.id)


@pytest.fixture
async def empty(settings: Settings, temporal: Client) -> AsyncIterator[Settings]:
    """Settings for a Temporal namespace of this test's own, in which nothing ever was."""
    name = f"doctor-{uuid.uuid4().hex[:12]}"
    await temporal.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86_400))
    )
    mine = settings.model_copy(update={"temporal": settings.temporal.model_copy(update={"namespace": name})})
    client = await client_of(mine)
    async with asyncio.timeout(60):
        while True:
            try:
                # The frontend's cache learns of it within seconds.
                async for _ in client.list_workflows():
                    break
                break
            except RPCError:
                await asyncio.sleep(0.1)
    yield mine
    await stop_sweeping(client)


async def client_of(settings: Settings) -> Client:
    return await Client.connect(settings.temporal.address, namespace=settings.temporal.namespace)


async def until(settings: Settings, wanted: set[str], limits: Limits | None = None) -> Examination:
    """The examination, once these and no others of Temporal's checks have fired."""
    found = Examination()
    try:
        async with asyncio.timeout(60):
            while True:
                found = await examine(settings, limits)
                if names(found) & {*OF_TEMPORAL, "looking"} == wanted and not found.skipped:
                    return found
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"{[each.said for each in found.findings]}, not {wanted}") from None
