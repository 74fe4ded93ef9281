"""Finds a Temporal server, in the order of the design, and says how to run it: one file, kept across restarts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bellhop.dev import temporal_build, temporal_download
from bellhop.dev.console import Console, Step
from bellhop.dev.local_http import direct
from bellhop.dev.locks import held
from bellhop.dev.paths import cache_dir
from bellhop.dev.problems import NoTemporalServer
from bellhop.dev.process import Process, Program
from bellhop.temporal import search_attributes

CLI_VERSION = "1.5.1"

# The development server's defaults throttle far below what one machine can do.
_DYNAMIC_CONFIG: Mapping[str, object] = {
    "system.enableActivityEagerExecution": True,
    "frontend.rps": 100_000,
    "frontend.namespaceRPS": 100_000,
    "frontend.namespaceRPS.visibility": 10_000,
    "frontend.namespaceCount": 100_000,
    "frontend.globalNamespaceRPS": 100_000,
    "history.rps": 100_000,
    "history.persistenceMaxQPS": 100_000,
    "matching.rps": 100_000,
    "matching.persistenceMaxQPS": 100_000,
    "frontend.persistenceMaxQPS": 100_000,
    # One machine, one worker per queue: a single partition spares the hops between partitions.
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
    # By priority, and within one each property in turn (the default is the order of arrival).
    "matching.useNewMatcher": True,
    "matching.enableFairness": True,
    # A closed history can be deleted only once its close was acknowledged: within seconds instead of half a minute.
    "history.transferProcessorUpdateAckInterval": "3s",
    # Workflow tasks are read from their queue so many times a second at most: with the default of 20 one waits 50 ms.
    "history.transferProcessorMaxPollRPS": 200,
    # Workflows kept in memory for an hour after their last task, 20 KB each: with the default of 128,000 some ten
    # thousand messages an hour fill GOMEMLIMIT, and the server then spends most of its time collecting garbage.
    "history.hostLevelCacheMaxSize": 4_000,
}

# The write-ahead log survives `kill -9`. The rest spares the disk: temporary tables and pages are kept in memory.
_PRAGMAS: Mapping[str, object] = {
    "journal_mode": "WAL",
    "synchronous": "NORMAL",
    "temp_store": "MEMORY",
    "cache_size": -65_536,  # KiB
    "mmap_size": 268_435_456,
    "wal_autocheckpoint": 10_000,  # pages
}

# Fewer garbage collections, a fifth less CPU; the more memory is taken, the more of them (bytes of the Go runtime's).
# Whoever sets these has the last word.
_GO = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}

# Closed histories stay readable in the UI, and REJECT_DUPLICATE works, this long. The server's default is a day.
_RETENTION = "604800s"


@dataclass(frozen=True)
class FoundTemporal:
    """Either an address to connect to, or a binary to run; and where it came from, for the person."""

    how: str
    address: str = ""
    binary: Path | None = None


def find(console: Console, env: Mapping[str, str] | None = None) -> FoundTemporal:
    """TEMPORAL_ADDRESS, `temporal` on PATH, our cache, the SDK's download, a build with Go. Raises NoTemporalServer."""
    env = os.environ if env is None else env
    if address := env.get("TEMPORAL_ADDRESS", "").strip():
        return FoundTemporal(how="TEMPORAL_ADDRESS", address=address)
    if (on_path := shutil.which("temporal", path=env.get("PATH"))) and (version := runs(Path(on_path))):
        return FoundTemporal(how=f"{on_path}, {version}", binary=Path(on_path))
    binary = cached_binary(env)
    if version := runs(binary):
        return FoundTemporal(how=f"cached, {version}", binary=binary)
    with console.step("Temporal server: getting one (only this first time)") as step:
        _get(binary, console, step, env)
        step.label = f"Temporal server kept in {binary.parent}"
    return FoundTemporal(how=f"cached, {runs(binary)}", binary=binary)


def cached_binary(env: Mapping[str, str] | None = None) -> Path:
    return cache_dir(env) / "temporal" / CLI_VERSION / "temporal"


def runs(binary: Path) -> str:
    """What `temporal --version` answers, or "" if it can't be run (absent, half written, for another machine)."""
    if not binary.is_file():
        return ""
    try:
        done = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().removeprefix("temporal version ") if done.returncode == 0 else ""


