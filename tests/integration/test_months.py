"""Tables of months: an installation that is in use gets them, months are made ahead, and dropped once they are over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import earliest_id
from bellhop.store import month_keeping, monthly
from bellhop.store.connections import make_engine
from bellhop.store.months import MONTHLY
from bellhop.store.settings import PostgresSettings

from .test_migrations import alembic, connected

IN_USE = """
    with made as (insert into properties (name, slug) values ('x', 'x') returning id),
    scope as (insert into scopes (property_id, environment) select id, 'test' from made returning id)
    insert into endpoints (scope_id, url, secret) select id, 'https://x', '""' from scope
"""
WRITE = """
    with written as (
      insert into events (scope_id, subject, subject_id, type, stage, created_at)
      select scope_id, 'message', uuidv7({ago} + n * interval '1 ms'), 'message.sent', 'sent', now() + {ago}
      from endpoints, generate_series(1, {many}) n
      on conflict (subject_id, stage) where stage is not null do nothing
      returning id, scope_id, subject_id, created_at)
    insert into deliveries (id, scope_id, endpoint_id, event_id, subject_id, state, created_at)
    select uuidv7({ago}), written.scope_id, endpoints.id, {event}, written.subject_id, '{state}', written.created_at
    from written join endpoints on endpoints.scope_id = written.scope_id
"""
MONTHS = "0047"
"""The migration that splits the tables."""
NOW = "interval '0'"
_PARTS = "select count(*) from pg_inherits join pg_class on pg_class.oid = inhrelid where relkind = 'r'"
_ROWS = "select array_agg(t::text order by id) from {0} t"


def write(many: int, *, ago: str = NOW, state: str = "delivered") -> str:
    """Events of messages and their deliveries, of so long ago."""
    if ago == NOW:
        return WRITE.format(ago=ago, many=many, state=state, event="written.id")
    return (
        WRITE.replace("insert into events (scope_id", "insert into events (id, scope_id")
        .replace("select scope_id, 'message'", "select uuidv7({ago}), scope_id, 'message'")
        .format(ago=f"-interval '{ago}'", many=many, state=state, event="written.id")
    )


class Writer:
    """Writes meanwhile as a program of the version before does, and remembers what and how long it took."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._over = threading.Event()
        self.written = 0
        self.longest = 0.0
        self.error: Exception | None = None

    def __enter__(self) -> Writer:
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _write(self) -> None:
        try:
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                while not self._over.is_set():
                    began = time.monotonic()
                    connection.execute(write(1, state="pending").encode())
                    connection.execute(
                        "update deliveries set state = 'delivered' where id ="
                        " (select delivery_id from pending_deliveries order by delivery_id limit 1)"
                    )
                    self.written += 1
                    self.longest = max(self.longest, time.monotonic() - began)
        except psycopg.Error as error:
            self.error = error
            print(repr(error), error.diag.context)


def test_an_installation_in_use_gets_months(database_dsn: str) -> None:
    """What there is stays as it is, on its pages; whoever writes at that time waits a moment and no more; the guards
    hold before, meanwhile and afterwards; and it can be taken back."""
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, f"{MONTHS}-1")
        connection.execute(text(IN_USE))
        for state, ago in (("delivered", "400 days"), ("pending", "3 hours"), ("failed", "40 days")):
            connection.execute(text(write(300, ago=ago, state=state)))
        connection.commit()
        files = {table: _file(connection, table) for table in MONTHLY}
        with Writer(database_dsn) as writer:
            _until(lambda: writer.written > 3)
            command.upgrade(config, "head")
            so_far = writer.written
            _until(lambda: writer.written > so_far + 3)
        assert writer.error is None
        assert writer.longest < 3, "seconds that somebody waited"
        for table in MONTHLY:
            assert _file(connection, f"{table}_before") == files[table], "nothing is copied"
            kept = connection.execute(text(f"select tableoid::regclass::text, count(*) from {table} group by 1")).all()
            assert [tuple(row) for row in kept] == [(f"{table}_before", 900 + writer.written)]
        pending = "select count(*) from pending_deliveries"
        assert connection.execute(text(pending)).scalar_one() == 300
        _guards_hold(connection)
        before = {table: connection.execute(text(_ROWS.format(table))).scalar_one() for table in MONTHLY}
        connection.commit()
        command.downgrade(config, f"{MONTHS}-1")
        after = {table: connection.execute(text(_ROWS.format(table))).scalar_one() for table in MONTHLY}
        assert after == before
        assert connection.execute(text(pending)).scalar_one() == 300


def _guards_hold(connection: Connection) -> None:
    """Of events and deliveries written before, and of new ones."""
    for table, same in (("deliveries", "select scope_id, endpoint_id, event_id, subject_id from deliveries"),):
        columns = same.removeprefix("select ").split(" from ", maxsplit=1)[0]
        for which in ("", " desc"):
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(text(f"insert into {table} ({columns}) {same} order by id{which} limit 1"))


def _file(connection: Connection, table: str) -> object:
    return connection.execute(text(f"select pg_relation_filenode('{table}')")).scalar_one()


