"""Provider accounts and the senders that go through them, as rows: seeded once, then led by the rows, which an operator
changes by command. Their credentials are stored sealed; here they are opened, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.accounts import Seed
from bellhop.domain.channels import CHANNELS
from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable, Sealing
from bellhop.domain.delivery_ports import Account
from bellhop.domain.operators import HELD_BY_OPERATOR, Operator, OperatorAction
from bellhop.domain.routing import STANDBY
from bellhop.domain.rows.delivery import AccountRow, AccountSummary, SenderRow
from bellhop.domain.scopes import Scope
from bellhop.store.access import operator_actions
from bellhop.store.rows import from_result
from bellhop.store.tables import messages, provider_accounts, senders

NEVER = datetime(9000, 1, 1, tzinfo=UTC)
"""When an account that an operator holds is tried."""

_WELL: dict[str, Any] = {"health": "ok", "held_code": None, "held_since": None, "probe_at": None}


class StoredAccount(Protocol):
    """What an `Account` is made of, as a row has it."""

    @property
    def id(self) -> UUID: ...
    @property
    def provider(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def credentials(self) -> Mapping[str, str]: ...


def account_of(cipher: CredentialCipher, row: StoredAccount, base_url: str, environment: str = "") -> Account:
    """An account to call. `base_url`: where its API is for the scope (`Routes.base_url`), whose `environment` that is.
    Raises CredentialsUnreadable."""
    return Account(row.id, row.provider, row.identity, base_url, cipher.open(row.credentials), environment=environment)


def calling_account(cipher: CredentialCipher, row: AccountRow) -> Account:
    """An account whose callbacks are verified: with its previous credentials. Raises CredentialsUnreadable."""
    return replace(account_of(cipher, row, row.base_url), previous_credentials=cipher.open(row.previous_credentials))


async def ensure(tx: AsyncConnection, cipher: CredentialCipher, scope: Scope, seed: Seed) -> None:
    """Make the account and its sender where they are missing; existing rows stay as they are."""
    await tx.execute(
        upsert(provider_accounts)
        .values(
            scope_id=scope.id,
            provider=seed.provider,
            identity=seed.identity,
            base_url=seed.base_url,
            credentials=cipher.seal(seed.credentials),
            previous_credentials=cipher.seal(seed.previous),
        )
        .on_conflict_do_nothing()
    )
    account = (
        await tx.execute(
            select(provider_accounts.c.id).where(
                provider_accounts.c.scope_id == scope.id,
                provider_accounts.c.provider == seed.provider,
                provider_accounts.c.identity == seed.identity,
            )
        )
    ).scalar_one()
    mine = senders.c.scope_id == scope.id, senders.c.channel == seed.channel
    led = select(senders.c.id).where(*mine, senders.c.is_default).limit(1).scalar_subquery()
    await tx.execute(
        upsert(senders)
        .values(
            scope_id=scope.id,
            account_id=account,
            channel=seed.channel,
            address=seed.address,
            name=seed.name,
            # The first provider of a channel that several share leads it.
            is_default=led.is_(None),
        )
        .on_conflict_do_nothing()
    )


async def follow(tx: AsyncConnection, cipher: CredentialCipher, scope: Scope, seed: Seed) -> None:
    """Make the account and its sender where they are missing, and send through them if the scope has other accounts of
    the provider, or other credentials for this one; those are forgotten. Rows that are as they should be stay so."""
    there = await tx.execute(
        select(provider_accounts.c.identity, provider_accounts.c.credentials).where(
            provider_accounts.c.scope_id == scope.id, provider_accounts.c.provider == seed.provider
        )
    )
    known = {row.identity: row.credentials for row in there}
    if known and (not _holds(cipher, known.get(seed.identity, {}), seed) or await _led_by_another(tx, scope, seed)):
        leading = await _leading(tx, scope, seed.channel)
        await put(tx, cipher, scope, seed, forget_previous=True)
        if leading is not None and leading[1] != seed.provider:
            # Several providers share the channel, and this one did not lead it.
            await _let_lead(tx, scope, seed.channel, leading[0])
        await forget_previous(tx, scope)
    else:
        await ensure(tx, cipher, scope, seed)


async def _leading(tx: AsyncConnection, scope: Scope, channel: str) -> tuple[UUID, str] | None:
    """The sender that a channel uses, and its provider."""
    found = await tx.execute(
        select(senders.c.id, provider_accounts.c.provider)
        .join(provider_accounts, provider_accounts.c.id == senders.c.account_id)
        .where(senders.c.scope_id == scope.id, senders.c.channel == channel, senders.c.is_default)
    )
    row = found.first()
    return None if row is None else (row.id, row.provider)


async def _let_lead(tx: AsyncConnection, scope: Scope, channel: str, sender_id: UUID) -> None:
    mine = senders.c.scope_id == scope.id, senders.c.channel == channel
    await tx.execute(update(senders).where(*mine, senders.c.is_default).values(is_default=False))
    await tx.execute(update(senders).where(*mine, senders.c.id == sender_id).values(is_default=True))


async def _led_by_another(tx: AsyncConnection, scope: Scope, seed: Seed) -> bool:
    """Whether the sender goes through an account of the provider that the scope no longer has."""
    another = select(provider_accounts.c.id).where(
        provider_accounts.c.scope_id == scope.id,
        provider_accounts.c.provider == seed.provider,
        provider_accounts.c.identity != seed.identity,
    )
    led = select(senders.c.id).where(
        senders.c.scope_id == scope.id,
        senders.c.channel == seed.channel,
        senders.c.address == seed.address,
        senders.c.account_id.in_(another),
    )
    return await tx.scalar(led.limit(1)) is not None


def _holds(cipher: CredentialCipher, stored: Mapping[str, str], seed: Seed) -> bool:
    try:
        return dict(cipher.open(stored)) == dict(seed.credentials)
    except CredentialsUnreadable:
        return False


async def channels(tx: AsyncConnection, scope: Scope) -> list[str]:
    """The channels a scope has a sender for."""
    found = await tx.execute(select(senders.c.channel).where(senders.c.scope_id == scope.id).distinct())
    return sorted(found.scalars())


async def listing(tx: AsyncConnection, scope: Scope) -> list[AccountSummary]:
    """The accounts of a scope, oldest first, each with its senders and how many messages wait for it. No secrets."""
    account = provider_accounts.c
    waiting = (
        select(func.count())
        .where(messages.c.held_account_id == account.id, messages.c.stage == "queued")
        .scalar_subquery()
    )
    found = await tx.execute(
        select(
            account.id,
            account.provider,
            account.identity,
            account.health,
            account.held_code,
            account.held_since,
            (account.previous_credentials != {}).label("rotating"),
            waiting.label("waiting"),
        )
        .where(account.scope_id == scope.id)
        .order_by(account.id)
    )
    summaries = from_result(AccountSummary, found)
    for summary in summaries:
        own = await tx.execute(select(senders).where(senders.c.account_id == summary.id).order_by(senders.c.id))
        summary.senders = from_result(SenderRow, own)
    return summaries


async def put(
    tx: AsyncConnection, cipher: CredentialCipher, scope: Scope, seed: Seed, *, forget_previous: bool = False
) -> str:
    """Make the scope send through the account and sender of `seed`.

    Returns `made`; `rotated`: the same account, new credentials; `moved`: the channel goes through another account of
    the provider from now on; or `unchanged`. Credentials that `seed` leaves empty stay as they are. Those it replaces
    are kept as previous ones: callbacks may still be signed with them. All the provider's accounts here are well again
    but for what an operator holds, so that what they held goes out. Raises CredentialsUnreadable where replaced ones
    cannot be kept, unless they are to be forgotten.
    """
    found = await tx.execute(
        select(provider_accounts)
        .where(provider_accounts.c.scope_id == scope.id, provider_accounts.c.provider == seed.provider)
        .order_by(provider_accounts.c.updated_at.desc(), provider_accounts.c.id.desc())
        .with_for_update()
    )
    there = from_result(AccountRow, found)
    same = next((row for row in there if row.identity == seed.identity), None)
    before = same or (there[0] if there else None)
    replaced, older = _opened(cipher, before, forget_previous) if before else ({}, {})
    credentials = {**replaced, **{name: value for name, value in seed.credentials.items() if value}}
    previous = {**older, **seed.previous}
    previous |= {name: old for name, old in replaced.items() if old and old != credentials[name]}
    values = {
        "base_url": seed.base_url,
        "credentials": cipher.seal(credentials),
        "previous_credentials": cipher.seal(previous),
    }
    if same is None:
        made = await tx.execute(
            upsert(provider_accounts)
            .values(scope_id=scope.id, provider=seed.provider, identity=seed.identity, **values)
            .returning(provider_accounts.c.id)
        )
        account_id: UUID = made.scalar_one()
    else:
        account_id = same.id
        await tx.execute(
            update(provider_accounts)
            .where(provider_accounts.c.id == account_id)
            .values(**values, updated_at=func.now())
        )
    await _lead(tx, scope, seed, account_id)
    await _works_again(tx, scope, seed.provider)
    if same is None:
        return "made" if before is None else "moved"
    return "unchanged" if replaced == credentials else "rotated"


def _opened(cipher: CredentialCipher, row: AccountRow, forget: bool) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Current and previous credentials; none where they can't be read and are to be forgotten."""
    try:
        return cipher.open(row.credentials), cipher.open(row.previous_credentials)
    except CredentialsUnreadable:
        if not forget:
            raise
        return {}, {}


