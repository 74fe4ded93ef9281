"""Keeps the stack's processes running: watches them, starts again what died, and stops all of them in order."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from bellhop.dev.console import Console
from bellhop.dev.problems import StartProblem
from bellhop.dev.process import Process, Program, log_end

# What stops together, one group after the other, and how long each group may take. The sum stays below 10 s.
_STOP_ORDER: tuple[tuple[tuple[str, ...], float], ...] = (
    (("api",), 2.5),
    (("worker-workflows", "worker-activities"), 6.0),
    (("sandbox", "receiver", "temporal"), 3.5),
    (("postgres",), 4.0),
)
_STOP_WITHIN = 9.5
_SETTLED_AFTER = 20.0  # seconds: one that lived this long starts with a clean slate
_PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Supervisor:
    """Thread-safe. `on_change` is called whenever a process id changed."""

    def __init__(self, console: Console, on_change: Callable[[], None] = lambda: None) -> None:
        self._console = console
        self._on_change = on_change
        self._running: dict[str, Process] = {}
        self._deaths: dict[str, int] = {}
        self._again_at: dict[str, float] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def start(self, program: Program) -> Process:
        """Start it and wait until it is ready. Raises PartFailed. From then on it is kept running."""
        with self._lock:
            if self._stopping.is_set():
                raise StartProblem("The stack is being stopped.")
            process = self._running[program.name] = Process.start(program)
        process.wait_ready(self._stopping.is_set)
        return process

    def watch(self) -> None:
        """From now on start again what ends by itself."""
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._watcher.start()

    def pids(self) -> dict[str, int]:
        with self._lock:
            return {name: process.pid for name, process in self._running.items() if not process.ended()}

    def process(self, name: str) -> Process:
        with self._lock:
            return self._running[name]

    def restart(self, name: str) -> Process:
        """Stop one process politely and start it again; returns when it is ready."""
        with self._lock:
            old = self._running[name]
            old.ask_to_stop()
            if not old.wait_ended(8.0):
                old.kill()
            new = self._running[name] = Process.start(old.program)
            self._deaths.pop(name, None)
        new.wait_ready(self._stopping.is_set)
        self._on_change()
        return new

    def stop(self) -> None:
        """Stop everything within 10 s. What doesn't end when asked is killed; nothing is left running."""
        self._stopping.set()
        if self._watcher is not None and self._watcher is not threading.current_thread():
            self._watcher.join(1)
        end = time.monotonic() + _STOP_WITHIN
        with self._lock:
            known = {name for names, _ in _STOP_ORDER for name in names}
            others = tuple(name for name in self._running if name not in known)
            for names, seconds in ((others, 3.0), *_STOP_ORDER):
                group = [self._running[name] for name in names if name in self._running]
                for process in group:
                    process.ask_to_stop()
                # Every later group keeps a second in any case: PostgreSQL's, to write its checkpoint.
                until = min(time.monotonic() + seconds, end - 1.0) if "postgres" not in names else end
                for process in group:
                    if not process.wait_ended(until - time.monotonic()):
                        self._console.say(f"! {process.program.label} did not end when asked; killed")
                    with contextlib.suppress(OSError):
                        process.kill()  # its group too: whatever it started itself
            self._running.clear()
        self._on_change()

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            with self._lock:
                if self._stopping.is_set():
                    return
                changed = [self._revive(name) for name, process in self._running.items() if process.ended()]
            if any(changed):
                self._on_change()

    def _revive(self, name: str) -> bool:
        """Start a process again that ended, at once the first time, ever later if it keeps dying."""
        process, now = self._running[name], time.monotonic()
        if name not in self._again_at:
            deaths = 1 if now - process.began > _SETTLED_AFTER else self._deaths.get(name, 0) + 1
            self._deaths[name] = deaths
            pause = _PAUSES[min(deaths, len(_PAUSES)) - 1]
            self._again_at[name] = now + pause
            when = f"starting it again in {pause:g} s" if pause else "starting it again"
            self._console.say(f"! {process.program.label} ended ({process.how_it_ended()}); {when}")
            if deaths == 3:
                self._console.say(f"  It keeps ending. The end of its log:\n{log_end(process.program)}")
        if now < self._again_at[name]:
            return False
        del self._again_at[name]
        try:
            self._running[name] = Process.start(process.program)
        except (OSError, StartProblem) as error:
            self._console.say(f"! {process.program.label} could not be started again: {error}")
            process.began = now  # counts as another quick death
            return False
        return True
