"""STOP, START and HELP answered, where nobody else does: an ordinary message, accepted in the transaction that stores
what the guest said. So it is made once, however often that is repeated, and is lost no more than any other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import keyword_answers as texts
from bellhop.domain.channels import CHANNELS, SubjectRule, kind_of
from bellhop.domain.content import written
from bellhop.domain.priorities import Priority
from bellhop.domain.routing import carried
from bellhop.domain.rows.messages import MessageRow
from bellhop.engine.context import Engine
from bellhop.store.conversations import keyword_answers
from bellhop.store.conversations.inbound import Asked
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import NewMessage

log = structlog.get_logger()


async def accept(engine: Engine, tx: AsyncConnection, asked: Sequence[Asked]) -> list[MessageRow]:
    """Accept the answers to what guests have just asked for; none where the property wants none, the address has had
    enough, or it was said too long ago. After the commit: hand them to the dispatcher."""
    made = [await _accept(engine, tx, one) for one in asked]
    return [row for row in made if row is not None]


async def _accept(engine: Engine, tx: AsyncConnection, asked: Asked) -> MessageRow | None:
    item, scope_id = asked.item, asked.scope_id
    who = await keyword_answers.answerer(tx, scope_id, asked.guest_id)
    said_at = min(item.occurred_at or who.now, who.now)
    until = said_at + timedelta(seconds=texts.WITHIN)
    languages = (who.language, who.property_language)
    text = texts.text_of(asked.keyword, who.own, languages, who.property_name)
    hashes = engine.book.hashes(kind_of(item.channel, item.sender), item.sender)
    if text is None or until <= who.now:
        return None
    if not texts.may_answer(asked.keyword, await keyword_answers.given(tx, scope_id, hashes), who.now):
        return None
    subject = None if CHANNELS[item.channel].subject is SubjectRule.NONE else who.property_name
    new = NewMessage(
        channel=item.channel,
        recipient=item.sender,
        content=written(item.channel, text, subject, None),
        guest_id=asked.guest_id,
        priority=Priority.URGENT,
        valid_until=until,
        sender=asked.own,
        answers=texts.answering(asked.keyword),
    )
    providers, valid_for = carried(engine.providers), engine.delivery.valid_for
    try:
        row = await outbound.accept(tx, who.scope(scope_id), new, engine.book, providers, valid_for)
    except (outbound.ChannelUnavailable, outbound.UnknownSender, outbound.UnknownGuest) as problem:
        # Nothing was written yet. What the guest said is kept and obeyed all the same.
        log.info("a keyword is not answered", channel=item.channel.value, reason=type(problem).__name__)
        return None
    await keyword_answers.note(tx, scope_id, hashes[0], asked.keyword, row.id)
    return row
