"""The ledger of attempts on PostgreSQL: at most one live attempt per part, outcomes by compare-and-set (I2, I8).

Each method is one transaction under the message's row lock, and holds no connection while a provider is called.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.failures import FailureCode
from bellhop.messages import ADDRESS_KIND, Channel, parts
from bellhop.ports import Account, Claim, Effect, Found, FoundKind, Outgoing, Question, SendKind, SendResult, Sought
from bellhop.settings import DeliverySettings
from bellhop.statuses import Stage
from bellhop.store import calls, consents, events, progress
from bellhop.store.events import NewEvent
from bellhop.store.hot import Row, seconds
from bellhop.store.progress import Progress
from bellhop.tables import attempts, messages, properties, provider_accounts
from bellhop.wire import Answer, Next

log = structlog.get_logger()

SANDBOX_ENVIRONMENT = "test"


@dataclass(frozen=True, slots=True)
class Routes:
    """Where things are: the public base of callbacks, and the sandbox that `test` scopes are confined to (I5)."""

    public_url: str
    sandbox_url: str | None


class PostgresLedger:
    """bellhop.ports.Ledger. `owed` is told, after each commit, which endpoints have events to deliver."""

    def __init__(
        self, engine: AsyncEngine, settings: DeliverySettings, routes: Routes, owed: Callable[[set[UUID]], None]
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._routes = routes
        self._owed = owed

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
        if isinstance(decided, Progress):
            self._owed(decided.endpoints)
            return decided.answer
        return decided

    def _standing(self, row: Row, rows: list[Row]) -> Answer | None:
        """An answer where the message needs no call: it is over, accepted whole, or an attempt is being settled."""
        if row["stage"] != Stage.QUEUED.value:
            return progress.next_for(row, rows)
        for attempt in rows:
            if attempt["state"] == "unknown":
                after = (attempt["ask_at"] - row["now"]).total_seconds() if attempt["ask_at"] else 0.0
                return Answer(row["stage"], Next.SETTLE, max(0.0, after))
        return None

    async def _lease_over(self, tx: AsyncConnection, row: Row, rows: list[Row]) -> Answer | None:
        """An attempt in flight: wait for its lease to end; once it has, whatever made it is surely not writing."""
        for attempt in rows:
            if attempt["state"] != "in_flight":
                continue
            left = (attempt["lease_until"] - row["now"]).total_seconds() + self._settings.lease_margin
            if left > 0:
                return Answer(row["stage"], Next.AGAIN, left)
            await tx.execute(
                update(attempts)
                .where(attempts.c.id == attempt["id"], attempts.c.state == "in_flight")
                .values(state="unknown", ask_at=func.now(), settled_at=func.now())
            )
            return Answer(row["stage"], Next.SETTLE, 0.0)
        return None

    def _too_early(self, row: Row) -> Answer | None:
        early = (row["due_at"] - row["now"]).total_seconds()
        if early > 0:
            return Answer(row["stage"], Next.AGAIN, early)
        if row["paused_at"] is not None:
            return Answer(row["stage"], Next.AGAIN, self._settings.hold)
        return None

    async def _decide(
        self, tx: AsyncConnection, row: Row, rows: list[Row], deadline: float
    ) -> Claim | Answer | Progress:
        if row["content"] is None or row["recipient"] is None:
            return await progress.advance(tx, row, rows, decision=Stage.CANCELLED)
        if row["expires_at"] is not None and row["expires_at"] <= row["now"]:
            return await self._give_up(tx, row, rows, FailureCode.EXPIRED, None)
        channel = Channel(row["channel"])
        kind = ADDRESS_KIND[channel].value
        if await consents.refused(tx, row["scope_id"], kind, row["address_hash"]) is not None:
            return await self._give_up(tx, row, rows, FailureCode.OPTED_OUT, None)
        sender = await calls.sender(tx, row["scope_id"], row["channel"])
        if sender is None:
            return await self._hold(tx, row, None)
        if sender["health"] == "held" and not await self._may_probe(tx, sender["account_id"]):
            return await self._hold(tx, row, sender["account_id"])
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

    async def _hold(self, tx: AsyncConnection, row: Row, account_id: UUID | None) -> Answer:
        # Jitter: a mended account is not met by all its messages in the same instant.
        pause = self._settings.hold * random.uniform(1.0, 1.5)
        if account_id is not None and row["held_account_id"] is None:
            await events.write(tx, row["scope_id"], "message", row["id"], [NewEvent("message.held")])
        await tx.execute(
            update(messages)
            .where(messages.c.id == row["id"])
            .values(held_account_id=account_id, due_at=func.now() + seconds(pause))
        )
        return Answer(row["stage"], Next.AGAIN, pause)

    async def _start(
        self,
        tx: AsyncConnection,
        row: Row,
        rows: list[Row],
        sender: Mapping[str, Any],
        channel: Channel,
        deadline: float,
    ) -> Claim | Answer:
        done = progress.part_stages(row["parts"], rows)
        part = next(index for index, stage in enumerate(done) if stage is Stage.QUEUED)
        body = parts(channel, row["content"])[part]
        if row["environment"] == SANDBOX_ENVIRONMENT:
            # Whatever an account row says, a test scope reaches the sandbox and nothing else.
            if self._routes.sandbox_url is None:
                return await self._hold(tx, row, sender["account_id"])
            base_url = self._routes.sandbox_url
        else:
            base_url = sender["base_url"]
        started = await calls.start(tx, row, part, body, sender, self._settings.lease)
        account = Account(sender["account_id"], sender["provider"], sender["identity"], base_url, sender["credentials"])
        callback = (
            f"{self._routes.public_url}/v1/receipts/{account.provider}/{account.identity}/status?attempt={started}"
        )
        outgoing = Outgoing(
            attempt_id=started,
            message_id=row["id"],
            to=row["recipient"],
            sender=sender["address"],
            sender_name=sender["name"],
            subject=row["subject"],
            text=body,
            content_type=row["content_type"],
            callback_url=callback,
            timeout=self._settings.call_timeout,
            deadline=deadline,
        )
        return Claim(account, outgoing, channel)

    # --- what became of a call ------------------------------------------------------------------------------------

    async def record(self, claim: Claim, result: SendResult) -> Answer:
        async with self._engine.begin() as tx:
            row = await progress.lock(tx, claim.outgoing.message_id)
            assert row is not None, "messages are never deleted"
            rows = await progress.attempts_of(tx, row["id"])
            moved = await self._outcome(tx, row, rows, claim, result)
        self._owed(moved.endpoints)
        return moved.answer

    async def _outcome(
        self, tx: AsyncConnection, row: Row, rows: list[Row], claim: Claim, result: SendResult
    ) -> Progress:
        attempt = _one(rows, claim.outgoing.attempt_id)
        if result.kind is SendKind.ACCEPTED:
            await calls.accepted(tx, attempt, result.provider_id)
            await calls.account_works(tx, claim.account.id)
            return await progress.advance(tx, row, rows, freed=row["held_account_id"] is not None)
        ask_after = self._settings.settle_pauses[0]
        if not await calls.lowered(tx, attempt, result, ask_after, erased=row["erased_at"] is not None):
            # A receipt was quicker and proved acceptance: a time-out or 5xx never lowers it.
            return await progress.advance(tx, row, rows)
        if result.kind is SendKind.UNKNOWN:
            return Progress(row, Answer(row["stage"], Next.SETTLE, ask_after))
        if result.kind is SendKind.ACCOUNT:
            return await self._account_at_fault(tx, row, claim.account.id, result)
        if result.kind is SendKind.RETRY:
            return await self._retry_later(tx, row, result)
        if result.code is FailureCode.OPTED_OUT:
            kind = ADDRESS_KIND[Channel(row["channel"])].value
            await consents.write(
                tx,
                row["scope_id"],
                kind,
                row["address_hash"],
                Effect.OPT_OUT,
                f"provider {result.provider_code}",
                row["id"],
            )
        return await self._give_up(tx, row, rows, result.code or FailureCode.REJECTED, result.provider_code)

    async def _retry_later(self, tx: AsyncConnection, row: Row, result: SendResult) -> Progress:
        pause = min(self._settings.retry_longest, self._settings.retry_first * 2.0 ** min(row["tries"], 20))
        pause *= random.uniform(0.8, 1.2)
        if result.retry_after is not None:
            pause = max(pause if row["tries"] else 0.0, result.retry_after)
        await tx.execute(
            update(messages)
            .where(messages.c.id == row["id"])
            .values(tries=func.least(messages.c.tries + 1, 1000), due_at=func.now() + seconds(pause))
        )
        return Progress(row, Answer(row["stage"], Next.AGAIN, pause))

    async def _account_at_fault(self, tx: AsyncConnection, row: Row, account_id: UUID, result: SendResult) -> Progress:
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
            provider=row["provider"],
            provider_code=result.provider_code,
            mend="check its credentials, status and funds at the provider; `bellhop accounts list` shows it",
        )
        return Progress(row, await self._hold(tx, row, account_id))

    async def _give_up(
        self, tx: AsyncConnection, row: Row, rows: list[Row], code: FailureCode, provider_code: str | None
    ) -> Progress:
        return await progress.advance(tx, row, rows, decision=Stage.GAVE_UP, failure=(code, provider_code))

    # --- settling an unknown outcome ------------------------------------------------------------------------------

    async def question(self, message_id: UUID) -> Question | Answer:
        async with self._engine.begin() as tx:
            row = await progress.lock(tx, message_id)
            if row is None:
                return Answer("gone", Next.CLOSE)
            rows = await progress.attempts_of(tx, message_id)
            if row["stage"] != Stage.QUEUED.value:
                return progress.next_for(row, rows)
            asked = next((attempt for attempt in rows if attempt["state"] == "unknown"), None)
            if asked is None:
                return Answer(row["stage"], Next.AGAIN, 0.0)
            left = (asked["ask_at"] - row["now"]).total_seconds() if asked["ask_at"] else 0.0
            if left > 0:
                return Answer(row["stage"], Next.SETTLE, left)
            return await self._ask(tx, row, asked)

    async def _ask(self, tx: AsyncConnection, row: Row, asked: Row) -> Question:
        account = (
            (await tx.execute(select(provider_accounts).where(provider_accounts.c.id == asked["account_id"])))
            .mappings()
            .one()
        )
        claimed = await tx.execute(
            select(attempts.c.provider_id).where(
                attempts.c.account_id == asked["account_id"],
                attempts.c.provider_id.is_not(None),
                attempts.c.created_at >= asked["created_at"] - seconds(120),
            )
        )
        test = row["environment"] == SANDBOX_ENVIRONMENT
        base_url = (self._routes.sandbox_url or "") if test else account["base_url"]
        return Question(
            Account(account["id"], account["provider"], account["identity"], base_url, account["credentials"]),
            Sought(
                attempt_id=asked["id"],
                to=row["recipient"] or "",
                sender=asked["sender"],
                text=asked["body"] or "",
                started_at=asked["created_at"],
                claimed=frozenset(claimed.scalars()),
            ),
            Channel(row["channel"]),
        )

    async def resolve(self, question: Question, found: Found) -> Answer:
        async with self._engine.begin() as tx:
            asked = attempts.c.id == question.sought.attempt_id
            message_id: UUID = (await tx.execute(select(attempts.c.message_id).where(asked))).scalar_one()
            row = await progress.lock(tx, message_id)
            assert row is not None, "messages are never deleted"
            rows = await progress.attempts_of(tx, message_id)
            moved = await self._resolved(tx, row, rows, _one(rows, question.sought.attempt_id), found)
        self._owed(moved.endpoints)
        return moved.answer

    async def _resolved(self, tx: AsyncConnection, row: Row, rows: list[Row], attempt: Row, found: Found) -> Progress:
        if attempt["state"] != "unknown":
            return await progress.advance(tx, row, rows)
        if found.kind is FoundKind.FOUND:
            await calls.accepted(tx, attempt, found.provider_id)
            return await progress.advance(tx, row, rows)
        pauses = self._settings.settle_pauses
        asked = attempt["asked"] + 1
        expired = row["expires_at"] is not None and row["expires_at"] <= row["now"]
        if asked < len(pauses) or (found.kind is FoundKind.UNREACHABLE and not expired):
            # Unreachable is no answer: it uses up no question, and we ask until the message is of no use any more.
            counted = attempt["asked"] if found.kind is FoundKind.UNREACHABLE else asked
            pause = pauses[min(asked, len(pauses) - 1)]
            await tx.execute(
                update(attempts)
                .where(attempts.c.id == attempt["id"])
                .values(asked=counted, ask_at=func.now() + seconds(pause))
            )
            return Progress(row, Answer(row["stage"], Next.SETTLE, pause))
        if found.kind is FoundKind.ABSENT:
            await self._over(tx, attempt, "not_sent")
            return Progress(row, Answer(row["stage"], Next.AGAIN, 0.0))
        if found.kind is FoundKind.CANNOT_KNOW and await self._goes_on(tx, row):
            await self._over(tx, attempt, "abandoned")
            return Progress(row, Answer(row["stage"], Next.AGAIN, 0.0))
        # The attempt stays `unknown`, and so live: nothing can be sent beside it, and a late receipt still settles it.
        return await self._give_up(tx, row, rows, FailureCode.OUTCOME_UNKNOWN, attempt["provider_code"])

    async def _over(self, tx: AsyncConnection, attempt: Row, state: str) -> None:
        await tx.execute(
            update(attempts)
            .where(attempts.c.id == attempt["id"], attempts.c.state == "unknown")
            .values(state=state, settled_at=func.now())
        )

    async def _goes_on(self, tx: AsyncConnection, row: Row) -> bool:
        """Whether the property chose, for this channel, to send again what can't be known: in its `settings`, or those
        of one environment, `{"outcome_unknown": {"email": "resend"}}`."""
        general = await tx.execute(select(properties.c.settings).where(properties.c.id == row["property_id"]))
        for settings in (row["scope_settings"], general.scalar_one()):
            chosen = (settings or {}).get("outcome_unknown")
            if isinstance(chosen, dict) and row["channel"] in chosen:
                return bool(chosen[row["channel"]] == "resend")
        return False


def _one(rows: list[Row], attempt_id: UUID) -> Row:
    return next(row for row in rows if row["id"] == attempt_id)
