"""Reconciliation: a provider's own list of a span, compared with our attempts message by message.

List and rows are read one after the other while messages are on their way, so a discrepancy counts only when it is
still there at a second look, and those of the last minutes (a receipt under way, a list that lags) are counted apart.
What an account shared with other software sent from senders that are not ours is counted, never shown.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.domain.delivery_ports import CannotList, Listed, Provider, ProviderUnreachable
from bellhop.domain.message_report import Span
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.reports import ListedAccount, ReconciledAttempt
from bellhop.domain.scopes import Scope
from bellhop.engine.message_report import span_of
from bellhop.ops.discrepancies import Compared, Discrepancy, compare
from bellhop.store.delivery.accounts import account_of
from bellhop.store.reports import reconciliation_queries, report_queries

CLOCK_SKEW = timedelta(minutes=2)
"""A provider's clock may differ by a minute, and a call takes a while: so much more of its list is asked for."""
PAIRING_WINDOW = timedelta(hours=1)
"""How far apart an attempt and a message with its text may be; as long as a provider may take to name its time."""
LOOKUP_BATCH = 1_000
MAX_PAIRED_BY_TEXT = 200
"""Listed messages without a matching id, at most, that are compared by their text."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much time things get. `settles`: what is younger may still be moving. `pause`: between two looks.
    `timeout`: one page of a list, seconds."""

    settles: timedelta = timedelta(minutes=5)
    pause: float = 5.0
    timeout: float = 30.0


@dataclass(slots=True)
class Asked:
    """What became of asking one account."""

    provider: str
    identity: str
    problem: str | None = None
    """Why it could not be asked, as a sentence."""


@dataclass(slots=True)
class Reconciled:
    """The reconciliation of one scope."""

    span: Span
    accounts: list[Asked] = field(default_factory=list)
    providers: dict[str, Compared] = field(default_factory=dict)
    elsewhere: Counter[str] = field(default_factory=Counter)
    """By provider: messages of other properties or environments of this installation in the same account."""
    foreign: Counter[str] = field(default_factory=Counter)
    """By provider: messages of other software in the same account, from senders that are not ours."""

    @property
    def discrepancies(self) -> list[Discrepancy]:
        """Of all providers."""
        return [each for compared in self.providers.values() for each in compared.discrepancies]

    @property
    def exit_code(self) -> int:
        """0: no discrepancy; 1: discrepancies; 2: none found, but not everybody could be asked."""
        if self.discrepancies:
            return 1
        return 2 if any(account.problem for account in self.accounts) or not self.accounts else 0


