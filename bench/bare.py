"""Side (a): drives the bare workflow."""

from __future__ import annotations

import asyncio
import itertools
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from temporalio.client import Client

from bellhop.dev.paths import project_dir
from bench import crowd
from bench.bare_workflow import TASK_QUEUE, Bare


class BareSide:
    """`async with`: its worker runs in a process of its own.

    `late`: the signal is sent `late` seconds after the start, when the activity is over, as a provider's receipt
    would come; None: right after the start, which spares the server a workflow task (12 events instead of 15).
    """

    def __init__(self, client: Client, address: str, late: float | None) -> None:
        self._client = client
        self._address = address
        self._late = late
        self._numbers = itertools.count()
        self.last = ""

    async def __aenter__(self) -> Self:
        self._worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.bare_worker", self._address, cwd=project_dir()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError):
            self._worker.terminate()
        try:
            await asyncio.wait_for(self._worker.wait(), 10)
        except TimeoutError:
            self._worker.kill()

    @property
    def pids(self) -> dict[str, int]:
        """Its processes."""
        return {"bare worker": self._worker.pid}

    async def round(self, count: int, at_once: int) -> float:
        """So many workflows from start to close. Returns seconds."""
        return await crowd.saturate(count, at_once, self._one)

    async def _one(self, _: int) -> None:
        name = f"bench-bare-{next(self._numbers)}"
        handle = await self._client.start_workflow(Bare.run, name, id=name, task_queue=TASK_QUEUE)
        if self._late is not None:
            await asyncio.sleep(self._late)
        await handle.signal(Bare.signalled)
        if await handle.result() != name:
            raise AssertionError("the bare workflow answered with another's name")
        self.last = name
