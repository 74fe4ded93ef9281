"""Sendblue's requests as the engine's commands."""

from __future__ import annotations

from uuid import UUID

from api.dialects.sendblue.schemas import ListMessages
from api.problems import NotFound
from bellhop.domain.formats.sendblue import RECEIVED, SERVICES, STATUSES, account
from bellhop.domain.scopes import Scope
from bellhop.engine import texts
from bellhop.engine.context import Engine
from bellhop.engine.texts import OrderedBy, Span, WhichTexts

_ORDERS = {"createdAt": OrderedBy.CREATED, "updatedAt": OrderedBy.UPDATED, "sentAt": OrderedBy.SENT}
_SERVICES = {word: service for service, word in SERVICES.items()}


def handle_of(text: str) -> UUID:
    """The row key behind a `message_handle`, in whatever case. Raises NotFound."""
    try:
        found = UUID(text)
    except ValueError:
        raise NotFound from None
    if str(found) != text.lower():
        raise NotFound  # another spelling of a UUID
    return found


def which(engine: Engine, scope: Scope, asked: ListMessages) -> WhichTexts | None:
    """What a list asks for; None: what there is none of here, another account."""
    if asked.account_email not in (None, account(scope.property_id)):
        return None

    def number(written: str | None) -> texts.Number | None:
        return None if written is None else texts.number(engine, written)

    word = asked.status
    return WhichTexts(
        outbound=None if asked.is_outbound is None else asked.is_outbound == "true",
        statuses=None if word is None else [status for status, said in STATUSES.items() if said == word],
        received=word in (None, RECEIVED),
        service=_SERVICES[asked.service] if asked.service else None,
        number=number(asked.number),
        sender=number(asked.from_number),
        receiver=number(asked.to_number),
        line=number(asked.sendblue_number),
        grouped=None if asked.message_type is None else asked.message_type == "group",
        group_id=asked.group_id,
        created=Span(asked.created_at_gte, asked.created_at_lte),
        updated=Span(asked.updated_at_gte, asked.updated_at_lte),
        sent=Span(asked.sent_at_gte, asked.sent_at_lte),
        order=_ORDERS[asked.order_by],
        ascending=asked.order_direction == "asc",
        limit=asked.limit,
        offset=asked.offset,
    )
