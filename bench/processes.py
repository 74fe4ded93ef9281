"""CPU time by process, children included, and what the machine did besides."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

psutil: Any = importlib.import_module("psutil")


@dataclass(frozen=True)
class Moment:
    """CPU seconds spent up to now."""

    at: float
    by_process: Mapping[str, float]
    machine: float


def now(pids: Mapping[str, int]) -> Moment:
    """Read the clocks of `pids` (name → process id)."""
    busy = psutil.cpu_times()
    idle = busy.idle + getattr(busy, "iowait", 0.0)
    return Moment(time.perf_counter(), {name: _spent(pid) for name, pid in pids.items()}, sum(busy[:8]) - idle)


def between(before: Moment, after: Moment) -> tuple[dict[str, float], float]:
    """CPU seconds by process, and those of everything else on the machine."""
    spent = {name: max(0.0, after.by_process[name] - at) for name, at in before.by_process.items()}
    return spent, max(0.0, after.machine - before.machine - sum(spent.values()))


def _spent(pid: int) -> float:
    """Of a process and its living children, and of those children it has seen end."""
    try:
        process = psutil.Process(pid)
        own = process.cpu_times()
        if pid == os.getpid():
            # Everything of the stack is a child of this process and has a line of its own.
            return float(own.user + own.system)
        total = own.user + own.system + own.children_user + own.children_system
        for child in process.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
    except psutil.Error:
        return 0.0
    return float(total)
