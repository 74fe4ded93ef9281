"""The spool's callbacks recorded, once the database is back: in order, by one process at a time, each deleted after its
commit. What was recorded and not deleted, since its process was killed in between, is found to be there already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import Account
from bellhop.engine import receipts
from bellhop.engine.callback_spool import MOST_TRIES, CallbackSpool
from bellhop.engine.context import Engine
from bellhop.engine.installation import postgres_reachable
from bellhop.spool.directory import Name
from bellhop.spool.entries import Entry
from bellhop.store.database import BULK_TIMEOUT, about_one_statement, unavailable

LOOK_EVERY = 1.0
"""Seconds between two looks whether the database is back, and for what other processes have kept."""
REMEMBER_EVERY = 60.0
"""Seconds for which an account that was forgotten, or a credential that was replaced, may still count while the
database is away."""
REMEMBER_AGAIN = 2.0
"""The same while the database does not tell."""

log = structlog.get_logger()


@asynccontextmanager
async def replaying(engine: Engine) -> AsyncIterator[None]:
    """The spool at work, while it lasts; nothing where there is none."""
    spool = engine.spool
    if spool is None:
        yield
        return
    if await spool.summary() is None:
        log.error("the spool cannot be written to: callbacks are refused while the database is away")
    tasks = [asyncio.create_task(work(engine, spool)) for work in (keep_remembering, keep_replaying)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        spool.close()


async def keep_replaying(engine: Engine, spool: CallbackSpool) -> None:
    """Look for what is kept, and record it whenever the database is there. Runs until cancelled."""
    while True:
        await spool.news(LOOK_EVERY)
        try:
            if spool.away:
                if not await postgres_reachable(engine.database):
                    await asyncio.sleep(LOOK_EVERY)
                    continue
                spool.away = False
            if await spool.waiting():
                await replay(engine, spool)
                if spool.away:
                    await asyncio.sleep(LOOK_EVERY)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.error("what is kept on disk was not recorded", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY)


async def keep_remembering(engine: Engine, spool: CallbackSpool) -> None:
    """Remember every account there is, and only those. Runs until cancelled."""
    while True:
        try:
            await engine.accounts.renew(engine.database)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            if not unavailable(error):
                log.error("the accounts are not remembered", error=type(error).__name__)
            await asyncio.sleep(REMEMBER_AGAIN)
            continue
        try:
            await asyncio.to_thread(spool.directory.clear_unfinished)
            await asyncio.to_thread(spool.directory.forget_rejected)
        except OSError as error:
            log.error("the spool cannot be tidied", error=type(error).__name__)
        await asyncio.sleep(REMEMBER_EVERY)


async def replay(engine: Engine, spool: CallbackSpool) -> int:
    """Record what is kept, as far as the database takes it. Returns how many; 0 also while another process does it.
    Raises OSError."""
    done = 0
    with spool.directory.locked() as alone:
        if not alone:
            return 0
        for name in await spool.waiting():
            if spool.rests(name):
                continue
            went = await _replay(engine, spool, name)
            if went is None:
                break
            done += went
    if done:
        log.info("callbacks recorded that were kept on disk", count=done)
    return done


async def _replay(engine: Engine, spool: CallbackSpool, name: Name) -> bool | None:
    """Whether this one was recorded; None: the database is away."""
    try:
        entry = await spool.entry(name)
        await _record(engine, entry)
    except CredentialsUnreadable as problem:
        # Some process may know the key, or soon: it stays where it is, and the others go on.
        if spool.rest(name) == 1:
            log.error("a callback that was kept cannot be decrypted", file=name.text, mend=str(problem))
        return False
    except OSError as error:
        log.error("a callback that was kept cannot be read", file=name.text, error=type(error).__name__)
        spool.rest(name)
        return False
    except Exception as error:  # noqa: BLE001  whatever it stumbles over: the later ones are not to wait for it
        if unavailable(error):
            alive = about_one_statement(error) and await postgres_reachable(engine.database)
            if not alive:
                spool.notice(error)
                return None
            if spool.rest(name) < MOST_TRIES:
                return False
        log.error("a callback that was kept cannot be recorded; set aside", file=name.text, error=type(error).__name__)
        await asyncio.to_thread(spool.directory.reject, name)
        spool.forget(name)
        return False
    await asyncio.to_thread(spool.directory.remove, name)
    spool.forget(name)
    return True


async def _record(engine: Engine, entry: Entry) -> None:
    """As when it came, which is when it was said: only its signature is not looked at again, which has grown old."""
    adapter = engine.providers[entry.provider]
    verified = [Account(account, entry.provider, entry.identity, "", {}) for account in entry.accounts]
    said = await asyncio.to_thread(adapter.parse, entry.callback)
    items = [item if item.occurred_at is not None else replace(item, occurred_at=entry.arrived_at) for item in said]
    await receipts.record(engine, verified, items, timeout=BULK_TIMEOUT)
