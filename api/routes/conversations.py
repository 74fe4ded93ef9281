"""Conversations with guests: listed, looked at, read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, page, reply, require_scope
from api.schemas.conversations import Conversation, EntryPage, ListConversations, ListEntries
from api.schemas.errors import errors
from api.schemas.fields import Page
from bellhop.domain.channels import Channel
from bellhop.domain.conversation_object import conversation, entry
from bellhop.domain.conversations import ConversationStatus
from bellhop.domain.ids import Prefix
from bellhop.domain.rows.conversations import WhichConversations
from bellhop.engine import conversations

router = APIRouter(prefix="/v1/conversations", tags=["Conversations"], route_class=AuthenticatedRoute)


@router.get(
    "",
    operation_id="listConversations",
    summary="List conversations",
    response_model=Page[Conversation],
    responses=errors(),
)
@require_scope("messaging:read")
async def listing(
    engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListConversations, FromQuery()]
) -> Response:
    """Conversations with guests of this property, that with the newest message first."""
    asked = page_request(which, Prefix.CONVERSATION)
    wanted = WhichConversations(
        status=ConversationStatus(which.status) if which.status else None,
        unread=which.unread,
        assigned_to=which.assigned_to,
        assigned=which.assigned,
        guest_id=None if which.guest_id is None else key_of(Prefix.GUEST, which.guest_id),
        stay_id=None if which.stay_id is None else key_of(Prefix.STAY, which.stay_id),
        channel=Channel(which.channel) if which.channel else None,
        page=asked,
    )
    listed = await conversations.listing(engine, scope, wanted)
    return page([conversation(one) for one in listed.rows], listed, asked, Prefix.CONVERSATION)


@router.get(
    "/{conversation_id}",
    operation_id="getConversation",
    summary="Get a conversation",
    response_model=Conversation,
    responses=errors(404),
)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, conversation_id: str) -> Response:
    """One conversation: who takes part, how it stands, what is unread."""
    key = key_of(Prefix.CONVERSATION, conversation_id)
    return reply(conversation(await conversations.get(engine, scope, key)))


@router.get(
    "/{conversation_id}/messages",
    operation_id="listConversationMessages",
    summary="List a conversation's messages",
    response_model=EntryPage,
    responses=errors(404),
)
@require_scope("messaging:read")
async def history(
    engine: CurrentEngine, scope: CurrentScope, conversation_id: str, which: Annotated[ListEntries, FromQuery()]
) -> Response:
    """What was written in it, both ways, with files and statuses. `order=oldest` reads it from its beginning."""
    key = key_of(Prefix.CONVERSATION, conversation_id)
    asked = page_request(which, Prefix.MESSAGE)
    listed = await conversations.history(engine, scope, key, asked, oldest_first=which.order == "oldest")
    return page([entry(row) for row in listed.rows], listed, asked, Prefix.MESSAGE)
