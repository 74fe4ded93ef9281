"""What the person sees while the stack starts: one line per step with its time, and a sign that moves on long ones."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from bellhop.dev.problems import StartProblem

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_REDRAW_EVERY = 0.1  # seconds, on a terminal
_REMIND_EVERY = 10.0  # seconds, when the output goes to a file or a pipe


class Step:
    """One thing being done. `note` says how it goes; `label` may be changed to what it turned out to be."""

    def __init__(self, label: str, cancelled: threading.Event) -> None:
        self.label = label
        self._cancelled = cancelled
        self.detail = ""
        self.began = time.monotonic()
        self.reminded = self.began

    def note(self, detail: str) -> None:
        self.detail = detail
        self.check()

    def check(self) -> None:
        """For long work to call now and then: raises StartProblem when the person has lost patience."""
        if self._cancelled.is_set():
            raise StartProblem("Stopped before it was finished.")

    def elapsed(self) -> float:
        return time.monotonic() - self.began


class Console:
    """Thread-safe. Several steps may be under way at once; each prints its own line when it is done."""

    def __init__(self, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self._out = sys.stdout if out is None else out
        self._quiet = quiet
        self._tty = not quiet and self._out.isatty()
        self._fancy = "utf" in (getattr(self._out, "encoding", None) or "").lower()
        self._lock = threading.RLock()
        self._steps: list[Step] = []
        self._ticker: threading.Thread | None = None
        self._frame = 0
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End the steps under way (at their next `check`), without a line for each."""
        self._cancelled.set()

    def say(self, text: str) -> None:
        """Print one line (or several), above the moving sign if there is one."""
        with self._lock:
            self._clear()
            self._write(text + "\n")

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        """Show `label` as moving until the block ends; then print its line with the time it took."""
        step = Step(label, self._cancelled)
        with self._lock:
            self._steps.append(step)
            self._start_ticker()
        try:
            yield step
        except BaseException:
            self._end(step, failed=True)
            raise
        self._end(step, failed=False)

    def _end(self, step: Step, *, failed: bool) -> None:
        with self._lock:
            self._steps.remove(step)
            if failed and self._cancelled.is_set():
                return
            sign = ("✗" if failed else "✓") if self._fancy else ("FAILED" if failed else "ok")
            self.say(f"{sign} {step.label:<44} {step.elapsed():5.1f} s")

    def _start_ticker(self) -> None:
        if self._quiet or (self._ticker is not None and self._ticker.is_alive()):
            return
        self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)
        self._ticker.start()

    def _tick(self) -> None:
        while True:
            time.sleep(_REDRAW_EVERY if self._tty else 0.5)
            with self._lock:
                if not self._steps:
                    self._ticker = None
                    return
                self._redraw() if self._tty else self._remind()

    def _redraw(self) -> None:
        self._frame += 1
        sign = _FRAMES[self._frame % len(_FRAMES)] if self._fancy else "|/-\\"[self._frame % 4]
        parts = [f"{step.label} {step.detail} {step.elapsed():.0f} s".replace("  ", " ") for step in self._steps]
        # One terminal line at most: a wrapped line could not be cleared again.
        self._write(f"\r\x1b[K{sign} {' · '.join(parts)}"[:100])

    def _remind(self) -> None:
        now = time.monotonic()
        for step in self._steps:
            if now - step.reminded >= _REMIND_EVERY:
                step.reminded = now
                self._write(f"  ... {step.label} {step.detail} ({step.elapsed():.0f} s)\n".replace("  (", " ("))

    def _clear(self) -> None:
        if self._tty:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._quiet:
            return
        try:
            self._out.write(text if self._fancy else text.encode("ascii", "replace").decode("ascii"))
            self._out.flush()
        except (OSError, ValueError):
            # The reader went away (a closed terminal or pipe): starting and stopping must go on regardless.
            self._quiet = True
