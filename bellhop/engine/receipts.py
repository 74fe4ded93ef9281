"""Providers' callbacks: verified, then recorded and applied in one transaction; workflows and endpoints hear of it."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import Account, CallbackRequest, Inbound, Receipt
from bellhop.engine.context import Engine
from bellhop.engine.errors import AccountUnreadable, NotFound, UnreadableCallback, WrongSignature
from bellhop.store.database import TIMEOUT
from bellhop.store.delivery import receipts
from bellhop.store.delivery.receipts import Recorded

log = structlog.get_logger()


async def receive(engine: Engine, provider: str, identity: str, callback: CallbackRequest) -> tuple[int, str, str]:
    """Take a callback of the account `identity` at `provider`: receipts of what was sent, and what guests have
    written. The scopes are those of the account's rows whose credentials signed it.

    Returns what the provider is answered (status, media type, body). Raises NotFound, WrongSignature,
    UnreadableCallback, AccountUnreadable.
    """
    adapter = engine.providers.get(provider)
    if adapter is None or "\0" in identity:
        raise NotFound

    # In this order, so that who has no signature costs neither a parser nor a transaction.
    accounts = await _accounts(engine, provider, identity)
    verified = [account for account in accounts if adapter.verify(account, callback)]
    if not verified:
        raise WrongSignature
    try:
        items = adapter.parse(callback)
    except ValueError:
        raise UnreadableCallback from None

    await record(engine, verified, items)
    return adapter.acknowledgement()


async def record(
    engine: Engine, verified: Sequence[Account], items: Sequence[Receipt | Inbound], *, timeout: float = TIMEOUT
) -> None:
    """Store and apply what a verified callback says, each thing once however often it is said. `verified`: the accounts
    whose credentials signed it."""

    async def work(tx: AsyncConnection) -> Recorded:
        return await receipts.record(tx, verified, items, engine.book, engine.delivery.follow_at)

    recorded = await engine.database.write(work, timeout=timeout)
    engine.dispatcher.signal_receipts(recorded.signals)
    engine.dispatcher.wake_endpoints(recorded.endpoints)


async def _accounts(engine: Engine, provider: str, identity: str) -> list[Account]:
    """The rows that stand for one account. Raises NotFound, AccountUnreadable."""
    try:
        found = await engine.database.read(lambda tx: receipts.accounts(tx, engine.cipher, provider, identity))
    except CredentialsUnreadable as problem:
        log.error("a callback cannot be verified", provider=provider, account=identity, mend=str(problem))
        raise AccountUnreadable from None
    if not found:
        raise NotFound
    return found