def _get(binary: Path, console: Console, step: Step, env: Mapping[str, str]) -> None:
    """Fill the cache, once even if several processes ask at the same time."""
    try:
        binary.parent.mkdir(parents=True, exist_ok=True)
        with held(binary.parent / ".lock", lambda: step.note("(another process is getting it; waiting)")):
            if runs(binary):
                return
            tried: list[str] = []
            for way in (temporal_download.download, temporal_build.build):
                problem = way(binary, CLI_VERSION, console, step, env)
                if not problem and runs(binary):
                    return
                tried.append(problem or "what was made does not run on this machine")
    except OSError as error:
        tried = [f"writing to {binary.parent} ({error.strerror})"]
    raise NoTemporalServer(
        f"No Temporal server could be found or made. Tried: `temporal` on PATH; {binary}; {'; '.join(tried)}. "
        "Install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on PATH, or set "
        "TEMPORAL_ADDRESS=host:port to use a server you have, then start again."
    )


def server_program(
    binary: Path,
    *,
    port: int,
    ui_port: int,
    http_port: int,
    database: Path,
    log: Path,
    env: Mapping[str, str],
    one_namespace: bool = True,
) -> Program:
    """The development server on a SQLite file that survives `kill -9` (write-ahead log).

    `one_namespace`: it serves the default one alone. Then it need not read the list of search attributes from its
    database a dozen times a message, as the command line tool has it do for those that are made while it runs; without
    it would refuse workflows with them for a minute. So they are made before, by a server that does.
    """
    command = [str(binary), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)]
    command += ["--ui-port", str(ui_port), "--http-port", str(http_port), "--db-filename", str(database)]
    for name, value in _PRAGMAS.items():
        command += ["--sqlite-pragma", f"{name}={value}"]
    # Known from the start, so that nothing waits until they are made.
    for attribute in search_attributes.ALL:
        command += ["--search-attribute", f"{attribute.name}=Keyword"]
    command += ["--log-level", "error"]
    for key, value in _DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
    # The person's own client settings (TEMPORAL_NAMESPACE, …) are not meant for the server.
    own = {name: value for name, value in env.items() if not name.startswith("TEMPORAL_")}
    namespace = f"http://127.0.0.1:{http_port}/api/v1/namespaces/default"
    program = Program(
        name="temporal",
        label="Temporal server",
        command=tuple(command),
        env={**_GO, **own},
        log=log,
        ready=lambda pid: _keep_histories(namespace),
        start_timeout=60,
    )
    if not one_namespace:
        return program
    making = replace(program, ready=lambda pid: _has_attributes(namespace))
    reads_once = (*program.command, "--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=false")
    return replace(program, command=reads_once, before=lambda: _make_attributes(making, database))


def _make_attributes(making: Program, database: Path) -> None:
    """Make them, unless they are known to be there. Raises PartFailed."""
    made, wanted = database.with_suffix(".attributes"), " ".join(attribute.name for attribute in search_attributes.ALL)
    if database.exists() and made.exists() and made.read_text() == wanted:
        return
    server = Process.start(making)
    try:
        server.wait_ready()
        server.ask_to_stop()
        server.wait_ended(10.0)
    finally:
        if not server.ended():
            server.kill()
    made.write_text(wanted)


def polls(http_port: int, task_queue: str, kind: str, pid: int) -> bool:
    """Does that process poll the queue? `kind` is "workflow" or "activity"; an identity is `process id@host`."""
    url = f"http://127.0.0.1:{http_port}/api/v1/namespaces/default/task-queues/{task_queue}"
    try:
        with direct.open(f"{url}?taskQueueType=TASK_QUEUE_TYPE_{kind.upper()}", timeout=2) as answer:
            pollers = json.load(answer).get("pollers", [])
    except (OSError, ValueError):
        return False
    return any(poller.get("identity", "").startswith(f"{pid}@") for poller in pollers)


def _has_attributes(namespace: str) -> bool:
    try:
        with direct.open(f"{namespace}/search-attributes", timeout=2) as answer:
            known = json.load(answer).get("customAttributes", {})
    except (OSError, ValueError):
        return False
    return all(attribute.name in known for attribute in search_attributes.ALL)


def _keep_histories(namespace: str) -> bool:
    """True when the frontend serves the default namespace; sets its retention on the way."""
    body = json.dumps({"config": {"workflowExecutionRetentionTtl": _RETENTION}}).encode()
    request = urllib.request.Request(
        f"{namespace}/update", data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with direct.open(request, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
