"""Which installation a command is about, and how a command ends that could not be done."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from bellhop.cli.later import later
from bellhop.dev.paths import DevPaths

if TYPE_CHECKING:
    from bellhop.engine.context import Engine
    from bellhop.ops import administration, composition
    from bellhop.settings import Settings
else:
    administration = later("bellhop.ops.administration")
    composition = later("bellhop.ops.composition")

STATE = Path(".bellhop")
"""Where `bellhop dev` keeps its data, unless it is told otherwise."""


def state_dir() -> Path:
    """Where the embedded stack of this directory keeps its data."""
    return Path(os.environ.get("BELLHOP_STATE_DIR", STATE))


def settings_here(env: Mapping[str, str], state: Path) -> tuple[Settings, str | None]:
    """The settings of `env`, or of the stack that runs in `state` where `env` names no installation.

    Returns the address of the API of that stack, too. Raises Refused when neither is there.
    """
    from bellhop.settings import from_env, load  # here: see later.py

    if env.get("POSTGRES_DSN") or env.get("BELLHOP_SECRET_KEY"):
        return load(), None
    paths = DevPaths(state.resolve())
    found = paths.read_dev_json()
    if not _alive(found.get("pids", {}).get("supervisor")):
        raise administration.Refused(
            "No installation known: start `bellhop dev` here, or set POSTGRES_DSN and BELLHOP_SECRET_KEY, "
            "in the environment or in .env."
        )
    if found["temporal_ui_url"]:
        # Its own server: namespace, key and certificates the person has set are for another one.
        env = {name: value for name, value in env.items() if not name.startswith("TEMPORAL_")}
    known = {
        "POSTGRES_DSN": found["postgres_dsn"],
        "TEMPORAL_ADDRESS": found["temporal_address"],
        "BELLHOP_SECRET_KEY": paths.secret_key(),
        "SPOOL_DIR": str(paths.spool),
        "BELLHOP_SANDBOX_URL": found["sandbox_url"],
        "BELLHOP_PUBLIC_URL": env.get("BELLHOP_PUBLIC_URL") or found["api_url"],
        # What it says is in `env` already.
        "BELLHOP_ENV_FILE": "",
    }
    return from_env({**env, **known}), found["api_url"]


def _alive(pid: Any) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def with_engine(work: Callable[[Engine], Awaitable[Any]]) -> Any:
    """The result of `work`, done with an engine over the installation."""
    return with_settings(lambda engine, _: work(engine))


def with_settings(work: Callable[[Engine, Settings], Awaitable[Any]]) -> Any:
    """The same for work that asks the settings, too."""

    def done() -> Any:
        read = settings()
        return asyncio.run(composition.with_engine(lambda engine: work(engine, read), read))

    return settled(done)


def settings() -> Settings:
    """Those of the environment and `.env`, else of the stack that runs here."""
    state = state_dir()
    found, stack = settings_here(os.environ, state)
    if stack:
        print(f"bellhop: this is about `bellhop dev` in {state} ({stack})", file=sys.stderr)
    return found


def settled(work: Callable[[], Any]) -> Any:
    """Run `work`; a problem a person can mend becomes a line on standard error and exit code 2."""
    # Here: see later.py.
    from psycopg.errors import UndefinedTable
    from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    from bellhop.settings import SettingsError

    try:
        return work()
    except (SettingsError, administration.Refused) as problem:
        stop(str(problem))
    except ArgumentError:
        stop("POSTGRES_DSN: expected postgresql://user:password@host:port/database.")
    except (OperationalError, PoolTimeout, composition.DatabaseTimeout):
        stop("PostgreSQL can't be reached: check POSTGRES_DSN and that the server runs.")
    except ProgrammingError as problem:
        if not isinstance(problem.orig, UndefinedTable):
            raise
        stop("This database has no tables of Bellhop's yet: run `bellhop migrate` first.")


def who(actor: str | None) -> str:
    """Whom the record names: `actor`, else whoever is logged in."""
    return f"cli:{actor or getpass.getuser()}"


def stop(problem: str) -> NoReturn:
    """End with one line on standard error and exit code 2."""
    print(f"bellhop: {problem}", file=sys.stderr)
    raise typer.Exit(2)


def show(found: Any) -> None:
    """Print a result as JSON."""
    print(json.dumps(found, indent=2, ensure_ascii=False))
