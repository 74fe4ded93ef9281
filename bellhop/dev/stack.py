"""The embedded stack as one object: start it whole or in part, ask it where everything is, stop it.

`bellhop dev` and `bellhop demo` run all of it; tests start the parts they need:

    with EmbeddedStack(tmp_path, ports=Ports.any_free(), parts=("postgres", "temporal")) as stack:
        connect(stack.postgres_dsn, stack.temporal_address)
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bellhop.dev import locks, services, temporal_server
from bellhop.dev.console import Console
from bellhop.dev.free_ports import Ports
from bellhop.dev.paths import DevPaths
from bellhop.dev.postgres import EmbeddedPostgres
from bellhop.dev.problems import AlreadyRunning, NoTemporalServer
from bellhop.dev.process import Process, Program
from bellhop.dev.supervisor import Supervisor

ALL_PARTS = ("postgres", "temporal", "sandbox", "receiver", "worker-workflows", "worker-activities", "api")


@dataclass(frozen=True)
class PreparedInfo:
    """What preparing the database made: the property to play with and a key for it."""

    property_id: str
    api_key: str


Prepare = Callable[[DevPaths, Mapping[str, str]], PreparedInfo]
"""Brings the schema to date and seeds it. Gets the paths and the environment the stack's programs will run with."""


