"""Connections that are kept between transactions: each transaction is whole, errors are SQLAlchemy's, nobody is left
waiting, and what nobody uses goes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.rows.access import PropertyRow
from bellhop.settings import Settings
from bellhop.store import held_connections as module
from bellhop.store.compiled import CompiledStatement
from bellhop.store.connections import make_engine
from bellhop.store.database import Database
from bellhop.store.held_connections import OTHERS, HeldConnections, held_connections
from bellhop.store.tables import properties

ADD = CompiledStatement(insert(properties).returning(properties), ("name", "slug", "settings"), row=PropertyRow)
SLUGS = CompiledStatement(select(properties.c.slug).order_by(properties.c.slug), value=str)
WHO = CompiledStatement(text("select pg_backend_pid() as pid"), value=int)
SLEEP = CompiledStatement(text("select pg_sleep(5)"))
WRONG = CompiledStatement(text("select 1 / 0"))


@pytest.fixture
async def small(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine of which two connections can be held."""
    made = make_engine(settings.postgres, "held", pool_size=2 + OTHERS, pool_timeout=0.5)
    yield made
    await made.dispose()


@pytest.fixture
def held(small: AsyncEngine) -> HeldConnections:
    return held_connections(small)


async def add(tx: AsyncConnection, slug: str) -> None:
    await ADD(tx, name=slug, slug=slug, settings={})


async def slugs(held: HeldConnections) -> list[str]:
    async with held.autocommit() as tx:
        return await SLUGS(tx)


async def pid(held: HeldConnections) -> int:
    async with held.transaction() as tx:
        (found,) = await WHO(tx)
    return found


async def done(held: HeldConnections, work: Callable[[AsyncConnection], Awaitable[object]]) -> None:
    async with held.transaction() as tx:
        await add(tx, "gone")
        await work(tx)


async def twice(tx: AsyncConnection) -> None:
    await add(tx, "gone")


async def ours(tx: AsyncConnection) -> None:
    raise ZeroDivisionError


async def nested(tx: AsyncConnection) -> None:
    async with tx.begin_nested():
        await add(tx, "b")
        await WRONG(tx)


async def test_one_connection_after_another_is_the_same(small: AsyncEngine, held: HeldConnections) -> None:
    assert held_connections(small) is held
    first = await pid(held)
    async with held.autocommit() as tx:
        assert await WHO(tx) == [first]
    assert await pid(held) == first


async def test_what_fails_is_undone_and_what_does_not_is_done(held: HeldConnections) -> None:
    """Both kinds of statements, alone and together, and after statements that were transactions by themselves."""
    orm = insert(properties).values(name="b", slug="b", settings={})
    for round_ in range(2):
        assert await slugs(held) == (["a", "b", "c"] if round_ else [])
        with pytest.raises(DBAPIError):
            await done(held, WRONG)
        with pytest.raises(IntegrityError):
            await done(held, twice)
        with pytest.raises(DBAPIError):
            await done(held, lambda tx: tx.execute(text("select 1 / 0")))
        with pytest.raises(ZeroDivisionError):
            await done(held, ours)
        async with held.transaction() as tx:
            await add(tx, f"gone-{round_}")
            await tx.rollback()
        async with held.transaction() as tx:
            await add(tx, f"gone-{round_}")
            await tx.execute(text("select 1"))
            await tx.rollback()
        assert await slugs(held) == (["a", "b", "c"] if round_ else [])
        if not round_:
            async with held.transaction() as tx:
                await add(tx, "a")
                await tx.execute(orm)
                await add(tx, "c")


async def test_what_is_prepared_outlives_what_is_undone(held: HeldConnections) -> None:
    """A claim that finds no slot is undone; its statement is not to be planned anew each time."""
    prepared = CompiledStatement(
        text("select name from pg_prepared_statements where statement like '%pid()%'"), value=str
    )
    async with held.transaction() as tx:
        await WHO(tx)
        before = await prepared(tx)
        await tx.rollback()
        await tx.rollback()
        await WHO(tx)
        assert await prepared(tx) == before != []


async def test_a_part_that_fails_is_undone_alone(held: HeldConnections) -> None:
    async with held.transaction() as tx:
        await add(tx, "a")
        with pytest.raises(DBAPIError):
            await nested(tx)
        await add(tx, "c")
    assert await slugs(held) == ["a", "c"]


async def test_one_that_is_called_off_leaves_nothing(held: HeldConnections) -> None:
    async def transaction() -> None:
        async with held.transaction() as tx:
            await add(tx, "gone")
            await SLEEP(tx)

    async def statement() -> None:
        async with held.autocommit() as tx:
            await SLEEP(tx)

    for work in (transaction, statement) * 3:
        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await slugs(held) == []
    async with held.transaction(), held.transaction():
        pass


async def test_connections_that_died_are_all_given_up(held: HeldConnections, database_dsn: str) -> None:
    database = Database(held._engine)
    async with held.transaction() as one, held.transaction() as other:
        pids = [*await WHO(one), *await WHO(other)]
    with psycopg.connect(database_dsn, autocommit=True) as elsewhere:
        for found in pids:
            elsewhere.execute("select pg_terminate_backend(%s, 5000)", [found])
    await database.write(lambda tx: add(tx, "a"))  # it is done again, once
    assert await slugs(held) == ["a"]
    assert await pid(held) not in pids


async def test_who_waits_is_served_in_turn_or_told(held: HeldConnections, small: AsyncEngine) -> None:
    served: list[int] = []

    async def one(number: int) -> None:
        async with held.transaction() as tx:
            served.append(number)
            await WHO(tx)

    async with held.transaction():
        async with held.transaction():
            with pytest.raises(PoolTimeout):
                await one(0)
            # Those who take theirs from the pool do not wait for these.
            async with small.begin() as tx:
                await tx.execute(text("select 1"))
            gives_up = asyncio.create_task(one(1))
            waiting = [asyncio.create_task(one(number)) for number in (2, 3, 4)]
            await asyncio.sleep(0.05)
            gives_up.cancel()
        await asyncio.gather(*waiting)
    assert served == [2, 3, 4]


async def test_what_nobody_uses_goes_back_to_the_pool(
    held: HeldConnections, small: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE", 0.1)
    async with held.transaction(), held.transaction():
        pass
    assert small.pool.checkedout() == 2  # type: ignore[attr-defined]
    async with asyncio.timeout(5):
        while small.pool.checkedout():  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
    assert await slugs(held) == []


async def test_an_engine_that_is_disposed_of_closes_them(
    held: HeldConnections, small: AsyncEngine, database_dsn: str
) -> None:
    async with held.transaction(), held.transaction(), small.connect():
        pass
    await small.dispose()
    with psycopg.connect(database_dsn, autocommit=True) as elsewhere:
        for _ in range(50):
            (left,) = elsewhere.execute(
                "select count(*) from pg_stat_activity where application_name = 'bellhop-held'"
            ).fetchone() or (None,)
            if not left:
                break
            await asyncio.sleep(0.1)
    assert left == 0
    assert await slugs(held) == []  # it can be used again
