"""One stack of real processes for all chaos tests of a test process."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bellhop.dev.free_ports import Ports
from bellhop.dev.prepare import prepare
from bellhop.dev.proving import environment_without_settings
from bellhop.dev.stack import ALL_PARTS, EmbeddedStack
from tests.chaos.stack import ENV, LiveStack, visiting


@pytest.fixture(scope="package")
def embedded() -> Iterator[EmbeddedStack]:
    """Everything but the receiver of webhooks. It ends with the last of these tests: also idle it costs the others."""
    parts = [part for part in ALL_PARTS if part != "receiver"]
    with tempfile.TemporaryDirectory(prefix="bellhop-chaos-", ignore_cleanup_errors=True) as state:
        started = EmbeddedStack(
            Path(state),
            ports=Ports.any_free(),
            parts=parts,
            prepare=prepare,
            env={**environment_without_settings(), **ENV},
        )
        with started:
            yield started


@pytest.fixture
async def stack(embedded: EmbeddedStack) -> AsyncIterator[LiveStack]:
    """The stack, in good order at the beginning and at the end of a test."""
    async with visiting(embedded) as visited:
        await visited.clear_faults()
        yield visited
        await visited.clear_faults()
