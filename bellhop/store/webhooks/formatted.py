"""Endpoints that are sent another vendor's objects: an address, and the type of it that the vendor's clients name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, insert, literal, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import Channel
from bellhop.domain.rows.webhooks import EndpointFormat, EndpointRow
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.rows import from_result, from_row
from bellhop.store.tables import endpoints
from bellhop.store.webhooks.endpoints import alone

_COLUMNS = [endpoints.c[each.name] for each in fields(EndpointRow) if each.name != "property_id"]
_CALLBACK = CompiledStatement(
    text(
        """
        select id from endpoints
        where scope_id = :scope and format = :format and url = :url and is_active and deleted_at is null
        """
    ).bindparams(bindparam("scope", type_=Uuid), bindparam("format", type_=Text), bindparam("url", type_=Text)),
    value=UUID,
)


async def listing(tx: AsyncConnection, scope: Scope, form: EndpointFormat) -> list[EndpointRow]:
    """Those of a format in this scope, the first made first."""
    mine = endpoints.c.scope_id == scope.id, endpoints.c.deleted_at.is_(None), endpoints.c.format == form.value
    columns = [*_COLUMNS, literal(scope.property_id, Uuid).label("property_id")]
    return from_result(EndpointRow, await tx.execute(select(*columns).where(*mine).order_by(endpoints.c.id)))


async def make(
    tx: AsyncConnection,
    scope: Scope,
    form: EndpointFormat,
    url: str,
    types: Sequence[str],
    channels: Sequence[Channel],
    secret: str,
    asked: Mapping[str, Any] | None = None,
) -> EndpointRow:
    """A new one, of messages on these channels alone. `secret`: its owner's, "" for none. `asked`: what it was asked
    for in that vendor's words, where these are shown again."""
    made = await tx.execute(
        insert(endpoints)
        .values(
            scope_id=scope.id,
            url=url,
            secret=secret,
            events=list(types),
            format=form.value,
            channels=[channel.value for channel in channels],
            asked=asked,
        )
        .returning(*_COLUMNS, literal(scope.property_id, Uuid).label("property_id"))
    )
    return from_row(EndpointRow, made.one())


async def change_secret(tx: AsyncConnection, endpoint_id: UUID, secret: str) -> None:
    """Another secret, from now on; and it is switched on again."""
    again = {"is_active": True, "disabled_at": None, "disabled_reason": None, "failing_since": None}
    await tx.execute(
        update(endpoints).where(endpoints.c.id == endpoint_id).values(secret=secret, updated_at=func.now(), **again)
    )


async def find_callback(tx: AsyncConnection, scope: Scope, form: EndpointFormat, host: str) -> UUID | None:
    """The one that messages name an address of on that host (`https://example.com`), if it is switched on."""
    found = await _CALLBACK(tx, scope=scope.id, format=form.value, url=host)
    return found[0] if found else None


async def ensure_callback(
    tx: AsyncConnection,
    scope: Scope,
    form: EndpointFormat,
    host: str,
    types: Sequence[str],
    channels: Sequence[Channel],
    most: int,
) -> UUID | None:
    """The same, made or switched on again where there is none; None: there are `most` hosts already."""
    await alone(tx, scope)
    known = await listing(tx, scope, form)
    there = next((row for row in known if row.url == host), None)
    if there is not None:
        await change_secret(tx, there.id, "")
        return there.id
    if len(known) >= most:
        return None
    return (await make(tx, scope, form, host, types, channels, "")).id
