"""Indexes of tables that are in use, for migrations: built and dropped without a lock that stops writers, each of them
anew after a build that was cut off, with a word about how far it is.

Each runs outside of a transaction. A migration that uses them is begun again from its start when it was cut off, so
everything in it has to be safe to repeat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from alembic import op
from sqlalchemy import Connection, text

from bellhop.store.connections import plain_dsn

Say = Callable[[str], None]

EVERY = 2.0
"""Seconds between two lines about one build; what is over sooner says nothing."""

_VALID = text("select indisvalid from pg_index where indexrelid = to_regclass(:name)")
_PROGRESS = """
    select phase, blocks_done, blocks_total, tuples_done, tuples_total, lockers_done, lockers_total
    from pg_stat_progress_create_index where pid = %s
"""


def said() -> Say:
    """Where this run of migrations says what it does."""
    config = op.get_context().config
    say: Say | None = config.attributes.get("say") if config else None
    return say or (lambda _: None)


def build(name: str, definition: str, *, unique: bool = False) -> None:
    """An index, unless it is there. `definition`: what follows its name: `on table using … (…) where …`."""
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        valid = connection.execute(_VALID, {"name": name}).scalar_one_or_none()
        if valid:
            return
        if valid is False:
            said()(f"{name} was left half built: it is built anew")
            connection.execute(text(f"drop index concurrently if exists {name}"))
        # It waits for transactions that began before it, and holds nobody up meanwhile.
        connection.execute(text("set lock_timeout = 0"))
        try:
            with _watched(connection, name):
                kind = "unique index" if unique else "index"
                connection.execute(text(f"create {kind} concurrently {name} {definition}"))
        finally:
            connection.execute(text("set lock_timeout = '5s'"))


def drop(name: str) -> None:
    """Drop an index, if it is there."""
    run(f"drop index concurrently if exists {name}")


def run(statement: str) -> None:
    """One statement outside of a transaction; safe to repeat."""
    with op.get_context().autocommit_block():
        op.get_bind().execute(text(statement))


@contextmanager
def _watched(connection: Connection, name: str) -> Iterator[None]:
    """Says meanwhile, from a connection of its own, how far an index is."""
    say, over = said(), threading.Event()
    pid: int = connection.execute(text("select pg_backend_pid()")).scalar_one()
    dsn = plain_dsn(connection.engine.url)
    watcher = threading.Thread(target=_watch, args=(dsn, pid, name, say, over), daemon=True)
    watcher.start()
    began = time.monotonic()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    if (took := time.monotonic() - began) > EVERY:
        say(f"{name}: built in {took:.0f} s")


def _watch(dsn: str, pid: int, name: str, say: Say, over: threading.Event) -> None:
    if over.wait(EVERY):
        return
    try:
        with psycopg.connect(dsn, connect_timeout=5, autocommit=True) as watching:
            while not over.wait(EVERY):
                if (found := watching.execute(_PROGRESS, (pid,)).fetchone()) is not None:
                    say(f"{name}: {_how_far(*found)}")
    except psycopg.Error:
        # What is only told must not fail what is done.
        return


def _how_far(phase: str, blocks: int, of_blocks: int, rows: int, of_rows: int, waited: int, for_: int) -> str:
    for done, total in ((rows, of_rows), (blocks, of_blocks)):
        if total:
            return f"{phase}, {100 * done // total} %"
    return f"{phase}, {waited} of {for_} transactions" if for_ else phase
