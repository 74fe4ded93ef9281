"""Callbacks that came while no API process ran, or none reached the database: asked for at the provider's own list, in
pages of many messages, and recorded as they would have been.

That a process runs is a row in the record. Whoever finds that none has for a while notes the accounts it concerns;
whichever process is first asks each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import Account, CannotList, ProviderUnreachable, Receipt
from bellhop.domain.provider_lists import ReportsList, ReportsPage
from bellhop.domain.provider_urls import Routes
from bellhop.domain.questions import limits
from bellhop.domain.rows.missed_callbacks import MissedCallbacksRow
from bellhop.domain.statuses import Stage
from bellhop.engine import receipts
from bellhop.engine.context import Engine
from bellhop.store.conversations import inbound_lists
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.delivery import missed_callbacks
from bellhop.store.delivery.questions import Questions

log = structlog.get_logger()

BEATS = 3
"""How often in that time a process that runs is seen."""
LOOK_EVERY = 5.0
"""Seconds between two looks for accounts that are to be asked."""
AT_ONCE = 4
"""Accounts that one process asks at the same time."""
LEASE = 300.0
"""Seconds after which another process asks an account that one began to ask."""
AGAIN = 30.0
"""Seconds after which an account is asked again that could not be."""
PAGE_TIMEOUT = 20.0
CLOCKS = timedelta(seconds=60)
"""How far a provider's clock may be behind ours."""
_NEWS: Mapping[str | None, frozenset[Stage]] = {
    None: frozenset({Stage.DELIVERED, Stage.READ, Stage.UNDELIVERED}),
    Stage.SENT.value: frozenset({Stage.DELIVERED, Stage.READ, Stage.UNDELIVERED}),
    Stage.DELIVERED.value: frozenset({Stage.READ, Stage.UNDELIVERED}),
}
"""What is known of a message → what a list may say that is more."""


async def keep_noticing(engine: Engine) -> None:
    """Note that this process runs, and what may have been missed before it did. Runs until cancelled; not at all where
    `missed_after` is 0."""
    after = engine.delivery.missed_after
    listing = sorted(name for name, one in engine.providers.items() if isinstance(one, ReportsList))
    while after > 0:
        try:
            found = await engine.database.write(
                lambda tx: missed_callbacks.seen(tx, after / BEATS, after, listing), timeout=BULK_TIMEOUT
            )
            if found:
                log.info("no API process ran: providers are asked for the callbacks of that time", accounts=found)
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.debug("whether an API process runs is not noted yet", error=type(error).__name__)
        await asyncio.sleep(after / BEATS)


async def keep_asking(engine: Engine, routes: Routes) -> None:
    """Ask the accounts that were noted. Runs until cancelled."""
    while engine.delivery.missed_after > 0:
        try:
            due = await engine.database.write(lambda tx: missed_callbacks.claim(tx, LEASE, AT_ONCE))
            await asyncio.gather(*(ask(engine, routes, row) for row in due))
            if due:
                continue
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.debug("missed callbacks are not asked for yet", error=type(error).__name__)
        await asyncio.sleep(LOOK_EVERY)


async def ask(engine: Engine, routes: Routes, row: MissedCallbacksRow) -> int:
    """Ask one account where the messages stand of which it may have told while nobody heard it, and record what it
    says. Returns how many that was news of. What was recorded stays where the rest cannot be asked."""
    known = {one.provider_id: one for one in await engine.database.read(lambda tx: missed_callbacks.silent(tx, row))}
    news = 0
    try:
        provider: object = engine.providers.get(row.provider)
        if known and isinstance(provider, ReportsList):
            since = min(one.created_at for one in known.values()) - CLOCKS
            stages = {one.provider_id: one.stage for one in known.values()}
            for listed in await engine.database.read(lambda tx: inbound_lists.accounts(tx, engine.cipher, routes, row)):
                calling = replace(listed.accounts[0], environment=row.environment)
                pages = provider.reports(calling, stages, since, PAGE_TIMEOUT)
                news += await _record(engine, calling, listed.accounts, pages, stages)
    except (CannotList, CredentialsUnreadable) as problem:
        log.debug("an account cannot be asked for missed callbacks", provider=row.provider, why=type(problem).__name__)
    except ProviderUnreachable:
        await engine.database.write(lambda tx: missed_callbacks.later(tx, row, AGAIN))
        return news
    await engine.database.write(lambda tx: missed_callbacks.done(tx, row))
    if news:
        log.info("callbacks found that the API missed", provider=row.provider, messages=news)
    return news


async def _record(
    engine: Engine,
    calling: Account,
    accounts: Sequence[Account],
    pages: Iterator[ReportsPage],
    stages: dict[str, str | None],
) -> int:
    questions = Questions(engine.delivery.question_rate, limits(engine.providers))
    news = 0
    while True:
        await _turn(engine, questions, calling)
        page = await asyncio.to_thread(next, pages)
        said = [one for one in page.receipts if isinstance(one, Receipt) and one.stage in _news(one, stages)]
        if said:
            await receipts.record(engine, accounts, said)
        news += len(said)
        if not page.more:
            return news


def _news(said: Receipt, stages: Mapping[str, str | None]) -> frozenset[Stage]:
    if said.provider_id is None or said.provider_id not in stages:
        return frozenset()
    return _NEWS.get(stages[said.provider_id], frozenset())


async def _turn(engine: Engine, questions: Questions, account: Account) -> None:
    """Wait until the account may be asked once more."""
    while True:
        pause = await engine.database.write(lambda tx: questions.turn_of_list(tx, account))
        if pause == 0:
            return
        await asyncio.sleep(pause)
