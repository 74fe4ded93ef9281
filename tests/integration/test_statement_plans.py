"""What is done all the time costs the same on a long history as on a short one.

Everything in `bench/history/uses.py` is done on two databases, one with four times the history, by the product's own
functions. What they send is explained as it ran, and as a prepared statement whose values the planner does not know.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bellhop.store import pages
from bellhop.store.connections import make_engine
from bellhop.store.messages import lists, texts
from bellhop.store.settings import PostgresSettings
from bench.history import backlogs
from bench.history.explain import Node, Recorder, Sent, explained, explained_in
from bench.history.fill import TABLES, Size, fill
from bench.history.measure import one_use
from bench.history.uses import USES, History, Use
from tests.conftest import _DSN, SECRET, TEMPLATE
from tests.databases import dsn_of

SHORT, LONG = (Size(messages=many, properties=12, unmatched=many // 4) for many in (4_000, 16_000))
CROWD = Size(messages=4_000, properties=1_000, unmatched=1_000)
"""As short as SHORT, of many more properties, which share their accounts and senders."""
COUNTED = 100
"""So many results are counted in this test."""
FEW = 700
"""Rows: what may be read whatever the size, and is not looked at further."""
SHARED_FEW = 100
"""The same where the size is that of the properties."""
GROWTH = 1.6
"""By which the rows that are read may differ between the two."""

EXCEPTIONS = {
    "guests: a search that finds nothing": "any part of a name: reads the guests of that one property",
    "messages: offset 10,000": "reads what it skips, which is bounded",
    "report of 31 days, one property": "reads what was accepted in these days",
    "report of 31 days, all properties": "reads what was accepted in these days",
    "reconcile a day": "reads the calls of that day",
    "rebuild: what was sent": "an operator's, in pages: reads the calls of the last week",
    "the doctor's look": "reads what is pending, all of it",
    "forget 500: of_deleted_endpoints": "reads the endpoints, of which each scope has a few",
    "API keys": "the keys are few: a scan of them is cheaper than an index",
}
"""Use → why what it reads may grow."""
SHARED = {
    "accept a message", "claim", "record what came of a call", "a receipt, an account of every property",
    "a receipt of nothing that is here", "a guest's text to a sender of every property",
    "settle an unknown outcome by look-up", "what an address allows",
}  # fmt: skip
"""Uses that have to do with accounts and senders."""
PENDING = {
    "ix_messages_wake", "ix_messages_next", "ix_messages_parked", "ix_messages_held", "ix_attempts_lease",
    "ix_attempts_ask_at",
    "ix_pending_deliveries_due", "ix_pending_deliveries_order", "ix_receipts_unmatched", "ix_receipts_payloads",
}  # fmt: skip
"""Indexes that hold only what is pending or kept for a while: read in their order, without a condition."""


@contextmanager
def filled(size: Size) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(os.environ[_DSN], autocommit=True) as connection:
        connection.execute(f"create database {name} template {TEMPLATE}")
    dsn = dsn_of(os.environ[_DSN], name)
    try:
        fill(dsn, SECRET, size, lambda _: None)
        yield dsn
    finally:
        with psycopg.connect(os.environ[_DSN], autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def histories() -> Iterator[tuple[str, str]]:
    with filled(SHORT) as short, filled(LONG) as long:
        yield short, long


@pytest.fixture(scope="module")
def crowd() -> Iterator[str]:
    with filled(CROWD) as dsn:
        yield dsn


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[tuple[History, Recorder]]:
    engine = make_engine(PostgresSettings(_env_file=None, dsn=SecretStr(dsn)), "plans")
    recorder = Recorder(engine)
    try:
        yield await History.opened(engine, SECRET), recorder
    finally:
        await engine.dispose()


async def done(dsn: str, use: Use) -> dict[str, tuple[list[Node], list[Node]]]:
    """What a use sends → the steps as they ran (none where it can't run twice), and those of the generic plan."""
    found: dict[str, tuple[list[Node], list[Node]]] = {}
    async with opened(dsn) as (history, recorder):
        _, _, sent = await one_use(history, recorder, use, times=1)
        for one in sent:
            found[one.words] = await _ran(history, one), await explained(history.engine, one, generic=True)
    return found


async def _ran(history: History, sent: Sent) -> list[Node]:
    try:
        return await explained(history.engine, sent, generic=False)
    except psycopg.IntegrityError:
        return []


def _read(nodes: list[Node]) -> float:
    return sum(node.read for node in nodes if node.scans)


@pytest.mark.parametrize("use", [each for each in USES if each.name not in EXCEPTIONS], ids=lambda use: use.name)
async def test_cost_does_not_grow_with_history(
    use: Use, histories: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "COUNTED", COUNTED)
    monkeypatch.setattr(lists, "COUNTED", COUNTED)
    monkeypatch.setattr(texts, "COUNTED", COUNTED)
    short, long = [await done(dsn, use) for dsn in histories]
    assert long
    wrong: list[str] = []
    for words, (ran, generic) in long.items():
        wrong += [f"{node} in {words}" for node in (*ran, *generic) if _reads_everything(node)]
        before = _read(short[words][0]) if words in short else 0.0
        if _read(ran) > max(FEW, before * GROWTH):
            wrong.append(f"{before:,.0f} rows → {_read(ran):,.0f} with four times the history: {words}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("use", [each for each in USES if each.name in SHARED], ids=lambda use: use.name)
async def test_cost_does_not_grow_with_the_properties_that_share_an_account(
    use: Use, histories: tuple[str, str], crowd: str
) -> None:
    """Seen to fail before: a callback read the row of each, and a text the sender of each."""
    few, many = [await done(dsn, use) for dsn in (histories[0], crowd)]
    assert many
    wrong: list[str] = []
    for words, (ran, _) in many.items():
        before = _read(few[words][0]) if words in few else 0.0
        if _read(ran) > max(SHARED_FEW, before * GROWTH):
            wrong.append(f"{before:,.0f} rows → {_read(ran):,.0f} with {CROWD.properties} properties: {words}")
    assert not wrong, "\n".join(wrong)


BACKLOG = (
    "update deliveries set state = 'pending', next_at = now(), attempts = 0",
    "update messages set waits_for = 'no_sender', parked_at = now(), wake_due_at = now() where direction = 'outbound'",
    "analyze deliveries",
    "analyze messages",
)
"""Everything waits, and the planner knows."""


@pytest.mark.parametrize("work", backlogs.USES.values(), ids=backlogs.USES)
async def test_a_few_of_a_backlog_are_looked_for_one_by_one(work: backlogs.Work, histories: tuple[str, str]) -> None:
    """Seen to fail before: of `in (select … limit …)` the planner may make a join with the whole table."""
    async with opened(histories[1]) as (history, recorder), history.engine.connect() as tx:
        for statement in BACKLOG:
            await tx.execute(text(statement))
        with recorder.noting() as sent:
            await work(history, tx)
        nodes = [(node, one.words) for one in sent for node in await explained_in(tx, one, generic=True)]
        await tx.rollback()
    assert nodes
    wrong = [f"{node} in {words}" for node, words in nodes if _reads_everything(node)]
    assert not wrong, "\n".join(wrong)


def _reads_everything(node: Node) -> bool:
    """Whether a step goes through a whole big table, or a whole index of one that is not of what is pending."""
    if not node.scans or node.table not in TABLES:
        return False
    return not node.bounded and node.index not in PENDING


def test_exceptions_are_still_there() -> None:
    assert EXCEPTIONS.keys() | SHARED <= {use.name for use in USES}
