"""The installation: which secret key its database was made with, and which Temporal namespace has its workflows."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.store.tables import installation, scopes


async def secret_check(tx: AsyncConnection, offered: bytes) -> bytes:
    """The check value of the key this database was made with; `offered` becomes it where there is none yet."""
    await tx.execute(upsert(installation).values(id=1, secret_check=offered).on_conflict_do_nothing())
    return bytes((await tx.execute(select(installation.c.secret_check))).scalar_one())


async def temporal_namespace(tx: AsyncConnection) -> str | None:
    """The id of the Temporal namespace that has these messages' workflows; None before the first."""
    known: str | None = (await tx.execute(select(installation.c.conductor))).scalar_one_or_none()
    return known


async def set_temporal_namespace(tx: AsyncConnection, namespace_id: str) -> None:
    """From now on that namespace has them: a workflow for each message that needs one."""
    await tx.execute(update(installation).values(conductor=namespace_id))


async def is_migrated(tx: AsyncConnection) -> bool:
    """True when a table of ours is there; a ProgrammingError says that it is not."""
    await tx.execute(select(scopes.c.id).limit(1))
    return True
