"""What events are about, as the database has it when they are posted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, and_, any_, bindparam, func, select
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

_OF_MESSAGES = ("message", "inbound")


def _rendered(table: Table, kind: type[GuestRow | IntentRow | EndpointRow]) -> Select[Any]:
    """The subjects with the ids `:ids`: what their row class names, and no more (a message's body can be large)."""
    columns = table.c
    read = [columns[each.name] for each in dataclasses.fields(kind) if each.name != "property_id"]
    return select(*read, bindparam("property", type_=Uuid).label("property_id")).where(
        columns.scope_id == bindparam("scope"), columns.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
    )


_wanted = (
    func.unnest(bindparam("scopes", type_=ARRAY(Uuid)), bindparam("ids", type_=ARRAY(Uuid)))
    .table_valued("scope_id", "id")
    .render_derived(name="wanted")
)
_MESSAGES = CompiledStatement(
    select(
        *(tables.messages.c[each.name] for each in dataclasses.fields(PublicMessage) if each.name != "property_id"),
        tables.scopes.c.property_id,
    )
    .select_from(_wanted)
    .join(
        tables.messages,
        and_(tables.messages.c.id == _wanted.c.id, tables.messages.c.scope_id == _wanted.c.scope_id),
    )
    .join(tables.scopes, tables.scopes.c.id == tables.messages.c.scope_id)
    .where(tables.messages.c.erased_at.is_(None)),
    row=PublicMessage,
)
_GUESTS = CompiledStatement(_rendered(tables.guests, GuestRow), row=GuestRow)
_INTENTS = CompiledStatement(_rendered(tables.intents, IntentRow), row=IntentRow)
_ENDPOINTS = CompiledStatement(
    _rendered(tables.endpoints, EndpointRow).where(tables.endpoints.c.deleted_at.is_(None)), row=EndpointRow
)


Wanted = tuple[Scope, EndpointFormat, Sequence[tuple[str, UUID]]]


async def rendered(
    tx: AsyncConnection, wanted: Sequence[Wanted]
) -> dict[tuple[UUID, EndpointFormat, UUID], SubjectRow]:
    """The rows of subjects by scope, format and id, as endpoints of that format have them; without those that are gone
    or erased. `wanted`: of each scope and format what its subjects are, and their keys. Messages, of which there are
    most, in one statement."""
    found: dict[tuple[UUID, EndpointFormat, UUID], SubjectRow] = {}
    messages: list[tuple[UUID, UUID]] = []
    for scope, form, named in wanted:
        others = named
        if form is EndpointFormat.NATIVE:
            messages += [(scope.id, key) for subject, key in named if subject in _OF_MESSAGES]
            others = [(subject, key) for subject, key in named if subject not in _OF_MESSAGES]
        if others:
            rows = await _of_scope(tx, scope, form, others)
            found |= {(scope.id, form, key): row for key, row in rows.items()}
    if messages:
        whose = {key: scope_id for scope_id, key in messages}
        for message in await _MESSAGES(tx, scopes=list(whose.values()), ids=list(whose)):
            found[whose[message.id], EndpointFormat.NATIVE, message.id] = message
    return found


async def _of_scope(
    tx: AsyncConnection, scope: Scope, form: EndpointFormat, named: Sequence[tuple[str, UUID]]
) -> dict[UUID, SubjectRow]:
    """The same of one scope by id, messages of the native format left out."""
    found: dict[UUID, SubjectRow] = {}
    scope_id, property_id = scope.id, scope.property_id
    if form is EndpointFormat.BIRD:
        found |= await channel_texts.load(tx, scope, [key for _, key in named])
        return found
    if form is not EndpointFormat.NATIVE:
        found |= await texts.load(tx, scope_id, property_id, [key for _, key in named])
        return found
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
