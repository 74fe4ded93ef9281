"""What became of a call whose outcome is unknown, and of a message whose provider has not said how it ended.

First a receipt, then a look-up, then the property's choice. Every look-up and its answer is on the message's timeline.
The caller holds the lock of the message's row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Float, LargeBinary, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import approved_templates, groups
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import CHANNELS
from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.domain.delivery_ports import (
    Account,
    Lookup,
    LookupKind,
    LookupRequest,
    LookupResult,
    PolledAttempt,
    StatusPoll,
)
from bellhop.domain.failures import CHOICES, FailureCode
from bellhop.domain.media import of_stored
from bellhop.domain.next_parts import open_calls
from bellhop.domain.priorities import Priority
from bellhop.domain.provider_urls import Routes
from bellhop.domain.questions import Rank
from bellhop.domain.rows.delivery import AccountRow, AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement, seconds
from bellhop.store.delivery import accounts, attempt_rows
from bellhop.store.delivery.questions import Questions
from bellhop.store.messages import progress
from bellhop.store.messages.progress import Progress
from bellhop.store.rows import from_row
from bellhop.store.settings import DeliverySettings
from bellhop.store.tables import attempts, provider_accounts
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

log = structlog.get_logger()

AccountOf = Callable[[AttemptRow], Awaitable[Account]]
"""The account through which an attempt went. Raises CredentialsUnreadable."""

RESEND = CHOICES[1]
ANSWERED = 2.0
"""Seconds more than a question may take, within which its answer is written down."""
CLAIMED_BEFORE = 120.0
"""Seconds: a look-up sees messages a little older than the attempt; those of attempts of then are not up for claim."""

# Of messages to the same address alone: nothing else comes into question, and there are few.
_CLAIMED = CompiledStatement(
    text(
        """
        select other.provider_id
        from attempts asked, messages message join attempts other on other.message_id = message.id
        where asked.id = :asked and other.account_id = :account and message.id in (
            select written.id from messages written where written.address_hash = :hashed
            union select step.message_id from message_steps step where step.address_hash = :hashed)
          and other.provider_id is not null and other.created_at >= asked.created_at - make_interval(secs => :before)
        """
    ).bindparams(bindparam("hashed", type_=LargeBinary), bindparam("before", value=CLAIMED_BEFORE, type_=Float)),
    value=str,
)


async def prepare_lookup(
    tx: AsyncConnection,
    settings: DeliverySettings,
    routes: Routes,
    cipher: CredentialCipher,
    questions: Questions,
    row: MessageRow,
    rows: list[AttemptRow],
) -> Lookup | StatusPoll | Answer:
    """What to ask a provider about this message now that it is its turn, or what else is next."""

    async def account(attempt: AttemptRow) -> Account:
        return await _account(tx, routes, cipher, row, attempt)

    try:
        return await _next_request(tx, settings, account, questions, row, rows)
    except CredentialsUnreadable as problem:
        log.error("a provider cannot be asked", provider=row.provider, mend=str(problem))
        if row.stage is Stage.SENT:
            return Answer(row.stage.value, Next.TRACK, settings.follow_at[0])
        return Answer(row.stage.value, Next.SETTLE, settings.hold)


async def _next_request(
    tx: AsyncConnection,
    settings: DeliverySettings,
    account: AccountOf,
    questions: Questions,
    row: MessageRow,
    rows: list[AttemptRow],
) -> Lookup | StatusPoll | Answer:
    if row.stage is Stage.SENT and row.goes_on_in != 0:
        poll = await _status_poll(account, row, rows)
        if poll is None:
            return progress.next_step(row, settings.follow_at)
        pause = await _turn_of_poll(tx, questions, row, poll)
        if pause == 0:
            return poll
        return Answer(row.stage.value, Next.TRACK, min(pause, row.goes_on_in or pause))
    if row.stage is not Stage.QUEUED:
        return progress.next_step(row, settings.follow_at)
    asked = next((attempt for attempt in open_calls(row, rows) if attempt.state is AttemptState.UNKNOWN), None)
    if asked is None:
        return Answer(row.stage.value, Next.AGAIN, 0.0)
    left = (asked.ask_at - row.now).total_seconds() if asked.ask_at else 0.0
    if left > 0:
        return Answer(row.stage.value, Next.SETTLE, left)
    through = await account(asked)
    rank = Rank.URGENT_OUTCOME if row.priority is Priority.URGENT else Rank.OUTCOME
    pause = await questions.turn(tx, through, row.id, rank, asked.created_at)
    if pause > 0:
        await _ask_in(tx, asked, pause)
        return Answer(row.stage.value, Next.SETTLE, pause)
    # Nobody else asks meanwhile; and should this one be killed, then soon.
    await _ask_in(tx, asked, settings.call_timeout + ANSWERED)
    return Lookup(through, await _lookup_request(tx, row, asked), asked.asked)


async def _turn_of_poll(tx: AsyncConnection, questions: Questions, row: MessageRow, poll: StatusPoll) -> float:
    calls = Counter(one.account.id for one in poll.polled)
    # Whoever locks several budgets does so in this order.
    accounts_of = {one.account.id: one.account for one in poll.polled}.values()
    for account in sorted(accounts_of, key=lambda one: (one.provider, one.identity, one.environment)):
        pause = await questions.turn(tx, account, row.id, Rank.SILENT, row.sent_at or row.now, calls[account.id])
        if pause > 0:
            return pause
    return 0.0


async def _status_poll(account: AccountOf, row: MessageRow, rows: list[AttemptRow]) -> StatusPoll | None:
    """The parts that were accepted and of which no receipt says how it ended; None when there are none."""
    age = (row.now - row.sent_at).total_seconds() if row.sent_at else 0.0
    if row.rules.in_record:
        return None
    unfinished = [one for one in rows if one.state is AttemptState.ACCEPTED and one.stage in (None, Stage.SENT)]
    if not unfinished:
        return None
    return StatusPoll(
        row.id,
        tuple([PolledAttempt(await account(one), one.id, one.provider_id, age) for one in unfinished]),
    )


async def _account(
    tx: AsyncConnection, routes: Routes, cipher: CredentialCipher, row: MessageRow, attempt: AttemptRow
) -> Account:
    found = await tx.execute(select(provider_accounts).where(provider_accounts.c.id == attempt.account_id))
    account = from_row(AccountRow, found.one())
    base_url = routes.base_url(row.environment, account.base_url) or ""
    return accounts.account_of(cipher, account, base_url, row.environment)


async def _lookup_request(tx: AsyncConnection, row: MessageRow, asked: AttemptRow) -> LookupRequest:
    approved = approved_templates.of_stored(row.body) if asked.content_sid is not None else None
    claimed = await _CLAIMED(tx, hashed=row.address_hash, account=asked.account_id, asked=asked.id)
    return LookupRequest(
        attempt_id=asked.id,
        to=row.recipient or "",
        sender=asked.sender,
        text=asked.body or "",
        started_at=asked.created_at,
        claimed=frozenset(claimed),
        channel=row.channel,
        group=groups.of_stored(row.details),
        # Files go with the first part.
        media=tuple(one.url for one in of_stored((row.details or {}).get("media"))) if asked.part == 0 else (),
        templated=asked.content_sid is not None,
        values=tuple(approved.variables.values()) if approved is not None else (),
    )


async def lease_over(tx: AsyncConnection, row: MessageRow, attempt: AttemptRow) -> None:
    """The call of `attempt` has outlived its lease: whatever made it is surely not writing, and its outcome is
    unknown."""
    await tx.execute(
        update(attempts)
        .where(attempts.c.id == attempt.id, attempts.c.state == AttemptState.IN_FLIGHT.value)
        .values(state=AttemptState.UNKNOWN.value, ask_at=func.now())
    )
    await became_unknown(tx, row, "lease_over")


async def became_unknown(tx: AsyncConnection, row: MessageRow, why: str) -> None:
    """Note on the timeline that the outcome of a call is unknown. `why`: `no_answer` or `lease_over`."""
    await events.write(tx, row.scope_id, "message", row.id, [NewEvent("attempt.unknown", facts={"why": why})])


async def asked_about(tx: AsyncConnection, row: MessageRow, found: LookupKind, word: str | None = None) -> None:
    """Note on the timeline that the provider was asked, and what it said; a provider that is away is noted once."""
    facts: dict[str, object] = {"answer": found.value, **({"word": word} if word else {})}
    if found is LookupKind.UNREACHABLE and await _last_answer(tx, row.id) == found.value:
        return
    await events.write(tx, row.scope_id, "message", row.id, [NewEvent("attempt.asked", facts=facts)])


async def _last_answer(tx: AsyncConnection, message_id: UUID) -> str | None:
    last = await tx.execute(
        text(
            "select facts ->> 'answer' from events where subject_id = :id and type = 'attempt.asked'"
            " order by id desc limit 1"
        ),
        {"id": message_id},
    )
    said: str | None = last.scalar_one_or_none()
    return said


async def record_lookup(
    tx: AsyncConnection,
    settings: DeliverySettings,
    row: MessageRow,
    rows: list[AttemptRow],
    attempt: AttemptRow,
    asked_before: int,
    found: LookupResult,
) -> Progress:
    """Write what a look-up found about `attempt` and say what is next. `asked_before`: see `Lookup.asked`."""
    if attempt.state is not AttemptState.UNKNOWN:
        return await progress.advance(tx, row, rows)
    if attempt.asked != asked_before and found.kind is not LookupKind.FOUND:
        # Somebody else asked at the same time, and was answered first: once is once, so that absent is what is not
        # there for as long as the pauses take together.
        left = (attempt.ask_at - row.now).total_seconds() if attempt.ask_at else 0.0
        return Progress(row, answer=Answer(row.stage.value, Next.SETTLE, max(0.0, left)))
    if found.kind is LookupKind.FOUND and await attempt_rows.is_another(tx, attempt, found.provider_id):
        # That of a message to the same address which has been erased since: it says nothing of this one.
        found = replace(found, kind=LookupKind.UNREACHABLE)
    await asked_about(tx, row, found.kind)
    if found.kind is LookupKind.FOUND:
        await attempt_rows.accepted(tx, attempt, rows, found.provider_id)
        return await progress.advance(tx, row, rows)
    pauses = settings.settle_pauses
    asked = attempt.asked + 1
    expired = row.expires_at is not None and row.expires_at <= row.now
    if asked < len(pauses) or (found.kind is LookupKind.UNREACHABLE and not expired):
        # Unreachable is no answer: it uses up no turn, and we ask until the message is of no use any more.
        counted = attempt.asked if found.kind is LookupKind.UNREACHABLE else asked
        pause = pauses[min(asked, len(pauses) - 1)]
        await _ask_in(tx, attempt, pause, counted)
        return Progress(row, answer=Answer(row.stage.value, Next.SETTLE, pause))
    if found.kind is LookupKind.ABSENT:
        await close(tx, attempt, AttemptState.NOT_SENT)
        return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, 0.0))
    if found.kind is LookupKind.CANNOT_KNOW and _sends_again(row):
        await close(tx, attempt, AttemptState.ABANDONED)
        return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, 0.0))
    # The attempt stays `unknown`, and so live: nothing can be sent beside it, and a late receipt still settles it.
    if CHANNELS[row.channel].any_part:
        # Of this device nobody can know; others may have it.
        await attempt_rows.give_up(tx, attempt)
        return await progress.advance(tx, row, rows)
    failure = (FailureCode.OUTCOME_UNKNOWN, attempt.provider_code)
    return await progress.advance(tx, row, rows, decision=Stage.GAVE_UP, failure=failure)


async def _ask_in(tx: AsyncConnection, attempt: AttemptRow, pause: float, counted: int | None = None) -> None:
    asked = attempt.asked if counted is None else counted
    await tx.execute(
        update(attempts).where(attempts.c.id == attempt.id).values(asked=asked, ask_at=func.now() + seconds(pause))
    )


async def close(tx: AsyncConnection, attempt: AttemptRow, state: AttemptState) -> None:
    """What became of an attempt of unknown outcome: it did not arrive, or nobody will know."""
    await tx.execute(
        update(attempts)
        .where(attempts.c.id == attempt.id, attempts.c.state == AttemptState.UNKNOWN.value)
        .values(state=state.value, settled_at=func.now())
    )


def _sends_again(row: MessageRow) -> bool:
    """Whether the property chose, for this channel and environment, to send again what can't be known: in its
    `settings`, `{"outcome_unknown": {"email": "resend"}}`."""
    chosen: Any = (row.scope_settings or {}).get("outcome_unknown")
    return isinstance(chosen, dict) and bool(chosen.get(row.channel) == RESEND)
