"""Messages of a property's channels at Bird, both ways, with the sender that is the channel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Select, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.texts import ChannelText
from bellhop.domain.scopes import Scope
from bellhop.store.messages.texts import LINE
from bellhop.store.rows import from_result
from bellhop.store.tables import attempts, messages, senders

SENDER_ID = (
    select(senders.c.id)
    .where(senders.c.scope_id == messages.c.scope_id, senders.c.channel == messages.c.channel)
    .order_by(
        func.coalesce(senders.c.address == LINE, False).desc(),
        senders.c.is_default.desc(),
        senders.c.id,
    )
    .limit(1)
    .scalar_subquery()
)
"""See `ChannelText.sender_id`."""
_PROVIDER_IDS = func.array(
    select(attempts.c.provider_id)
    .where(attempts.c.message_id == messages.c.id, attempts.c.provider_id.is_not(None))
    .order_by(attempts.c.id)
    .scalar_subquery(),
    type_=ARRAY(Text),
)
_COLUMNS = [messages.c[each.name] for each in fields(PublicMessage) if each.name != "property_id"]


def columns(scope: Scope) -> Select[Any]:
    """A statement whose rows are `ChannelText`: of all messages of this scope that are not erased."""
    more = [messages.c[name] for name in ("direction", "address_hash", "updated_at", "tries", "provider")]
    return select(
        *_COLUMNS,
        *more,
        LINE.label("line"),
        SENDER_ID.label("sender_id"),
        _PROVIDER_IDS.label("provider_ids"),
        func.now().label("now"),
        literal(scope.property_id, Uuid).label("property_id"),
    ).where(messages.c.scope_id == scope.id, messages.c.erased_at.is_(None))


async def load(tx: AsyncConnection, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, ChannelText]:
    """Messages of this scope by id, on whatever channel; without those that are erased."""
    wanted = messages.c.id == any_(literal(list(ids), ARRAY(Uuid)))
    return {row.id: row for row in from_result(ChannelText, await tx.execute(columns(scope).where(wanted)))}