def _until(true: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_split_that_was_cut_off_is_begun_again(database_dsn: str) -> None:
    """The constraint of a split that was cut off, whose month has come near, refuses nothing later on."""
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, f"{MONTHS}-1")
        connection.execute(text(IN_USE))
        connection.execute(text(write(3)))
        soon = earliest_id(datetime.now(UTC) + timedelta(days=1))
        check = f"alter table deliveries add constraint ck_deliveries_of_before check (event_id < '{soon}') not valid"
        connection.execute(text(check))
        connection.execute(text("create unique index pk_deliveries_new on deliveries (endpoint_id, event_id)"))
        connection.commit()
        command.upgrade(config, "head")
        connection.commit()
        connection.execute(text(write(1, ago="-5 days")))
        assert connection.execute(text("select count(*) from deliveries_before")).scalar_one() == 4
        named = "select count(*) from pg_constraint where conname = :name"
        assert connection.execute(text(named), {"name": monthly.check("deliveries")}).scalar_one() == 0


@contextmanager
def _engine(dsn: str) -> Iterator[AsyncEngine]:
    yield make_engine(PostgresSettings(_env_file=None, dsn=SecretStr(dsn)), "months")


async def test_months_are_made_ahead_and_hold_what_was_written_of_them_before(database_dsn: str) -> None:
    with connected(database_dsn) as connection, _engine(database_dsn) as engine:
        ahead = connection.execute(text(_PARTS)).scalar_one()
        for table in MONTHLY:
            last = _last(connection, table)
            connection.execute(text(f"drop table {last}"))
        connection.execute(text(IN_USE))
        # Written while nobody had made their month: refused by nobody.
        connection.execute(text(write(4, ago="-62 days", state="pending")))
        connection.commit()
        async with engine.connect() as tx:
            found = {one.table: one.rows for one in await month_keeping.unmade(tx)}
        assert found == {"deliveries": 4}
        await month_keeping.keep(engine, folding=True)
        await month_keeping.keep(engine, folding=True)
        assert connection.execute(text(_PARTS)).scalar_one() == ahead
        for table in MONTHLY:
            assert _parts_of(connection, table) == {_last(connection, table): 4}
        assert connection.execute(text("select count(*) from pending_deliveries")).scalar_one() == 4
        assert connection.execute(text("update deliveries set state = 'delivered'")).rowcount == 4
        assert connection.execute(text("select count(*) from pending_deliveries")).scalar_one() == 0
        await engine.dispose()


def _last(connection: Connection, table: str) -> str:
    found = connection.execute(
        text("select max(inhrelid::regclass::text) from pg_inherits where inhparent = to_regclass(:table)"
             " and inhrelid::regclass::text ~ '\\d{4}_\\d\\d$'"), {"table": table},
    )  # fmt: skip
    return str(found.scalar_one())


def _parts_of(connection: Connection, table: str) -> dict[str, int]:
    connection.rollback()
    found = connection.execute(text(f"select tableoid::regclass::text, count(*) from {table} group by 1"))
    return {row[0]: row[1] for row in found}


async def test_months_go_when_nobody_wants_anything_of_them(database_dsn: str) -> None:
    """All of it at once, when every property's time is over; but what is pending, what is newer than its month, and
    little of a property that keeps everything, stay."""
    with connected(database_dsn) as connection, _engine(database_dsn) as engine:
        connection.execute(text(IN_USE))
        # As it is half a year later: what was this month then has long begun.
        for table in MONTHLY:
            _let_begin_earlier(connection, table, months=6)
        connection.execute(text(write(50, ago="170 days")))
        connection.execute(text(write(1, ago="171 days", state="pending")))
        connection.execute(text(write(2)))
        connection.commit()
        await month_keeping.keep(engine, folding=True)
        assert sum(_parts_of(connection, "deliveries").values()) == 53, "it keeps everything"
        connection.execute(text('update scopes set settings = \'{"retention": {"messages_days": 30}}\''))
        connection.commit()
        parts = connection.execute(text(_PARTS)).scalar_one()
        for _ in range(8):
            await month_keeping.keep(engine, folding=True)
        assert sorted(_parts_of(connection, "deliveries").values()) == [1, 2]
        assert connection.execute(text(_PARTS)).scalar_one() == parts - 5
        # What is pending is still posted and written down.
        pending = "select count(*) from pending_deliveries join events on events.id = event_id"
        assert connection.execute(text(pending)).scalar_one() == 1
        assert connection.execute(text("update deliveries set state = 'delivered'")).rowcount == 3
        assert connection.execute(text("select count(*) from pending_deliveries")).scalar_one() == 0
        _guards_hold(connection)
        await engine.dispose()


def _let_begin_earlier(connection: Connection, table: str, months: int) -> None:
    bound = connection.execute(
        text("select substring(pg_get_expr(relpartbound, oid) from 'TO \\(''(.*)''\\)') from pg_class"
             " where relname = :name"), {"name": f"{table}_before"},
    ).scalar_one()  # fmt: skip
    made = [connection.execute(monthly.months.MONTH_AT, {"key": bound}).one()]
    for back in range(1, months + 1):
        made.insert(0, connection.execute(monthly.months.MONTH, {"days": 0, "months": -back}).one())
    connection.execute(text(f"alter table {table} detach partition {table}_before"))
    attach = f"alter table {table} attach partition {table}_before for values from (minvalue) to ('{made[0].key}')"
    connection.execute(text(attach))
    for one in made[:-1]:
        for statement in monthly.months.month(table, one.name, one.key, one.until):
            connection.execute(text(statement))