class EmbeddedStack:
    """Everything on one machine. A context manager, sync or async; `start` raises StartProblem and leaves nothing."""

    def __init__(
        self,
        state_dir: Path,
        *,
        ports: Ports | None = None,
        parts: Collection[str] = ALL_PARTS,
        prepare: Prepare | None = None,
        console: Console | None = None,
        env: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        if unknown := set(parts) - set(ALL_PARTS):
            raise ValueError(f"no such parts: {', '.join(sorted(unknown))}; there are {', '.join(ALL_PARTS)}")
        self.paths = DevPaths(state_dir.resolve())
        self.ports = ports or Ports()
        self.parts = frozenset(parts)
        self.host = host
        self.prepared: PreparedInfo | None = None
        self.took = 0.0
        self._prepare = prepare
        self._console = console or Console(quiet=True)
        self._base_env = dict(os.environ if env is None else env)
        self._supervisor = Supervisor(self._console, self._write_dev_json)
        self._lock: int | None = None
        self._postgres: EmbeddedPostgres | None = None
        self._temporal_address = ""
        self._up = False

    # --- where everything is ---

    @property
    def postgres_dsn(self) -> str:
        return self._postgres.dsn() if self._postgres else ""

    @property
    def temporal_address(self) -> str:
        return self._temporal_address

    @property
    def temporal_ui_url(self) -> str:
        own = "temporal" in self._supervisor.pids()
        return f"http://127.0.0.1:{self.ports.ui}" if own else ""

    @property
    def api_url(self) -> str:
        return f"http://{services.reachable(self.host)}:{self.ports.api}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.sandbox}"

    @property
    def receiver_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.receiver}"

    @property
    def pids(self) -> dict[str, int]:
        return {**self._supervisor.pids(), "supervisor": os.getpid()}

    def env(self) -> dict[str, str]:
        """What a program needs in its environment to work with this stack."""
        return services.settings_env(
            self._base_env,
            dsn=self.postgres_dsn,
            temporal_address=self._temporal_address or f"127.0.0.1:{self.ports.temporal}",
            own_temporal="temporal" in self.parts and not self._given_temporal(),
            secret_key=self.paths.secret_key(),
            ports=self.ports,
            host=self.host,
            spool=self.paths.spool,
            media=self.paths.media,
        )

    def description(self) -> dict[str, Any]:
        """The content of dev.json."""
        return {
            "api_url": self.api_url,
            "api_key": self.prepared.api_key if self.prepared else "",
            "property_id": self.prepared.property_id if self.prepared else "",
            "postgres_dsn": self.postgres_dsn,
            "temporal_address": self.temporal_address,
            "temporal_ui_url": self.temporal_ui_url,
            "sandbox_url": self.sandbox_url,
            "receiver_url": self.receiver_url,
            "pids": self.pids if self._up else {},
        }

    # --- starting and stopping ---

    def start(self) -> Self:
        began = time.monotonic()
        self.paths.make()
        self._lock = locks.take(self.paths.lock)
        if self._lock is None:
            url = self.paths.read_dev_json().get("api_url") or "it is still starting"
            raise AlreadyRunning(f"This stack already runs ({url}; state in {self.paths.state}).")
        try:
            self._start_parts()
        except BaseException:
            self.stop()
            raise
        self._up = True
        self._write_dev_json()
        self._supervisor.watch()
        self.took = time.monotonic() - began
        return self

    def stop(self) -> None:
        """Stop everything, within 10 s. Harmless when nothing runs."""
        self._up = False
        self._supervisor.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def process(self, part: str) -> Process:
        """The running process of one part: for tests that kill it."""
        return self._supervisor.process(part)

    def restart(self, part: str) -> None:
        """Stop one part and start it again on the same data and ports."""
        self._supervisor.restart(part)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    # --- the steps ---

    def _start_parts(self) -> None:
        """Start what doesn't wait for something together, and everything else as soon as it can."""
        self._temporal_address = self._given_temporal()
        self.ports = self.ports.settled(self._wanted_ports(), self.host)
        launched = threading.Event()  # Temporal's address is known and its server under way
        with ThreadPoolExecutor(max_workers=8, thread_name_prefix="start") as pool:
            database = pool.submit(self._start_database)
            temporal = pool.submit(self._start_temporal, launched)
            steps: list[Future[None]] = [database, temporal]
            for part in ("sandbox", "receiver"):
                if part in self.parts:
                    steps.append(pool.submit(self._start_service, part))
            try:
                _finish([database])
                while not launched.wait(0.05):
                    if temporal.done():
                        _finish([temporal])
                        break
                late = [part for part in ALL_PARTS if part.startswith(("worker", "api")) and part in self.parts]
                steps += [pool.submit(self._start_service, part) for part in late]
                _finish(steps)
            except BaseException:
                # Whatever else is under way ends now, and the pool with it.
                self._console.cancel()
                self._supervisor.stop()
                raise

    def _given_temporal(self) -> str:
        return self._base_env.get("TEMPORAL_ADDRESS", "").strip() if "temporal" in self.parts else ""

    def _wanted_ports(self) -> set[str]:
        wanted = {"api", "sandbox", "receiver"} & self.parts
        if "temporal" in self.parts and not self._temporal_address:
            wanted |= {"temporal", "ui", "temporal_http"}
        # A sandbox calls the API, a demo's receiver is told to it: their addresses are needed even when not started.
        return wanted | ({"api"} if "sandbox" in self.parts else set())

    def _start_database(self) -> None:
        if "postgres" not in self.parts:
            return
        with self._console.step("PostgreSQL") as step:
            if not (self.paths.postgres / "PG_VERSION").exists():
                step.note("(making the database)")
            server = EmbeddedPostgres.prepare(self.paths)
            self._postgres = server
            self._supervisor.start(server.program(self.paths.log("postgres"), self._base_env))
            step.label = f"PostgreSQL {server.version()} ready"
        if self._prepare is not None:
            with self._console.step("Database schema") as step:
                self.prepared = self._prepare(self.paths, self.env())
                step.label = "Database schema up to date"

    def _start_temporal(self, launched: threading.Event) -> None:
        if "temporal" not in self.parts:
            launched.set()
            return
        found = temporal_server.find(self._console, self._base_env)
        with self._console.step("Temporal server") as step:
            if found.address:
                launched.set()
                _check_reachable(found.address)
                step.label = f"Temporal server at {found.address} (TEMPORAL_ADDRESS)"
                return
            assert found.binary is not None
            program = temporal_server.server_program(
                found.binary,
                port=self.ports.temporal,
                ui_port=self.ports.ui,
                http_port=self.ports.temporal_http,
                database=self.paths.temporal_db,
                log=self.paths.log("temporal"),
                env=self._base_env,
                one_namespace="api" in self.parts,
            )
            self._temporal_address = f"127.0.0.1:{self.ports.temporal}"
            launched.set()
            self._supervisor.start(program)
            step.label = "Temporal server ready"

    def _start_service(self, part: str) -> None:
        program = self._service(part)
        with self._console.step(program.label) as step:
            self._supervisor.start(program)
            step.label = f"{program.label} ready"

    def _service(self, part: str) -> Program:
        if part == "sandbox":
            return services.sandbox(self.env(), self.paths, self.ports, self.host)
        if part == "receiver":
            return services.receiver(self._base_env, self.paths, self.ports)
        if part == "api":
            return services.api(self.env(), self.paths, self.ports, self.host)
        return services.worker(part.removeprefix("worker-"), self.env(), self.paths, self.ports.temporal_http)

    def _write_dev_json(self) -> None:
        if self._lock is None:
            # It is another stack's, which runs here.
            return
        # Only once everything is up: whoever waits for a new file may then use all of it.
        if self._up:
            self.paths.write_dev_json(self.description())
        elif known := self.paths.read_dev_json():
            self.paths.write_dev_json({**known, "pids": {}})


def _finish(steps: list[Future[None]]) -> None:
    """Wait for all of them; the first that failed ends the waiting."""
    done, _ = wait(steps, return_when=FIRST_EXCEPTION)
    for step in done:
        step.result()


def _check_reachable(address: str) -> None:
    import socket

    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]") or "localhost", int(port)), timeout=5).close()
    except (OSError, ValueError) as error:
        raise NoTemporalServer(
            f"TEMPORAL_ADDRESS is {address}, but nothing answers there ({error}). "
            "Start that server, or unset TEMPORAL_ADDRESS to have one of Bellhop's own."
        ) from None
