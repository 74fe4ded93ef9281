"""What an operator sees of conversations, and does with them, by command."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from bellhop.domain import serializers
from bellhop.domain.channels import Channel
from bellhop.domain.conversation_object import conversation, entry
from bellhop.domain.conversations import ConversationStatus
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.paging import PageRequest
from bellhop.domain.rows.conversations import WhichConversations
from bellhop.domain.scopes import Scope
from bellhop.engine import conversations, replies
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, NotFound
from bellhop.engine.replies import Reply
from bellhop.ops.administration import Refused
from bellhop.store.access import properties


async def listing(
    engine: Engine, slug: str, environment: str, status: str | None, unread: bool, limit: int
) -> list[dict[str, Any]]:
    """The conversations of a property in one environment, that with the newest message first."""
    scope = await _scope(engine, slug, environment)
    which = WhichConversations(
        status=ConversationStatus(status) if status else None, unread=unread or None, page=PageRequest(limit)
    )
    return [conversation(one) for one in (await conversations.listing(engine, scope, which)).rows]


async def show(engine: Engine, slug: str, environment: str, conversation_id: str, limit: int) -> dict[str, Any]:
    """One of them, with its newest messages."""
    scope, key = await _scope(engine, slug, environment), _key(conversation_id)
    try:
        known = await conversations.get(engine, scope, key)
        written = await conversations.history(engine, scope, key, PageRequest(limit))
    except NotFound:
        raise _unknown(conversation_id) from None
    except EngineError as problem:
        raise Refused(str(problem)) from None
    return {**conversation(known), "messages": [entry(row) for row in written.rows]}


async def reply(
    engine: Engine, slug: str, environment: str, conversation_id: str, content: str, channel: str | None
) -> dict[str, Any]:
    """Answer in it. Returns the message."""
    scope, key = await _scope(engine, slug, environment), _key(conversation_id)
    asked = Reply(content=content, channel=Channel(channel) if channel else None)
    try:
        done = await replies.reply(engine, scope, key, asked)
    except NotFound:
        raise _unknown(conversation_id) from None
    except EngineError as problem:
        raise Refused(str(problem)) from None
    return serializers.accepted(done.made)


async def close(engine: Engine, slug: str, environment: str, conversation_id: str) -> dict[str, Any]:
    """Close it."""
    scope, key = await _scope(engine, slug, environment), _key(conversation_id)
    try:
        return conversation(await conversations.change(engine, scope, key, {"status": ConversationStatus.CLOSED}))
    except NotFound:
        raise _unknown(conversation_id) from None


async def _scope(engine: Engine, slug: str, environment: str) -> Scope:
    there = await engine.database.read(lambda tx: properties.scopes_of(tx, slug))
    if environment not in there:
        raise Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")
    return there[environment]


def _key(conversation_id: str) -> UUID:
    key = parse(Prefix.CONVERSATION, conversation_id)
    if key is None:
        raise _unknown(conversation_id)
    return key


def _unknown(conversation_id: str) -> Refused:
    return Refused(
        f"That property has no conversation '{conversation_id}'. `bellhop conversations list` shows its ids."
    )
