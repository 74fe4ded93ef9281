"""Of messages to groups: who is in them, found by a member's address, and what the provider calls the group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import LargeBinary, any_, delete, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain import groups
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind
from bellhop.domain.groups import Group
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.store.guests import consents
from bellhop.store.tables import message_groups, messages


async def write(tx: AsyncConnection, scope: Scope, message_id: UUID, group: Group, book: AddressBook) -> None:
    """Keep who is in the group of a message that is being accepted, and their contact points."""
    members = sorted((book.hash(AddressKind.PHONE, number), number) for number in group.members)
    await tx.execute(
        insert(message_groups).values(
            message_id=message_id, scope_id=scope.id, hashes=[hashed for hashed, _ in members], group_id=group.id
        )
    )
    for hashed, number in members:
        await consents.remember_contact(tx, scope.id, AddressKind.PHONE.value, number, hashed, [None])


async def change(tx: AsyncConnection, row: MessageRow, group: Group) -> None:
    """Keep another state of the group of a message, which is locked. Written to the row as well."""
    row.details = {**(row.details or {}), "group": group.stored()}
    await tx.execute(update(messages).where(messages.c.id == row.id).values(details=row.details))


async def named(tx: AsyncConnection, row: MessageRow, group_id: str) -> None:
    """The provider has said what it calls the group of a message, which is locked. Nothing, where it is known, or the
    message goes to no group."""
    group = groups.of_stored(row.details)
    if group is None or group.id == group_id:
        return
    await change(tx, row, replace(group, id=group_id))
    await tx.execute(update(message_groups).where(message_groups.c.message_id == row.id).values(group_id=group_id))


async def called(tx: AsyncConnection, scope: Scope, group_id: str) -> Group | None:
    """The group that the provider calls so, as the last message of this scope to it has it; None: there is none, or
    one of its members was erased."""
    found = await tx.execute(
        select(messages.c.details)
        .join(message_groups, message_groups.c.message_id == messages.c.id)
        .where(
            message_groups.c.scope_id == scope.id, message_groups.c.group_id == group_id, messages.c.erased_at.is_(None)
        )
        .order_by(message_groups.c.message_id.desc())
        .limit(1)
    )
    group = groups.of_stored(found.scalar_one_or_none())
    return None if group is None or group.left else Group(group.members, group.id)


async def with_member(tx: AsyncConnection, scope: Scope, hashes: Sequence[bytes]) -> list[UUID]:
    """The messages of this scope to groups that one of these addresses is in."""
    found = await tx.execute(
        select(message_groups.c.message_id).where(
            message_groups.c.hashes.op("&&")(literal(list(hashes), ARRAY(LargeBinary))),
            message_groups.c.scope_id == scope.id,
        )
    )
    return list(found.scalars())


async def leave(tx: AsyncConnection, message_id: UUID, hashes: Sequence[bytes]) -> None:
    """These addresses are in the group of a message no longer, which is locked."""
    found = await tx.execute(select(message_groups.c.hashes).where(message_groups.c.message_id == message_id))
    left = [hashed for hashed in found.scalar_one() if hashed not in set(hashes)]
    await tx.execute(update(message_groups).where(message_groups.c.message_id == message_id).values(hashes=left))


async def forget(tx: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Nothing of the groups of these messages, which are locked, is kept."""
    await tx.execute(delete(message_groups).where(message_groups.c.message_id == any_(literal(list(ids), ARRAY(Uuid)))))