class Reconciler:
    """Asks the accounts of one scope."""

    def __init__(
        self,
        engine: AsyncEngine,
        scope: Scope,
        providers: Mapping[str, Provider],
        routes: Routes,
        cipher: CredentialCipher,
        patience: Patience | None = None,
    ) -> None:
        self._engine = engine
        self._scope = scope
        self._providers = providers
        self._routes = routes
        self._cipher = cipher
        self._patience = patience or Patience()

    async def reconcile(self, since: datetime | None, until: datetime | None, only: str | None = None) -> Reconciled:
        """Compare a span (default: the last 24 hours) with every provider's list, or with that of `only`.

        Raises message_report.BadSpan.
        """
        async with self._engine.connect() as tx:
            now = await report_queries.now(tx)
        asked = span_of(since, until, now)
        # What is accepted while the lists are read is not in them.
        span = Span(asked.since, min(asked.until, now))
        first = await self._look(span, only)
        if not first.discrepancies:
            return first
        await asyncio.sleep(self._patience.pause)
        second = await self._look(span, only)
        seen = {each.key for each in first.discrepancies}
        for compared in second.providers.values():
            compared.moving += [each for each in compared.discrepancies if each.key not in seen]
            compared.discrepancies = [each for each in compared.discrepancies if each.key in seen]
        return second

    async def _look(self, span: Span, only: str | None) -> Reconciled:
        done = Reconciled(span)
        async with self._engine.connect() as tx:
            accounts = await reconciliation_queries.accounts_of(tx, self._scope)
            before = await reconciliation_queries.attempts_of(tx, self._scope, span.since, span.until)
        used = {row.account_id for row in before}
        # One that was replaced and sent nothing in the span need not be reachable any more.
        accounts = [row for row in accounts if row.leads or row.id in used]
        for provider in sorted({row.provider for row in accounts} & ({only} if only else {*self._providers})):
            theirs = [row for row in accounts if row.provider == provider]
            ours = {address.casefold() for row in theirs for address in row.senders}
            ours |= {row.sender.casefold() for row in before}
            listed: dict[str, Listed] = {}
            there = set()
            for row in theirs:
                problem = await self._list(row, span, ours, listed, done.foreign)
                done.accounts.append(Asked(provider, row.identity, problem))
                if problem is None:
                    there.add(row.id)
            if there:
                done.providers[provider] = await self._compared(provider, span, [*listed.values()], there, done)
        return done

    async def _list(
        self, row: ListedAccount, span: Span, ours: set[str], listed: dict[str, Listed], foreign: Counter[str]
    ) -> str | None:
        """Add an account's list to `listed`. Returns why it could not be asked."""
        base_url = self._routes.base_url(self._scope.environment, row.base_url)
        if base_url is None:
            return "it is the sandbox's, and no sandbox is set (BELLHOP_SANDBOX_URL)"
        if not row.credentials:
            return "its credentials were forgotten"
        try:
            account = account_of(self._cipher, row, base_url)
        except CredentialsUnreadable as problem:
            return str(problem)
        provider = self._providers[row.provider]

        def read() -> tuple[list[Listed], int]:
            mine, others = [], 0
            for one in provider.listing(
                account, span.since - CLOCK_SKEW, span.until + CLOCK_SKEW, self._patience.timeout
            ):
                if one.sender.casefold() in ours:
                    mine.append(one)
                else:
                    others += 1
            return mine, others

        try:
            mine, others = await asyncio.to_thread(read)
        except CannotList as problem:
            return f"it offers no list of its messages: {problem}" if str(problem) else "it offers no list"
        except ProviderUnreachable:
            return "it could not be reached, or gave no list; try again"
        listed.update({one.provider_id: one for one in mine})
        foreign[row.provider] += others
        return None

    async def _compared(
        self, provider: str, span: Span, listed: list[Listed], asked: set[UUID], done: Reconciled
    ) -> Compared:
        async with self._engine.connect() as tx:
            now = await report_queries.now(tx)
            attempts = await reconciliation_queries.attempts_of(tx, self._scope, span.since, span.until)
            rows: list[ReconciledAttempt] = []
            for at in range(0, len(listed), LOOKUP_BATCH):
                batch = listed[at : at + LOOKUP_BATCH]
                ids = [one.attempt_id for one in batch if one.attempt_id]
                rows += await reconciliation_queries.known(tx, provider, [one.provider_id for one in batch], ids)
            matched = _matched(listed, rows)
            unmatched = [one for one in listed if one.provider_id not in matched and _within(one, span)]
            taken = {row.id for row in matched.values()}
            for one in unmatched[:MAX_PAIRED_BY_TEXT]:
                if one.accepted_at is None:
                    continue
                alike = await reconciliation_queries.alike(
                    tx, self._scope, provider, one.to, one.text, one.accepted_at, PAIRING_WINDOW
                )
                if (pair := _pair(alike, taken, copies=one.text is not None)) is not None:
                    matched[one.provider_id] = pair
                    taken.add(pair.id)
        here = {id: row for id, row in matched.items() if row.scope_id == self._scope.id}
        done.elsewhere[provider] += len(matched) - len(here)
        return compare(
            provider,
            [row for row in attempts if row.provider == provider],
            here,
            [one for one in listed if one.provider_id in here],
            [one for one in unmatched if one.provider_id not in matched],
            asked,
            now - self._patience.settles,
        )


def _within(one: Listed, span: Span) -> bool:
    # Lists show whole seconds.
    second = timedelta(seconds=1)
    return one.accepted_at is None or span.since - second < one.accepted_at < span.until


def _matched(listed: Sequence[Listed], rows: Sequence[ReconciledAttempt]) -> dict[str, ReconciledAttempt]:
    """The attempt of each listed message that is one's, by the provider's id: found by that id or by ours."""
    of_id = {row.provider_id: row for row in rows if row.provider_id}
    of_attempt = {row.id: row for row in rows}
    found = {}
    for one in listed:
        row = of_id.get(one.provider_id) or (of_attempt.get(one.attempt_id) if one.attempt_id else None)
        if row is not None:
            found[one.provider_id] = row
    return found


def _pair(alike: Sequence[ReconciledAttempt], taken: set[UUID], *, copies: bool) -> ReconciledAttempt | None:
    """Whose a message like these attempts is: that of one which has none yet, else (with `copies`: the very text was
    compared) a second copy of one that has."""
    without = [row for row in alike if row.id not in taken and not row.provider_id]
    with_one = [row for row in alike if row.id in taken] if copies else []
    return next(iter(without or with_one), None)
