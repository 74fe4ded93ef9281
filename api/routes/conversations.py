"""Conversations with guests: listed, looked at, read, answered, assigned, closed, noted."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from starlette.requests import Request
from starlette.responses import Response

from api import idempotency
from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentCaller,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    key_of,
    page,
    reply,
    require_scope,
)
from api.routes.messaging import accepted, template_of
from api.schemas.conversations import (
    AddNote,
    ChangeConversation,
    Conversation,
    EntryPage,
    ListConversations,
    ListEntries,
    Note,
    ReadConversation,
    ReplyRequest,
)
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.messages import AcceptedMessage
from bellhop.domain.channels import Channel
from bellhop.domain.conversation_object import conversation, entry, note
from bellhop.domain.conversations import ConversationStatus
from bellhop.domain.ids import Prefix
from bellhop.domain.rows.conversations import ConversationFields, WhichConversations
from bellhop.engine import conversations, replies
from bellhop.engine.replies import Reply

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


@router.patch(
    "/{conversation_id}",
    operation_id="updateConversation",
    summary="Assign, tag, snooze, close or reopen a conversation",
    response_model=Conversation,
    responses=errors(400, 404, 413),
)
@require_scope("messaging:write")
async def change(
    engine: CurrentEngine, scope: CurrentScope, conversation_id: str, body: ChangeConversation
) -> Response:
    """Change the fields that are present. `conversation.updated` is posted where that changed something."""
    fields = cast(ConversationFields, body.model_dump(exclude_unset=True))
    if "status" in fields:
        fields["status"] = ConversationStatus(fields["status"])
    key = key_of(Prefix.CONVERSATION, conversation_id)
    return reply(conversation(await conversations.change(engine, scope, key, fields)))


@router.post(
    "/{conversation_id}/read",
    operation_id="readConversation",
    summary="Say that the property has read it",
    response_model=Conversation,
    responses=errors(400, 404, 413),
)
@require_scope("messaging:write")
async def read(engine: CurrentEngine, scope: CurrentScope, conversation_id: str, body: ReadConversation) -> Response:
    """Move the property's read mark to a message of the guest, or to the last; it never goes back."""
    up_to = key_of(Prefix.INBOUND, body.message_id) if body.message_id else None
    key = key_of(Prefix.CONVERSATION, conversation_id)
    return reply(conversation(await conversations.read(engine, scope, key, up_to)))


@router.post(
    "/{conversation_id}/reply",
    operation_id="replyToConversation",
    summary="Reply in a conversation",
    status_code=201,
    response_model=AcceptedMessage,
    responses=errors(400, 404, 409, 413),
)
@require_scope("messaging:write")
async def answer(
    request: Request,
    services: CurrentServices,
    scope: CurrentScope,
    conversation_id: str,
    body: ReplyRequest,
    idempotency_key: Annotated[
        str | None,
        Header(description="Repeat the request with the same key, and nothing is sent twice. Kept 48 hours."),
    ] = None,
    prefer: Annotated[str | None, Header(description="`respond-async`: answer `queued` at once.")] = None,
) -> Response:
    """Write to the guest on the channel that they used last, or on `channel`, by its rules: consents, windows.
    Of several guests of a stay it goes to the one who wrote last. A message like any other, which belongs to the
    conversation; 201 means that it is accepted and will not be lost."""
    asked = Reply(
        content=body.content,
        channel=Channel(body.channel) if body.channel else None,
        subject=body.subject,
        template=template_of(body.template),
        media=tuple(one.asked(place) for place, one in enumerate(body.media or ())),
        metadata=body.metadata or {},
        short_links=body.short_links.asked() if body.short_links else None,
        link_tracking=body.link_tracking,
    )
    key = key_of(Prefix.CONVERSATION, conversation_id)
    once = idempotency.read_key(idempotency_key, body, f"reply {key} ")
    return await accepted(
        request, services, scope, await replies.reply(services.engine, scope, key, asked, once), prefer
    )


@router.post(
    "/{conversation_id}/notes",
    operation_id="addNote",
    summary="Note something beside a conversation",
    status_code=201,
    response_model=Note,
    responses=errors(400, 404, 413),
)
@require_scope("messaging:write")
async def add_note(
    engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, conversation_id: str, body: AddNote
) -> Response:
    """Guests never see it. It is erased with the guest."""
    key = key_of(Prefix.CONVERSATION, conversation_id)
    return reply(note(await conversations.add_note(engine, scope, key, body.content, body.author, caller.key_id)), 201)


@router.get(
    "/{conversation_id}/notes",
    operation_id="listNotes",
    summary="List the notes beside a conversation",
    response_model=Page[Note],
    responses=errors(404),
)
@require_scope("messaging:read")
async def notes(
    engine: CurrentEngine, scope: CurrentScope, conversation_id: str, which: Annotated[Paging, FromQuery()]
) -> Response:
    """What the property noted, newest first."""
    key = key_of(Prefix.CONVERSATION, conversation_id)
    asked = page_request(which, Prefix.NOTE)
    listed = await conversations.list_notes(engine, scope, key, asked)
    return page([note(row) for row in listed.rows], listed, asked, Prefix.NOTE)
