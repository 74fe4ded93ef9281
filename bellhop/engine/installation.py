"""Whether this process and its database belong together, and whether what it needs can be reached."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.engine.context import Engine
from bellhop.settings import SettingsError
from bellhop.store.access import installation
from bellhop.store.database import Database, DatabaseTimeout

ASK_AGAIN = 2.0
PATIENCE = 2.0
"""Seconds each of the things a process needs has to answer."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """What can be reached now."""

    postgres: bool
    temporal: bool


async def check_installation(tx: AsyncConnection, book: AddressBook) -> None:
    """Make sure this database was made with this secret key. Raises SettingsError when it was not."""
    if not hmac.compare_digest(await installation.secret_check(tx, book.check()), book.check()):
        raise SettingsError(
            "BELLHOP_SECRET_KEY is not the key this database was made with.\n"
            "  With another key earlier opt-outs would not be recognised, so nothing starts.\n"
            "  Set it to the first key (`bellhop dev` keeps it in .bellhop/secret_key), or use an empty database."
        )


async def await_installation(engine: AsyncEngine, book: AddressBook) -> None:
    """Wait until the database is there and migrated, then make sure that this is its secret key. Raises SettingsError
    when it is not: with another key, opt-outs would silently not be recognised."""
    while True:
        try:
            async with engine.begin() as tx:
                await check_installation(tx, book)
            return
        except (DBAPIError, OSError, TimeoutError):
            await asyncio.sleep(ASK_AGAIN)


async def reachable(engine: Engine) -> Reachable:
    """What can be reached, PostgreSQL with our tables in it."""
    return Reachable(*await asyncio.gather(postgres_reachable(engine.database), engine.dispatcher.reachable(PATIENCE)))


async def postgres_reachable(database: Database) -> bool:
    """Whether PostgreSQL answers soon, and has our tables."""
    try:
        await database.read(installation.is_migrated, timeout=PATIENCE)
    except (SQLAlchemyError, OSError, DatabaseTimeout):
        return False
    return True
