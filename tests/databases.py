"""A database for each test: one that an earlier test has left as it was made, emptied, or else a new one.

To copy the template and to drop the copy costs PostgreSQL an eighth of a second, to empty it a fifth of that. Its name
is new each time, so that whatever is left of the earlier test finds nothing.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from functools import cached_property

import psycopg
from psycopg import sql

USES = 25
"""How often a database is used: what is deleted leaves its space behind."""
ROWS = 2_000
"""A test that leaves more of them leaves its database to nobody."""

_AS_MADE = """
    with ours as (select oid, relkind, reloptions from pg_class where relnamespace = 'public'::regnamespace)
    select
      (select (count(*), max(oid::bigint), string_agg(reloptions::text, ',' order by oid))::text from ours),
      (select (count(*), sum(attnum), count(*) filter (where attnotnull))::text from pg_attribute
        where attrelid in (select oid from ours)),
      (select (count(*), max(oid::bigint))::text from pg_constraint where connamespace = 'public'::regnamespace),
      (select (count(*), max(oid::bigint), string_agg(tgenabled::text, '' order by oid))::text from pg_trigger
        where not tgisinternal),
      (select string_agg(md5(prosrc), ',' order by oid) from pg_proc where pronamespace = 'public'::regnamespace),
      (select (count(*), count(*) filter (where indisvalid))::text from pg_index
        where indexrelid in (select oid from ours)),
      (select count(*)::text from pg_statistic where starelid in (select oid from ours)),
      (select count(*)::text from pg_namespace),
      (select count(*)::text from pg_db_role_setting)
"""
"""What a test may change beside rows."""
_ALONE = """
    select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


def dsn_of(server: str, name: str) -> str:
    """The same server, another database."""
    if "://" not in server:
        return psycopg.conninfo.make_conninfo(server, dbname=name)
    return server.replace("/bellhop?", f"/{name}?")


class Databases:
    """The databases of one test process, on `server`, copies of `template`."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._clean: list[tuple[str, int]] = []
        self._uses: dict[str, int] = {}

    def take(self) -> str:
        """The name of one that is as the template is."""
        name = f"test_{uuid.uuid4().hex[:16]}"
        with self._serving() as connection:
            if self._clean:
                earlier, uses = self._clean.pop()
                connection.execute(f"alter database {earlier} rename to {name}")
            else:
                uses = 0
                connection.execute(f"create database {name} template {self._template}")
        self._uses[name] = uses + 1
        return name

    def give_back(self, name: str) -> None:
        """Empty it, or drop it."""
        uses = self._uses.pop(name)
        if uses < USES:
            # Whatever a test has done to its database: what is not as it was made is dropped.
            with suppress(psycopg.Error):
                if self._emptied(name):
                    self._clean.append((name, uses))
                    return
        self._drop(name)

    def close(self) -> None:
        """Drop them all."""
        while self._clean:
            self._drop(self._clean.pop()[0])

    def _emptied(self, name: str) -> bool:
        as_made, delete, filled = self._of_the_template
        with psycopg.connect(dsn_of(self._server, name), autocommit=True) as connection:
            connection.execute(_ALONE)
            if connection.execute(_AS_MADE).fetchone() != as_made:
                return False
            with connection.transaction():
                # No trigger, no foreign key.
                connection.execute("set local session_replication_role = replica")
                deleted = connection.execute(delete).fetchone()
                for copy, rows in filled:
                    with connection.cursor().copy(copy) as writing:
                        writing.write(rows)
            return deleted is not None and deleted[0] < ROWS

    @cached_property
    def _of_the_template(self) -> tuple[object, sql.Composed, list[tuple[sql.Composed, bytes]]]:
        """How it was made; the statement that empties a copy, and returns how many rows that were; what is then copied
        back, as a migrated database has it."""
        with psycopg.connect(dsn_of(self._server, self._template), autocommit=True) as connection:
            as_made = connection.execute(_AS_MADE).fetchone()
            of_kind = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = %s"
            tables = [sql.Identifier(row[0]) for row in connection.execute(of_kind, ("r",))]
            sequences = [
                (
                    row[0],
                    *connection.execute(
                        sql.SQL("select last_value, is_called from {}").format(sql.Identifier(row[0]))
                    ).fetchall()[0],
                )
                for row in connection.execute(of_kind, ("S",)).fetchall()
            ]
            filled = []
            for table in tables:
                with connection.cursor().copy(sql.SQL("copy {} to stdout").format(table)) as reading:
                    rows = b"".join(bytes(row) for row in reading)
                if rows:
                    filled.append((sql.SQL("copy {} from stdin").format(table), rows))
        parts = [sql.Identifier(f"part{number}") for number in range(len(tables))]
        deletes = [
            sql.SQL("{} as (delete from {} returning 1)").format(*pair) for pair in zip(parts, tables, strict=True)
        ]
        counts = [sql.SQL("(select count(*) from {})").format(part) for part in parts]
        resets = [sql.SQL(", setval({}, {}, {})").format(*sequence) for sequence in sequences]
        delete = sql.SQL("with {} select {} {}").format(
            sql.SQL(", ").join(deletes), sql.SQL(" + ").join(counts), sql.SQL("").join(resets)
        )
        return as_made, delete, filled

    def _drop(self, name: str) -> None:
        with self._serving() as connection:
            connection.execute(f"drop database if exists {name} with (force)")

    def _serving(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self._server, autocommit=True)
