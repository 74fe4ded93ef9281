"""Composition root of the worker: builds real things, injects them, runs.

`python worker.py --role workflows|activities|all`. Scale by starting more of them.
"""

from __future__ import annotations

from bellhop import memory  # isort: skip  # First: loading is cheaper then.

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.broadcasts import BroadcastActivities
from activities.drain import EndpointActivities
from activities.inbound_files import InboundFileActivities
from activities.intents import IntentActivities
from activities.messages import MessageActivities
from activities.overdue import keep_following_up, take_back
from activities.recovery import RecoveryActivities
from activities.release import ReleaseActivities
from activities.run_up import RunUp
from activities.slots import CallSlots
from bellhop.domain.addresses import AddressBook
from bellhop.domain.questions import limits
from bellhop.domain.routing import carried
from bellhop.domain.scopes import ENVIRONMENTS
from bellhop.engine.broadcast_feed import BroadcastFeeder
from bellhop.engine.context import Engine
from bellhop.engine.installation import await_installation
from bellhop.intents.built_in import BuiltInDetector
from bellhop.intents.detectors import detector_of
from bellhop.logging import configure_logs
from bellhop.media.fetching import Fetcher
from bellhop.media.library import Library
from bellhop.media.receiving import ReceivedFiles, make_own_client, make_public_client
from bellhop.providers import PACKAGES, load_sdks, providers
from bellhop.providers.call_marks import CallMarks, opened
from bellhop.providers.lease import DeadMansSwitch, boottime
from bellhop.settings import Settings, SettingsError, load
from bellhop.store.connections import make_engine
from bellhop.store.conversations.inbound_file_record import InboundFileRecord
from bellhop.store.conversations.intent_record import IntentRecord
from bellhop.store.database import Database
from bellhop.store.delivery.attempt_store import AttemptStore, Routes
from bellhop.store.delivery.files import MessageFiles
from bellhop.store.delivery.first_attempts import FirstAttempts
from bellhop.store.delivery.overdue_calls import OverdueCalls
from bellhop.temporal import contract
from bellhop.temporal.client import connect_when_up, log_no_long_tasks
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.temporal.releases import PostgresReleases
from bellhop.temporal.schedules import watch_over
from bellhop.webhooks.outbox import PostgresOutbox
from bellhop.webhooks.posting import posting as client_of
from bellhop.webhooks.resolver import close_shared
from workflows.broadcast import BroadcastWorkflow
from workflows.endpoint import EndpointWorkflow
from workflows.inbound_files import InboundFilesWorkflow
from workflows.intents import IntentsWorkflow
from workflows.message import MessageWorkflow
from workflows.release import PacedReleaseWorkflow, ReleaseWorkflow
from workflows.sweep import SweepWorkflow

if TYPE_CHECKING:
    from bellhop.webhooks.light_client import LightClient

log = structlog.get_logger()

ROLES = ("workflows", "activities", "all")
RUNNER = UnsandboxedWorkflowRunner()  # Ours import nothing that it would catch, and cost a third; tests run sandboxed.
WORKFLOWS_AT_ONCE = 50
CACHED = 2_000  # Workflows that are kept in memory after their task.
MOST_AHEAD = 5_000  # Messages that wait for their time in one process.
LATER = 5.0  # Seconds by which a message may have been moved to later and still waits there.
SLOW = 2.0  # Seconds: an account whose calls take longer gets fewer of them at a time.
HANGS = 0.8  # Of the time that a call may take: one that takes as long is not taken for answered.
DRAINS_AT_ONCE = 4_096  # Endpoints.
DETECTIONS_AT_ONCE = FILES_AT_ONCE = 8
BROADCASTS_AT_ONCE = 100  # Most of the time each waits for its pace.
RELEASES_AT_ONCE, PACES_AT_ONCE = 2, 500  # Backlogs of parked messages; senders that wait for their pace.
GRACE = timedelta(seconds=6)  # What running activities get at shutdown. Calls that it cuts off are settled later.


