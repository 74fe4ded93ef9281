"""Provider accounts: looked at, held by hand, said to be mended."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.operators import Operator
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.delivery import AccountSummary, Backlog
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.delivery import accounts, parked


async def listing(engine: Engine, scope: Scope, asked: PageRequest) -> Listed[AccountSummary]:
    """The accounts of a scope, oldest first."""
    every = await engine.database.read(lambda tx: accounts.listing(tx, scope))
    after = asked.after
    first = next((at for at, row in enumerate(every) if row.id > after.id), len(every)) if after else asked.offset
    listed = every[first : first + asked.limit]
    return Listed(listed, len(every), next=Place(listed[-1].id) if listed and every[first + asked.limit :] else None)


async def hold(
    engine: Engine, scope: Scope, account_ids: Sequence[UUID], operator: Operator
) -> tuple[list[AccountSummary], int]:
    """Nothing goes through these accounts until somebody says that they are mended, and nothing is tried. Returns them
    as they are now, and how many were not held by hand before. Raises NotFound when one is not of the scope."""

    async def work(tx: AsyncConnection) -> tuple[list[AccountSummary], int]:
        done = [await accounts.hold(tx, scope, each, operator) for each in account_ids]
        return _these(await accounts.listing(tx, scope), account_ids), sum(done)

    return await engine.database.write(work)


async def mend(
    engine: Engine, scope: Scope, account_ids: Sequence[UUID], operator: Operator
) -> tuple[list[AccountSummary], int]:
    """These accounts are well again, whoever held them: what they held goes out. Returns them as they are now, and how
    many were held. Raises NotFound when one is not of the scope."""

    async def work(tx: AsyncConnection) -> tuple[list[AccountSummary], int, list[Backlog]]:
        done = sum([await accounts.mend(tx, scope, each, operator) for each in account_ids])
        these = _these(await accounts.listing(tx, scope), account_ids)
        return these, done, await parked.backlogs(tx, scope.id) if done else []

    these, done, backlogs = await engine.database.write(work)
    engine.dispatcher.release(backlogs)
    return these, done


def _these(found: Sequence[AccountSummary], asked: Sequence[UUID]) -> list[AccountSummary]:
    these = [row for row in found if row.id in asked]
    if len(these) != len(set(asked)):
        raise NotFound
    return these
