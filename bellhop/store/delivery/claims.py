"""Leave to make a provider call: the facts, gathered under the message's lock, what policy says of them, and the row of
the attempt, in one transaction (I2, I8)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import assert_never
from uuid import UUID

import structlog
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import approved_templates, content, groups, policy
from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import WAITING, Answer, Next, Refusal
from bellhop.domain.approved_templates import ApprovedText
from bellhop.domain.channels import CHANNELS
from bellhop.domain.content import Content
from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.domain.delivery_ports import Account, Busy, Claim, Outgoing, TakeSlot
from bellhop.domain.file_ports import FetchFiles
from bellhop.domain.mail_addresses import MailNames
from bellhop.domain.next_parts import next_parts, open_calls
from bellhop.domain.operators import HELD_BY_OPERATOR
from bellhop.domain.policy import Reason, Window
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import seconds
from bellhop.store.delivery import (
    accounts,
    attempt_rows,
    device_parts,
    files,
    outcome_resolution,
    paces,
    parked,
    quiet_hours,
    standby,
)
from bellhop.store.delivery.attempt_rows import SendingAccount
from bellhop.store.delivery.facts import FactFinder
from bellhop.store.delivery.plain_claims import Begun
from bellhop.store.guests import profiles, unsubscribing
from bellhop.store.inbox import entries
from bellhop.store.messages import groups as message_groups
from bellhop.store.messages import outbound, progress
from bellhop.store.messages.progress import Progress
from bellhop.store.settings import DeliverySettings
from bellhop.store.tables import provider_accounts

log = structlog.get_logger()

UNREADABLE = "credentials_unreadable"
"""Our own code of a held account, beside the providers'."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Decides about messages whose row and attempts the caller has locked and read."""

    facts: FactFinder
    settings: DeliverySettings
    routes: Routes
    cipher: CredentialCipher
    book: AddressBook
    read_file: Callable[[UUID], bytes]
    """The bytes of a message's file, for a provider that takes them: blocks, raises OSError."""

    async def claim(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], deadline: float, take: TakeSlot
    ) -> Claim | Answer | Progress | Busy | FetchFiles:
        """Leave to send the next part of a message, or what is next instead. `deadline`: CLOCK_BOOTTIME seconds. Busy,
        FetchFiles: what was written is to be rolled back."""
        stages = progress.part_stages(row, rows)
        coming = next_parts(row, rows, stages)
        goes_out = CHANNELS[row.channel].any_part and row.stage is Stage.QUEUED and row.due_at <= row.now
        if goes_out and await device_parts.leave_out_absent(tx, row, coming.ready):
            left = await progress.advance(tx, row, rows)
            left.answer = Answer(row.stage.value, Next.AGAIN, 0.0) if row.stage is Stage.QUEUED else None
            return left
        decided = await self.facts.decide(tx, row, rows, coming)
        chosen, sender = decided.chosen, decided.chosen.sender if decided.chosen else None
        match decided.decision:
            case policy.Send():
                assert chosen is not None and sender is not None, "the way is open"
                if row.details and (wanted := await files.needed(tx, row, sender.provider, self.settings.valid_for)):
                    return wanted
                if CHANNELS[row.channel].in_record:
                    return await self._lay_in(tx, row, rows, sender)
                approved = approved_templates.of_stored(row.body) if decided.facts.window is Window.TEMPLATE else None
                return await self._start(tx, row, rows, chosen.part, sender, deadline, take, approved)
            case policy.Over():
                return progress.next_step(row, self.settings.follow_at)
            case policy.Settle():
                return await self._settle(tx, row, rows)
            case policy.Cancel():
                return await progress.advance(tx, row, rows, decision=Stage.CANCELLED)
            case policy.Refuse(code):
                if decided.refused:
                    await self._note_refused(tx, row, decided.refused)
                return await progress.advance(tx, row, rows, decision=Stage.GAVE_UP, failure=(code, None))
            case policy.Wait(Reason.ACCOUNT_HELD | Reason.NO_SENDER) if Stage.SENT in stages and _one_is_enough(row):
                # Another device has it: for this one it is not to wait for days.
                return await progress.advance(tx, row, rows, decision=Stage.GAVE_UP)
            case policy.Wait(Reason.PACED):
                assert sender is not None and sender.pace_id is not None, "it has a rate"
                return await paces.park(tx, row, sender.pace_id)
            case policy.Wait(Reason.QUIET_HOURS, until):
                assert until is not None and decided.facts.quiet is not None, "they have an end"
                return await quiet_hours.wait(tx, row, decided.facts.quiet, until)
            case policy.Wait(reason, until):
                if until is not None:
                    listed = WAITING if reason is Reason.NOT_DUE else reason.value
                    return Answer(row.stage.value, Next.AGAIN, (until - row.now).total_seconds(), listed=listed)
                held = sender.account_id if sender and reason is Reason.ACCOUNT_HELD else None
                return await parked.park(tx, row, reason, held)
            case _:
                assert_never(decided.decision)

    def of_plain(self, begun: Begun, deadline: float, take: TakeSlot) -> Claim | Busy | None:
        """Leave to make the first call of a message, whose attempt is written and not committed yet. Busy, None (it is
        to be looked at the long way): that is to be rolled back."""
        sender = begun.by
        said = self._outgoing(begun, 0, begun.content or "", None)
        if begun.attempt_id is None or not self.facts.allow(begun, sender):
            return None
        base_url = self.routes.base_url(begun.environment, sender.base_url)
        assert base_url is not None, "policy saw to it"
        try:
            account = accounts.account_of(self.cipher, sender, base_url, begun.environment)
        except CredentialsUnreadable:
            return None
        if not take(account.carrier):
            return Busy(account.carrier, begun.stage.value)
        return self._call(begun, 0, account, sender, said, begun.attempt_id, deadline)

    async def _note_refused(self, tx: AsyncConnection, row: MessageRow, refused: int) -> None:
        group = groups.of_stored(row.details)
        assert group is not None, "of a group it was counted"
        await message_groups.change(tx, row, replace(group, refused=refused))

    async def another_is_next(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: Sequence[AttemptRow],
        attempt: AttemptRow,
        retry_after: float | None = None,
    ) -> bool:
        """Whether an account surely did not take a part as often as it may, or asks for long, and another that works is
        to try it now. `attempt`: the last call, of `rows`; `retry_after`: the seconds it asks for."""
        part, long = attempt.part, retry_after is not None and retry_after > standby.PATIENT_FOR
        times = standby.not_taken(row, rows, part, attempt.account_id)
        if times % standby.PATIENCE and not long:
            return False
        known = await self.facts.allowed_senders(tx, row)
        if retry_after is not None and long and len(self.facts.able(row, rows, known, part)) > 1:
            await attempt_rows.come_again(tx, attempt, row.now, retry_after)
        able = [one.account_id for one in self.facts.able(row, rows, known, part) if one.health != "held"]
        following = next(iter(able), attempt.account_id)
        if following == attempt.account_id or standby.rests(row, rows, part, following):
            return False
        return long or standby.not_taken(row, rows, part, following) < times

    async def _healthy(
        self, tx: AsyncConnection, row: MessageRow, rows: Sequence[AttemptRow], account_id: UUID
    ) -> bool:
        """Whether another account than this one works, and can carry what is next."""
        known = await self.facts.allowed_senders(tx, row)
        ready = next_parts(row, rows, progress.part_stages(row, rows)).ready
        able = (one for part in ready[:1] for one in self.facts.able(row, rows, known, part))
        return any(one.account_id != account_id and one.health != "held" for one in able)

    async def withdraw(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow]
    ) -> tuple[Progress, Refusal | None]:
        """Cancel the message as its property could, or say why not and what is next."""
        changed = await outbound.cancel_locked(tx, row, rows)
        if changed.done or row.stage is not Stage.QUEUED:
            return Progress(row, changed.endpoints), None if row.stage is Stage.CANCELLED else Refusal.SENT
        if open_calls(row, rows):
            return Progress(row, answer=await self._settle(tx, row, rows)), Refusal.CALL_OPEN
        # Other parts of it are out, or may be: the rest goes out as well.
        answer = Answer(row.stage.value, Next.AGAIN)
        return Progress(row, answer=answer), Refusal.MAY_BE_SENT if changed.unknown else Refusal.SENT

    async def _settle(self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow]) -> Answer:
        """When to ask what became of a call. One in flight: wait for its lease to end."""
        open_ones = open_calls(row, rows)
        for attempt in open_ones:
            if attempt.state is AttemptState.UNKNOWN:
                after = (attempt.ask_at - row.now).total_seconds() if attempt.ask_at else 0.0
                return Answer(row.stage.value, Next.SETTLE, max(0.0, after))
        under_way = next(attempt for attempt in open_ones if attempt.state is AttemptState.IN_FLIGHT)
        left = (under_way.lease_until - row.now).total_seconds() + self.settings.lease_margin
        if left > 0:
            return Answer(row.stage.value, Next.AGAIN, left)
        await outcome_resolution.lease_over(tx, row, under_way)
        return Answer(row.stage.value, Next.SETTLE, 0.0)

    async def account_at_fault(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: Sequence[AttemptRow],
        account_id: UUID,
        code: str | None,
        mend: str,
    ) -> Progress:
        """Hold an account. Where another one stands by, the message goes through that; else it is held as well, and
        tries the account again after a while, for all the others that wait for it. `code`: the provider's, or
        `UNREADABLE`; `mend`: what to do about it."""
        await tx.execute(
            update(provider_accounts)
            .where(
                provider_accounts.c.id == account_id,
                # What an operator holds nobody tries, whatever a call says that was under way.
                provider_accounts.c.held_code.is_distinct_from(HELD_BY_OPERATOR),
            )
            .values(
                health="held",
                held_code=code,
                held_since=func.coalesce(provider_accounts.c.held_since, func.now()),
                probe_at=func.now() + seconds(self.settings.hold),
            )
        )
        log.error(
            "provider account at fault: its messages are held until it is mended or they expire",
            account=str(account_id),
            provider=row.provider,
            provider_code=code,
            mend=mend,
        )
        if _one_is_enough(row) or await self._healthy(tx, row, rows, account_id):
            # Another account may take it, or another device; `claim` parks it where there is none.
            return Progress(row, answer=Answer(row.stage.value, Next.AGAIN, 0.0))
        look = self.settings.hold * random.uniform(1.0, 1.5)
        return Progress(row, answer=await parked.park(tx, row, Reason.ACCOUNT_HELD, account_id, look))

    async def _start(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: list[AttemptRow],
        part: int,
        sender: SendingAccount,
        deadline: float,
        take: TakeSlot,
        approved: ApprovedText | None,
    ) -> Claim | Progress | Busy:
        base_url = self.routes.base_url(row.environment, sender.base_url)
        assert row.content is not None and row.recipient is not None and base_url is not None, "policy saw to it"
        goes_to = device_parts.goes_to(row, part)
        # Each device gets all of it.
        texts = content.texts(row.channel, row.content, row.body)
        body = approved.text if approved else texts[0 if goes_to else part]
        try:
            account = accounts.account_of(self.cipher, sender, base_url, row.environment)
        except CredentialsUnreadable as problem:
            return await self.account_at_fault(tx, row, rows, sender.account_id, UNREADABLE, str(problem))
        if not take(account.carrier):
            return Busy(account.carrier, row.stage.value)
        await parked.unpark(tx, row)
        content_sid = approved.content_sid if approved else None
        said = self._outgoing(row, part, body, approved)
        said, link = await unsubscribing.with_link(tx, row, said, self.book, self.routes)
        started = await attempt_rows.start(tx, row, part, said.text, sender, self.settings.lease, content_sid)
        return self._call(row, part, account, sender, said, started, deadline, link)

    def _call(
        self,
        row: MessageRow,
        part: int,
        account: Account,
        sender: SendingAccount,
        said: Content,
        started: UUID,
        deadline: float,
        link: str | None = None,
    ) -> Claim:
        assert row.recipient is not None, "policy saw to it"
        rules, goes_to = CHANNELS[row.channel], device_parts.goes_to(row, part)
        outgoing = Outgoing(
            attempt_id=started,
            message_id=row.id,
            channel=row.channel,
            to=goes_to.token if goes_to else row.recipient,
            sender=sender.address,
            sender_name=sender.name,
            content=said,
            callback_url=self.routes.callback(account.provider, account.identity, started),
            timeout=self.settings.call_timeout,
            deadline=deadline,
            valid_for=(row.told_until - row.now).total_seconds() if row.told_until else None,
            group=groups.of_stored(row.details),
            device=goes_to,
            receipt_token=self.book.receipt_tokens.make(started, row.now) if rules.app_reports else None,
            unsubscribe_url=link,
            mail_names=self._mail_names(row, account, sender.address) if rules.message_ids else None,
        )
        return Claim(account, outgoing, row.guest_id)

    def _mail_names(self, row: MessageRow, account: Account, sender: str) -> MailNames:
        return self.book.mail_addresses.names(row.id, row.step, account.credentials.get("reply_domain"), sender)

    async def _lay_in(
        self, tx: AsyncConnection, row: MessageRow, rows: list[AttemptRow], sender: SendingAccount
    ) -> Progress:
        """Lay a message into its guest's inbox: the attempt, its outcome and what follows from it are one with the
        decision, so that no process dies between them."""
        assert row.content is not None and row.guest_id is not None, "policy and acceptance saw to it"
        await parked.unpark(tx, row)
        started = await attempt_rows.start(tx, row, 0, row.content, sender, self.settings.lease)
        await profiles.seen_if_free(tx, row.guest_id)
        rows = await progress.attempts_of(tx, row.id)
        attempt = next(one for one in rows if one.id == started)
        await attempt_rows.accepted(tx, attempt, rows, None)
        moved = await progress.advance(tx, row, rows)
        await entries.lay_in(tx, row, self.settings.inbox_kept)
        return moved

    def _outgoing(self, row: MessageRow, part: int, body: str, approved: ApprovedText | None) -> Content:
        """What one part says. Files go with the first, to each device; with an approved template only its own."""
        said = standby.said(row, body)
        files = tuple(replace(one, read=partial(self.read_file, one.asset_id)) for one in said.media if one.asset_id)
        plain = content.plain(row.content_type, body, row.body)
        has_files = approved is None and (part == 0 or CHANNELS[row.channel].any_part)
        return replace(said, plain=plain, media=files if has_files else (), approved=approved)


def _one_is_enough(row: MessageRow) -> bool:
    return CHANNELS[row.channel].any_part and row.parts > 1
