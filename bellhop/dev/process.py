"""One process of the stack: how it is started in a session of its own, watched, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bellhop.dev.paths import owners_only
from bellhop.dev.problems import PartFailed

_CHILD = str(Path(__file__).with_name("child.py"))
_LOG_KEEP_BYTES = 20 * 1024 * 1024

# The kernel's parent-death signal follows the THREAD that forked, so every process is started by this one, which
# lives exactly as long as the supervisor does.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


@dataclass(frozen=True)
class Program:
    """What to run and how to tell that it is ready. Immutable, so that it can be started again."""

    name: str
    label: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    ready: Callable[[int], bool]  # given the process id
    cwd: Path = Path("/")
    start_timeout: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    user: str = ""
    before: Callable[[], None] | None = None


@dataclass
class Process:
    """A running (or ended) Program."""

    program: Program
    popen: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, program: Program) -> Process:
        """Start it and return at once. Its output goes to its log, its input is empty, its session is its own."""
        if program.before is not None:
            program.before()
        return cls(program, _spawner.submit(_spawn, program).result())

    @property
    def pid(self) -> int:
        return self.popen.pid

    def ready(self) -> bool:
        return self.program.ready(self.pid)

    def ended(self) -> bool:
        return self.popen.poll() is not None

    def how_it_ended(self) -> str:
        code = self.popen.poll()
        if code is None:
            return "still running"
        if code < 0:
            try:
                return f"killed by {signal.Signals(-code).name}"
            except ValueError:
                return f"killed by signal {-code}"
        return f"exit code {code}"

    def wait_ready(self, stopping: Callable[[], bool] = lambda: False) -> None:
        """Return when `ready()` says so. Raises PartFailed with the end of the log when it ends or takes too long."""
        program, deadline = self.program, time.monotonic() + self.program.start_timeout
        while True:
            if stopping():
                raise PartFailed(f"{program.label} was stopped while starting.")
            if self.ended():
                raise PartFailed(f"{program.label} stopped while starting ({self.how_it_ended()}).\n{log_end(program)}")
            if self.ready():
                return
            if time.monotonic() > deadline:
                raise PartFailed(
                    f"{program.label} was not ready after {program.start_timeout:.0f} s.\n{log_end(program)}"
                )
            time.sleep(0.05)

    def ask_to_stop(self) -> None:
        self._signal(self.program.stop_signal)

    def wait_ended(self, seconds: float) -> bool:
        try:
            self.popen.wait(max(seconds, 0.01))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Kill the whole session's group, the process's own children included."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._signal(signal.SIGKILL)
        self.popen.wait()

    def _signal(self, number: int) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(number)


def log_end(program: Program, lines: int = 12) -> str:
    """The last lines of the program's log and where the rest is."""
    try:
        with program.log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 8192))
            tail = file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        tail = []
    return "\n".join([*(f"    {line}" for line in tail), f"  Its log: {program.log}"])


def _spawn(program: Program) -> subprocess.Popen[bytes]:
    program.log.parent.mkdir(parents=True, exist_ok=True)
    if program.log.exists() and program.log.stat().st_size > _LOG_KEEP_BYTES:
        os.replace(program.log, program.log.with_suffix(".log.1"))
    launcher = (sys.executable, "-I", "-S", _CHILD, str(os.getpid()), str(int(program.death_signal)), program.user)
    with open(program.log, "ab", opener=owners_only) as log:
        return subprocess.Popen(
            [*launcher, *program.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.cwd,
            env=dict(program.env),
            start_new_session=True,
            umask=0o077,
        )
