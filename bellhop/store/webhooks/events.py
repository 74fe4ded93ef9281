"""Events and what is owed to whom for them, written in the transaction of the change they are about (I4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from bellhop.domain.events import EventType
from bellhop.store.compiled import CompiledStatement


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to write. `stage` set: at most once per subject. `facts`: ids, enums and times only."""

    type: str
    stage: str | None = None
    facts: dict[str, object] = field(default_factory=dict)


PUBLIC = bindparam("public", value=[word.value for word in EventType], type_=ARRAY(Text))
"""The parameter of `WRITTEN`: types outside EventType appear in timelines only."""
# What writes events and a delivery for each subscribed endpoint, wherever the CTE `news` has events to write: their
# columns, and `place`, their order. What it owes to whom is in `owed`.
WRITTEN = """
    written as (
      insert into events (scope_id, subject, subject_id, type, stage, facts)
      select news.scope_id, news.subject, news.subject_id, news.type, news.stage, news.facts
      from news order by news.place
      on conflict (subject_id, stage) where stage is not null do nothing
      returning id, scope_id, subject_id, type
    ), owed as (
      insert into deliveries (scope_id, endpoint_id, event_id, subject_id)
      select written.scope_id, endpoint.id, written.id, written.subject_id
      from written join endpoints endpoint on endpoint.scope_id = written.scope_id and endpoint.is_active
        and endpoint.deleted_at is null and (endpoint.events && array['*', written.type])
        and (endpoint.format = 'native' or exists (
          select from messages where messages.id = written.subject_id
            and (endpoint.channels is null or messages.channel = any(endpoint.channels))
            and (endpoint.format <> 'sendblue_callback' or messages.callback_id = endpoint.id)))
      where written.type = any(:public)
      order by written.id
      returning endpoint_id
    )
"""
_WRITE = CompiledStatement(
    text(
        f"""
        with news as (
          select :scope as scope_id, :subject as subject, :subject_id as subject_id, given.*
          from unnest(:types, :stages, :facts) with ordinality as given (type, stage, facts, place)
        ), {WRITTEN}
        select endpoint_id from owed
        """
    ).bindparams(
        bindparam("types", type_=ARRAY(Text)),
        bindparam("stages", type_=ARRAY(Text)),
        bindparam("facts", type_=ARRAY(JSONB)),
        bindparam("scope", type_=Uuid),
        bindparam("subject", type_=Text),
        bindparam("subject_id", type_=Uuid),
        PUBLIC,
    ),
    value=UUID,
)


async def write(
    tx: AsyncConnection, scope_id: UUID, subject: str, subject_id: UUID, events: Sequence[NewEvent]
) -> set[UUID]:
    """Write `events` in order and a delivery per subscribed endpoint. Returns the endpoints that are owed something:
    after the commit, hand them to the dispatcher, which wakes those that nobody drains.

    `subject` is `message`, `inbound`, `conversation`, `guest`, `intent` or `endpoint`. Types outside
    EventType appear in timelines only.
    """
    if not events:
        return set()
    endpoints = await _WRITE(
        tx,
        scope=scope_id,
        subject=subject,
        subject_id=subject_id,
        types=[str(event.type) for event in events],
        stages=[event.stage for event in events],
        facts=[event.facts for event in events],
    )
    return set(endpoints)
