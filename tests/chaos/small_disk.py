"""A PostgreSQL of its own whose data is on a disk of a few dozen megabytes, which a test can fill.

The disk is a tmpfs in a user's own mount namespace: nobody else sees it, and it goes with the last process in it. Where
none can be had (`possible()` is False: macOS, some containers) the database can still be made to say that it is full.
"""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bellhop.dev.paths import DevPaths
from bellhop.dev.postgres import DATABASE, EmbeddedPostgres
from bellhop.dev.process import Process, Program

MEGABYTES = 56
"""A migrated database takes about 30."""

DUMP = "somebody-elses-dump"
_UNSHARE = (shutil.which("unshare") or "", "-U", "-m", "--map-current-user", "--keep-caps")
# Small segments of write-ahead log, and few kept: soon after the disk is full there is no room for the next one.
_SETTINGS = ("min_wal_size=2MB", "max_wal_size=4MB", "max_connections=60", "shared_buffers=16MB", "autovacuum=off")


@functools.cache
def possible() -> bool:
    """Can an ordinary user have a disk of its own here?"""
    if sys.platform != "linux":
        return False
    try:
        done = subprocess.run(
            [*_UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
            capture_output=True,
            timeout=10,
            check=False,
            user=65534 if os.geteuid() == 0 else None,  # as PostgreSQL will: not as root
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


class SmallDisk:
    """The running server and the disk under it."""

    def __init__(self, server: EmbeddedPostgres, process: Process, disk: Path) -> None:
        self._server = server
        self._process = process
        # The test is not in the namespace; the way in leads through the process that is.
        self._inside = Path(f"/proc/{process.pid}/root{disk}")
        self.dsn = server.dsn(DATABASE)

    def fill(self) -> None:
        """To the last byte."""
        said = self._run("dd", "if=/dev/zero", f"of={self._inside / DUMP}", "bs=4k")
        assert "No space left on device" in said, said

    def make_room(self) -> None:
        said = self._run("rm", str(self._inside / DUMP))
        assert not said, said

    def _run(self, *command: str) -> str:
        """As the user whose disk it is: to any other its files belong to nobody."""
        as_user = as_user_of(self._server)
        return subprocess.run(
            command, stderr=subprocess.PIPE, check=False, env={"LC_ALL": "C"}, **as_user
        ).stderr.decode()

    def log(self) -> str:
        return self._process.program.log.read_text(errors="replace")


def as_user_of(server: EmbeddedPostgres) -> dict[str, Any]:
    """For `subprocess.run`."""
    return {"cwd": "/"} | ({"user": server.user, "group": server.user, "extra_groups": []} if server.user else {})


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """A server on a small disk, started again whenever it ends, as any service manager does."""
    # Not pytest's `tmp_path`: PostgreSQL's user must be let through to it.
    with tempfile.TemporaryDirectory(prefix="bellhop-disk-", ignore_cleanup_errors=True) as state:
        yield from _served(DevPaths(Path(state).resolve()))


def _served(paths: DevPaths) -> Iterator[SmallDisk]:
    paths.make()
    disk = paths.state / "disk"
    server = EmbeddedPostgres.prepare(paths)
    disk.mkdir(mode=0o755)
    usual = server.program(paths.log("postgres"), os.environ)
    segments = [server.bin / "pg_resetwal", "--wal-segsize=1", "-D", server.data]
    done = subprocess.run(segments, check=False, capture_output=True, text=True, **as_user_of(server))
    assert done.returncode == 0, done.stderr
    serve = shlex.join([*usual.command, *(word for setting in _SETTINGS for word in ("-c", setting))])
    serve = serve.replace(f"-D {server.data}", f"-D {disk}")
    script = (
        f"mount -t tmpfs -o size={MEGABYTES}m,mode=0700 tmpfs {disk} && cp -a {server.data}/. {disk}/ || exit 1; "
        f"while :; do {serve}; sleep 0.2; done"
    )
    program = Program(
        name=usual.name,
        label=usual.label,
        command=(*_UNSHARE, "sh", "-c", script),
        env=usual.env,
        log=usual.log,
        ready=usual.ready,
        start_timeout=60,
        user=usual.user,
    )
    process = Process.start(program)
    try:
        process.wait_ready()
        yield SmallDisk(server, process, disk)
    finally:
        process.kill()
