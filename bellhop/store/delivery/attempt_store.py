"""The store of attempts on PostgreSQL: at most one live attempt per part, outcomes by compare-and-set (I2, I8).

Each method is one transaction under the message's row lock, and holds no connection while a provider is called.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.content import Content, parts
from bellhop.domain.delivery_ports import (
    Account,
    Claim,
    Effect,
    LookupKind,
    LookupResult,
    Outgoing,
    Question,
    Reported,
    SendKind,
    SendResult,
    StatusPoll,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.provider_urls import Routes as Routes
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import seconds
from bellhop.store.delivery import attempt_rows, outcome_resolution, receipts
from bellhop.store.guests import consents
from bellhop.store.messages import progress
from bellhop.store.messages.progress import Progress
from bellhop.store.settings import DeliverySettings
from bellhop.store.tables import attempts, messages, provider_accounts
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

log = structlog.get_logger()


class AttemptStore:
    """See `delivery_ports.Attempts`. `wake_endpoints` is called after each commit, with the endpoints that have events
    to deliver."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: DeliverySettings,
        routes: Routes,
        wake_endpoints: Callable[[set[UUID]], None],
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._routes = routes
        self._wake_endpoints = wake_endpoints

    # --- may it go out now? ---------------------------------------------------------------------------------------

    async def claim(self, message_id: UUID, deadline: float) -> Claim | Answer:
        async with self._engine.begin() as tx:
            row = await progress.lock(tx, message_id)
            if row is None:
                return Answer("gone", Next.CLOSE)
            rows = await progress.attempts_of(tx, message_id)
            decided: Claim | Answer | Progress | None
            decided = self._standing(row, rows) or await self._lease_over(tx, row, rows) or self._too_early(row)
            if decided is None:
                decided = await self._decide(tx, row, rows, deadline)
        return self._answer(decided) if isinstance(decided, Progress) else decided

    def _standing(self, row: MessageRow, rows: list[AttemptRow]) -> Answer | None:
        """An answer where the message needs no call: it is over, accepted whole, or an attempt is being settled."""
        if row.stage is not Stage.QUEUED:
            return progress.next_step(row, self._settings.follow_at)
        for attempt in rows:
            if attempt.state is AttemptState.UNKNOWN:
                after = (attempt.ask_at - row.now).total_seconds() if attempt.ask_at else 0.0
                return Answer(row.stage.value, Next.SETTLE, max(0.0, after))
        return None

    async def _lease_over(self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow]) -> Answer | None:
        """An attempt in flight: wait for its lease to end; once it has, whatever made it is surely not writing."""
        for attempt in rows:
            if attempt.state is not AttemptState.IN_FLIGHT:
                continue
            left = (attempt.lease_until - row.now).total_seconds() + self._settings.lease_margin
            if left > 0:
                return Answer(row.stage.value, Next.AGAIN, left)
            await tx.execute(
                update(attempts)
                .where(attempts.c.id == attempt.id, attempts.c.state == "in_flight")
                .values(state="unknown", ask_at=func.now())
            )
            await outcome_resolution.became_unknown(tx, row, "lease_over")
            return Answer(row.stage.value, Next.SETTLE, 0.0)
        return None

    def _too_early(self, row: MessageRow) -> Answer | None:
        early = (row.due_at - row.now).total_seconds()
        if early > 0:
            return Answer(row.stage.value, Next.AGAIN, early)
        if row.paused_at is not None:
            return Answer(row.stage.value, Next.AGAIN, self._settings.hold)
        return None

    async def _decide(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], deadline: float
    ) -> Claim | Answer | Progress:
        if row.content is None or row.recipient is None or row.address_hash is None:
            return await progress.advance(tx, row, rows, decision=Stage.CANCELLED)
        if row.expires_at is not None and row.expires_at <= row.now:
            return await self._give_up(tx, row, rows, FailureCode.EXPIRED, None)
        channel = row.channel
        kind = CHANNELS[channel].address.value
        if await consents.refused(tx, row.scope_id, kind, row.address_hash) is not None:
            return await self._give_up(tx, row, rows, FailureCode.OPTED_OUT, None)
        sender = await attempt_rows.sender(tx, row.scope_id, channel)
        if sender is None:
            return await self._hold(tx, row, None)
        if sender.health == "held" and not await self._may_probe(tx, sender.account_id):
            return await self._hold(tx, row, sender.account_id)
        return await self._start(tx, row, rows, sender, channel, deadline)

    async def _may_probe(self, tx: AsyncConnection, account_id: UUID) -> bool:
        """Of a held account's messages one at a time is tried: that is how we learn that it has been mended."""
        probed = await tx.execute(
            update(provider_accounts)
            .where(
                provider_accounts.c.id == account_id,
                provider_accounts.c.health == "held",
                or_(provider_accounts.c.probe_at.is_(None), provider_accounts.c.probe_at <= func.now()),
            )
            .values(probe_at=func.now() + seconds(self._settings.hold))
        )
        return probed.rowcount == 1

    async def _hold(self, tx: AsyncConnection, row: MessageRow, account_id: UUID | None) -> Answer:
        # Jitter: a mended account is not met by all its messages in the same instant.
        pause = self._settings.hold * random.uniform(1.0, 1.5)
        if account_id is not None and row.held_account_id is None:
            await events.write(tx, row.scope_id, "message", row.id, [NewEvent("message.held")])
        await tx.execute(
            update(messages)
            .where(messages.c.id == row.id)
            .values(held_account_id=account_id, due_at=func.now() + seconds(pause))
        )
        return Answer(row.stage.value, Next.AGAIN, pause)

    async def _start(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: list[AttemptRow],
        sender: attempt_rows.SendingAccount,
        channel: Channel,
        deadline: float,
    ) -> Claim | Answer:
        done = progress.part_stages(row.parts, rows)
        part = next(index for index, stage in enumerate(done) if stage is Stage.QUEUED)
        assert row.content is not None and row.recipient is not None
        assert row.content is not None and row.recipient is not None
        body = parts(channel, row.content)[part]
        base_url = self._routes.base_url(row.environment, sender.base_url)
        if base_url is None:
            return await self._hold(tx, row, sender.account_id)
        started = await attempt_rows.start(tx, row, part, body, sender, self._settings.lease)
        account = Account(sender.account_id, sender.provider, sender.identity, base_url, sender.credentials)
        outgoing = Outgoing(
            attempt_id=started,
            message_id=row.id,
            channel=channel,
            to=row.recipient,
            sender=sender.address,
            sender_name=sender.name,
            content=Content(text=body, content_type=row.content_type, subject=row.subject),
            callback_url=self._routes.callback(account.provider, account.identity, started),
            timeout=self._settings.call_timeout,
            deadline=deadline,
        )
        return Claim(account, outgoing)

    # --- what became of a call ------------------------------------------------------------------------------------

    async def record(self, claim: Claim, result: SendResult) -> Answer:
        async with self._engine.begin() as tx:
            row = await progress.lock(tx, claim.outgoing.message_id)
            assert row is not None, "messages are never deleted"
            rows = await progress.attempts_of(tx, row.id)
            moved = await self._outcome(tx, row, rows, claim, result)
        return self._answer(moved)

    async def _outcome(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], claim: Claim, result: SendResult
    ) -> Progress:
        attempt = _one(rows, claim.outgoing.attempt_id)
        if result.kind is SendKind.ACCEPTED:
            await attempt_rows.accepted(tx, attempt, rows, result.provider_id)
            await attempt_rows.account_works(tx, claim.account.id)
            return await progress.advance(tx, row, rows, freed=row.held_account_id is not None)
        ask_after = self._settings.settle_pauses[0]
        if not await attempt_rows.record_failure(tx, attempt, result, ask_after, erased=row.erased_at is not None):
            # A receipt was quicker and proved acceptance: a time-out or 5xx never lowers it.
            return await progress.advance(tx, row, rows)
        if result.kind is SendKind.UNKNOWN:
            await outcome_resolution.became_unknown(tx, row, "no_answer")
            return Progress(row, answer=Answer(row.stage.value, Next.SETTLE, ask_after))
        if result.kind is SendKind.ACCOUNT:
            return await self._account_at_fault(tx, row, claim.account.id, result)
        if result.kind is SendKind.RETRY:
            return await self._retry_later(tx, row, result)
        if result.code is FailureCode.OPTED_OUT and row.address_hash is not None:
            kind = CHANNELS[row.channel].address.value
            await consents.write(
                tx,
                row.scope_id,
                kind,
                row.address_hash,
                Effect.OPT_OUT,
                f"provider {result.provider_code}",
                row.id,
            )
        return await self._give_up(tx, row, rows, result.code or FailureCode.REJECTED, result.provider_code)

    async def _retry_later(self, tx: AsyncConnection, row: MessageRow, result: SendResult) -> Progress:
        pause = min(self._settings.retry_longest, self._settings.retry_first * 2.0 ** min(row.tries, 20))
        pause *= random.uniform(0.8, 1.2)
        if result.retry_after is not None:
            pause = max(pause if row.tries else 0.0, result.retry_after)
        await tx.execute(
            update(messages)
            .where(messages.c.id == row.id)
            .values(tries=func.least(messages.c.tries + 1, 1000), due_at=func.now() + seconds(pause))
        )
        return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, pause))

    async def _account_at_fault(
        self, tx: AsyncConnection, row: MessageRow, account_id: UUID, result: SendResult
    ) -> Progress:
        await tx.execute(
            update(provider_accounts)
            .where(provider_accounts.c.id == account_id)
            .values(
                health="held",
                held_code=result.provider_code,
                held_since=func.coalesce(provider_accounts.c.held_since, func.now()),
                probe_at=func.now() + seconds(self._settings.hold),
            )
        )
        log.error(
            "provider account at fault: its messages are held until it is mended or they expire",
            account=str(account_id),
            provider=row.provider,
            provider_code=result.provider_code,
            mend="check its credentials, status and funds at the provider; `bellhop accounts list` shows it",
        )
        return Progress(row, answer=await self._hold(tx, row, account_id))

    async def _give_up(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], code: FailureCode, provider_code: str | None
    ) -> Progress:
        return await progress.advance(tx, row, rows, decision=Stage.GAVE_UP, failure=(code, provider_code))

    # --- settling an unknown outcome, and asking about a message nobody speaks of ---------------------------------

    async def question(self, message_id: UUID) -> Question | StatusPoll | Answer:
        async with self._engine.begin() as tx:
            row = await progress.lock(tx, message_id)
            if row is None:
                return Answer("gone", Next.CLOSE)
            rows = await progress.attempts_of(tx, message_id)
            return await outcome_resolution.question(tx, self._settings, self._routes, row, rows)

    async def resolve(self, question: Question, found: LookupResult) -> Answer:
        async with self._engine.begin() as tx:
            asked = attempts.c.id == question.sought.attempt_id
            message_id: UUID = (await tx.execute(select(attempts.c.message_id).where(asked))).scalar_one()
            row = await progress.lock(tx, message_id)
            assert row is not None, "messages are never deleted"
            rows = await progress.attempts_of(tx, message_id)
            attempt = _one(rows, question.sought.attempt_id)
            moved = await outcome_resolution.resolved(tx, self._settings, row, rows, attempt, found)
        return self._answer(moved)

    async def record_poll(self, silence: StatusPoll, reports: Sequence[Reported]) -> Answer:
        found = [
            (enquiry.account, reported.receipt)
            for enquiry, reported in zip(silence.enquiries, reports, strict=True)
            if reported.kind is LookupKind.FOUND and reported.receipt is not None
        ]
        async with self._engine.begin() as tx:
            endpoints = await receipts.record_reports(tx, found)
            row = await progress.lock(tx, silence.message_id)
            assert row is not None, "messages are never deleted"
            for reported in reports:
                word = reported.receipt.word if reported.receipt else None
                await outcome_resolution.asked_about(tx, row, reported.kind, word)
        self._wake_endpoints(endpoints)
        answer = progress.next_step(row, self._settings.follow_at)
        if any(reported.kind is LookupKind.UNREACHABLE for reported in reports) and answer.next is Next.TRACK:
            soon = self._settings.follow_at[0]
            return Answer(answer.status, answer.next, min(answer.after or soon, soon))
        if all(reported.kind is LookupKind.CANNOT_KNOW for reported in reports):
            # Nothing is gained by asking again; its receipts are still welcome.
            return Answer(answer.status, answer.next)
        return answer

    def _answer(self, moved: Progress) -> Answer:
        """After the commit: wake the endpoints that have events to deliver, and say what the workflow does next."""
        self._wake_endpoints(moved.endpoints)
        return moved.answer or progress.next_step(moved.row, self._settings.follow_at)


def _one(rows: list[AttemptRow], attempt_id: UUID) -> AttemptRow:
    return next(row for row in rows if row.id == attempt_id)
