"""File locks: they end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(path: Path, while_waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock for the block, waiting for it as long as it takes (or until `while_waiting` raises)."""
    while (descriptor := take(path)) is None:
        while_waiting()
        time.sleep(0.1)
    try:
        yield
    finally:
        os.close(descriptor)


def take(path: Path) -> int | None:
    """The lock's file descriptor, to be closed when done; None if another process (or stack) has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
