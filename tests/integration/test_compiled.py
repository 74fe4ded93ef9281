"""Statements compiled once behave as SQLAlchemy's own: transactions, autocommit, types, and above all errors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Float, Text, Uuid, any_, bindparam, func, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.rows.access import PropertyRow
from bellhop.settings import Settings
from bellhop.store.compiled import CompiledStatement, seconds
from bellhop.store.database import Database
from bellhop.store.rows import ColumnMismatch, from_result
from bellhop.store.tables import properties, provider_accounts

ADD = CompiledStatement(insert(properties).returning(properties), ("name", "slug", "settings"), row=PropertyRow)
NAMED = CompiledStatement(
    select(properties.c.slug).where(properties.c.name == any_(bindparam("names", type_=ARRAY(Text)))),
    value=str,
)
WHO = CompiledStatement(text("select pg_backend_pid() as pid"), value=int)
SLEEP = CompiledStatement(text("select pg_sleep(:long)"))
RENAME = CompiledStatement(text("update properties set name = :name where slug = :slug"))


async def test_rows_come_back_as_their_types(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        (row,) = await ADD(tx, name="Ocean", slug="ocean", settings={"a": [1, None]})
    assert isinstance(row.id, UUID)
    assert row.settings == {"a": [1, None]}
    assert row.created_at.tzinfo is not None
    async with engine.connect() as tx:
        assert await NAMED(tx, names=["Ocean", "Lake"]) == ["ocean"]
        assert await NAMED(tx, names=[]) == []
        assert await RENAME(tx, name="Sea", slug="nothing") == 0


async def test_rows_are_what_the_statement_says(engine: AsyncEngine) -> None:
    @dataclass
    class Property:
        slug: str
        name: str

    add = CompiledStatement(
        insert(properties).returning(properties.c.name, properties.c.slug), ("name", "slug"), row=Property
    )
    by_text = CompiledStatement(text("select name, slug from properties"), row=Property)
    slugs = CompiledStatement(select(properties.c.slug), value=str)
    async with engine.begin() as tx:
        assert await add(tx, name="Ocean", slug="ocean") == [Property("ocean", "Ocean")]
        assert await by_text(tx) == [Property("ocean", "Ocean")]
        assert await slugs(tx) == ["ocean"]
        result = await tx.execute(select(properties.c.slug, properties.c.name))
        assert from_result(Property, result) == [Property("ocean", "Ocean")]
    with pytest.raises(ColumnMismatch):
        CompiledStatement(select(properties.c.slug), row=Property)


async def test_an_interval_of_seconds(engine: AsyncEngine) -> None:
    later = CompiledStatement(
        select((func.now() + seconds(bindparam("wait", type_=Float)) - func.now()).label("wait")), value=timedelta
    )
    async with engine.connect() as tx:
        assert [(await later(tx, wait=wait))[0].total_seconds() for wait in (0.25, 90)] == [0.25, 90]
        assert await later(tx, wait=None) == [None]
        assert (await tx.execute(select(seconds(1.5)))).scalar_one().total_seconds() == 1.5


async def test_it_begins_and_ends_with_the_transaction(engine: AsyncEngine) -> None:
    """Also where the transaction begins by itself, and mixed with SQLAlchemy's own statements."""
    async with engine.connect() as tx:
        await ADD(tx, name="Kept", slug="kept", settings={})
        assert (await tx.execute(select(func.count()).select_from(properties))).scalar_one() == 1
        await tx.commit()
        await ADD(tx, name="Lost", slug="lost", settings={})
        async with tx.begin_nested():
            await RENAME(tx, name="Changed", slug="kept")
    async with engine.begin() as tx:
        assert (await tx.execute(select(properties.c.name))).scalars().all() == ["Kept"]


