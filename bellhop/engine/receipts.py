"""Providers' callbacks: verified, then recorded and applied in one transaction; workflows and endpoints hear of it.

A batch about many messages is stored as it is and acknowledged; it is applied in transactions of a bounded size after
that, by this process or by whichever runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import Account, CallbackRequest, Inbound, Provider, Receipt
from bellhop.engine.context import Engine
from bellhop.engine.errors import AccountUnreadable, NotFound, UnreadableCallback, WrongSignature
from bellhop.store.database import TIMEOUT
from bellhop.store.delivery import receipts, unapplied_receipts
from bellhop.store.delivery.receipts import Recorded
from bellhop.store.delivery.unapplied_receipts import Chunk

log = structlog.get_logger()

LOOK_AGAIN = 10.0
"""Seconds between two looks for receipts that another process stored and did not apply."""


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
    verified = _signers(adapter, accounts, callback)
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
    """Store and apply what a verified callback says, each thing once however often it is said; a large batch is stored
    and applied later. `verified`: the accounts whose credentials signed it."""
    now, later = _now_and_later(items)

    async def work(tx: AsyncConnection) -> Recorded:
        if later:
            await unapplied_receipts.store(tx, verified, later)
        return await receipts.record(tx, verified, now, engine.book, engine.delivery.follow_at)

    _tell(engine, await engine.database.write(work, timeout=timeout))
    if later:
        engine.receipts_stored.set()


async def keep_applying(engine: Engine) -> None:
    """Apply what was stored and acknowledged: at once what this process stored, and what another left behind when it is
    found. Runs until cancelled."""
    while True:
        engine.receipts_stored.clear()
        try:
            while await engine.database.read(unapplied_receipts.waiting) and await apply_next(engine):
                pass
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.warning("receipts that were stored wait", error=type(error).__name__)
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await engine.receipts_stored.wait()
        except TimeoutError:
            pass


async def apply_next(engine: Engine) -> bool:
    """Apply the oldest chunk that was stored and not applied, in one transaction. False: there is none that is due."""
    taken: list[Chunk] = []

    async def work(tx: AsyncConnection) -> Recorded | None:
        taken.clear()
        chunk = await unapplied_receipts.next_chunk(tx)
        if chunk is None:
            return None
        taken.append(chunk)
        return await unapplied_receipts.apply(tx, chunk, engine.book, engine.delivery.follow_at)

    try:
        recorded = await engine.database.write(work)
    except Exception as error:
        if not taken:
            raise
        # Whatever it is: the others are not to wait for it.
        log.warning("stored receipts not applied yet", receipts=len(taken[0].items), error=type(error).__name__)
        await engine.database.write(lambda tx: unapplied_receipts.postpone(tx, taken[0]))
        return True
    if recorded is None:
        return False
    _tell(engine, recorded)
    return True


def _now_and_later(items: Sequence[Receipt | Inbound]) -> tuple[Sequence[Receipt | Inbound], list[list[Receipt]]]:
    """What is applied before the answer, and chunks of receipts for after it: none where one transaction may apply them
    all. What guests write is not put off."""
    chunks = unapplied_receipts.chunks([item for item in items if isinstance(item, Receipt)])
    if len(chunks) <= 1:
        return items, []
    return [item for item in items if isinstance(item, Inbound)], chunks


def _tell(engine: Engine, recorded: Recorded) -> None:
    engine.dispatcher.signal_receipts(recorded.signals)
    engine.dispatcher.wake_endpoints(recorded.endpoints)


def _signers(adapter: Provider, accounts: Sequence[Account], callback: CallbackRequest) -> list[Account]:
    """The rows whose credentials signed it. Properties that share an account have the same: those are asked once."""
    signed: dict[tuple[frozenset[tuple[str, str]], ...], bool] = {}
    signers: list[Account] = []
    for account in accounts:
        secrets = (frozenset(account.credentials.items()), frozenset(account.previous_credentials.items()))
        if secrets not in signed:
            signed[secrets] = adapter.verify(account, callback)
        if signed[secrets]:
            signers.append(account)
    return signers


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
