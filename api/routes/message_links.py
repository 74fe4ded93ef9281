"""The short links of a message, and who followed them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, reply, require_scope
from api.schemas.errors import errors
from api.schemas.links import MessageLinks
from bellhop.domain.ids import Prefix
from bellhop.domain.link_object import link
from bellhop.engine import links

router = APIRouter(prefix="/v1/messaging", tags=["Messaging"], route_class=AuthenticatedRoute)


@router.get(
    "/{message_id}/links",
    operation_id="getMessageLinks",
    summary="Get a message's short links",
    response_model=MessageLinks,
    responses=errors(404),
)
@require_scope("messaging:read")
async def of_message(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """The short links of a message and how often they were followed, by people and by machines. A click is counted
    within seconds."""
    found = await links.of_message(engine, scope, key_of(Prefix.MESSAGE, message_id))
    return reply({"message_id": message_id, "data": [link(row, found.clicks) for row in found.links]})