def message_activities(
    settings: Settings,
    engine: AsyncEngine,
    dispatcher: TemporalDispatcher,
    slots: CallSlots,
    questions: CallSlots,
    library: Library,
    public: httpx2.AsyncClient,
    marks: CallMarks | None = None,
) -> MessageActivities:
    """`deliver` and `settle` over the real attempt store and providers."""
    routes = Routes(settings.bellhop.public_url, settings.bellhop.sandbox_url)
    return MessageActivities(
        AttemptStore(
            engine,
            settings.delivery,
            routes,
            carried(providers()),
            settings.bellhop.credential_cipher(),
            AddressBook(settings.bellhop.secret_key.get_secret_value()),
            dispatcher.wake_endpoints,
            dispatcher.release,
            MessageFiles(library.read_asset, library.addresses.url),
            limits(providers()),
        ),
        providers(),
        slots,
        questions,
        boottime,
        settings.delivery.lease,
        settings.delivery.call_timeout,
        Fetcher(engine, library, public),
        marks,
    )


def run_up_of(settings: Settings, engine: AsyncEngine) -> RunUp:
    """Where messages wait for their time. When it has come, no more go on than find a slot soon."""
    return RunUp(FirstAttempts(engine), max(1, settings.delivery.threads // 4), settings.delivery.run_up + LATER)


def workflow_workers(client: Client, settings: Settings, messages: MessageActivities, run_up: RunUp) -> list[Worker]:
    """The workers that run the workflows of messages, and the first attempt of each message inside them. One for those
    that go out at once, and one for those that were started before their time: there each that waits in `run_up` has a
    place, which costs next to nothing."""
    waiting = messages.with_run_up(run_up)
    ahead = min(MOST_AHEAD, int(2 * settings.delivery.run_up * settings.delivery.run_up_rate))

    def worker(
        task_queue: str, workflows: Sequence[type], messages: MessageActivities, places: int, cached: int, sticky: float
    ) -> Worker:
        return Worker(
            client,
            task_queue=task_queue,
            workflows=workflows,
            # Local ones only: these queues have no tasks of their own for activities.
            activities=[messages.deliver, messages.settle, messages.withdraw],
            no_remote_activities=True,
            max_concurrent_local_activities=places,
            workflow_runner=RUNNER,
            max_cached_workflows=cached,
            max_concurrent_workflow_tasks=places,
            # A task that finds no poller waiting is written down and read again.
            max_concurrent_workflow_task_polls=16,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=sticky),
            graceful_shutdown_timeout=GRACE,
        )

    # The other workflows have queues of their own; these two are for those that began before they had. One that waits
    # for a slot leaves soon: few places are enough, and few of one property's are in front of another's.
    usual = [MessageWorkflow, EndpointWorkflow, SweepWorkflow]
    return [
        worker(contract.TASK_QUEUE_WORKFLOWS, usual, messages, WORKFLOWS_AT_ONCE, CACHED, 3.0),
        # As long as its task is open a workflow cannot leave the cache. A crowd's receipts are a crowd as well: who has
        # waited in vain for this process is replayed from the beginning, for which there is no time then.
        worker(
            contract.TASK_QUEUE_AHEAD, [MessageWorkflow], waiting, max(WORKFLOWS_AT_ONCE, ahead), CACHED + ahead, 15.0
        ),
    ]


def activity_workers(
    client: Client,
    settings: Settings,
    engine: AsyncEngine,
    dispatcher: TemporalDispatcher,
    messages: MessageActivities,
    posts: LightClient,
    sweeper: PostgresSweeper,
    files: ReceivedFiles,
    environments: Sequence[str] = ENVIRONMENTS,
) -> list[Worker]:
    """A worker per task queue: provider calls, webhooks and recovery do not queue behind one another. The workflows of
    endpoints and sweeps run here as well, so that no backlog of messages holds them up. `environments`: whose calls."""
    from bellhop.webhooks.poster import WebhookPoster  # here: see posting.py

    outbox, poster = PostgresOutbox(engine, settings.webhook), WebhookPoster(settings.webhook, posts)
    endpoints = EndpointActivities(outbox, poster, dispatcher, settings.webhook.retry_pauses)
    recovery = RecoveryActivities(sweeper)
    calling = [messages.deliver, messages.settle, messages.withdraw]
    providing = [
        # Many queues, each with little to do.
        _worker(client, contract.providers_queue(through), calling, settings.delivery.threads, polls=2)
        for through in (None, *(f"{package.name}-{which}" for package in PACKAGES for which in environments))
    ]
    return [
        *providing,
        # Each is an entry in the one loop that serves all of them, and most have nothing to post.
        _worker(client, contract.TASK_QUEUE_WEBHOOKS, [endpoints.drain], DRAINS_AT_ONCE, [EndpointWorkflow]),
        _worker(client, contract.TASK_QUEUE_RECOVERY, [recovery.sweep, recovery.sweep_kind], 2, [SweepWorkflow]),
        *release_workers(client, settings, engine, dispatcher),
        intent_worker(client, settings, engine, dispatcher),
        file_worker(client, settings, engine, dispatcher, files),
        broadcast_worker(client, settings, engine, dispatcher, files.library),
    ]


def _worker(
    client: Client,
    task_queue: str,
    activities: Sequence[Callable[..., Any]],
    at_once: int,
    workflows: Sequence[type] = (),
    polls: int = 5,
) -> Worker:
    """The worker of a queue that is not of messages' workflows. `at_once`: activities; `polls`: requests for them."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=workflows,
        workflow_runner=RUNNER,
        max_concurrent_workflow_task_polls=2,
        activities=activities,
        max_concurrent_activities=at_once,
        max_concurrent_activity_task_polls=polls,
        graceful_shutdown_timeout=GRACE,
    )


def release_workers(
    client: Client, settings: Settings, engine: AsyncEngine, dispatcher: TemporalDispatcher
) -> list[Worker]:
    """The workers that release parked messages: apart from recovery, since they may be at it for many minutes."""
    releases = ReleaseActivities(PostgresReleases(engine, dispatcher), settings.delivery.release_rate)
    workflows = [ReleaseWorkflow, PacedReleaseWorkflow]
    return [
        # Hundreds of properties may be mended in the same instant: they take turns.
        _worker(client, contract.TASK_QUEUE_RELEASES, [releases.release], RELEASES_AT_ONCE, workflows),
        # Each waits for its sender, most of the time.
        _worker(client, contract.TASK_QUEUE_PACES, [releases.release_paced], PACES_AT_ONCE, polls=1),
    ]


def broadcast_worker(
    client: Client, settings: Settings, engine: AsyncEngine, dispatcher: TemporalDispatcher, library: Library
) -> Worker:
    """The worker that gives broadcasts' recipients their messages, by the use cases that the API has."""
    book, cipher = AddressBook(settings.bellhop.secret_key.get_secret_value()), settings.bellhop.credential_cipher()
    rules = settings.delivery, settings.webhook, settings.bellhop.public_url
    shared = Engine(Database(engine), dispatcher, book, cipher, providers(), *rules, library=library)
    feeding = BroadcastActivities(BroadcastFeeder(shared))
    return _worker(
        client, contract.TASK_QUEUE_BROADCASTS, [feeding.feed], BROADCASTS_AT_ONCE, [BroadcastWorkflow], polls=1
    )


def intent_worker(client: Client, settings: Settings, engine: AsyncEngine, dispatcher: TemporalDispatcher) -> Worker:
    """The worker that looks for what guests want: apart from all else, so that no message waits for it."""
    record, asked = IntentRecord(engine, dispatcher.wake_endpoints), settings.intents
    try:
        detector = detector_of(asked)
    except ImportError:
        raise SettingsError(
            f"BELLHOP_INTENTS_DETECTOR is {asked.detector.value}, whose SDK is not installed: pip install "
            f"'bellhop[{asked.detector.value}]'"
        ) from None
    detecting = IntentActivities(record, detector, BuiltInDetector(), asked.timeout)
    return _worker(client, contract.TASK_QUEUE_INTENTS, [detecting.detect], DETECTIONS_AT_ONCE, [IntentsWorkflow])


def file_worker(
    client: Client, settings: Settings, engine: AsyncEngine, dispatcher: TemporalDispatcher, files: ReceivedFiles
) -> Worker:
    """The worker that fetches guests' files and has them deleted at their providers."""
    routes = Routes(settings.bellhop.public_url, settings.bellhop.sandbox_url)
    record = InboundFileRecord(engine, settings.bellhop.credential_cipher(), routes, dispatcher.wake_endpoints)
    fetching = InboundFileActivities(record, providers(), files)
    return _worker(client, contract.TASK_QUEUE_FILES, [fetching.settle_files], FILES_AT_ONCE, [InboundFilesWorkflow])


async def run(settings: Settings, role: str) -> None:
    """Run until SIGTERM or SIGINT, or raise when a worker cannot go on."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    connecting = asyncio.create_task(connect_when_up(settings.temporal))
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({connecting, stop}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.is_set():
        connecting.cancel()
        return
    client = await connecting
    engine = make_engine(settings.postgres, f"worker-{role}")
    checking = asyncio.create_task(
        await_installation(engine, AddressBook(settings.bellhop.secret_key.get_secret_value()))
    )
    await asyncio.wait({checking, stop}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.is_set():
        checking.cancel()
        return
    await checking
    posting, public = client_of(settings.webhook, here=role != "workflows"), make_public_client(settings.webhook)
    library = Library(settings.media, settings.media_addresses())
    with calls(settings) as (slots, questions), opened(settings.delivery.marks_dir, str(engine.url)) as marks:
        dispatching = TemporalDispatcher(client, engine, settings.delivery.run_ups())
        async with posting as posts, public, make_own_client() as own, dispatching as dispatcher:
            messages = message_activities(settings, engine, dispatcher, slots, questions, library, public, marks)
            overdue = OverdueCalls(engine, settings.delivery.lease_margin, dispatcher.woken)
            await take_back(overdue, marks)
            watching: asyncio.Future[tuple[None, None]] | None = None
            run_up = run_up_of(settings, engine)
            workers = workflow_workers(client, settings, messages, run_up) if role in ("workflows", "all") else []
            if posts is not None:
                grace, hold = settings.bellhop.sweep_grace, settings.delivery.hold
                sweeper = PostgresSweeper(engine, client, dispatcher, grace, hold, library.remove)
                files = ReceivedFiles(engine, library, public, own)
                workers += activity_workers(client, settings, engine, dispatcher, messages, posts, sweeper, files)
                following = keep_following_up(overdue, messages.resolve, marks)
                watching = asyncio.gather(watch_over(client, sweeper, settings.sweep_paces()), following)
            await _run_all(workers, stop, run_up)
            if watching is not None:
                watching.cancel()
    library.close()
    await close_shared()
    await engine.dispose()


@contextlib.contextmanager
def calls(settings: Settings) -> Iterator[tuple[CallSlots, CallSlots]]:
    """Slots and threads for messages and for questions, under a dead man's switch: a process that was paused longer
    than an attempt's lease dies on resuming, before it can finish a call that has since been settled."""
    switch = DeadMansSwitch(settings.delivery.lease)
    switch.start()
    slots, questions = call_slots(settings)
    try:
        yield slots, questions
    finally:
        slots.close()
        questions.close()
        switch.stop()


def call_slots(settings: Settings) -> tuple[CallSlots, CallSlots]:
    """Those for messages and those for questions, which never take the place of messages."""
    threads, hangs = settings.delivery.threads, HANGS * settings.delivery.call_timeout
    slow = min(SLOW, hangs)
    return CallSlots(threads, slow, hangs=hangs), CallSlots(max(3, threads // 2), slow, "question", hangs)


async def _run_all(workers: list[Worker], stop: asyncio.Task[bool], run_up: RunUp) -> None:
    """Run workers until told to stop. A worker that ends by itself has met a fatal error: raise it, exit non-zero."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    log.info("worker ready", queues=[worker.task_queue for worker in workers])
    await asyncio.wait({*running, stop}, return_when=asyncio.FIRST_COMPLETED)
    run_up.close()
    await asyncio.gather(*(worker.shutdown() for worker in workers))
    results = await asyncio.gather(*running, return_exceptions=True)
    if not stop.done():
        raise next((result for result in results if isinstance(result, BaseException)), RuntimeError("worker ended"))


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Runs Bellhop's workflows and activities. Settings: see .env.example.")
    parser.add_argument("--role", choices=ROLES, default="all", help="what this process runs (default: all)")
    role = parser.parse_args().role
    try:
        settings = load()
    except SettingsError as problem:
        sys.exit(str(problem))
    configure_logs(settings.bellhop.log_level, f"worker-{role}")
    log_no_long_tasks()
    if role != "activities":  # There only what is tried again is sent.
        load_sdks()
    memory.loaded()
    try:
        uvloop.run(run(settings, role))
    except SettingsError as problem:
        sys.exit(str(problem))
    except Exception as error:  # noqa: BLE001 - the process ends, and says so
        log.error("worker cannot go on", error=type(error).__name__)
        sys.exit(1)
    # Provider calls cut off at shutdown must not keep the process: their attempts are settled later.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
