"""Parts of a push notification, one for each device of a guest: what is known of the devices when they are sent to, and
what providers say of them. The caller holds the lock of the message's row."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind
from bellhop.domain.delivery_ports import SendResult
from bellhop.domain.devices import Target, target
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.rows.delivery import AttemptRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.guests import devices
from bellhop.store.messages import progress
from bellhop.store.tables import messages
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent


def goes_to(row: MessageRow, part: int) -> Target | None:
    """The device that a part goes to; None where the message's recipient is all there is."""
    stored = progress.message_targets(row)
    return target(stored[part]) if part < len(stored) else None


async def leave_out_absent(tx: AsyncConnection, row: MessageRow, ready: Sequence[int]) -> bool:
    """Of the parts that could be sent now, give those up whose device is the guest's no longer: they signed out, or
    another guest did sign in. Whether there were any."""
    targets = progress.message_targets(row)
    ids = {
        part: found
        for part in ready
        if part < len(targets) and (found := parse(Prefix.DEVICE, targets[part].get("device") or "")) is not None
    }
    if not ids or row.guest_id is None:
        return False
    there = await devices.still_there(tx, row.scope_id, row.guest_id, list(ids.values()))
    absent = {part: device for part, device in ids.items() if device not in there}
    if not absent:
        return False
    if row.plan is not None:
        gone = sorted({*row.gone_at(row.step), *absent})
        row.plan = [{**kept, "gone": gone} if step == row.step else kept for step, kept in enumerate(row.plan)]
        await tx.execute(update(messages).where(messages.c.id == row.id).values(plan=row.plan))
    else:
        row.body = {
            **(row.body or {}),
            "devices": [{**one, "gone": True} if part in absent else one for part, one in enumerate(targets)],
        }
        await tx.execute(update(messages).where(messages.c.id == row.id).values(body=row.body))
    for part, device in absent.items():
        await _note(tx, row, "absent", device, part)
    return True


async def refused(
    tx: AsyncConnection, book: AddressBook, row: MessageRow, attempt: AttemptRow, token: str, result: SendResult
) -> None:
    """The provider says that a device is gone, or that its token fits nothing it knows: the guest has it no longer,
    unless it registered again since. The message's timeline names it."""
    assert result.device is not None
    hashed, since = book.hash(AddressKind.DEVICE, token), result.device_since or attempt.created_at
    device = await devices.refused(tx, row.scope_id, hashed, result.device, since)
    if device is not None:
        await _note(tx, row, result.device.value, device, attempt.part)


async def _note(tx: AsyncConnection, row: MessageRow, what: str, device: UUID, part: int) -> None:
    facts: dict[str, object] = {"device": render(Prefix.DEVICE, device), "part": part + 1}
    await events.write(tx, row.scope_id, "message", row.id, [NewEvent(f"device.{what}", facts=facts)])
