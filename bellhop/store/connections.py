"""Connections to the record: one async engine per process, with the time limits that keep a paused process from
holding its locks, and errors that do not quote a guest's data."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from bellhop.store.settings import PostgresSettings

LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 15_000
STATEMENT_TIMEOUT_MS = 30_000
WORKER_POOL_TIMEOUT = 10.0
"""Seconds a worker waits for one of its own connections to come free: no caller waits for it meanwhile."""
API_POOL_TIMEOUT = 3.0
"""Seconds the API does. A caller is better answered 503 soon than kept until its own time-out."""


def _integer(digits: str) -> int | float:
    # PostgreSQL keeps 1e23 as digits. What callers may give as an integer has 19 at most: more were a float's.
    return int(digits) if len(digits.removeprefix("-")) < 20 else float(digits)


_READ = json.JSONDecoder(parse_int=_integer)


def from_json(stored: str | bytes) -> Any:
    """A JSON value as it was given: a large float is one again."""
    return _READ.decode(stored if isinstance(stored, str) else stored.decode())


def sqlalchemy_url(dsn: str) -> URL:
    """A plain `postgresql://` DSN as SQLAlchemy's URL for psycopg 3. Raises ArgumentError."""
    try:
        return make_url(dsn).set(drivername="postgresql+psycopg")
    except ValueError as problem:  # a port that is none
        raise ArgumentError(str(problem)) from None


def plain_dsn(url: URL) -> str:
    """The same back again, for the driver alone."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def callback_connections(settings: PostgresSettings) -> int:
    """How many connections an API process keeps for callbacks alone, beside the others."""
    return max(1, settings.pool_size // 3)


def make_engine(
    settings: PostgresSettings,
    application: str,
    *,
    pool_timeout: float = WORKER_POOL_TIMEOUT,
    pool_size: int | None = None,
) -> AsyncEngine:
    """An engine that connects lazily: building it needs no server. `application` shows in pg_stat_activity.
    `pool_timeout`: seconds to wait for a connection when all are in use; `pool_size`: how many, instead of the
    setting's."""
    # What is planned while tables are small or new stays for minutes, in which they grow: without this a statement that
    # is run for each message went through all of them. What has no index is gone through all the same.
    options = (
        f"-c lock_timeout={LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} "
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC -c jit=off -c enable_seqscan=off "
        "-c plan_cache_mode=force_generic_plan"
    )
    return create_async_engine(
        sqlalchemy_url(settings.dsn.get_secret_value()),
        pool_size=pool_size or settings.pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_pre_ping=False,
        pool_recycle=1800,
        json_deserializer=from_json,
        # Parameters are guests' data: they appear in no error text.
        hide_parameters=True,
        connect_args={
            "options": options,
            "application_name": f"bellhop-{application}",
            "connect_timeout": 5,
            "prepare_threshold": 2,
            # A killed server or a cut line is noticed within seconds rather than the kernel's quarter of an hour.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
        },
    )


def room(engine: AsyncEngine) -> tuple[int, float]:
    """How many connections an engine keeps at most, and the seconds it lets somebody wait for one."""
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.size(), engine.pool.timeout()
