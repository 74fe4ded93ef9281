"""Reads account two, what PostgreSQL says, straight from its tables and by none of the engine's own queries."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from bellhop.domain.ids import Prefix, render
from chaos.accounts import Attempt, Event, Row

TOKEN = re.compile(r"^[qt]\d{5}(?=\.)")

_MESSAGES = """
select id, content, channel, stage, failure_code, conversation_id, created_at, updated_at,
  erased_at is not null as erased,
  coalesce(content, recipient, subject) is not null as readable, wake_due_at is not null as wake_pending,
  (select extract(epoch from min(said.created_at)) from consents said
    where said.address_hash = messages.address_hash and said.action = 'opt_out' and said.source = 'guest') as stopped
from messages where direction = 'outbound'
"""
_ATTEMPTS = (
    "select message_id, state, part, created_at, settled_at, body is not null as readable from attempts order by id"
)
_EVENTS = """
select id, subject_id, type, stage, created_at from events
where subject = 'message' and type in
  ('message.sent', 'message.delivered', 'message.read', 'message.failed', 'message.cancelled', 'message.fallback')
order by id
"""
_DELIVERIES = """
select delivery.subject_id, endpoint.url, endpoint.is_active, delivery.state, delivery.delivered_at
from deliveries delivery join endpoints endpoint on endpoint.id = delivery.endpoint_id
where delivery.subject_id in (select id from messages where direction = 'outbound')
"""
_TEXTS = (
    "select content, conversation_id from messages where direction = 'inbound' and content not in ('STOP', 'Hello')"
)
"""But for those that only open a window or say STOP."""
_HISTORIES = "select workflow_id from history_erasures"
_UNSETTLED = """
select
  (select count(*) from messages where direction = 'outbound' and stage = 'queued') as waiting,
  (select count(*) from messages where direction = 'outbound' and stage = 'sent') as sent,
  (select count(*) from messages where wake_due_at is not null) as notifications,
  (select count(*) from messages where stage in ('sent', 'delivered') and remind_at is not null) as reminders,
  (select count(*) from attempts where state = 'in_flight') as in_flight,
  (select count(*) from deliveries delivery join endpoints endpoint on endpoint.id = delivery.endpoint_id
    where delivery.state = 'pending' and endpoint.is_active and endpoint.url like any(%s)) as deliveries
"""

_EVERYTHING = (_MESSAGES, _ATTEMPTS, _EVENTS, _DELIVERIES, _HISTORIES)


async def connect(dsn: str) -> psycopg.AsyncConnection[dict[str, Any]]:
    """A connection for reading: each statement sees what is committed."""
    return await psycopg.AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row, connect_timeout=10)


async def unsettled(dsn: str, reliable: tuple[str, ...]) -> dict[str, int]:
    """How much is still under way, by what it is: cheap, to be asked often."""
    async with await connect(dsn) as tx:
        row = await (await tx.execute(_UNSETTLED, [[f"%/{name}" for name in reliable]])).fetchone()
    assert row is not None
    return dict(row)


async def texts(dsn: str) -> list[tuple[str | None, str | None]]:
    """Of each text of a guest's its token, None where it is another text, and the conversation it stands in."""
    async with await connect(dsn) as tx:
        found = await (await tx.execute(_TEXTS)).fetchall()
    tokens = [TOKEN.match(row["content"] or "") for row in found]
    return [
        (token.group() if token else None, str(row["conversation_id"]) if row["conversation_id"] else None)
        for token, row in zip(tokens, found, strict=True)
    ]


async def read(dsn: str, reliable: tuple[str, ...]) -> list[Row]:
    """Every message with what belongs to it."""
    async with await connect(dsn) as tx:
        found = [await (await tx.execute(query)).fetchall() for query in _EVERYTHING]
    messages, attempts, events, deliveries, histories = found
    undeleted = {history["workflow_id"] for history in histories}
    rows = {message["id"]: _row(message) for message in messages}
    readable: dict[UUID, bool] = defaultdict(bool)
    for attempt in attempts:
        row = rows[attempt["message_id"]]
        created, settled = attempt["created_at"].timestamp(), attempt["settled_at"]
        row.attempts.append(
            Attempt(attempt["state"], created, settled.timestamp() if settled else None, attempt["part"])
        )
        row.changed = max(row.changed, created, settled.timestamp() if settled else 0.0)
        readable[attempt["message_id"]] |= attempt["readable"]
    for event in events:
        at = event["created_at"].timestamp()
        row = rows[event["subject_id"]]
        step = (event["stage"] or "").partition(".")[2]
        row.events.append(Event(render(Prefix.EVENT, event["id"]), event["type"], at, step))
        row.changed = max(row.changed, at)
    for delivery in deliveries:
        name = urlsplit(delivery["url"]).path.strip("/")
        row = rows[delivery["subject_id"]]
        if delivery["state"] == "pending" and delivery["is_active"]:
            row.pending.append(name)
        if delivery["delivered_at"] and name in reliable:
            row.changed = max(row.changed, delivery["delivered_at"].timestamp())
    for key, row in rows.items():
        row.remains = row.erased and (row.remains or readable[key])
        row.history = row.id in undeleted
    return list(rows.values())


def _row(message: Mapping[str, Any]) -> Row:
    token = TOKEN.match(message["content"] or "")
    return Row(
        id=render(Prefix.MESSAGE, message["id"]),
        token=token.group() if token else None,
        channel=message["channel"],
        stage=message["stage"],
        failure=message["failure_code"],
        created=message["created_at"].timestamp(),
        changed=message["updated_at"].timestamp(),
        erased=message["erased"],
        remains=message["readable"],
        wake_pending=message["wake_pending"],
        conversation=str(message["conversation_id"]) if message["conversation_id"] else None,
        stopped=None if message["stopped"] is None else float(message["stopped"]),
    )
