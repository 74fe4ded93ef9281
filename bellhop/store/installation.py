"""The installation itself: which secret key its database was made with."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.tables import installation


async def secret_check(tx: AsyncConnection, offered: bytes) -> bytes:
    """The check value of the key this database was made with; `offered` becomes it where there is none yet."""
    await tx.execute(upsert(installation).values(id=1, secret_check=offered).on_conflict_do_nothing())
    return bytes((await tx.execute(select(installation.c.secret_check))).scalar_one())
