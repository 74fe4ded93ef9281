"""The crash-point matrix (I1–I4): a real process is killed at every point between two durable steps of a message.

Wherever it dies, the message is sent once, ends as it should, shows everything on its timeline, leaves nothing pending,
and each of its webhooks arrives under one id and in order. `points.py` is the list, `scenarios.py` what is played.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil

import pytest
from temporalio import activity, workflow
from temporalio.client import Client

import activities
import workflows
from bellhop.providers import providers
from tests.conftest import TEMPLATE

from .matrix import Job, Results, play
from .points import NOT_OF_A_MESSAGE, POINTS, STEPS, Point
from .scenarios import SCENARIOS
from .sites import all_sites
from .steps import provider_calls

LISTED = {row.step for row in STEPS} | set(NOT_OF_A_MESSAGE)
ADD = """Add a row to STEPS in tests/chaos/crash/points.py, with the scenario that comes to it (scenarios.py), or, where
it is not a step of a message, a reason to NOT_OF_A_MESSAGE."""


@pytest.fixture(scope="module")
def matrix(request: pytest.FixtureRequest, temporal_namespace: str) -> Results:
    """Everything that the tests of this run ask for, played at once."""
    jobs = [Job(name) for name in SCENARIOS]
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.path == request.path and "point" in (item.fixturenames):
            point = item.callspec.params["point"]
            jobs.append(Job(point.scenario, point))

    async def played() -> Results:
        temporal = await Client.connect(os.environ["BELLHOP_TEST_TEMPORAL"], namespace=temporal_namespace)
        return await play(jobs, os.environ["BELLHOP_TEST_DSN"], TEMPLATE, temporal)

    return asyncio.run(played())


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_undisturbed(matrix: Results, scenario: str) -> None:
    """Nobody dies: each scenario is what it says it is."""
    matrix.raise_for(Job(scenario))


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_killed(matrix: Results, point: Point) -> None:
    """The process dies at this point, and is started again."""
    matrix.raise_for(Job(point.scenario, point))


def test_every_step_that_is_passed_is_on_the_list(matrix: Results) -> None:
    """What a process passed while all this was played, before and after its death."""
    listed = LISTED | (_calls() - _calls_to_list())
    forgotten = {step: str(job.point or job.scenario) for step, job in matrix.steps.items() if step not in listed}
    assert not forgotten, f"Nobody was killed around these steps (passed in): {forgotten}\n{ADD}"


def test_every_step_in_the_code_is_on_the_list() -> None:
    """Also those that no scenario comes to: transactions, activities, workflows, signals, calls of providers."""
    there = {site.step for site in all_sites()} | _calls_to_list()
    for package in (activities, workflows):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            there |= _steps_of(vars(importlib.import_module(found.name)).values())
    assert len(there) > 40
    assert not (there - LISTED), f"No point before and after: {sorted(there - LISTED)}\n{ADD}"
    gone = {step for step in LISTED if step.startswith("tx ")} - there
    assert not gone, f"Listed, and no longer in the code: {sorted(gone)}"


def _calls() -> set[str]:
    return {f"{name} {call}" for name in providers() for call in provider_calls()}


def _calls_to_list() -> set[str]:
    """Those of a provider that nobody on the list shares every channel with: of any other the transactions around a
    call are theirs. A provider on the list is there with all of its calls."""
    adapters, listed = providers(), {step.partition(" ")[0] for step in LISTED}
    carried = {channel for name in adapters.keys() & listed for channel in adapters[name].channels}
    spared = {name for name, adapter in adapters.items() if name not in listed and adapter.channels <= carried}
    return {call for call in _calls() if call.partition(" ")[0] not in spared}


def _steps_of(things: object) -> set[str]:
    steps: set[str] = set()
    for thing in things if isinstance(things, type({}.values())) else ():
        if not isinstance(thing, type):
            continue
        if found := workflow._Definition.from_class(thing):
            steps |= {f"workflow {found.name}"} | {f"{found.name} hears {signal}" for signal in found.signals}
        for verb in vars(thing).values():
            if callable(verb) and (done := activity._Definition.from_callable(verb)):
                steps.add(f"activity {done.name}")
    return steps
