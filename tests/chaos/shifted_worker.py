"""Runs the worker with Python's wall clock shifted by so many seconds: `python shifted_worker.py -600 [--role …]`.

Clocks that only count (monotonic, boottime) are not shifted: no wrong time of day shifts them.
"""

from __future__ import annotations

import datetime
import runpy
import sys
import time
from typing import Any

OFFSET = float(sys.argv.pop(1))

_real_time, _real_time_ns, _real_clock, _Real = time.time, time.time_ns, time.clock_gettime, datetime.datetime


def _clock_gettime(clock: int) -> float:
    return _real_clock(clock) + (OFFSET if clock == time.CLOCK_REALTIME else 0.0)


class _AsReal(type(_Real)):  # type: ignore[misc]
    """Makes real datetimes, and takes them for its own."""

    def __call__(cls, *args: Any, **kwargs: Any) -> datetime.datetime:
        return _Real(*args, **kwargs)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Real)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _Real)


class _Shifted(_Real, metaclass=_AsReal):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return _Real.now(tz) + datetime.timedelta(seconds=OFFSET)

    @classmethod
    def utcnow(cls) -> datetime.datetime:
        return _Real.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=OFFSET)


time.time = lambda: _real_time() + OFFSET
time.time_ns = lambda: _real_time_ns() + int(OFFSET * 1e9)
time.clock_gettime = _clock_gettime
datetime.datetime = _Shifted  # type: ignore[misc]

sys.path.insert(0, "")
runpy.run_module("worker", run_name="__main__")
