"""The doctor of recovery: each kind of work by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.worker import Worker

from activities.recovery import RecoveryActivities
from bellhop.cli.reports import doctor_json as as_json
from bellhop.domain.sweeps import SweepKind
from bellhop.ops.doctor_check import Limits
from bellhop.settings import Settings
from bellhop.store.delivery import parked
from bellhop.temporal import contract, recovery
from bellhop.temporal.client import register_search_attributes
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.temporal.schedules import keep_sweeping
from workflows.sweep import SweepWorkflow

from .doctor_kit import client_of, said, until
from .doctor_kit import empty as empty
from .doctor_kit import scene as scene


async def test_sweeps_that_do_not_run(empty: Settings) -> None:
    client = await client_of(empty)
    await register_search_attributes(client)
    await keep_sweeping(client, dict.fromkeys(SweepKind, 1.0))
    # The first one waits for a worker for ever, and the next ones are left out.
    found = await until(empty, {"workers", "swept"}, Limits(fresh=0.5))
    assert "it should every 1 s" in said(found, "swept")
    assert "Recovery has not begun to look for" in said(found, "swept")
    for kind in SweepKind:
        await client.get_schedule_handle(contract.sweep_schedule(kind)).pause()
    found = await until(empty, {"workers", "schedule_paused"}, Limits(fresh=0.5))
    assert "Unpause bellhop-sweep-namespace, bellhop-sweep-pending" in said(found, "schedule_paused")
    assert [each.paused for each in found.sweeps] == [True] * len(SweepKind)


async def test_a_kind_of_work_that_fails_and_one_that_is_behind(
    scene: tuple[Settings, str], empty: Settings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await client_of(empty)
    await register_search_attributes(client)

    async def fails(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(recovery, "PAGE", 1)
    monkeypatch.setattr(parked, "backlogs", fails)
    async with engine.begin() as tx:
        await tx.execute(text("update messages set wake_due_at = null, due_at = now() - interval '1 day'"))
    async with TemporalDispatcher(client, engine) as dispatcher:
        activities = RecoveryActivities(PostgresSweeper(engine, client, dispatcher))
        async with Worker(
            client,
            task_queue=contract.TASK_QUEUE_RECOVERY,
            workflows=[SweepWorkflow],
            activities=[activities.sweep, activities.sweep_kind],
        ):
            await keep_sweeping(client, dict.fromkeys(SweepKind, 3600.0))
            found = await until(empty, {"queues", "sweep_failed", "sweep_behind"})
    assert "look for parked failed" in said(found, "sweep_failed")
    assert "behind with past-due: its last look woke 1 message" in said(found, "sweep_behind")
    seen = as_json(found)["recovery"]
    assert (seen["past-due"]["woken"], seen["past-due"]["behind"], seen["parked"]["failed"]) == (1, True, True)
    assert (seen["pending"]["woken"], seen["pending"]["behind"], seen["pending"]["every"]) == (0, False, 3600)
