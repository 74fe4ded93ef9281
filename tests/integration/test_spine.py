"""The spine with its real parts: Postgres, Temporal, the providers' SDKs, the sandbox."""

from __future__ import annotations

import asyncio

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.messages import Channel
from bellhop.sandbox.testing import running
from bellhop.settings import Settings

from .engine import Engine, running_engine


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture
async def spine(
    settings: Settings, engine: AsyncEngine, temporal: Client, sandbox: str
) -> AsyncIterator[Engine]:
    settings.bellhop.sandbox_url = sandbox
    async with running_engine(settings, engine, temporal) as made:
        yield made


async def test_sent(spine: Engine) -> None:
    one = await spine.accept()
    two = await spine.accept(channel=Channel.EMAIL, recipient="jordan@example.com", subject="Hi", content="<p>Hello</p>")
    await spine.until(one, "sent")
    await spine.until(two, "sent")
    print(await spine.history(one))
    print(await spine.attempts(one))
    await asyncio.sleep(0.3)
    r= await spine.row(one)
    print(r)
    assert r["wake_due_at"] is None
