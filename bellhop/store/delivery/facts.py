"""What is known of a message whose row the caller has locked, as policy asks for it: each fact that costs a query is
looked up only where it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

from sqlalchemy import func, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import content, groups, policy, policy_settings, routing
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import CHANNELS, AddressKind, kind_of
from bellhop.domain.consents import ConsentFact, Effect, binding, reopened
from bellhop.domain.credentials import CredentialCipher
from bellhop.domain.keyword_answers import answers_keyword
from bellhop.domain.next_parts import NextParts, next_parts
from bellhop.domain.policy import Decision, Facts, Lookup, Way, Window
from bellhop.domain.provider_urls import Routes
from bellhop.domain.quiet_hours import NEVER
from bellhop.domain.routing import Carried
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.standing import part_stages
from bellhop.store.compiled import seconds
from bellhop.store.delivery import attempt_rows, caps, paces, quiet_hours, standby, windows
from bellhop.store.delivery.attempt_rows import SendingAccount
from bellhop.store.guests import consents
from bellhop.store.settings import DeliverySettings
from bellhop.store.tables import provider_accounts


@dataclass(frozen=True, slots=True)
class Chosen:
    """A part that is left, and who would carry it; None: nobody can."""

    part: int
    sender: SendingAccount | None


@dataclass(frozen=True, slots=True)
class Decided:
    """What policy says, the facts it was said of, and the part with its sender, if it came to that."""

    decision: Decision
    facts: Facts
    chosen: Chosen | None
    refused: int = 0
    """Of a group: how many of its members want no such messages."""


@dataclass(frozen=True, slots=True)
class FactFinder:
    """Finds out what policy asks of messages whose row and attempts the caller has locked and read."""

    settings: DeliverySettings
    routes: Routes
    carried: Carried
    cipher: CredentialCipher
    book: AddressBook

    async def decide(
        self, tx: AsyncConnection, row: MessageRow, rows: Sequence[AttemptRow], coming: NextParts
    ) -> Decided:
        """What policy says of it at `row.now`."""
        facts, chosen, refused = self._known(row, rows, coming), None, 0
        only: frozenset[str] | None = None
        while isinstance(decision := policy.decide(facts, row.now), Lookup):
            match decision:
                case Lookup.OPTED_OUT:
                    said, refused, only = await self._refusals(tx, row)
                    facts = policy.with_refusals(facts, said)
                case Lookup.CAPPED:
                    facts = replace(facts, capped=await self._capped(tx, row))
                case Lookup.QUIET:
                    facts = replace(facts, quiet=await quiet_hours.kept(tx, row))
                case Lookup.WINDOW:
                    known = _among(await self.senders(tx, row), only)
                    asked = [one for one in known if row.sender in (None, one.address)]
                    would = routing.choose(asked, self.carried, row.channel, standby.said(row, row.content or ""))
                    left = await windows.left(tx, row, self._known_by(row), would.address if would else None)
                    facts = replace(facts, window=left)
                case Lookup.WAY:
                    known = _among(await self.senders(tx, row), only)
                    chosen, way = await self._way(tx, row, rows, coming.ready, known)
                    facts = replace(facts, way=way)
                case Lookup.PACED:
                    assert chosen is not None and chosen.sender is not None, "the way is open"
                    facts = replace(facts, paced=not await self._has_turn(tx, row, chosen.sender))
                case _:
                    assert_never(decision)
        return Decided(decision, facts, chosen, refused)

    def allow(self, row: MessageRow, sender: SendingAccount) -> bool:
        """Whether policy lets a message go that nothing is known against: no attempt was made, nothing was said of its
        address as its row has it, and `sender`, which has no pace, is the only one of its scope. False also where more
        has to be looked up."""
        coming = next_parts(row, [], part_stages(row, []))
        facts = policy.with_refusals(self._known(row, [], coming), [])
        way = Way.OPEN if self.able(row, [], [sender], 0) and sender.health != "held" else Way.NO_SENDER
        decision = policy.decide(replace(facts, way=way, paced=False), row.now)
        same = {row.address_hash}.issuperset(self._known_by(row)) if not facts.erased else False
        whole = content.texts(row.channel, row.content or "", row.body) == [row.content]
        return isinstance(decision, policy.Send) and same and whole

    async def _refusals(self, tx: AsyncConnection, row: MessageRow) -> tuple[list[Effect], int, frozenset[str] | None]:
        """What stands against whom it goes to, of a group how many of its members that is of, and the senders it may go
        out from. None: any."""
        said: list[Effect] = []
        refused, only = 0, None
        for facts in await self._said(tx, row):
            against = [fact.effect for fact in binding(facts, row.category)]
            if not against:
                continue
            # They refuse all but the senders that they have said START to.
            here = {one.address for one in reopened(facts, row.category) if one.channel is row.channel}
            left = (here if only is None else here & only) & ({row.sender} if row.sender else here)
            if left and (usable := left.intersection(one.address for one in await self.senders(tx, row))):
                only = frozenset(usable)
            else:
                said += against
                refused += groups.of_stored(row.details) is not None
        return said, refused, only

    async def _said(self, tx: AsyncConnection, row: MessageRow) -> list[list[ConsentFact]]:
        """What was said of the address it goes to; of a group, of each member's."""
        if (group := groups.of_stored(row.details)) is None:
            kind = kind_of(row.channel, row.recipient)
            return [await consents.last_said(tx, row.scope_id, kind.value, self._known_by(row))]
        kind = AddressKind.PHONE
        each = [self.book.hashes(kind, number) for number in group.members]
        return [await consents.last_said(tx, row.scope_id, kind.value, hashes) for hashes in each]

    def _known(self, row: MessageRow, rows: Sequence[AttemptRow], coming: NextParts) -> Facts:
        """What its row and its attempts say. What has begun to go out is neither counted nor kept waiting half-way:
        that was decided when it began."""
        tried = [attempt for attempt in rows if attempt.state is not AttemptState.NOT_SENT]
        capped = not (tried or row.ignore_frequency_cap) and policy_settings.caps(row.scope_settings, row.category)
        begun = any(attempt.step == row.step for attempt in tried)
        quiet = not (begun or row.ignore_quiet_hours) and quiet_hours.spans(row)
        # The guest has just asked for it.
        asked_for = answers_keyword(row.details)
        return Facts(
            stage=row.stage,
            call_open=coming.call_open,
            erased=row.content is None or row.recipient is None or row.address_hash is None,
            expires_at=row.expires_at,
            due_at=coming.due_at,
            paused=row.paused_at is not None,
            capped=None if capped and not asked_for else False,
            quiet=None if quiet and not asked_for else NEVER,
            window=Window.OPEN if CHANNELS[row.channel].window is None else None,
            answers_keyword=asked_for,
        )

    async def _capped(self, tx: AsyncConnection, row: MessageRow) -> bool:
        return await caps.used_up(tx, row, self._known_by(row))

    async def _has_turn(self, tx: AsyncConnection, row: MessageRow, sender: SendingAccount) -> bool:
        return await paces.has_turn(tx, row, sender, self.cipher)

    async def senders(self, tx: AsyncConnection, row: MessageRow) -> list[SendingAccount]:
        """Whom its scope may send from, that of the conversation with its guest first."""
        known = [] if row.sender or row.address_hash is None or row.recipient is None else self._known_by(row)
        talks = [] if CHANNELS[row.channel].any_part else known
        return await attempt_rows.senders_of(tx, row.scope_id, row.channel, talks)

    async def allowed_senders(self, tx: AsyncConnection, row: MessageRow) -> list[SendingAccount]:
        """The same, where its guest may have said START to some of them alone."""
        _, _, only = await self._refusals(tx, row)
        return _among(await self.senders(tx, row), only)

    def _known_by(self, row: MessageRow) -> list[bytes]:
        """Every hash under which something may be stored of its address."""
        assert row.address_hash is not None and row.recipient is not None, "not erased"
        return [row.address_hash, *self.book.hashes(kind_of(row.channel, row.recipient), row.recipient)]

    async def _way(
        self,
        tx: AsyncConnection,
        row: MessageRow,
        rows: Sequence[AttemptRow],
        ready: Sequence[int],
        known: Sequence[SendingAccount],
    ) -> tuple[Chosen | None, Way]:
        """Which part goes next, who of `known` would carry it, and whether they may be asked to: the first of `ready`
        that can."""
        first: tuple[Chosen | None, Way] | None = None
        for part in ready:
            sender, way = await self._way_of(tx, row, self.able(row, rows, known, part))
            if way is Way.OPEN:
                return Chosen(part, sender), way
            first = first or (Chosen(part, sender), way)
        assert first is not None, "a message that waits has a part that is left"
        return first

    def able(
        self, row: MessageRow, rows: Sequence[AttemptRow], known: Sequence[SendingAccount], part: int
    ) -> list[SendingAccount]:
        """Those of `known` that could carry a part, in the order in which they are asked to."""
        return standby.in_order(known, row, rows, part, self.carried, self.routes)

    async def _way_of(
        self, tx: AsyncConnection, row: MessageRow, able: Sequence[SendingAccount]
    ) -> tuple[SendingAccount | None, Way]:
        if not able:
            return None, Way.NO_SENDER
        for sender in able:
            if sender.health != "held" or await self._may_probe(tx, sender.account_id):
                return sender, Way.OPEN
        return able[0], Way.ACCOUNT_HELD

    async def _may_probe(self, tx: AsyncConnection, account_id: UUID) -> bool:
        """Of a held account's messages one at a time is tried: that is how we learn that it has been mended."""
        probed = await tx.execute(
            update(provider_accounts)
            .where(
                provider_accounts.c.id == account_id,
                provider_accounts.c.health == "held",
                or_(provider_accounts.c.probe_at.is_(None), provider_accounts.c.probe_at <= func.now()),
            )
            .values(probe_at=func.now() + seconds(self.settings.hold))
        )
        return probed.rowcount == 1


def _among(known: Sequence[SendingAccount], only: frozenset[str] | None) -> list[SendingAccount]:
    return [one for one in known if only is None or one.address in only]
