"""Where the embedded stack keeps its things: the state directory of one stack, and the cache all stacks share."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bellhop.dev.problems import StartProblem

LEAST_FREE_BYTES = 300 * 1024 * 1024


def project_dir() -> Path:
    """The directory `bellhop/`, `api/` and `worker.py` live in: where the stack's processes are started."""
    return Path(__file__).resolve().parents[2]


def cache_dir(env: Mapping[str, str] | None = None) -> Path:
    """`$XDG_CACHE_HOME/bellhop` or `~/.cache/bellhop`: things worth keeping across checkouts."""
    env = os.environ if env is None else env
    base = env.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative value is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path(env.get("HOME") or Path.home()) / ".cache"
    return root / "bellhop"


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Readers see the old file or the new one, never half of one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def owners_only(path: str, flags: int) -> int:
    """An opener for `open`: a file it makes can be read by its owner only."""
    return os.open(path, flags, 0o600)


@dataclass(frozen=True)
class DevPaths:
    """The files of one stack. Two stacks with different state directories don't know of each other."""

    state: Path

    @property
    def postgres(self) -> Path:
        return self.state / "postgres"

    @property
    def temporal_db(self) -> Path:
        return self.state / "temporal.db"

    @property
    def sandbox_db(self) -> Path:
        return self.state / "sandbox.db"

    @property
    def spool(self) -> Path:
        return self.state / "spool"

    @property
    def media(self) -> Path:
        return self.state / "media"

    @property
    def receiver_file(self) -> Path:
        return self.state / "receiver.jsonl"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def lock(self) -> Path:
        return self.state / "lock"

    @property
    def dev_json(self) -> Path:
        return self.state / "dev.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Make the directories, for their owner only. Raises StartProblem when the disk is full or not writable."""
        try:
            own = not self.state.exists() or (self.state / "secret_key").exists()
            self.logs.mkdir(parents=True, exist_ok=True)
            if own:  # else somebody's directory, which was there before
                # Root's PostgreSQL runs as somebody else, who has to get through to its own directory.
                self.state.chmod(0o700 if os.geteuid() else 0o711)
            self.logs.chmod(0o700)
            for kept in (*self.state.iterdir(), *self.logs.iterdir()):  # PostgreSQL sees to its own
                if kept.is_file() and kept.stat().st_mode & 0o077:
                    kept.chmod(0o600)
            free = shutil.disk_usage(self.state).free
        except OSError as error:
            raise StartProblem(f"Can't write to {self.state} ({error.strerror}); choose another place.") from None
        if free < LEAST_FREE_BYTES:
            raise StartProblem(
                f"Only {free // 2**20} MB free on the disk of {self.state}; "
                f"the stack needs {LEAST_FREE_BYTES // 2**20} MB. Free some space and start again."
            )

    def secret_key(self) -> str:
        """The stack's BELLHOP_SECRET_KEY, made once: the hashes in its database depend on it."""
        path = self.state / "secret_key"
        if not path.exists():
            write_atomically(path, secrets.token_hex(32) + "\n", mode=0o600)
        return path.read_text(encoding="utf-8").strip()

    def read_dev_json(self) -> dict[str, Any]:
        """What the last start wrote, or {}."""
        try:
            found = json.loads(self.dev_json.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_dev_json(self, content: Mapping[str, Any]) -> None:
        write_atomically(self.dev_json, json.dumps(content, indent=2) + "\n", mode=0o600)
