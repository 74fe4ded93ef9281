"""Receipts as rows of `receipts`: matched to the attempts they are about, and stored once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, any_, bindparam, func, select, text, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.delivery_ports import Account, Receipt
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import PersonalJSON, attempts, messages, provider_accounts


@dataclass(slots=True)
class Match:
    """The attempt that a receipt is about, with its message's guest."""

    id: UUID
    scope_id: UUID
    message_id: UUID
    provider_id: str | None
    account_id: UUID
    guest_id: UUID | None
    sent_at: datetime | None
    """When the message went out, as far as was known before this receipt."""
    sender: str
    step: int
    carriers: list[UUID] = field(repr=False)
    """Every account of its scope at its provider."""
    names: str | None = None
    """The provider's id to give to the attempt, from the receipt; None where another attempt has it."""


@dataclass(slots=True)
class Stored:
    """A receipt that was not there before, by what it is stored under."""

    id: UUID
    account_id: UUID
    dedupe_key: str


_NAMED = attempts.alias("named")
_MATCH = CompiledStatement(
    select(
        attempts.c.id,
        attempts.c.scope_id,
        attempts.c.message_id,
        attempts.c.provider_id,
        attempts.c.account_id,
        messages.c.guest_id,
        messages.c.sent_at,
        attempts.c.sender,
        attempts.c.step,
        func.array(
            select(provider_accounts.c.id)
            .where(
                provider_accounts.c.scope_id == attempts.c.scope_id,
                provider_accounts.c.provider == attempts.c.provider,
            )
            .scalar_subquery(),
            type_=ARRAY(Uuid),
        ).label("carriers"),
    )
    .join(messages, messages.c.id == attempts.c.message_id)
    .where(
        attempts.c.provider == bindparam("provider"),
        # Each by its own index: of the two conditions together the planner may make a scan of all attempts.
        attempts.c.id.in_(
            union(
                select(func.unnest(bindparam("ours", type_=ARRAY(Uuid)))),
                select(_NAMED.c.id).where(_NAMED.c.provider_id == any_(bindparam("theirs", type_=ARRAY(Text)))),
            )
        ),
    ),
    row=Match,
)
_STORE = CompiledStatement(
    text(
        """
        insert into receipts (scope_id, account_id, provider, dedupe_key, attempt_id, message_id, word, stage,
          failure_code, provider_code, provider_id, payload, occurred_at)
        select given.scope, given.account, :provider, given.dedupe_key, given.attempt, given.message, given.word,
          given.stage, given.code, given.provider_code, given.provider_id, given.payload, given.occurred_at
        from unnest(:scopes, :accounts, :dedupe_keys, :attempts, :messages, :words, :stages, :codes, :provider_codes,
            :provider_ids, :payloads, :times) with ordinality
          as given (scope, account, dedupe_key, attempt, message, word, stage, code, provider_code, provider_id,
            payload, occurred_at, place)
        order by given.place
        on conflict (account_id, dedupe_key) do nothing
        returning id, account_id, dedupe_key
        """
    ).bindparams(
        bindparam("provider", type_=Text),
        *(bindparam(name, type_=ARRAY(Uuid)) for name in ("scopes", "accounts", "attempts", "messages")),
        bindparam("payloads", type_=ARRAY(PersonalJSON())),
        bindparam("times", type_=ARRAY(DateTime(timezone=True))),
        *(
            bindparam(name, type_=ARRAY(Text))
            for name in ("dedupe_keys", "words", "stages", "codes", "provider_codes", "provider_ids")
        ),
    ),
    row=Stored,
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A receipt, the account it came by, and the attempt it is about."""

    item: Receipt
    account: Account
    match: Match | None

    @property
    def message_id(self) -> UUID | None:
        return self.match.message_id if self.match else None

    @property
    def key(self) -> tuple[UUID, str]:
        """What it is stored under, once."""
        return self.match.account_id if self.match else self.account.id, self.item.dedupe_key


async def store(tx: AsyncConnection, facts: Sequence[Fact]) -> list[tuple[Fact, Stored]]:
    """Store receipts. Returns those that were not here before, in the order of their keys."""
    facts = list({fact.key: fact for fact in sorted(facts, key=lambda fact: fact.key)}.values())
    items = [fact.item for fact in facts]
    stored = await _STORE(
        tx,
        provider=facts[0].account.provider,
        scopes=[fact.match.scope_id if fact.match else None for fact in facts],
        accounts=[fact.key[0] for fact in facts],
        dedupe_keys=[item.dedupe_key for item in items],
        attempts=[fact.match.id if fact.match else None for fact in facts],
        messages=[fact.message_id for fact in facts],
        words=[item.word for item in items],
        stages=[item.stage.value if item.stage else None for item in items],
        codes=[item.code.value if item.code else None for item in items],
        provider_codes=[item.provider_code for item in items],
        provider_ids=[item.provider_id for item in items],
        payloads=[dict(item.payload) for item in items],
        times=[item.occurred_at for item in items],
    )
    fresh = {(one.account_id, one.dedupe_key): one for one in stored}
    return [(fact, fresh[fact.key]) for fact in facts if fact.key in fresh]


async def match(tx: AsyncConnection, verified: Sequence[Account], items: Sequence[Receipt]) -> dict[str, Match]:
    """Dedupe key → the attempt a receipt is about: by our own id as echoed, else by the provider's.

    Any attempt of the same scope at the same provider: while a key is being rotated, receipts for the new account still
    come to the old one's address. A thousand scopes may have signed: who is among them is not asked of the database.
    """
    ours = {item.attempt_id for item in items if item.attempt_id}
    theirs = {item.provider_id for item in items if item.provider_id}
    if not verified or not (ours or theirs):
        return {}
    found = await _MATCH(tx, provider=verified[0].provider, ours=list(ours), theirs=list(theirs))
    signed = {account.id for account in verified}
    rows = [row for row in found if not signed.isdisjoint(row.carriers)]
    by_ours = {row.id: row for row in rows}
    by_theirs = {row.provider_id: row for row in rows if row.provider_id}
    matched: dict[str, Match] = {}
    for item in items:
        owner = by_theirs.get(item.provider_id) if item.provider_id else None
        attempt = by_ours.get(item.attempt_id) if item.attempt_id else None
        attempt = attempt or owner
        if attempt is not None:
            # A look-up may have taken this copy for that of another attempt with the same text: two cannot have one id.
            taken = owner is not None and owner.id != attempt.id
            matched[item.dedupe_key] = replace(attempt, names=None if taken else item.provider_id)
    return matched