async def test_in_autocommit_each_statement_sees_what_is_committed(engine: AsyncEngine) -> None:
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as reading:
        assert await NAMED(reading, names=["New"]) == []
        async with engine.begin() as tx:
            await ADD(tx, name="New", slug="new", settings={})
        assert await NAMED(reading, names=["New"]) == ["new"]
        driver: Any = (await reading.get_raw_connection()).driver_connection
        assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


async def test_what_is_met_again_is_prepared(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        for number in range(5):
            await NAMED(tx, names=[str(number)])
        prepared = await tx.execute(text("select count(*) from pg_prepared_statements where statement like '%ANY%'"))
        assert prepared.scalar_one() == 1


async def test_an_error_is_sqlalchemys_and_quotes_nothing(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        await ADD(tx, name="First", slug="Zanzibar", settings={})
    with pytest.raises(IntegrityError, match="uq_properties_slug") as refused:
        async with engine.begin() as tx:
            await ADD(tx, name="Second", slug="Zanzibar", settings={"who": "Zanzibar"})
    assert isinstance(refused.value.orig, psycopg.errors.UniqueViolation)
    assert not refused.value.connection_invalidated
    assert "Zanzibar" not in f"{refused.value!s} {refused.value!r} {refused.value.orig!r}"
    async with engine.begin() as tx:
        assert await NAMED(tx, names=["Second"]) == []


async def test_a_savepoint_outlives_an_error(engine: AsyncEngine) -> None:
    async with engine.begin() as tx:
        await ADD(tx, name="One", slug="one", settings={})
        with pytest.raises(IntegrityError):
            async with tx.begin_nested():
                await ADD(tx, name="Two", slug="one", settings={})
        await ADD(tx, name="Three", slug="three", settings={})
    async with engine.begin() as tx:
        assert len(await NAMED(tx, names=["One", "Two", "Three"])) == 2


async def test_after_a_restart_the_pools_dead_connections_cost_one_repetition(
    settings: Settings, engine: AsyncEngine
) -> None:
    async with engine.connect() as one, engine.connect() as other:
        before = {(await WHO(tx))[0] for tx in (one, other)}
    with psycopg.connect(settings.postgres.dsn.get_secret_value(), autocommit=True) as admin:
        for pid in before:
            admin.execute("select pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(OperationalError) as lost:
        async with engine.connect() as tx:
            await WHO(tx)
    assert lost.value.connection_invalidated
    async with engine.connect() as one, engine.connect() as other:
        assert not before & {(await WHO(tx))[0] for tx in (one, other)}


async def test_the_record_repeats_work_whose_connection_was_dead(settings: Settings, engine: AsyncEngine) -> None:
    database = Database(engine)
    for run in (database.write, database.read):
        (before,) = await run(WHO)
        with psycopg.connect(settings.postgres.dsn.get_secret_value(), autocommit=True) as admin:
            admin.execute("select pg_terminate_backend(%s, 5000)", (before,))
        (after,) = await run(WHO)
        assert after != before


async def test_what_is_cancelled_gives_its_connection_up(engine: AsyncEngine) -> None:
    async def slow() -> None:
        async with engine.begin() as tx:
            await SLEEP(tx, long=30.0)

    task = asyncio.create_task(slow())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    async with engine.begin() as tx:
        assert await NAMED(tx, names=["x"]) == []


async def test_a_parameter_that_is_missing_is_an_error(engine: AsyncEngine) -> None:
    with pytest.raises(StatementError, match="slug"):
        async with engine.begin() as tx:
            await RENAME(tx, name="x")


def test_a_text_that_depends_on_the_values_is_refused() -> None:
    ids = bindparam("ids", expanding=True, type_=Uuid)
    with pytest.raises(AssertionError):
        CompiledStatement(select(provider_accounts.c.id).where(provider_accounts.c.id.in_(ids)))
    with pytest.raises(AssertionError):
        CompiledStatement(select(provider_accounts.c.id).where(provider_accounts.c.id.in_([uuid4()])))
