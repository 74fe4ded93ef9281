"""Providers' callbacks: verified, then recorded and applied in one transaction; workflows and endpoints hear of it.

A batch about many messages is stored as it is and acknowledged; it is applied in transactions of a bounded size after
that, by this process or by whichever runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import Account, CallbackRequest, Inbound, Provider, Receipt
from bellhop.engine import inbound_files, keyword_answers
from bellhop.engine.callback_spool import CallbackSpool
from bellhop.engine.context import Engine
from bellhop.engine.errors import AccountUnreadable, NotFound, UnreadableCallback, UnverifiedWhileAway, WrongSignature
from bellhop.engine.remembered_accounts import Known
from bellhop.spool.directory import SpoolFull
from bellhop.spool.entries import Entry
from bellhop.store.database import TIMEOUT, DatabaseTimeout, cut_off, unavailable
from bellhop.store.delivery import plain_receipts, receipts, unapplied_receipts
from bellhop.store.delivery.receipts import Recorded
from bellhop.store.delivery.unapplied_receipts import Chunk

LEAST = 0.5
"""Seconds a transaction gets, however long the look-up of the account has taken."""

AT_ONCE = 64 * 1024
"""Bytes of a callback that is read at once. Others wait for a thread, so that nobody waits for them."""

_Signed = tuple[Sequence[Account], Sequence[Receipt | Inbound]]
"""The accounts whose credentials signed a callback, and what it says."""

log = structlog.get_logger()

LOOK_AGAIN = 10.0
"""Seconds between two looks for receipts that another process stored and did not apply."""


async def receive(engine: Engine, provider: str, identity: str, callback: CallbackRequest) -> tuple[int, str, str]:
    """Take a callback of the account `identity` at `provider`: receipts of what was sent, and what guests have
    written. The scopes are those of the account's rows whose credentials signed it.

    While the database is away it is kept on disk, where there is a spool, and recorded later (`replay.py`).

    Returns what the provider is answered (status, media type, body). Raises NotFound, WrongSignature,
    UnreadableCallback, AccountUnreadable, UnverifiedWhileAway.
    """
    adapter = engine.providers.get(provider)
    if adapter is None or "\0" in identity:
        raise NotFound
    if engine.spool is None:
        signed = await _take(engine, adapter, identity, callback, time.monotonic() + TIMEOUT)
        if signed is not None:
            await record(engine, *signed)
    else:
        await _record_or_keep(engine, engine.spool, adapter, identity, callback)
    return adapter.acknowledgement()


async def _record_or_keep(
    engine: Engine, spool: CallbackSpool, adapter: Provider, identity: str, callback: CallbackRequest
) -> None:
    """Record it within the time that the database has; else keep it. Raises the database's error where neither can be
    done."""
    arrived_at, until = datetime.now(UTC), time.monotonic() + spool.after
    away: Exception | None = None
    signed: _Signed | None = None
    try:
        if spool.away:
            raise DatabaseTimeout
        signed = await _take(engine, adapter, identity, callback, until)
        if signed is None:
            return
        # What a guest writes now comes after what they wrote before.
        if not (_has_text(signed[1]) and await spool.has_texts()):
            await record(engine, *signed, timeout=max(LEAST, until - time.monotonic()))
            return
    except Exception as error:
        if not unavailable(error):
            raise
        spool.notice(error)
        away = error
        signed = signed or await _read_by_memory(engine, adapter, identity, callback, error)
    verified, items = signed
    entry = Entry(adapter.name, identity, tuple(account.id for account in verified), arrived_at, callback)
    try:
        await spool.keep(entry, text=_has_text(items))
    except SpoolFull as full:
        if away is not None:
            log.error("a callback was neither recorded nor kept", provider=adapter.name, reason=str(full))
            raise away from None
        await record(engine, verified, items)


async def _take(
    engine: Engine, adapter: Provider, identity: str, callback: CallbackRequest, until: float
) -> _Signed | None:
    """Who signed a callback, and what it says. None: a plain receipt, and it is recorded: by what is remembered of the
    account, whose version the statement that records it looks up. `until`: by time.monotonic(). Raises NotFound,
    WrongSignature, UnreadableCallback, AccountUnreadable."""

    async def current() -> Known:
        found = await engine.accounts.current(
            engine.database, adapter.name, identity, max(LEAST, until - time.monotonic())
        )
        if found is None:
            raise NotFound
        return found

    remembered = engine.accounts.of(adapter.name, identity)
    known = remembered or await current()
    while True:
        refused: Exception | None = None
        try:
            signed = await _read(adapter, _opened(engine, known), callback)
            if await _record_plain(engine, known, signed, max(LEAST, until - time.monotonic())):
                return None
        except (WrongSignature, UnreadableCallback, AccountUnreadable) as error:
            refused = error
        latest = await current() if known is remembered else known
        if latest.version == known.version:
            if refused is not None:
                raise refused
            return signed
        known = latest


async def _record_plain(engine: Engine, known: Known, signed: _Signed, timeout: float) -> bool:
    """Record a callback that is one plain receipt, signed with the credentials that all rows of its account have.
    False: it is something else, and nothing is written."""
    accounts, items = signed
    if len(items) != 1 or len(accounts) != len(known.rows):
        return False
    (item,), row = items, known.rows[0]
    if not isinstance(item, Receipt) or not plain_receipts.plain(item):
        return False
    values = plain_receipts.values(item, row.provider, row.identity, known.version)
    try:
        applied = await engine.database.single(plain_receipts.RECORD, timeout=timeout, **values)
    except Exception as error:
        if not cut_off(error):
            raise
        # It may be stored: the long way finds that.
        return False
    recorded = plain_receipts.recorded(item, applied)
    if recorded is None:
        return False
    tell(engine, recorded)
    return True


async def _read_by_memory(
    engine: Engine, adapter: Provider, identity: str, callback: CallbackRequest, away: Exception
) -> _Signed:
    """A callback verified with what this process remembers of its account. Raises `away` where that is nothing, and
    UnverifiedWhileAway where it was not signed with that: nobody knows whether the credentials were changed since."""
    known = engine.accounts.of(adapter.name, identity)
    if known is None:
        raise away
    try:
        return await _read(adapter, _opened(engine, known), callback)
    except WrongSignature:
        raise UnverifiedWhileAway from None


async def _read(adapter: Provider, accounts: Sequence[Sequence[Account]], callback: CallbackRequest) -> _Signed:
    """The accounts whose credentials signed it, and what it says. Raises WrongSignature, UnreadableCallback."""
    if len(callback.body) <= AT_ONCE:
        return _read_now(adapter, accounts, callback)
    return await asyncio.to_thread(_read_now, adapter, accounts, callback)


def _read_now(adapter: Provider, accounts: Sequence[Sequence[Account]], callback: CallbackRequest) -> _Signed:
    """The accounts whose credentials signed it, and what it says. In this order, so that who has no signature costs
    neither a parser nor a transaction. Raises WrongSignature, UnreadableCallback."""
    verified = _signers(adapter, accounts, callback)
    if not verified:
        raise WrongSignature
    try:
        return verified, adapter.parse(callback)
    except ValueError:
        raise UnreadableCallback from None


def _has_text(items: Sequence[Receipt | Inbound]) -> bool:
    return any(isinstance(item, Inbound) for item in items)


async def record(
    engine: Engine, verified: Sequence[Account], items: Sequence[Receipt | Inbound], *, timeout: float = TIMEOUT
) -> None:
    """Store and apply what a verified callback says, each thing once however often it is said; a large batch is stored
    and applied later. `verified`: the accounts whose credentials signed it."""
    now, later = _now_and_later(await inbound_files.with_files(engine, verified, items))

    async def work(tx: AsyncConnection) -> Recorded:
        if later:
            await unapplied_receipts.store(tx, verified, later)
        recorded = await receipts.record(tx, verified, now, engine.book, engine.delivery.follow_at)
        recorded.accepted = await keyword_answers.accept(engine, tx, recorded.asked)
        return recorded

    tell(engine, await engine.database.write(work, timeout=timeout))
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
    tell(engine, recorded)
    return True


def _now_and_later(items: Sequence[Receipt | Inbound]) -> tuple[Sequence[Receipt | Inbound], list[list[Receipt]]]:
    """What is applied before the answer, and chunks of receipts for after it: none where one transaction may apply them
    all. What guests write is not put off."""
    chunks = unapplied_receipts.chunks([item for item in items if isinstance(item, Receipt)])
    if len(chunks) <= 1:
        return items, []
    return [item for item in items if isinstance(item, Inbound)], chunks


def tell(engine: Engine, recorded: Recorded) -> None:
    engine.dispatcher.signal_receipts(recorded.signals)
    engine.dispatcher.wake_endpoints(recorded.endpoints)
    engine.dispatcher.detect_intents(recorded.texts)
    engine.dispatcher.settle_files(recorded.files)
    for row in recorded.accepted:
        engine.dispatcher.accepted(row)


def _signers(adapter: Provider, accounts: Sequence[Sequence[Account]], callback: CallbackRequest) -> Sequence[Account]:
    """The rows whose credentials signed it. `accounts`: those with the same ones together, which are asked once."""
    signed = [same for same in accounts if adapter.verify(same[0], callback)]
    if len(signed) == 1:
        return signed[0]
    return sorted((account for same in signed for account in same), key=lambda account: account.id)


def _opened(engine: Engine, known: Known) -> list[list[Account]]:
    try:
        return known.opened(engine.cipher)
    except CredentialsUnreadable as problem:
        row = known.rows[0]
        log.error("a callback cannot be verified", provider=row.provider, account=row.identity, mend=str(problem))
        raise AccountUnreadable from None
