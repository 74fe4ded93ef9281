"""What events are about, as the database has it when they are posted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.intents import IntentRow
from bellhop.domain.rows.messages import PublicMessage
from bellhop.domain.rows.webhooks import EndpointFormat, EndpointRow
from bellhop.domain.scopes import Scope
from bellhop.domain.webhook_ports import SubjectRow
from bellhop.store import tables
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import conversations
from bellhop.store.messages import channel_texts, texts


def _rendered(table: Table, kind: type[PublicMessage | GuestRow | IntentRow | EndpointRow]) -> Select[Any]:
    """The subjects with the ids `:ids`: what their row class names, and no more (a message's body can be large)."""
    columns = table.c
    read = [columns[each.name] for each in dataclasses.fields(kind) if each.name != "property_id"]
    return select(*read, bindparam("property", type_=Uuid).label("property_id")).where(
        columns.scope_id == bindparam("scope"), columns.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
    )


_MESSAGES = CompiledStatement(
    _rendered(tables.messages, PublicMessage).where(tables.messages.c.erased_at.is_(None)), row=PublicMessage
)
_GUESTS = CompiledStatement(_rendered(tables.guests, GuestRow), row=GuestRow)
_INTENTS = CompiledStatement(_rendered(tables.intents, IntentRow), row=IntentRow)
_ENDPOINTS = CompiledStatement(
    _rendered(tables.endpoints, EndpointRow).where(tables.endpoints.c.deleted_at.is_(None)), row=EndpointRow
)


async def rendered(
    tx: AsyncConnection, scope: Scope, form: EndpointFormat, named: Sequence[tuple[str, UUID]]
) -> dict[UUID, SubjectRow]:
    """The rows of subjects of one scope by id, as an endpoint of that form has them; without those that are gone or
    erased. `named`: of each what it is, and its key."""
    found: dict[UUID, SubjectRow] = {}
    scope_id, property_id = scope.id, scope.property_id
    if form is EndpointFormat.BIRD:
        found |= await channel_texts.load(tx, scope, [key for _, key in named])
        return found
    if form is not EndpointFormat.NATIVE:
        found |= await texts.load(tx, scope_id, property_id, [key for _, key in named])
        return found
    if ids := {key for subject, key in named if subject in ("message", "inbound")}:
        for message in await _MESSAGES(tx, scope=scope_id, property=property_id, ids=list(ids)):
            found[message.id] = message
    if ids := {key for subject, key in named if subject == "guest"}:
        for guest in await _GUESTS(tx, scope=scope_id, property=property_id, ids=list(ids)):
            found[guest.id] = guest
    if ids := {key for subject, key in named if subject == "intent"}:
        for intent in await _INTENTS(tx, scope=scope_id, property=property_id, ids=list(ids)):
            found[intent.id] = intent
    if ids := {key for subject, key in named if subject == conversations.SUBJECT}:
        found |= await conversations.of_keys(tx, scope, ids)
    if ids := {key for subject, key in named if subject == "endpoint"}:
        for endpoint in await _ENDPOINTS(tx, scope=scope_id, property=property_id, ids=list(ids)):
            found[endpoint.id] = endpoint
    return found
