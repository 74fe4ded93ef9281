"""The store of attempts on PostgreSQL: at most one live attempt per part, outcomes by compare-and-set (I2, I8).

Each method is one transaction under the message's row lock, and holds no connection while a provider is called.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer, Next, Withdrawal
from bellhop.domain.channels import CHANNELS, kind_of
from bellhop.domain.consents import Effect, SaidTo
from bellhop.domain.credentials import CredentialCipher
from bellhop.domain.delivery_ports import (
    Busy,
    Claim,
    Lookup,
    LookupKind,
    LookupResult,
    Reported,
    SendKind,
    SendResult,
    StatusPoll,
    TakeSlot,
    always,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.file_ports import FetchedFile, FetchFiles, NotFetched
from bellhop.domain.groups import left
from bellhop.domain.next_parts import next_parts
from bellhop.domain.provider_urls import Routes as Routes
from bellhop.domain.questions import QuestionLimit
from bellhop.domain.routing import Carried
from bellhop.domain.rows.delivery import AttemptRow, Backlog, PacedBacklog
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import seconds
from bellhop.store.database import Autocommit
from bellhop.store.delivery import (
    attempt_rows,
    device_parts,
    files,
    outcome_resolution,
    parked,
    plain_claims,
    plain_outcomes,
    receipts,
    shared_senders,
)
from bellhop.store.delivery.claims import Claims
from bellhop.store.delivery.facts import FactFinder
from bellhop.store.delivery.files import NO_FILES, MessageFiles
from bellhop.store.delivery.questions import Questions
from bellhop.store.guests import consent_events, consents, profiles
from bellhop.store.held_connections import held_connections
from bellhop.store.inbox import entries
from bellhop.store.messages import groups, progress, steps
from bellhop.store.messages.progress import Progress
from bellhop.store.settings import DeliverySettings
from bellhop.store.tables import attempts, messages

MEND = "check its credentials, status and funds at the provider; `bellhop accounts list` shows it"


class AttemptStore:
    """See `delivery_ports.Attempts`. `wake_endpoints` is called after each commit, with the endpoints that have events
    to deliver; `release` after one that mended an account, with where messages were parked for it (else the next sweep
    sees them); `files`: how the files of messages are read and where they are found; `limits`: how often a provider may
    be asked about messages, where it says so itself."""

    def __init__(
        self,
        engine: AsyncEngine,
        settings: DeliverySettings,
        routes: Routes,
        carried: Carried,
        cipher: CredentialCipher,
        book: AddressBook,
        wake_endpoints: Callable[[set[UUID]], None],
        release: Callable[[Sequence[Backlog | PacedBacklog]], None] = lambda _: None,
        files: MessageFiles = NO_FILES,
        limits: Mapping[str, QuestionLimit] | None = None,
    ) -> None:
        self._held = held_connections(engine)
        self._autocommit = Autocommit(engine)
        self._settings = settings
        self._routes = routes
        self._cipher = cipher
        self._files, self._book = files, book
        facts = FactFinder(settings, routes, carried, cipher, book)
        self._claims = Claims(facts, settings, routes, cipher, book, files.read)
        self._questions = Questions(settings.question_rate, limits or {})
        self._wake_endpoints = wake_endpoints
        self._release = release

    # --- may it go out now? ---------------------------------------------------------------------------------------

    async def claim(
        self, message_id: UUID, deadline: float, take: TakeSlot = always
    ) -> Claim | Answer | Busy | FetchFiles:
        decided = await self._claim(message_id, deadline, take, plainly=True)
        if decided is None:
            decided = await self._claim(message_id, deadline, take, plainly=False)
        assert decided is not None, "the long way decides"
        return decided

    async def _claim(
        self, message_id: UUID, deadline: float, take: TakeSlot, *, plainly: bool
    ) -> Claim | Answer | Busy | FetchFiles | None:
        """`plainly`: whether to try it in one statement first; None: that is undone, and it takes the long way."""
        async with self._held.transaction() as tx:
            row: MessageRow | None = None
            if plainly and (begun := await plain_claims.begin(tx, message_id, self._settings.lease)) is not None:
                if begun.attempt_id is not None:
                    claimed: Claim | Busy | None = None
                    if await plain_claims.still(tx, message_id):
                        claimed = self._claims.of_plain(begun, deadline, take)
                    if not isinstance(claimed, Claim):
                        await tx.rollback()
                    return claimed
                row = await steps.at(tx, begun)
            row = row or await _lock(tx, message_id)
            if row is None:
                return Answer("gone", Next.CLOSE)
            rows = await progress.attempts_of(tx, message_id)
            endpoints: set[UUID] = set()
            if row.plan is not None:
                row, rows, endpoints = await _go_on(tx, row, rows)
            decided = await self._claims.claim(tx, row, rows, deadline, take)
            if isinstance(decided, (Busy, FetchFiles)):
                # That it would try a held account is not so, nor that a reminder has begun.
                await tx.rollback()
                endpoints = set()
        if endpoints:
            self._wake_endpoints(endpoints)
        if isinstance(decided, Answer):
            return _through(decided, row)
        if not isinstance(decided, Progress):
            return decided
        if decided.backlogs:
            self._release(decided.backlogs)
        return self._answer(decided)

    async def postpone(self, message_id: UUID, seconds: float) -> None:
        async with self._held.transaction() as tx:
            await attempt_rows.postpone(tx, message_id, seconds)

    async def record_files(self, wanted: FetchFiles, fetched: Sequence[FetchedFile | NotFetched]) -> Answer | None:
        async with self._held.transaction() as tx:
            row = await progress.lock(tx, wanted.message_id)
            assert row is not None, "messages are never deleted"
            moved = await files.record(tx, row, fetched, self._files.url, self._retry_later)
        return None if moved is None else self._answer(moved)

    async def withdraw(self, message_id: UUID) -> Withdrawal:
        async with self._held.transaction() as tx:
            row = await _lock(tx, message_id)
            if row is None:
                return Withdrawal(Answer("gone", Next.CLOSE))
            rows = await progress.attempts_of(tx, message_id)
            done, refused = await self._claims.withdraw(tx, row, rows)
        return Withdrawal(self._answer(done), refused)

    # --- what became of a call ------------------------------------------------------------------------------------

    async def record(self, claim: Claim, result: SendResult) -> Answer:
        plain = await plain_outcomes.record(self._autocommit, claim, result, self._settings.follow_at)
        if plain is not None:
            self._wake_endpoints(plain.endpoints)
            return plain.answer
        async with self._held.transaction() as tx:
            if result.kind is SendKind.ACCEPTED and claim.guest_id is not None:
                await profiles.seen(tx, claim.guest_id)
            row = await _lock(tx, claim.outgoing.message_id)
            assert row is not None, "messages are never deleted"
            rows = await progress.attempts_of(tx, row.id)
            moved = await self._outcome(tx, row, rows, claim, result)
        self._release(moved.backlogs)
        return self._answer(moved)

    async def _outcome(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], claim: Claim, result: SendResult
    ) -> Progress:
        attempt = _one(rows, claim.outgoing.attempt_id)
        any_part = CHANNELS[row.channel].any_part
        if result.kind is SendKind.ACCEPTED:
            await attempt_rows.accepted(tx, attempt, rows, result.provider_id)
            if result.group_id is not None and row.erased_at is None:
                await groups.named(tx, row, result.group_id)
            mended = await attempt_rows.account_works(tx, claim.account.id)
            moved = await progress.advance(tx, row, rows, freed=row.held_account_id is not None)
            moved.backlogs = await parked.backlogs(tx, row.scope_id) if mended else []
            return moved
        ask_after = self._settings.settle_pauses[0]
        erased = row.erased_at is not None or left(row.details)
        if not await attempt_rows.record_failure(tx, attempt, result, ask_after, erased=erased):
            # A receipt was quicker and proved acceptance: a time-out or 5xx never lowers it.
            return await progress.advance(tx, row, rows)
        if attempt.step != row.step:
            # A reminder has begun meanwhile, of which this says nothing.
            return await progress.advance(tx, row, rows)
        if result.kind is SendKind.UNKNOWN:
            await outcome_resolution.became_unknown(tx, row, "no_answer")
            if any_part:
                return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, 0.0))
            return Progress(row, answer=Answer(row.stage.value, Next.SETTLE, ask_after))
        if result.kind is SendKind.ACCOUNT:
            return await self._claims.account_at_fault(tx, row, rows, claim.account.id, result.provider_code, MEND)
        if result.kind is SendKind.RETRY:
            if any_part:
                return await self._device_later(tx, row, rows, attempt, claim, result)
            return await self._rest(tx, row, await self._pause_after(tx, row, rows, attempt, claim, result))
        if result.code is FailureCode.CONFIGURATION and await self._claims.another_is_next(tx, row, rows, attempt):
            # It is the sender that is not set up for it, not the message that is wrong.
            return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, 0.0))
        if result.device is not None:
            await device_parts.refused(tx, self._book, row, attempt, claim.outgoing.to, result)
        hashed, notified = row.address_hash or row.erased_hash, set[UUID]()
        # Of a group nobody says whom it is about.
        if result.code is FailureCode.OPTED_OUT and hashed is not None and claim.outgoing.group is None:
            notified = await self._bind(tx, row, hashed, claim, f"provider {result.provider_code}")
        if any_part:
            await attempt_rows.give_up(tx, attempt)
            moved = await progress.advance(tx, row, rows)
        else:
            moved = await self._give_up(tx, row, rows, result.code or FailureCode.REJECTED, result.provider_code)
        moved.endpoints |= notified
        return moved

    async def _bind(
        self, tx: AsyncConnection, row: MessageRow, address_hash: bytes, claim: Claim, source: str
    ) -> set[UUID]:
        """The provider refuses the address: for every property that sends from there, as its STOP would have done.
        Returns the endpoints that have events to deliver."""
        kind, sender = kind_of(row.channel, claim.outgoing.to).value, claim.outgoing.sender
        sharing = await shared_senders.sharing(tx, claim.account.id, row.channel, sender)
        bound = sorted({row.scope_id, *sharing})
        before = await consent_events.allowed_now(tx, bound, kind, [address_hash])
        for scope_id in bound:
            effect, said_to = Effect.PROVIDER_REFUSAL, SaidTo(row.channel, sender)
            await consents.write(tx, scope_id, kind, address_hash, effect, source, row.id, said_to=said_to)
        return await consent_events.changed_since(tx, before, kind, [address_hash])

    async def _device_later(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: list[AttemptRow],
        attempt: AttemptRow,
        claim: Claim,
        result: SendResult,
    ) -> Progress:
        """Another time for one device; others do not wait for it."""
        pause = await self._pause_after(tx, row, rows, attempt, claim, result)
        await attempt_rows.come_again(tx, attempt, row.now, pause)
        coming = next_parts(row, rows, progress.part_stages(row, rows))
        if coming.ready or coming.call_open:
            return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, 0.0))
        return await self._rest(tx, row, (coming.due_at - row.now).total_seconds())

    async def _retry_later(self, tx: AsyncConnection, row: MessageRow, retry_after: float | None) -> Progress:
        return await self._rest(tx, row, self._pause(row, retry_after))

    async def _pause_after(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: list[AttemptRow],
        attempt: AttemptRow,
        claim: Claim,
        result: SendResult,
    ) -> float:
        """Seconds until a part is tried again that was surely not taken: none where another account is to try."""
        if await self._claims.another_is_next(tx, row, rows, attempt, result.retry_after):
            return 0.0
        return self._pause(row, result.retry_after)

    def _pause(self, row: MessageRow, retry_after: float | None) -> float:
        pause = min(self._settings.retry_longest, self._settings.retry_first * 2.0 ** min(row.tries, 20))
        pause *= random.uniform(0.8, 1.2)
        return pause if retry_after is None else max(pause if row.tries else 0.0, retry_after)

    async def _rest(self, tx: AsyncConnection, row: MessageRow, pause: float) -> Progress:
        await tx.execute(
            update(messages)
            .where(messages.c.id == row.id)
            .values(tries=func.least(messages.c.tries + 1, 1000), due_at=func.now() + seconds(pause))
        )
        return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, pause))

    async def _give_up(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], code: FailureCode, provider_code: str | None
    ) -> Progress:
        return await progress.advance(tx, row, rows, decision=Stage.GAVE_UP, failure=(code, provider_code))

    # --- settling an unknown outcome, and asking about a message nobody speaks of ---------------------------------

    async def prepare_lookup(self, message_id: UUID) -> Lookup | StatusPoll | Answer:
        async with self._held.transaction() as tx:
            row = await _lock(tx, message_id)
            if row is None:
                return Answer("gone", Next.CLOSE)
            rows = await progress.attempts_of(tx, message_id)
            asked = await outcome_resolution.prepare_lookup(
                tx, self._settings, self._routes, self._cipher, self._questions, row, rows
            )
        return _through(asked, row) if isinstance(asked, Answer) else asked

    async def record_lookup(self, lookup: Lookup, result: LookupResult) -> Answer:
        async with self._held.transaction() as tx:
            asked = attempts.c.id == lookup.request.attempt_id
            of_message = select(messages.c.id, messages.c.guest_id).join(
                attempts, attempts.c.message_id == messages.c.id
            )
            message_id, guest_id = (await tx.execute(of_message.where(asked))).one()
            if result.kind is LookupKind.FOUND and guest_id is not None:
                await profiles.seen(tx, guest_id)
            row = await _lock(tx, message_id)
            assert row is not None, "messages are never deleted"
            rows = await progress.attempts_of(tx, message_id)
            attempt = _one(rows, lookup.request.attempt_id)
            moved = await outcome_resolution.record_lookup(tx, self._settings, row, rows, attempt, lookup.asked, result)
            await self._questions.was_asked(tx, lookup.account, result.calls)
        return self._answer(moved)

    async def record_poll(self, poll: StatusPoll, reports: Sequence[Reported]) -> Answer:
        found = [
            (polled.account, reported.receipt)
            for polled, reported in zip(poll.polled, reports, strict=True)
            if reported.kind is LookupKind.FOUND and reported.receipt is not None
        ]
        async with self._held.transaction() as tx:
            endpoints = await receipts.record_reports(tx, found)
            row = await progress.lock(tx, poll.message_id)
            assert row is not None, "messages are never deleted"
            for reported in reports:
                word = reported.receipt.word if reported.receipt else None
                await outcome_resolution.asked_about(tx, row, reported.kind, word)
            for polled, reported in zip(poll.polled, reports, strict=True):
                await self._questions.was_asked(tx, polled.account, reported.calls)
        self._wake_endpoints(endpoints)
        answer = _through(progress.next_step(row, self._settings.follow_at), row)
        if any(reported.kind is LookupKind.UNREACHABLE for reported in reports) and answer.next is Next.TRACK:
            soon = self._settings.follow_at[0]
            return replace(answer, after=min(answer.after or soon, soon))
        if all(reported.kind is LookupKind.CANNOT_KNOW for reported in reports):
            # Nothing is gained by asking again; its receipts are still welcome, and a reminder has its time.
            return replace(answer, after=row.goes_on_in or 0.0)
        return answer

    def _answer(self, moved: Progress) -> Answer:
        """After the commit: wake the endpoints that have events to deliver, and say what the workflow does next."""
        self._wake_endpoints(moved.endpoints)
        return _through(moved.answer or progress.next_step(moved.row, self._settings.follow_at), moved.row)


async def _lock(tx: AsyncConnection, message_id: UUID) -> MessageRow | None:
    """The message under its lock, as it goes out at the step that it is at."""
    row = await progress.lock(tx, message_id)
    return None if row is None else await steps.at(tx, row)


async def _go_on(
    tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow]
) -> tuple[MessageRow, list[AttemptRow], set[UUID]]:
    """Whether a message is read, or has arrived, is decided here, under its lock: a reminder whose time has come
    begins, and one that waits is taken back; what lies unseen in an inbox beyond its time is taken out for the next
    step. Returns the message as it goes out then, its attempts, and the endpoints that have events to deliver."""
    if row.reminds_of and progress.moves(row, rows) is not None:
        return row, rows, (await progress.advance(tx, row, rows)).endpoints
    if row.reminds_in == 0:
        endpoints = await progress.remind(tx, row)
        return await steps.at(tx, row), rows, endpoints
    if row.withdrawn_in == 0:
        await entries.withdraw(tx, row)
        await attempt_rows.expire(tx, row)
        rows = await progress.attempts_of(tx, row.id)
        moved = await progress.advance(tx, row, rows)
        return await steps.at(tx, row), rows, moved.endpoints
    return row, rows, set()


def _through(answer: Answer, row: MessageRow) -> Answer:
    """The same, with whom further questions are about."""
    if answer.next is Next.CLOSE or row.provider is None or row.rules.in_record:
        return answer
    return replace(answer, through=f"{row.provider}-{row.environment}")


def _one(rows: list[AttemptRow], attempt_id: UUID) -> AttemptRow:
    return next(row for row in rows if row.id == attempt_id)