async def sealings(
    tx: AsyncConnection, cipher: CredentialCipher, *, lock: bool = False
) -> list[tuple[AccountRow, set[Sealing]]]:
    """Every account of the installation, oldest first, and how its two sets of credentials are kept."""
    every = select(provider_accounts).order_by(provider_accounts.c.id)
    found = await tx.execute(every.with_for_update() if lock else every)
    return [
        (row, {cipher.sealing(row.credentials), cipher.sealing(row.previous_credentials)})
        for row in from_result(AccountRow, found)
    ]


async def reseal(tx: AsyncConnection, cipher: CredentialCipher, row: AccountRow) -> None:
    """Put an account's credentials under the newest key. Raises CredentialsUnreadable."""
    await tx.execute(
        update(provider_accounts)
        .where(provider_accounts.c.id == row.id)
        .values(
            credentials=cipher.seal(cipher.open(row.credentials)),
            previous_credentials=cipher.seal(cipher.open(row.previous_credentials)),
        )
    )


async def _lead(tx: AsyncConnection, scope: Scope, seed: Seed, account_id: UUID) -> None:
    """The sender of `seed` goes through that account, and is the one its channel uses. Others stay: guests may still
    answer to them."""
    await tx.execute(
        update(senders)
        .where(senders.c.scope_id == scope.id, senders.c.channel == seed.channel)
        .values(is_default=False)
    )
    leading = {"account_id": account_id, "is_default": True}
    new = upsert(senders).values(
        scope_id=scope.id, channel=seed.channel, address=seed.address, name=seed.name, **leading
    )
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["scope_id", "channel", "address"],
            set_={**leading, "name": func.coalesce(new.excluded.name, senders.c.name)},
        )
    )


