"""What happens in a property's conversations, as it happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import Response

from api.dependencies import AuthenticatedRoute, CurrentCaller, CurrentScope, CurrentServices, require_scope
from api.event_streams import EventStream
from api.problems import Busy, Unauthenticated
from api.schemas.errors import errors
from bellhop.domain.conversation_stream import KIND, place_of
from bellhop.domain.live import Subject
from bellhop.engine import conversation_stream
from bellhop.engine.live import TooManyStreams

router = APIRouter(prefix="/v1/conversations", tags=["Conversations"], route_class=AuthenticatedRoute)

LASTS = 24 * 3600.0
"""Seconds after which a stream ends and its client comes again, if its key has no earlier end."""
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events. `start` comes first: `resumed` is whether the stream goes on after "
        "`Last-Event-ID`. Then `message` (`message.received`, `message.sent` and what follows), `conversation` "
        "(`conversation.updated`) and `guest` (`guest.deleted`), each with `{id, type, property_id, created_at, data}` "
        "like a webhook. `end` comes with the reason (`session_over`, `restart`) before the server closes the stream.",
        "content": {
            "text/event-stream": {
                "schema": {},
                "example": 'id: 2517\nevent: message\ndata: {"id":"evt_01kaj3p6zve5jvqzkqdk1w4yb2",'
                '"type":"message.received","data":{"direction":"inbound",…},…}\n\n',
            }
        },
    },
    **errors(),
}


@router.get(
    "/stream",
    operation_id="streamConversations",
    summary="Follow all conversations",
    response_class=Response,
    responses=_STREAM,
)
@require_scope("messaging:read")
async def stream(
    services: CurrentServices,
    scope: CurrentScope,
    caller: CurrentCaller,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event that was seen: the stream goes on after it.")
    ] = None,
) -> Response:
    """What happens from now on, or after `Last-Event-ID`, each event once. Open it first and list the conversations
    then: what happens in between is in both. `data` is the object as it is when it is written: the newest that comes
    counts. It ends when its key is revoked or expires, and with `resumed: false` everything is to be listed anew."""
    place, resumed = await conversation_stream.begin(services.engine, place_of(last_event_id))
    lasts = LASTS
    if caller.expires_at is not None:
        lasts = min(lasts, (caller.expires_at - datetime.now(UTC)).total_seconds())
    try:
        live = services.streams.open(Subject(KIND, scope.id, scope.id), caller.key_id, place.position, lasts)
    except TooManyStreams:
        raise Busy("There are too many streams just now; try again, or list the conversations.") from None
    try:
        live.put(conversation_stream.began(place, resumed=resumed))
        # It hears from now on that its key is revoked: whether it was before, the record says.
        if not await conversation_stream.is_good(services.engine, caller.key_id):
            raise Unauthenticated
    except BaseException:
        services.streams.close(live)
        raise
    return EventStream(live, services.streams.close)
