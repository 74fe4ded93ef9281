"""The engine as a fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.domain.addresses import AddressBook
from bellhop.engine.context import Engine as UseCases
from bellhop.sandbox.testing import running
from bellhop.settings import Settings
from bellhop.store.database import Database
from bellhop.temporal.client import connect
from bellhop.temporal.dispatcher import TemporalDispatcher

from .engine import Engine, running_engine


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """A sandbox for the tests of one file."""
    with running() as url:
        yield url


@pytest.fixture
async def stack(settings: Settings, engine: AsyncEngine, temporal: Client, sandbox_url: str) -> AsyncIterator[Engine]:
    """API, worker and sandbox, with a property of its own."""
    async with running_engine(settings, engine, temporal, sandbox_url) as made:
        yield made


@pytest.fixture
async def idle_stack(
    settings: Settings, engine: AsyncEngine, temporal: Client, sandbox_url: str
) -> AsyncIterator[Engine]:
    """The same without a worker: `working(stack)` makes one when the test wants it."""
    async with running_engine(settings, engine, temporal, sandbox_url, worker=False) as made:
        yield made


@pytest.fixture
async def use_cases(engine: AsyncEngine, settings: Settings, book: AddressBook) -> AsyncIterator[UseCases]:
    """What commands run with. Temporal is away: none of them needs it."""
    away = settings.temporal.model_copy(update={"address": "127.0.0.1:1"})
    cipher = settings.bellhop.credential_cipher()
    async with TemporalDispatcher(await connect(away, lazy=True), engine) as dispatcher:
        rules = (settings.delivery, settings.webhook, settings.bellhop.public_url)
        yield UseCases(Database(engine), dispatcher, book, cipher, {}, *rules)
