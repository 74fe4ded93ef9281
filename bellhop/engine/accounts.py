"""Provider accounts: looked at, made and rotated, encrypted anew, held by hand, said to be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.accounts import Seed
from bellhop.domain.credentials import Sealing
from bellhop.domain.operators import Operator
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.delivery import AccountSummary, Backlog
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.delivery import accounts, parked


async def listing(engine: Engine, scope: Scope, asked: PageRequest) -> Listed[AccountSummary]:
    """The accounts of a scope, oldest first."""
    every = await engine.database.read(lambda tx: accounts.listing(tx, scope))
    after = asked.after
    first = next((at for at, row in enumerate(every) if row.id > after.id), len(every)) if after else asked.offset
    listed = every[first : first + asked.limit]
    return Listed(listed, len(every), next=Place(listed[-1].id) if listed and every[first + asked.limit :] else None)


async def channels(engine: Engine, scope: Scope) -> list[str]:
    """The channels a scope has a sender for."""
    return await engine.database.read(lambda tx: accounts.channels(tx, scope))


async def ensure(engine: Engine, scope: Scope, seeds: Sequence[Seed], following: Sequence[Seed] = ()) -> None:
    """Make the accounts and senders of `seeds` where a scope lacks them; what is there stays as it is. What it has of
    `following` gets their credentials, too, and other accounts of those providers are forgotten."""

    async def work(tx: AsyncConnection) -> None:
        for seed in following:
            await accounts.follow(tx, engine.cipher, scope, seed)
        for seed in seeds:
            await accounts.ensure(tx, engine.cipher, scope, seed)

    await engine.database.write(work)


async def put(engine: Engine, scope: Scope, seeds: Sequence[Seed], *, forget_previous: bool = False) -> list[str]:
    """Make a scope send through the accounts and senders of `seeds`: all of them, or none. `forget_previous`: and no
    callback that is signed with older credentials counts any more. Returns for each `made`, `rotated` (the same
    account), `moved` (from another account) or `unchanged`. What the accounts held goes out. Raises
    CredentialsUnreadable where replaced credentials cannot be kept."""

    async def work(tx: AsyncConnection) -> tuple[list[str], list[Backlog]]:
        done = [await accounts.put(tx, engine.cipher, scope, seed, forget_previous=forget_previous) for seed in seeds]
        if forget_previous:
            await accounts.forget_previous(tx, scope)
        return done, await parked.backlogs(tx, scope.id)

    outcomes, backlogs = await engine.database.write(work)
    engine.dispatcher.release(backlogs)
    return outcomes


async def encrypt(engine: Engine) -> Counter[Sealing]:
    """Put the credentials of every account of the installation under the newest key. Returns how many accounts had any
    that were unreadable (those stay as they are), in plain or under an older key before; the rest count as current."""

    async def work(tx: AsyncConnection) -> Counter[Sealing]:
        found: Counter[Sealing] = Counter()
        for row, kept in await accounts.sealings(tx, engine.cipher, lock=True):
            worst = next((kind for kind in _WORST_FIRST if kind in kept), Sealing.CURRENT)
            if worst in (Sealing.PLAIN, Sealing.OLDER):
                await accounts.reseal(tx, engine.cipher, row)
            found[worst] += 1
        return found

    return await engine.database.write(work, timeout=BULK_TIMEOUT)


_WORST_FIRST = (Sealing.UNREADABLE, Sealing.PLAIN, Sealing.OLDER)


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
