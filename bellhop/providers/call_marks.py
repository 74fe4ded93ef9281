"""Which calls of this process have begun to write, in memory that outlives it: what a killed worker had surely not
written needs no question.

A file for each process in a directory of this start of the machine, locked for as long as the process lives. What a
process has put there the kernel has, whoever is killed; after a failure of the machine nobody looks at it. Only what
stands there says something: a call of which nothing is found, here or on another machine, is asked about.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

log = structlog.get_logger()

SLOTS = 1_024
"""Calls of one process at a time; of one more nothing is known should it be cut off."""
_SIZE = 17
"""Bytes of each: what it does, and its attempt."""
_FREE, _CALLING, _WRITING = 0, 1, 2
_SUFFIX = ".calls"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BOOT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def directory_of(base: str, installation: str) -> Path | None:
    """Where the workers of an installation have theirs, from this start of the machine to the next; None: nowhere.
    `installation`: what tells it from others, e.g. its database."""
    if not base or not Path(base).is_dir() or not _BOOT.exists():
        return None
    ours = hashlib.sha256(installation.encode()).hexdigest()[:16]
    return Path(base) / f"bellhop-{os.geteuid()}-{ours}" / _BOOT.read_text().strip()


@dataclass(slots=True)
class _Mark:
    map: mmap.mmap
    at: int

    def writes(self) -> None:
        self.map[self.at] = _WRITING


_CURRENT: ContextVar[_Mark | None] = ContextVar("bellhop_call_mark", default=None)


def writes() -> None:
    """The call of this thread is about to hand its first byte to the kernel: from here on it may have left."""
    if (mark := _CURRENT.get()) is not None:
        mark.writes()


class CallMarks:
    """Those of one process. Its directory is the user's own: whoever else could write there could have a message sent
    twice. Raises OSError where that cannot be."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for each in (directory.parent, directory):
            _make_own(each)
        if _BOOT_ID.fullmatch(directory.name):
            _remove_earlier(directory)
        self._file, name = tempfile.mkstemp(dir=directory, prefix="new-")
        # All of it now: where there is no room later, a store to the map would end the process.
        os.posix_fallocate(self._file, 0, SLOTS * _SIZE)
        # Locked before anybody sees it: unlocked means that its process is gone.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._path = Path(name).with_suffix(_SUFFIX)
        os.rename(name, self._path)
        self._map = mmap.mmap(self._file, SLOTS * _SIZE)
        self._free = [at * _SIZE for at in range(SLOTS)]
        self._lock = threading.Lock()

    @contextmanager
    def of(self, attempt_id: UUID) -> Iterator[None]:
        """While this lasts, in this thread: a call that carries this attempt is made, over `lease_http` alone."""
        with self._lock:
            at = self._free.pop() if self._free else None
            if at is not None:
                self._map[at + 1 : at + _SIZE] = attempt_id.bytes
                self._map[at] = _CALLING
        if at is None:
            yield
            return
        token = _CURRENT.set(_Mark(self._map, at))
        try:
            yield
        finally:
            _CURRENT.reset(token)
            # What is known from here on is written to the record by whoever made the call.
            self._map[at] = _FREE
            with self._lock:
                self._free.append(at)

    @contextmanager
    def left_behind(self) -> Iterator[list[UUID]]:
        """The attempts that processes which are gone had not begun to write. What they left is removed at the end,
        unless that raises."""
        unwritten: list[UUID] = []
        taken: list[tuple[int, Path]] = []
        try:
            for path in self._directory.glob(f"*{_SUFFIX}"):
                with suppress(FileNotFoundError):
                    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        os.close(file)
                        continue
                    taken.append((file, path))
                    unwritten += _unwritten(os.pread(file, SLOTS * _SIZE, 0))
            yield unwritten
            for _, path in taken:
                path.unlink(missing_ok=True)
        finally:
            for file, _ in taken:
                os.close(file)

    def close(self) -> None:
        """No call is begun any more. One that is under way keeps the lock until the process is gone: it may write
        yet."""
        with self._lock:
            under_way, self._free = len(self._free) < SLOTS, []
        if not under_way:
            self._path.unlink(missing_ok=True)
            self._map.close()
            os.close(self._file)


@contextmanager
def opened(base: str, installation: str) -> Iterator[CallMarks | None]:
    """Those of this process (see `directory_of`); None: there is no place for them that could be used."""
    directory = directory_of(base, installation)
    try:
        marks = None if directory is None else CallMarks(directory)
    except OSError as problem:
        log.warning("calls that are cut off are asked about in any case", directory=str(directory), why=str(problem))
        marks = None
    try:
        yield marks
    finally:
        if marks is not None:
            marks.close()


def _make_own(directory: Path) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or not directory.is_dir() or directory.is_symlink():
        raise PermissionError(f"{directory} is not this user's own")


def _remove_earlier(directory: Path) -> None:
    """What was left from before the machine started says nothing any more."""
    for other in directory.parent.iterdir():
        if other != directory and _BOOT_ID.fullmatch(other.name):
            shutil.rmtree(other, ignore_errors=True)


def _unwritten(kept: bytes) -> list[UUID]:
    slots = (kept[at : at + _SIZE] for at in range(0, len(kept) - _SIZE + 1, _SIZE))
    return [UUID(bytes=slot[1:]) for slot in slots if slot[0] == _CALLING]
