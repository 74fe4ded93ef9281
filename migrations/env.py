"""Alembic's entry: migrates the database of POSTGRES_DSN, or the connection a program hands over."""

from __future__ import annotations

import time
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.exc import OperationalError

from bellhop.env_file import env_file
from bellhop.store.connections import sqlalchemy_url
from bellhop.store.settings import PostgresSettings
from bellhop.store.tables import Personal, PersonalJSON, Secret, metadata

# One migration at a time, whoever starts it: API, worker and job may all be started together.
MIGRATION_LOCK = 7_236_512_301


def plain_type(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name PostgreSQL's own types: what `Personal` wraps may change, history may not."""
    if kind == "type" and isinstance(item, Personal):
        return "sa.Text()"
    if kind == "type" and isinstance(item, (PersonalJSON, Secret)):
        return "postgresql.JSONB()"
    return False


say = context.config.attributes.get("say") or (lambda _: None)
"""What is done is reported line by line, to whoever wants to hear it."""

_OWN = {
    # A migration of a big table may take longer than any query of the running program.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    # Who waits for a lock on a table keeps everybody waiting who comes after: it is let go of, and tried again.
    "lock_timeout": "'5s'",
    # A migration that was killed lets go of everything, also while its server still builds an index.
    "client_connection_check_interval": "'2s'",
}
LOCK_TRIES, LOCK_PAUSE = 60, 2.0
"""How often a migration is begun again when a table that it has to lock is in use, and seconds in between."""


def migrate(connection: Connection) -> None:
    """Each migration is a transaction of its own, and some are several: what was done is not done again."""
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_item=plain_type,
        transaction_per_migration=True,
        on_version_apply=_applied,
    )
    try:
        for name, value in _OWN.items():
            connection.execute(text(f"set {name} = {value}"))
        _wait_for_turn(connection)
        _run(connection)
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
        for name in _OWN:
            connection.execute(text(f"reset {name}"))
        connection.commit()


def _wait_for_turn(connection: Connection) -> None:
    """Take the lock of migrations. Asked for again and again, not waited for: a statement that waits is a transaction,
    and that an index is built concurrently has to wait for those."""
    reported = False
    while not connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK}).scalar_one():
        connection.commit()
        if not reported:
            say("another migration is running: waiting for it to end")
            reported = True
        time.sleep(0.2)
    connection.commit()


def _run(connection: Connection) -> None:
    for left in reversed(range(LOCK_TRIES)):
        try:
            with context.begin_transaction():
                context.run_migrations()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03" or not left:
                raise
            connection.rollback()
            say(f"a table is in use: trying again in {LOCK_PAUSE:.0f} s")
            time.sleep(LOCK_PAUSE)
        else:
            return


def _applied(ctx: object, step: Any, heads: object, run_args: object) -> None:
    # Called by these names.
    del ctx, heads, run_args
    way = "done" if step.is_upgrade else "taken back"
    for revision in step.up_revisions if step.is_upgrade else step.down_revisions:
        say(f"migration {revision.revision} {way}: {(revision.doc or '').splitlines()[0]}")


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    engine = create_engine(
        sqlalchemy_url(PostgresSettings(_env_file=env_file()).dsn.get_secret_value()), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        migrate(connection)
