"""What guests have written: one message, and what became of it and its files."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, reply, require_scope
from api.schemas.errors import errors
from api.schemas.inbound import InboundMessage, InboundTimeline
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix
from bellhop.engine import inbound_messages

router = APIRouter(prefix="/v1/inbound", tags=["Inbound"], route_class=AuthenticatedRoute)


@router.get(
    "/{message_id}",
    operation_id="getInboundMessage",
    summary="Get a guest's message",
    response_model=InboundMessage,
    responses=errors(404),
)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """One message that a guest wrote, with what came with it."""
    return reply(serializers.inbound(await inbound_messages.get(engine, scope, key_of(Prefix.INBOUND, message_id))))


@router.get(
    "/{message_id}/timeline",
    operation_id="getInboundTimeline",
    summary="Get the timeline of a guest's message",
    response_model=InboundTimeline,
    responses=errors(404),
)
@require_scope("messaging:read")
async def timeline(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """What became of it: its files, and the webhooks about it, in the order of time."""
    found = await inbound_messages.timeline(engine, scope, key_of(Prefix.INBOUND, message_id))
    return reply({"message_id": message_id, "data": found})
