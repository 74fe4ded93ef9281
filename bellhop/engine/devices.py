"""Guests' devices: where their apps take push notifications."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.devices import BadDevice, NewDevice, checked
from bellhop.domain.rows.guests import DeviceRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound
from bellhop.store.guests import devices, profiles


async def register(engine: Engine, scope: Scope, guest_id: UUID, new: NewDevice) -> tuple[DeviceRow, bool]:
    """Write down a guest's device, and whether its token is new here. Raises NotFound, InvalidField."""
    try:
        device = checked(new)
    except BadDevice as problem:
        raise InvalidField(problem.field, str(problem), "device") from None
    done = await engine.database.write(lambda tx: devices.register(tx, scope, guest_id, device, engine.book))
    if done is None:
        raise NotFound
    return done


async def listing(engine: Engine, scope: Scope, guest_id: UUID) -> list[DeviceRow]:
    """A guest's devices, the one that registered last first. Raises NotFound."""

    async def work(tx: AsyncConnection) -> list[DeviceRow]:
        if await profiles.get(tx, scope, guest_id) is None:
            raise NotFound
        return await devices.of_guest(tx, scope, guest_id)

    return await engine.database.read(work)


async def remove(engine: Engine, scope: Scope, guest_id: UUID, device_id: UUID) -> None:
    """Take a device from a guest: nothing goes to it any more. Raises NotFound."""
    if not await engine.database.write(lambda tx: devices.remove(tx, scope, guest_id, device_id)):
        raise NotFound
