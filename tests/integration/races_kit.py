"""What a race is run with: the store's operations, and beside them a provider that tells the truth about what it has.

The provider is a model in memory (races_model.py). Everything else is real: PostgreSQL, its row locks, the store's own
functions, each operation on a connection of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain import statuses
from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.consents import ConsentFact, allowed
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import (
    Account,
    Claim,
    Effect,
    Inbound,
    Lookup,
    LookupKind,
    LookupResult,
    Receipt,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.routing import carried
from bellhop.domain.statuses import Stage
from bellhop.ops.seed import ensure_accounts
from bellhop.providers import providers
from bellhop.settings import Settings
from bellhop.store.access import properties
from bellhop.store.database import Autocommit
from bellhop.store.delivery import callback_accounts, left_behind, parked, plain_receipts, receipts
from bellhop.store.delivery.attempt_store import AttemptStore, Routes
from bellhop.store.delivery.left_behind import Place
from bellhop.store.guests import erasure, profiles
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import NewMessage

from .races_model import ADDRESSES, COLUMN, DAY, DELIVERY, LONG_TEXT, WATCHES, Call, Fate, Sent


class World:
    """The store of one property, and the provider beside it."""

    def __init__(self, engine: AsyncEngine, settings: Settings, book: AddressBook) -> None:
        self.engine, self.settings, self.book = engine, settings, book
        routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
        self.attempts = AttemptStore(
            engine, DELIVERY, routes, carried(providers()), settings.bellhop.credential_cipher(), book, lambda _: None
        )

    async def watch(self) -> None:
        """Put the watches up, once for the database."""
        async with self.engine.begin() as tx:
            driver: Any = (await tx.get_raw_connection()).driver_connection
            await driver.execute(WATCHES)
            for channel, rules in CHANNELS.items():
                for stage, rank in statuses.ranks(rules).items():
                    await tx.execute(
                        text("insert into race_ranks values (:channel, :stage, :rank)"),
                        {"channel": channel, "stage": stage, "rank": rank},
                    )

    async def open(self, *, resend: bool) -> None:
        """A property of this race's own. `resend`: it chose to send e-mail again whose outcome cannot be known."""
        self.sent: list[Sent] = []
        self.guests: list[UUID] = []
        self.leaving: set[UUID] = set()
        self.gone: set[UUID] = set()
        self.resend = resend
        # Of each address: how many operations had ended when it was last opted out or in; claims look back at it.
        self.ops = 0
        self.refused: dict[str, int] = {}
        chosen = {"settings": {"outcome_unknown": {"email": "resend"}}} if resend else {}
        async with self.engine.begin() as tx:
            _, scopes = await properties.create(tx, "Race", f"race-{uuid4().hex}", chosen)
            self.scope = scopes["test"]
            await ensure_accounts(tx, self.scope, self.settings)
            rows = await tx.execute(
                text("select id, provider, identity from provider_accounts where scope_id = :scope"),
                {"scope": self.scope.id},
            )
            self.accounts = {row.provider: Account(row.id, row.provider, row.identity, "", {}) for row in rows}

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What the record says; `:scope` is bound."""
        async with self.engine.begin() as tx:
            found = await tx.execute(text(query), {"scope": self.scope.id, **values})
            return [dict(row) for row in found.mappings()] if found.returns_rows else []

    # --- callers ---------------------------------------------------------------------------------------------------

    async def greet(self, channel: Channel, which: int) -> None:
        """A guest, perhaps one of a family that shares a phone."""
        address = ADDRESSES[channel][which]
        async with self.engine.begin() as tx:
            fields = {"first_name": "Ann", "last_name": "Doe", COLUMN[channel]: address}
            made = await profiles.upsert(tx, self.scope, fields, self.book)
        if made.created:
            self.guests.append(made.row.id)

    async def accept(self, channel: Channel, which: int, parts: int, later: float, guest: UUID | None) -> None:
        """POST /send."""
        new = NewMessage(
            channel=channel,
            recipient=ADDRESSES[channel][which],
            content=Content(text=LONG_TEXT[: 1_500 * parts])
            if channel is Channel.SMS
            else Content(text="See you.", subject="Tomorrow"),
            scheduled_at=datetime.now(UTC) + timedelta(seconds=later) if later else None,
            guest_id=guest,
            metadata={"note": "Ann"},
        )
        try:
            async with self.engine.begin() as tx:
                row = await outbound.accept(tx, self.scope, new, self.book, carried(providers()), DAY)
        except outbound.UnknownGuest:
            assert guest in self.leaving
            return
        self.sent.append(Sent(row.id, channel, new.recipient, row.parts, guest))

    async def cancel(self, sent: Sent) -> None:
        """POST /cancel: 200 means that no provider ever gets it; else the answer says what happened."""
        async with self.engine.begin() as tx:
            done = await outbound.cancel(tx, self.scope, sent.id)
        if done.done:
            sent.withdrawn = True
        elif done.row is not None:
            called = await self.rows("select 1 from attempts where message_id = :id", id=sent.id)
            assert called or done.row.stage is not Stage.QUEUED, "refused, and for no reason"
        else:
            await self._must_be_erased(sent)

    async def reschedule(self, sent: Sent, later: float) -> None:
        """PATCH."""
        at = datetime.now(UTC) + timedelta(seconds=later) if later else None
        async with self.engine.begin() as tx:
            done = await outbound.reschedule(tx, self.scope, sent.id, at, DAY)
        if done.row is None:
            await self._must_be_erased(sent)

    async def _must_be_erased(self, sent: Sent) -> None:
        (row,) = await self.rows("select erased_at from messages where id = :id", id=sent.id)
        assert row["erased_at"] is not None, "not found, and yet it is there"

    async def erase(self, guest: UUID) -> None:
        """DELETE /guests/…"""
        self.leaving.add(guest)
        async with self.engine.begin() as tx:
            erased = await erasure.erase(tx, self.scope, guest, self.book)
        assert erased is not None or guest in self.leaving
        self.gone.add(guest)

    # --- workers ---------------------------------------------------------------------------------------------------

    async def claim(self, sent: Sent) -> Call | Answer:
        """A worker asks for leave to call."""
        began = self.ops
        answer = await self.attempts.claim(sent.id, 1e12)
        if not isinstance(answer, Claim):
            return answer
        reported = self.refused.get(sent.address)
        assert reported is None or reported > began, "called although the guest had opted out"
        (row,) = await self.rows("select part from attempts where id = :id", id=answer.outgoing.attempt_id)
        call = Call(answer, sent, row["part"])
        sent.calls.append(call)
        return call

    async def record(self, call: Call) -> None:
        """The worker writes down what became of its call: late, or once more."""
        result = call.result()
        assert result is not None
        await self.attempts.record(call.claim, result)
        call.recorded = True
        if result.code is FailureCode.OPTED_OUT:
            await self.look_at_consent(call.message.channel, call.message.address)

    async def ask(self, sent: Sent, *, reachable: bool, tells: bool) -> None:
        """`settle`, first half: the provider is asked, and says the truth or that it cannot."""
        lookup = await self.attempts.prepare_lookup(sent.id)
        if not isinstance(lookup, Lookup):
            return
        call = next((one for one in sent.calls if one.id == lookup.request.attempt_id), None)
        if call is None:
            # Claimed beside us in this very step, and settled by the next.
            return
        assert not call.open, "asked while the call could still arrive"
        if not reachable:
            found = LookupResult(LookupKind.UNREACHABLE)
        elif sent.channel is Channel.EMAIL or not tells:
            found = LookupResult(LookupKind.CANNOT_KNOW)
        else:
            found = LookupResult(LookupKind.FOUND, call.provider_id) if call.has else LookupResult(LookupKind.ABSENT)
        sent.lookups.append((lookup, found, call))

    async def resolve(self, sent: Sent, which: int = -1) -> None:
        """`settle`, second half."""
        lookup, found, call = sent.lookups[which]
        await self.attempts.record_lookup(lookup, found)
        call.found = call.found or found.kind is LookupKind.FOUND

    # --- the provider ----------------------------------------------------------------------------------------------

    async def tell(self, said: Sequence[tuple[Call, Stage]], *, bounced: bool = False) -> None:
        """One callback with receipts for messages of one provider, in the order given."""
        provider = said[0][0].claim.account.provider
        items = [
            Receipt(
                dedupe_key=f"{call.id}:{stage}",
                word=stage.value,
                stage=stage,
                attempt_id=call.id,
                provider_id=call.provider_id,
                payload={"to": call.message.address},
                code=FailureCode.UNREACHABLE if stage is Stage.UNDELIVERED else None,
                effect=Effect.HARD_BOUNCE if bounced and stage is Stage.UNDELIVERED else None,
            )
            for call, stage in said
            if call.claim.account.provider == provider
        ]
        if not await self._tell_plainly(provider, items):
            async with self.engine.begin() as tx:
                await receipts.record(tx, [self.accounts[provider]], items, self.book, DELIVERY.follow_at)
        for call, stage in said:
            if call.claim.account.provider == provider:
                call.reported.add(stage)
                if bounced and stage is Stage.UNDELIVERED:
                    await self.look_at_consent(call.message.channel, call.message.address)

    async def _tell_plainly(self, provider: str, items: Sequence[Receipt]) -> bool:
        """One receipt alone is tried in one statement first, as `engine.receipts` does it."""
        if len(items) != 1 or not plain_receipts.plain(items[0]):
            return False
        identity = self.accounts[provider].identity
        async with self.engine.begin() as tx:
            version = await callback_accounts.version(tx, provider, identity)
        values = plain_receipts.values(items[0], provider, identity, version or 0)
        return bool(await Autocommit(self.engine).run(plain_receipts.RECORD, **values))

    async def receive_text(self, which: int, words: str) -> None:
        """A guest writes: STOP, START, or something else."""
        address = ADDRESSES[Channel.SMS][which]
        (sender,) = await self.rows("select address from senders where scope_id = :scope and channel = 'sms'")
        item = Inbound(
            uuid4().hex, Channel.SMS, address, sender["address"], words, "SM" + uuid4().hex, {"From": address}
        )
        if words == "START":
            self.refused.pop(address, None)
        async with self.engine.begin() as tx:
            await receipts.record(tx, [self.accounts["twilio"]], [item], self.book, DELIVERY.follow_at)
        if words == "STOP":
            await self.look_at_consent(Channel.SMS, address)

    async def look_at_consent(self, channel: Channel, address: str) -> None:
        """From now on no claim may overlook that an address wants nothing, if so it is."""
        kind = CHANNELS[channel].address
        said = await self.rows(
            "select id, cause, occurred_at, purpose from consents where scope_id = :scope and kind = :kind "
            "and address_hash = :hash",
            kind=kind.value,
            hash=self.book.hash(kind, address),
        )
        refused = not allowed(
            ConsentFact(row["id"], Effect(row["cause"]), row["occurred_at"], row["purpose"]) for row in said
        )
        self.ops += 1
        if refused:
            self.refused.setdefault(address, self.ops)
        else:
            self.refused.pop(address, None)

    # --- time ------------------------------------------------------------------------------------------------------

    async def sweep(self) -> None:
        """Recovery's part that changes messages."""
        async with self.engine.begin() as tx:
            for backlog in await parked.backlogs(tx):
                await parked.release(tx, backlog, 500)
            await parked.probes(tx, 10)
            for look in left_behind.KINDS.values():
                await look(tx, 10, Place(), 500)

    async def passes(self, amount: float) -> None:
        """Time passes: every row becomes older, every call nearer to the end of its lease."""
        for statement in (
            "update messages set due_at = due_at - :by, scheduled_at = scheduled_at - :by, "
            "expires_at = expires_at - :by, created_at = created_at - :by, wake_due_at = wake_due_at - :by, "
            "parked_at = parked_at - :by "
            "where scope_id = :scope",
            "update attempts set lease_until = lease_until - :by, ask_at = ask_at - :by, created_at = created_at - :by "
            "where scope_id = :scope",
            "update provider_accounts set probe_at = probe_at - :by where scope_id = :scope",
        ):
            await self.rows(statement, by=timedelta(seconds=amount))
        for sent in self.sent:
            for call in sent.calls:
                call.age += amount
                if call.open and call.age >= DELIVERY.lease - 5:
                    # Its client refuses to write once the lease is over: it never arrives.
                    call.fate = Fate.DIED_BEFORE

    async def held_up(self, held: Sequence[Sent], ops: Sequence[Any]) -> None:
        """Run operations at once, on connections of their own, while somebody holds these messages' rows: they all
        pile up at the locks, and PostgreSQL decides who is next."""
        async with self.engine.begin() as tx:
            for sent in held:
                await tx.execute(text("select 1 from messages where id = :id for update"), {"id": sent.id})
            running = asyncio.gather(*ops)
            await asyncio.sleep(0.02)
        await running
