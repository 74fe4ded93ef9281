"""The lease of a provider call: its clock, and the switch that ends a process which was paused past it.

A call may write to its socket only while its lease lasts. `left` is asked before every write; a process that is paused
between that answer and the write (SIGSTOP, a frozen container) cannot ask again, so a timer of the kernel ends it
before any of its code runs. Together: nothing is handed to the network after the deadline.
"""

from __future__ import annotations

import os
import signal
import threading
import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts time asleep as well; where it is missing (macOS), CLOCK_MONOTONIC is the nearest there is."""

_longest_pause = 0.0


class LeaseExpired(Exception):
    """The lease of this call has ended; nothing more may be written."""


def boottime() -> float:
    """Seconds on the clock that leases are measured on. Comes back to zero only when the machine restarts."""
    return time.clock_gettime(_CLOCK)


def left(deadline: float) -> float:
    """Seconds in which a write may still begin. The pause that a running switch would let pass is taken off, so that
    even a write held up by such a pause is made before `deadline`."""
    return deadline - boottime() - _longest_pause


class DeadMansSwitch:
    """Ends this process by SIGALRM when it has been paused for longer than `limit` seconds: a third of the lease unless
    told otherwise, and never a pause below `limit` minus the re-arming interval. One per process.

    The limit shortens the time in which a write may begin (see `left`), so it stays well below the lease. A thread
    re-arms the timer, not the event loop: a loop that is busy for long must not end the process.
    """

    def __init__(self, lease: float = 15.0, *, limit: float | None = None) -> None:
        self.limit = max(1.0, lease / 3) if limit is None else limit
        if not 0 < self.limit < lease:
            raise ValueError("the limit of a dead man's switch must be shorter than the lease, and above zero")
        self._every = min(1.0, self.limit / 4)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Arm the switch; call it in the main thread, once. Raises RuntimeError where it could not work."""
        global _longest_pause
        if self._thread is not None:
            raise RuntimeError("this dead man's switch is already running")
        if os.getpid() == 1:
            # The kernel drops signals at their default action for the first process of a (container's) namespace.
            raise RuntimeError("process 1 is immune to SIGALRM: run it under an init (Docker: `init: true`)")
        if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        self._stopped.clear()
        signal.setitimer(signal.ITIMER_REAL, self.limit)
        _longest_pause = self.limit
        self._thread = threading.Thread(target=self._rearm, name="dead-mans-switch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Disarm the switch. Safe to call twice."""
        global _longest_pause
        with self._lock:
            self._stopped.set()
            if self._thread is not None:
                signal.setitimer(signal.ITIMER_REAL, 0)
                _longest_pause = 0.0
        self._thread = None

    def _rearm(self) -> None:
        while not self._stopped.wait(self._every):
            with self._lock:
                if not self._stopped.is_set():
                    signal.setitimer(signal.ITIMER_REAL, self.limit)
