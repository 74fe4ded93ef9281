"""Guests' devices: registered, listed, removed, and taken away where a provider says that they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind
from bellhop.domain.devices import MOST_OF_A_GUEST, DeviceVerdict, NewDevice, Target
from bellhop.domain.ids import Prefix, render
from bellhop.domain.rows.guests import DeviceRow
from bellhop.domain.scopes import Scope
from bellhop.store.guests import consents, profiles
from bellhop.store.rows import first_of, from_result, from_row
from bellhop.store.tables import devices


async def register(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, new: NewDevice, book: AddressBook
) -> tuple[DeviceRow, bool] | None:
    """Write down a device, and whether its token is new here; None: no such guest. A token that another guest of the
    scope had is this guest's from now on. Of too many devices those go that registered longest ago."""
    if await profiles.get_locked(tx, scope, guest_id) is None:
        return None
    token_hash = book.hash(AddressKind.DEVICE, new.token)
    given = {
        **asdict(new),
        "platform": new.platform.value,
        "kind": new.kind.value,
        "environment": new.environment.value if new.environment else None,
        "guest_id": guest_id,
        "suppressed_at": None,
        "registered_at": func.clock_timestamp(),
    }
    known = await tx.execute(
        select(devices.c.id).where(devices.c.scope_id == scope.id, devices.c.token_hash == token_hash)
    )
    new_here = known.first() is None
    written = await tx.execute(
        upsert(devices)
        .values(scope_id=scope.id, token_hash=token_hash, **given)
        .on_conflict_do_update(index_elements=[devices.c.scope_id, devices.c.token_hash], set_=given)
        .returning(devices)
    )
    row = from_row(DeviceRow, written.one())
    # So that what is sent to the bare token is erased with the guest.
    await consents.remember_contact(tx, scope.id, AddressKind.DEVICE.value, new.token, token_hash, [guest_id])
    kept = (
        select(devices.c.id)
        .where(devices.c.guest_id == guest_id)
        .order_by(devices.c.registered_at.desc(), devices.c.id.desc())
        .limit(MOST_OF_A_GUEST)
    )
    await tx.execute(delete(devices).where(devices.c.guest_id == guest_id, devices.c.id.not_in(kept)))
    return row, new_here


async def of_guest(tx: AsyncConnection, scope: Scope, guest_id: UUID) -> list[DeviceRow]:
    """A guest's devices, the one that registered last first."""
    found = await tx.execute(
        select(devices)
        .where(devices.c.scope_id == scope.id, devices.c.guest_id == guest_id)
        .order_by(devices.c.registered_at.desc(), devices.c.id.desc())
    )
    return from_result(DeviceRow, found)


async def of_token(tx: AsyncConnection, scope_id: UUID, hashes: Sequence[bytes]) -> DeviceRow | None:
    """The device with a token of one of these hashes."""
    return first_of(
        DeviceRow,
        await tx.execute(
            select(devices).where(devices.c.scope_id == scope_id, devices.c.token_hash.in_(hashes)).limit(1)
        ),
    )


async def targets(
    tx: AsyncConnection, scope_id: UUID, recipient: str, guest_id: UUID | None, book: AddressBook
) -> list[Target]:
    """Where a push notification goes, one part each: to all devices of the guest, if `guest_id` is the recipient, or to
    the token that `recipient` is."""
    if guest_id is None:
        row = await of_token(tx, scope_id, book.hashes(AddressKind.DEVICE, recipient))
        if row is None:
            return [Target(token=recipient)]
        # Whoever names a token means it, whatever becomes of the device.
        return [Target(token=row.token, kind=row.kind, environment=row.environment, bundle_id=row.bundle_id)]
    found = await tx.execute(
        select(devices)
        .where(devices.c.scope_id == scope_id, devices.c.guest_id == guest_id, devices.c.suppressed_at.is_(None))
        .order_by(devices.c.registered_at.desc(), devices.c.id.desc())
        .limit(MOST_OF_A_GUEST)
    )
    return [
        Target(
            token=row.token,
            kind=row.kind,
            environment=row.environment,
            bundle_id=row.bundle_id,
            device=render(Prefix.DEVICE, row.id),
        )
        for row in from_result(DeviceRow, found)
    ]


async def still_there(tx: AsyncConnection, scope_id: UUID, guest_id: UUID, device_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these are a guest's still, and take something."""
    found = await tx.execute(
        select(devices.c.id).where(
            devices.c.scope_id == scope_id,
            devices.c.guest_id == guest_id,
            devices.c.id.in_(device_ids),
            devices.c.suppressed_at.is_(None),
        )
    )
    return set(found.scalars())


async def remove(tx: AsyncConnection, scope: Scope, guest_id: UUID, device_id: UUID) -> bool:
    """Take a device from a guest; False when it has no such."""
    done = await tx.execute(
        delete(devices).where(devices.c.scope_id == scope.id, devices.c.guest_id == guest_id, devices.c.id == device_id)
    )
    return done.rowcount == 1


async def refused(
    tx: AsyncConnection,
    scope_id: UUID,
    token_hash: bytes,
    verdict: DeviceVerdict,
    since: datetime,
) -> UUID | None:
    """A provider said of a token that it is dead, or does not fit: the device that this is true of. One that registered
    after `since` is another matter."""
    meant = (
        devices.c.scope_id == scope_id,
        devices.c.token_hash == token_hash,
        devices.c.registered_at <= since,
    )
    match verdict:
        case DeviceVerdict.GONE:
            done = await tx.execute(delete(devices).where(*meant).returning(devices.c.id))
        case DeviceVerdict.MISFIT:
            done = await tx.execute(
                update(devices).where(*meant).values(suppressed_at=func.now()).returning(devices.c.id)
            )
    found: UUID | None = done.scalar_one_or_none()
    return found
