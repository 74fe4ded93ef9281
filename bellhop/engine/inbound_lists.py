"""Guests' messages that no callback brought: asked for at the provider's own list, recorded as a callback would.

A provider may have lost some while the API, the database or the way to them was away, a STOP among them. So every
account's list is read from time to time from a little before where it was read to, by whichever API process is first,
and at once by one that was away itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import CannotList, Inbound, Provider, ProviderUnreachable
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.inbound_lists import InboundListRow
from bellhop.domain.scopes import Scope
from bellhop.engine import receipts
from bellhop.engine.context import Engine
from bellhop.store.conversations import inbound_lists
from bellhop.store.conversations.inbound_lists import ListedAccount

log = structlog.get_logger()

OVERLAP = timedelta(minutes=10)
"""So much before where a list was read to is read again: lists lag, and clocks differ."""
LONGEST = timedelta(days=30)
"""No list is read back further than that by itself."""
TICK = 20.0
"""Seconds between two looks whether an account is to be asked."""
SOON = 30.0
"""Seconds after which an account is asked again by a process that was away."""
PAGE_TIMEOUT = 20.0
LOOK_TIME = 240.0
"""Seconds that reading one account's list may take."""
MOST = 100_000
"""Messages of one list that are held in memory."""
AT_ONCE = 4
BATCH = 500

Progress = Callable[[int, int, int], None]
"""Called with how many messages the list has, how many were looked at so far, and how many of those are new."""


@dataclass(slots=True)
class Fetched:
    """What became of asking one account."""

    provider: str
    identity: str
    since: datetime | None
    listed: int = 0
    new: int = 0
    problem: str | None = None
    """Why it could not be asked, or not to the end, as a sentence."""


async def keep_fetching(engine: Engine, routes: Routes, every: float) -> None:
    """Ask every account each `every` seconds, and at once after this process could not be reached or could not reach
    the database. Runs until cancelled; not at all where `every` is 0."""
    away_at = time.monotonic()
    while every > 0:
        began = time.monotonic()
        soon = began - away_at < SOON + TICK
        try:
            await _fetch_due(engine, routes, SOON if soon else every)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.debug("lists of guests' messages are not read yet", error=type(error).__name__)
            away_at = time.monotonic()
        asleep = time.monotonic()
        await asyncio.sleep(TICK)
        if time.monotonic() - asleep > 2 * TICK:
            away_at = time.monotonic()  # the process was paused


async def _fetch_due(engine: Engine, routes: Routes, age: float) -> None:
    due = await engine.database.write(lambda tx: inbound_lists.claim(tx, age))
    room = asyncio.Semaphore(AT_ONCE)

    async def one(row: InboundListRow) -> None:
        async with room:
            done = await fetch(engine, routes, row)
        if done.new:
            log.info("guests' messages found that no callback brought", provider=row.provider, messages=done.new)

    failed = [each for each in await asyncio.gather(*map(one, due), return_exceptions=True) if each is not None]
    for problem in failed:
        raise problem


async def fetch_of(
    engine: Engine, routes: Routes, scope: Scope, since: datetime | None = None, progress: Progress | None = None
) -> list[Fetched]:
    """Ask the accounts of a scope now; `since`: from then on, instead of where their lists were read to."""
    rows = await engine.database.write(lambda tx: inbound_lists.claim_of(tx, scope))
    return [await fetch(engine, routes, row, since, progress) for row in rows]


async def fetch(
    engine: Engine,
    routes: Routes,
    row: InboundListRow,
    since: datetime | None = None,
    progress: Progress | None = None,
) -> Fetched:
    """Read one account's list and record what no callback brought, the oldest first. What was recorded stays when the
    rest cannot be read; then all of it is read again the next time."""
    start = since or max(row.received_until or row.asked_at, row.asked_at - LONGEST) - OVERLAP
    done = Fetched(row.provider, row.identity, start)
    provider = engine.providers.get(row.provider)
    if provider is None:
        done.problem = "this version knows no such provider"
        return done
    until: datetime | None = row.asked_at
    try:
        listed = await engine.database.read(lambda tx: inbound_lists.accounts(tx, engine.cipher, routes, row))
        for account in listed:
            items = await asyncio.to_thread(_read, provider, account, start)
            done.listed += len(items)
            await _record(engine, provider, account, items, done, progress)
    except CannotList as problem:
        done.problem, until = str(problem), None
    except ProviderUnreachable:
        done.problem = "it could not be reached, or gave no whole list; it is asked again"
    except CredentialsUnreadable as problem:
        done.problem = str(problem)
    gap = row.received_until is not None and start > row.received_until
    if until is None or (done.problem is None and not gap):
        await engine.database.write(lambda tx: inbound_lists.received_until(tx, row, until))
    return done


def _read(provider: Provider, account: ListedAccount, since: datetime) -> list[Inbound]:
    """What guests wrote to these senders, the oldest first."""
    end = time.monotonic() + LOOK_TIME
    found: list[Inbound] = []
    for item in provider.received(account.accounts[0], account.senders, since, PAGE_TIMEOUT):
        if time.monotonic() > end or len(found) >= MOST:
            raise ProviderUnreachable("a list that takes too long")
        found.append(item)
    # Of the same time the later one stands before the other: a list may know no more than seconds.
    found.reverse()
    return sorted(found, key=lambda item: item.occurred_at or since)


async def _record(
    engine: Engine,
    provider: Provider,
    account: ListedAccount,
    items: list[Inbound],
    done: Fetched,
    progress: Progress | None,
) -> None:
    ids = [one.id for one in account.accounts]
    for at in range(0, len(items), BATCH):
        batch = items[at : at + BATCH]
        keys = [item.dedupe_key for item in batch]
        new = await engine.database.read(partial(inbound_lists.unknown, account_ids=ids, dedupe_keys=keys))
        for item in batch:
            if item.dedupe_key not in new:
                continue
            if item.details.media_count:
                item = await asyncio.to_thread(provider.complete, account.accounts[0], item, PAGE_TIMEOUT)
            await receipts.record(engine, account.accounts, [item])
            done.new += 1
        if progress is not None:
            progress(done.listed, at + len(batch), done.new)
