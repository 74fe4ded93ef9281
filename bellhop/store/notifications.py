"""PostgreSQL's own notifications: what a writer says is heard when, and only when, its transaction has committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from bellhop.domain.live import Word, said
from bellhop.store.compiled import CompiledStatement
from bellhop.store.settings import PostgresSettings

CHANNEL = "bellhop_live"
ASK_EVERY = 15.0
"""Seconds of silence after which the server is asked whether it is still there."""
PATIENCE = 5.0
"""Seconds it has to answer."""

_NOTIFY = CompiledStatement(select(func.pg_notify(CHANNEL, bindparam("payload", type_=Text))), value=str)


async def notify(tx: AsyncConnection, word: Word, of: UUID) -> None:
    """Say something to every process, when this transaction commits."""
    await _NOTIFY(tx, payload=said(word, of))


async def listen(settings: PostgresSettings) -> AsyncGenerator[str | None, None]:
    """Everything that is said from now on, on a connection of its own: first None, once it listens. Raises
    psycopg.Error, OSError or TimeoutError when the connection is lost, or the server does not answer."""
    connection = await psycopg.AsyncConnection.connect(
        settings.dsn.get_secret_value(),
        autocommit=True,
        application_name="bellhop-live",
        connect_timeout=int(PATIENCE),
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
        yield None
        while True:
            async for notification in connection.notifies(timeout=ASK_EVERY):
                yield notification.payload
            async with asyncio.timeout(PATIENCE):
                await connection.execute("select 1")
    finally:
        await connection.close()
