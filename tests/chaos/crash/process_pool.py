"""Starts processes quickly: one that has imported everything waits, and forks a real API with its worker when asked.

python -m tests.chaos.crash.process_pool SOCKET    one connection, one process: its settings in, pid and end out
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from temporalio.worker._worker import load_default_build_id

import worker
from activities.drain import EndpointActivities
from activities.drain_loop import Pace
from api.app import create_app
from api.server import options
from bellhop import memory
from bellhop.dev.proving import environment_without_settings
from bellhop.domain import templates as liquid_templates
from bellhop.intents import built_in
from bellhop.logging import configure_logs
from bellhop.providers import lease_http, load_sdks, providers
from bellhop.providers.lease import DeadMansSwitch
from bellhop.settings import Settings, from_env
from bellhop.temporal import contract
from bellhop.webhooks import outbox, ssrf_guard
from tests.chaos.crash.sites import ROOT, all_sites
from tests.chaos.crash.steps import Points, wrap_everything

# What takes a provider, its lease and recovery minutes, in seconds; in the order of the real ones.
ENV = {
    "BELLHOP_ENV_FILE": "",
    "BELLHOP_SECRET_KEY": "a secret of the tests, long enough to be one",
    "BELLHOP_SANDBOX_URL": "http://127.0.0.1:9",
    # When a schedule has its time is said by the slot: sweeping.py.
    "BELLHOP_SWEEP_EVERY": "3600",
    "BELLHOP_SWEEP_GRACE": "1.5",
    "BELLHOP_LOG_LEVEL": "INFO",
    "POSTGRES_POOL_SIZE": "4",
    "DELIVERY_CALL_TIMEOUT": "2",
    "DELIVERY_LEASE": "9",
    "DELIVERY_LEASE_MARGIN": "0.3",
    "DELIVERY_SETTLE_PAUSES": "0.4,0.6,1.5",
    "DELIVERY_FOLLOW_AT": "3,4,5,6,8,10,12,14,16,18,20,25,30,40,60",
    # A process that is long in starting is no outage: what it missed is repeated, or asked about one by one.
    "DELIVERY_MISSED_AFTER": "0",
    "DELIVERY_RETRY_FIRST": "0.2",
    "DELIVERY_RETRY_LONGEST": "1",
    "DELIVERY_HOLD": "0.5",
    "DELIVERY_THREADS": "4",
    # Processes of several databases would share it.
    "SPOOL_MAX_ENTRIES": "0",
    "WEBHOOK_ALLOW": "127.0.0.0/8",
    "WEBHOOK_TIMEOUT": "3",
    "WEBHOOK_RETRY_PAUSES": "0.5,1,1,1,2,2",
}
# Slower than our own steps on a busy machine, so that they come in the order of the list; retried after a restart.
SANDBOX = {
    "twilio_sent_after": 0.4,
    "twilio_delivered_after": 0.8,
    "twilio_retry_pause": 3,
    "sendblue_sent_after": 0.4,
    "sendblue_delivered_after": 0.8,
    "sendblue_retry_pause": 3,
    "sendgrid_processed_after": 0.4,
    "sendgrid_delivered_after": 0.8,
    "sendgrid_open_after": 1.2,
    "sendgrid_batch_window": 0.02,
    "sendgrid_email_activity": True,
    "sendgrid_retry_pauses": [2.5, 1, 1, 1, 1, 2, 2, 5, 5],
    "sendgrid_inbound_retry_pauses": [1, 1, 1, 1, 2, 2, 5, 5],
}
DRAINER, CLAIM, LINGER = 5.0, 1.0, 0.3
"""For constants of webhooks: LEASE_OF_DRAINER (longer than steps.BEATING), CLAIM_MARGIN and Pace.linger."""
PAUSED = 4.0
"""For the dead man's switch: more than a busy machine keeps a thread waiting (3 s are survived), and so far below the
lease that a busy machine gets to writing (5 s)."""
QUEUES = tuple(name for name in dir(contract) if name.startswith("TASK_QUEUE_"))
OURS = ("api", "workflows", "activities", "bellhop", "worker")


def _main(path: str) -> None:
    """Wait for orders, until whoever gives them is gone."""
    settings = from_env({**os.environ, **ENV})
    app = create_app(settings)
    _warm_up(app)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    memory.loaded()
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], 1.0)
        if sys.stdin in ready:
            return
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
        if listener not in ready:
            continue
        asked, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            try:
                _watch(asked, settings, app)
            finally:
                os._exit(0)
        asked.close()


def _warm_up(app: Any) -> None:
    """What every process would otherwise do for itself, a second's work: a hash of all code there is (the worker's
    build id), the routes' models, the names of transactions, certificates, what intents are detected by."""
    load_default_build_id()
    all_sites()
    # Their SDKs, a seventh of what a process computes, and what only some roles of the worker import.
    providers()
    load_sdks()
    import_module("bellhop.webhooks.poster")
    liquid_templates.warm()
    ssrf_guard.certificates()
    lease_http._default_tls()
    built_in.detect("Could I check out late, please?")

    async def nowhere() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_: Any) -> None:
            pass

        asked = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
        asked |= {"path": "/nowhere", "raw_path": b"/nowhere", "query_string": b"", "headers": [], "root_path": ""}
        await app({**asked, "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 1)}, receive, send)

    asyncio.run(nowhere())


def _watch(asked: socket.socket, settings: Settings, app: Any) -> None:
    """Fork one process, say its pid, and how it ended; end it when nobody listens any more."""
    order = json.loads(asked.makefile().readline())
    alive, end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        asked.close()
        _live(order, settings, app)
    os.close(end)
    asked.sendall(f"{pid}\n".encode())
    # The pipe ends with the process, the connection with the test.
    ready, _, _ = select.select([alive, asked], [], [])
    if alive not in ready:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if alive in ready:
        asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _live(order: dict[str, Any], settings: Settings, app: Any) -> None:
    """Be an API with a worker of all roles. Does not return."""
    code = 1
    try:
        room = Path(order["room"])
        log = os.open(room / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _of_its_own(order["name"])
        wrap_everything(Points(room))
        fresh = from_env({**ENV, "DELIVERY_MARKS_DIR": order["room"], **order["env"]})
        for group in Settings.model_fields:
            # The app was built with this object, and reads it only now.
            setattr(settings, group, getattr(fresh, group))
        configure_logs(settings.bellhop.log_level, "crash")
        uvloop.run(_run(settings, app))
        code = 0
    except BaseException:  # noqa: BLE001 (a forked process must never go on with its parent's code)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _of_its_own(name: str) -> None:
    """Task queues, workflows and a schedule of this slot's own, in the one namespace; and the shorter times."""
    for module in [one for key, one in sys.modules.items() if key.partition(".")[0] in OURS]:
        for constant in (*QUEUES, "SWEEP_SCHEDULE"):
            if hasattr(module, constant):
                setattr(module, constant, f"{getattr(module, constant)}-{name}")
        if hasattr(module, "release_workflow"):
            # Named by the scope, which is the same one in every slot's copy of the record.
            module.release_workflow = partial(release_name, slot=name)  # type: ignore[attr-defined]
    outbox.LEASE_OF_DRAINER, outbox.CLAIM_MARGIN = DRAINER, CLAIM
    worker.EndpointActivities = partial(EndpointActivities, pace=Pace(linger=LINGER))  # type: ignore[misc,assignment]
    # Nothing here is of the other environment: its queues would cost every start of a process their share.
    worker.activity_workers = partial(worker.activity_workers, environments=("test",))
    worker.DeadMansSwitch = partial(DeadMansSwitch, limit=PAUSED)  # type: ignore[misc,assignment]


async def _run(settings: Settings, app: Any) -> None:
    served = options(settings.api)
    config = uvicorn.Config(app, host="127.0.0.1", port=settings.bellhop.port, log_level="error", **served)
    serving = asyncio.create_task(uvicorn.Server(config)._serve())
    working = asyncio.create_task(worker.run(settings, "all"))
    await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
    for task in (serving, working):
        if task.done():
            task.result()


def release_name(scope: object, channel: str, slot: str) -> str:
    """The id of the workflow that releases what a slot has parked."""
    return f"release_{scope}_{channel}_{slot}"


# --- for the test process -----------------------------------------------------------------------------------------


@dataclass
class Child:
    """One process; `ended` gives its exit code, negative for a signal."""

    pid: int
    ended: asyncio.Task[int]
    _writer: asyncio.StreamWriter

    def kill(self) -> None:
        """End it."""
        self._writer.close()
        self.ended.cancel()


class ProcessPool:
    """The process that forks, as an async context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> ProcessPool:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", __name__, str(self._path)),
            cwd=ROOT,
            env=environment_without_settings(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while (said := await self._process.stdout.readline()) != b"ready\n":
                assert said, "the process pool did not start"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def start(self, order: dict[str, Any]) -> Child:
        """A new process."""
        reader, writer = await asyncio.open_unix_connection(self._path)
        writer.write(json.dumps(order).encode() + b"\n")
        pid = int(await reader.readline())

        async def ended() -> int:
            return int(await reader.readline() or b"-9")

        return Child(pid, asyncio.create_task(ended()), writer)


if __name__ == "__main__":
    _main(sys.argv[1])
