"""Migrations of a database that is in use: killed in between, and held up by others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from sqlalchemy import text

from bellhop.ops.migrate import PROJECT
from tests.conftest import SECRET

from .test_migrations import alembic, connected, now, schema, until

BEFORE, THIS = "0009", "0010"
_DATA = """
    with made as (insert into properties (name, slug) values ('x', 'x') returning id),
    scope as (insert into scopes (property_id, environment) select id, 'test' from made returning id),
    account as (insert into provider_accounts (scope_id, provider, identity, base_url)
      select id, 'twilio', 'AC', 'https://x' from scope returning id)
    , written as (insert into messages (scope_id, channel) select id, 'sms' from scope, generate_series(1, 2000))
    insert into receipts (account_id, provider, dedupe_key, word, payload)
    select id, 'twilio', n::text, 'sent', '{"To": "+15005550006"}' from account, generate_series(1, 2000) n
"""
_INVALID = text("select indexrelid::regclass::text from pg_index where not indisvalid")
_HERE = (
    "select count(*) from pg_stat_activity where application_name = 'bellhop-migrate' and datname = current_database()"
)


@contextmanager
def migrating(dsn: str, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """`python -m bellhop.ops.migrate`, as a container runs it."""
    env = {**os.environ, "POSTGRES_DSN": dsn, "BELLHOP_SECRET_KEY": SECRET, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, "-m", "bellhop.ops.migrate"], env=env, cwd=directory, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def line_with(running: subprocess.Popen[str], part: str) -> str:
    """The first line with that part; fails when it ends without."""
    assert running.stderr is not None
    lines = []
    for line in running.stderr:
        lines.append(line)
        if part in line:
            return line
    raise AssertionError(lines)


def test_a_migration_killed_while_it_builds_an_index_goes_on_where_it_was(database_dsn: str, tmp_path: Path) -> None:
    with connected(database_dsn) as connection, connected(database_dsn) as busy:
        built = schema(connection)
        command.downgrade(alembic(connection), BEFORE)
        connection.execute(text(_DATA))
        connection.commit()
        # A writer that does not come to an end: an index that is built concurrently waits for it.
        busy.execute(text("update messages set tries = 1"))
        with migrating(database_dsn, tmp_path) as running:
            assert "wait" in line_with(running, "ix_messages_status: "), "it says how far it is"
            # Writers are not held up meanwhile.
            connection.execute(text("set lock_timeout = '1s'"))
            connection.execute(text("insert into messages (scope_id, channel) select id, 'sms' from scopes"))
            connection.commit()
            running.kill()
            running.wait()
        # The server notices, and lets go of the lock of migrations, though the writer is still there.
        until(lambda: now(connection, _HERE) == 0)
        assert connection.execute(_INVALID).scalars().all() == ["ix_messages_status"]
        connection.commit()
        busy.rollback()
        with migrating(database_dsn, tmp_path) as running:
            said = running.communicate(timeout=60)[1]
            assert running.returncode == 0, said
        assert "ix_messages_status was left half built" in said
        assert f"migration {THIS} done" in said
        assert schema(connection) == built
        assert not connection.execute(_INVALID).scalars().all()


def test_a_table_in_use_is_tried_again_and_keeps_nobody_waiting(database_dsn: str, tmp_path: Path) -> None:
    with connected(database_dsn) as connection, connected(database_dsn) as busy:
        built = schema(connection)
        command.downgrade(alembic(connection), BEFORE)
        connection.execute(text(_DATA))
        connection.commit()
        busy.execute(text("select count(*) from receipts"))
        with migrating(database_dsn, tmp_path) as running:
            line_with(running, "a table is in use: trying again")
            busy.rollback()
            said = running.communicate(timeout=60)[1]
            assert running.returncode == 0, said
        assert schema(connection) == built
