"""The message workflow as a fixture."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from bellhop.domain.answers import Answer, Withdrawal
from bellhop.temporal import contract
from bellhop.temporal.client import register_search_attributes
from tests.workflows.message_kit import MessageRun, ScriptedActivities
from workflows.message import MessageWorkflow


@pytest.fixture
async def execute(temporal: Client) -> Callable[..., Any]:
    """`async with execute(answers…) as run`: a worker, and a message that has not been started."""
    await register_search_attributes(temporal)

    @asynccontextmanager
    async def executing(
        *answers: Answer | Withdrawal | Exception, runner: WorkflowRunner | None = None
    ) -> AsyncIterator[MessageRun]:
        scripted = ScriptedActivities(*answers)
        runner = runner or SandboxedWorkflowRunner()
        workflows = Worker(
            temporal,
            task_queue=contract.TASK_QUEUE_WORKFLOWS,
            workflows=[MessageWorkflow],
            activities=[scripted.deliver, scripted.settle, scripted.withdraw],
            no_remote_activities=True,
            workflow_runner=runner,
        )
        activities = Worker(
            temporal,
            task_queue=contract.TASK_QUEUE_PROVIDERS,
            activities=[scripted.deliver, scripted.settle, scripted.withdraw],
        )
        async with workflows, activities:
            yield MessageRun(temporal, scripted)

    return executing
