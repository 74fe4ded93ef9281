"""Bring a database to this version: migrations, the key check, and the accounts the environment seeds.

`python -m bellhop.ops.migrate`, or `bellhop migrate`. Safe to repeat, to run twice at once and to kill.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.engine.installation import check_installation
from bellhop.ops.seed import ensure_accounts
from bellhop.settings import Settings, SettingsError, load
from bellhop.store.access import properties
from bellhop.store.connections import make_engine
from bellhop.store.conversations import event_order

PROJECT = Path(__file__).resolve().parents[2]


Say = Callable[[str], None]


def _upgrade(connection: Connection, say: Say | None) -> None:
    config = Config(str(PROJECT / "alembic.ini"))
    config.attributes["connection"] = connection
    config.attributes["say"] = say
    command.upgrade(config, "head")


async def apply(engine: AsyncEngine, say: Say | None = None) -> None:
    """The migrations alone."""
    async with engine.connect() as connection:
        await connection.run_sync(_upgrade, say)
        await connection.commit()


async def migrate(settings: Settings, say: Say | None = None) -> None:
    """Run what is missing. `say` is told what is done and how far it is, a line at a time. Raises SettingsError when
    the secret key is not this database's."""
    engine = make_engine(settings.postgres, "migrate")
    try:
        await apply(engine, say)
        async with engine.begin() as tx:
            await event_order.adopt(tx)
            await check_installation(tx, AddressBook(settings.bellhop.secret_key.get_secret_value()))
            for scope in await properties.every_scope(tx):
                await ensure_accounts(tx, scope, settings)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    try:
        asyncio.run(migrate(load(), lambda line: print(line, file=sys.stderr, flush=True)))
    except SettingsError as problem:
        sys.exit(str(problem))
