"""Bring a database to this version: migrations, the key check, and the accounts the environment seeds.

`python -m bellhop.ops.migrate`, or `bellhop migrate`. Safe to repeat and to run twice at once.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from bellhop.domain.addresses import AddressBook
from bellhop.engine.installation import check_installation
from bellhop.ops.seed import ensure_accounts
from bellhop.settings import Settings, SettingsError, load
from bellhop.store.access import properties
from bellhop.store.connections import make_engine

PROJECT = Path(__file__).resolve().parents[2]


def _upgrade(connection: Connection) -> None:
    config = Config(str(PROJECT / "alembic.ini"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(settings: Settings) -> None:
    """Run what is missing. Raises SettingsError when the secret key is not this database's."""
    engine = make_engine(settings.postgres, "migrate")
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
        async with engine.begin() as tx:
            await check_installation(tx, AddressBook(settings.bellhop.secret_key.get_secret_value()))
            for scope in await properties.every_scope(tx):
                await ensure_accounts(tx, scope, settings)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    try:
        asyncio.run(migrate(load()))
    except SettingsError as problem:
        sys.exit(str(problem))
