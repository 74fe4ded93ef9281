"""The spool's directory: one file for each callback, whole or not there at all, in the order in which they came.

Several processes may write to it at once; one at a time replays it. A file's name says when its callback came (so that
names in order are callbacks in order), whether a guest wrote it, and how large it is, so that counting opens no file.
Everything here blocks: it is called in a thread.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"(?P<at>\d{20})-(?P<kind>text|receipts)-[0-9a-f]{8}-(?P<size>\d+)\.entry")
REJECTED = "rejected"
LOCK = "lock"
COUNTED_FOR = 1.0
"""Seconds a count of the directory is used for: what other processes add meanwhile is beyond the bounds."""
MOST_REJECTED = 500
MOST_REJECTED_BYTES = 64 * 1024 * 1024
REJECTED_FOR = 30 * 86_400.0
"""Seconds what was set aside is kept: as long as the database keeps what a callback brought."""
ABANDONED = 60.0
"""Seconds after which a file that was never finished belongs to a process that is gone."""


class SpoolFull(Exception):
    """No room for another callback, or the disk did not take it."""


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """A file's name, read. In order: what guests wrote first, each kind by when it came."""

    of_receipts: bool
    at: int
    """Nanoseconds since 1970."""
    text: str
    size: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What is in it."""

    waiting: int = 0
    bytes: int = 0
    oldest: float = 0.0
    """Age of the oldest that waits, seconds."""
    rejected: int = 0
    full: float = 0.0
    """Share of the bound that is nearer, from 0 to 1."""


class SpoolDirectory:
    """`path` is made when it is first written to, for its owner only."""

    def __init__(self, path: Path, max_entries: int, max_bytes: int) -> None:
        self._path, self._max_entries, self._max_bytes = path, max_entries, max_bytes
        self._writing = threading.Lock()
        self._counted: tuple[float, int, int] = (-COUNTED_FOR, 0, 0)
        self._last = 0

    def put(self, content: bytes, at: int, *, text: bool) -> None:
        """Keep a callback: when this returns it is on the disk. `at`: when it came, nanoseconds since 1970. `text`: a
        guest wrote it. Raises SpoolFull."""
        try:
            with self._writing:
                self._make()
                self._take_room(len(content))
                # Two of this process never have the same place, and a clock that is set back changes no order.
                at = self._last = max(at, self._last + 1)
            kind = "text" if text else "receipts"
            name = f"{at:020d}-{kind}-{secrets.token_hex(4)}-{len(content)}.entry"
            self._write(name, content)
        except OSError as error:
            raise SpoolFull(os.strerror(error.errno or 0)) from None

    def waiting(self) -> list[Name]:
        """What waits, in the order in which it is to be replayed."""
        return sorted(self._names(self._path))

    def read(self, name: Name) -> bytes:
        """What was put there. Raises OSError."""
        return (self._path / name.text).read_bytes()

    def remove(self, name: Name) -> None:
        """It has been recorded. Raises OSError."""
        (self._path / name.text).unlink()

    def reject(self, name: Name) -> None:
        """Set aside what cannot be recorded; the oldest of those makes room. Raises OSError."""
        aside = self._path / REJECTED
        aside.mkdir(mode=0o700, exist_ok=True)
        os.rename(self._path / name.text, aside / name.text)
        self.forget_rejected()

    def forget_rejected(self, now: float | None = None) -> None:
        """Delete what was set aside beyond its bounds and its time. Raises OSError."""
        now = time.time() if now is None else now
        kept = size = 0
        for name in sorted(self._names(self._path / REJECTED), key=lambda name: -name.at):
            kept, size = kept + 1, size + name.size
            old = now - name.at / 1e9 > REJECTED_FOR
            if kept > MOST_REJECTED or size > MOST_REJECTED_BYTES or old:
                (self._path / REJECTED / name.text).unlink(missing_ok=True)

    def clear_unfinished(self) -> None:
        """Delete what processes left half written that were killed: it was answered to nobody. Raises OSError."""
        for file in self._path.glob(".*.part"):
            with suppress(FileNotFoundError):
                if time.time() - file.stat().st_mtime > ABANDONED:
                    file.unlink()

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Whether this process alone may replay, while it lasts: the kernel takes it back from one that is killed."""
        if not self._path.is_dir():
            yield False
            return
        descriptor = os.open(self._path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(descriptor)

    def summary(self) -> Summary:
        """What is in it. Raises OSError where that cannot be seen."""
        names = list(self._names(self._path))
        size = sum(name.size for name in names)
        oldest = max(0.0, time.time() - min(name.at for name in names) / 1e9) if names else 0.0
        rejected = sum(1 for _ in self._names(self._path / REJECTED))
        full = max(
            len(names) / self._max_entries if self._max_entries else 0.0,
            size / self._max_bytes if self._max_bytes else 0.0,
        )
        return Summary(len(names), size, round(oldest, 1), rejected, round(full, 3))

    def check(self) -> None:
        """Make sure that it can be written to. Raises OSError."""
        self._make()
        probe = self._path / f".{secrets.token_hex(4)}.part"
        probe.touch(mode=0o600)
        probe.unlink()

    # --- files ----------------------------------------------------------------------------------------------------

    def _names(self, path: Path) -> Iterator[Name]:
        try:
            found = os.listdir(path)
        except FileNotFoundError:
            return
        for text in found:
            if match := _NAME.fullmatch(text):
                yield Name(match["kind"] == "receipts", int(match["at"]), text, int(match["size"]))

    def _make(self) -> None:
        if not self._path.is_dir():
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _flush_directory(self._path.parent)
        if self._path.stat().st_mode & 0o077:
            self._path.chmod(0o700)

    def _take_room(self, size: int) -> None:
        when, entries, total = self._counted
        if time.monotonic() - when >= COUNTED_FOR:
            names = list(self._names(self._path))
            when, entries, total = time.monotonic(), len(names), sum(name.size for name in names)
        if entries + 1 > self._max_entries or total + size > self._max_bytes:
            self._counted = (when, entries, total)
            raise SpoolFull("no room")
        self._counted = (when, entries + 1, total + size)

    def _write(self, name: str, content: bytes) -> None:
        part = self._path / f".{name}.part"
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.rename(part, self._path / name)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        _flush_directory(self._path)


def _flush_directory(path: Path) -> None:
    """A file's name is on the disk when its directory is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