async def _works_again(tx: AsyncConnection, scope: Scope, provider: str) -> None:
    """Take the scope's accounts of a provider to be well again, but for what an operator holds. Recovery then wakes
    what they held."""
    await tx.execute(
        update(provider_accounts)
        .where(
            provider_accounts.c.scope_id == scope.id,
            provider_accounts.c.provider == provider,
            provider_accounts.c.health != "ok",
            provider_accounts.c.held_code.is_distinct_from(HELD_BY_OPERATOR),
        )
        .values(**_WELL, updated_at=func.now())
    )


async def hold(tx: AsyncConnection, scope: Scope, account_id: UUID, operator: Operator) -> bool:
    """Nothing is sent through this account of the scope, nor tried, until it is mended by hand. False: so it was."""
    held = await tx.execute(
        update(provider_accounts)
        .where(
            provider_accounts.c.id == account_id,
            provider_accounts.c.scope_id == scope.id,
            provider_accounts.c.held_code.is_distinct_from(HELD_BY_OPERATOR),
        )
        .values(
            health="held",
            held_code=HELD_BY_OPERATOR,
            held_since=func.coalesce(provider_accounts.c.held_since, func.now()),
            probe_at=NEVER,
            updated_at=func.now(),
        )
    )
    if held.rowcount:
        await operator_actions.write(tx, scope, OperatorAction.HOLD, account_id, operator)
    return bool(held.rowcount)


async def mend(tx: AsyncConnection, scope: Scope, account_id: UUID, operator: Operator) -> bool:
    """Take a held account of the scope to be well again, whoever held it. Recovery then wakes what it held. False: it
    was not held."""
    mended = await tx.execute(
        update(provider_accounts)
        .where(
            provider_accounts.c.id == account_id,
            provider_accounts.c.scope_id == scope.id,
            provider_accounts.c.health != "ok",
        )
        .values(**_WELL, updated_at=func.now())
    )
    if mended.rowcount:
        await operator_actions.write(tx, scope, OperatorAction.MEND, account_id, operator)
    return bool(mended.rowcount)


async def forget_previous(tx: AsyncConnection, scope: Scope) -> None:
    """Previous credentials are accepted no longer, and an account that no channel goes through any more keeps none: its
    senders go with them."""
    used = await _used(tx, scope)
    await tx.execute(
        update(provider_accounts)
        .where(provider_accounts.c.scope_id == scope.id)
        .values(previous_credentials={}, updated_at=func.now())
    )
    forgotten = await tx.execute(
        update(provider_accounts)
        .where(provider_accounts.c.scope_id == scope.id, provider_accounts.c.id.not_in(used))
        .values(credentials={})
        .returning(provider_accounts.c.id)
    )
    await tx.execute(
        delete(senders).where(senders.c.scope_id == scope.id, senders.c.account_id.in_(list(forgotten.scalars())))
    )


async def _used(tx: AsyncConnection, scope: Scope) -> list[UUID]:
    """The accounts that a channel goes through: by the sender it uses or by one that stands by; and where each device
    has a provider of its own, by the newest account of each provider."""
    chosen = select(senders.c.account_id).where(
        senders.c.scope_id == scope.id,
        or_(senders.c.is_default, senders.c.capabilities.contains({STANDBY: True})),
    )
    shared = [channel.value for channel, rules in CHANNELS.items() if rules.any_part]
    account = provider_accounts.c
    newest = (
        select(account.id)
        .join(senders, senders.c.account_id == account.id)
        .where(senders.c.scope_id == scope.id, senders.c.channel.in_(shared))
        .ext(distinct_on(account.provider))
        .order_by(account.provider, account.updated_at.desc(), account.id.desc())
    )
    return [*(await tx.execute(chosen)).scalars(), *(await tx.execute(newest)).scalars()]
