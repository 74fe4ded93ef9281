"""Plays the matrix: several worker slots at once, each scenario in the next slot that is free."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import deque
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from pydantic import SecretStr
from temporalio.client import Client

from bellhop.dev.free_ports import Ports
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.sandbox.testing import Receiver
from bellhop.settings import from_env
from bellhop.store.access import keys
from bellhop.store.connections import make_engine
from bellhop.store.settings import PostgresSettings
from bellhop.store.webhooks import endpoints
from bellhop.temporal.client import register_search_attributes
from tests.chaos.crash.process_pool import ENV, ProcessPool
from tests.chaos.crash.worker_slot import Shared, WorkerSlot, open_slot
from tests.databases import dsn_of
from tests.integration.test_media import photo, website

from .checks import check
from .points import Point
from .scenarios import SCENARIOS

SLOTS = int(os.environ.get("BELLHOP_TEST_LANES", "8"))
MOST_FAILURES = 6
"""So many failed scenarios, and the rest is not played: each takes a minute."""


@dataclass(frozen=True, slots=True)
class Job:
    """A scenario, and where its process dies in it."""

    scenario: str
    point: Point | None = None


@dataclass
class Results:
    """What came of it: the failure of each scenario (None: all is well), and who passed which steps."""

    failures: dict[Job, BaseException | None] = field(default_factory=dict)
    steps: dict[str, Job] = field(default_factory=dict)
    took: dict[Job, float] = field(default_factory=dict)

    def raise_for(self, job: Job) -> None:
        """Fail as this scenario did."""
        failure = self.failures.get(job, AssertionError("not played: too many others had failed"))
        if failure is not None:
            raise failure


async def play(jobs: Collection[Job], server: str, template: str, temporal: Client) -> Results:
    """Play all of them. `template`: a migrated database on `server`."""
    results, waiting = Results(), deque(jobs)
    await register_search_attributes(temporal)
    with (
        ExitStack() as files,
        tempfile.TemporaryDirectory(prefix="bellhop-crash-") as room,
        Receiver().open() as receiver,
    ):
        seeded = f"crash_{os.getpid()}"
        key = await _seed(server, template, seeded, receiver.url)
        ports: set[int] = set()
        while len(ports) < SLOTS:
            ports.add(Ports.any_free().settled(("api",)).api)
        site = website({"/lobby": (200, photo())})
        async with ProcessPool(Path(room) / "socket") as pool, asyncio.TaskGroup() as slots:
            shared = Shared(pool, server, seeded, temporal, key, receiver, Path(room), files.enter_context(site)[0])
            for port in list(ports)[: len(waiting)]:
                slots.create_task(_play_on(shared, port, waiting, results))
        async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
            await connection.execute(f"drop database {seeded} with (force)")
    return results


async def _play_on(shared: Shared, port: int, waiting: deque[Job], results: Results) -> None:
    while waiting:
        async with open_slot(shared, port) as slot:
            # A slot in which something failed is given up: what is stuck there would be in the way.
            while waiting and await _play_one(slot, waiting.popleft(), results):
                if sum(1 for failure in results.failures.values() if failure is not None) >= MOST_FAILURES:
                    waiting.clear()


async def _play_one(slot: WorkerSlot, job: Job, results: Results) -> bool:
    scenario, began = SCENARIOS[job.scenario], time.monotonic()
    failure: BaseException | None = None
    try:
        end = job.point.end if job.point else scenario.end
        played, steps = await slot.play(scenario, job.point, end)
        for step in steps:
            results.steps.setdefault(step, job)
        check(end, job.point, played)
    except Exception as error:  # noqa: BLE001 (it is the result of this scenario, and raised by its test)
        failure = error
        failure.add_note(slot.log())
    results.failures[job] = failure
    results.took[job] = time.monotonic() - began
    return failure is None


async def _seed(server: str, template: str, name: str, hook: str) -> str:
    """A database with one property, its sandbox accounts, an endpoint and a key, which is returned."""
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute(f"create database {name} template {template}")
    settings = from_env(ENV)
    settings.postgres = PostgresSettings(_env_file=None, dsn=SecretStr(dsn_of(server, name)))
    engine = make_engine(settings.postgres, "tests")
    async with engine.begin() as tx:
        scope = (await ensure_property(tx, "Grand Sunset Resort", "grand-sunset"))["test"]
        await ensure_accounts(tx, scope, settings)
        await endpoints.create(tx, scope, hook, ["*"], None, 50)
        _, raw = await keys.create(tx, scope, "tests", ["*"], rate_limit=1_000_000)
    await engine.dispose()
    return raw
