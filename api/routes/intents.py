"""What guests want: listed, looked at, corrected."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, page, reply, require_scope
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.intents import ChangeIntent, Intent, ListIntents
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.intent_object import intent
from bellhop.domain.intents import IntentStatus
from bellhop.domain.rows.intents import IntentFields
from bellhop.domain.rows.intents import ListIntents as Which
from bellhop.engine import intents

router = APIRouter(prefix="/v1/intents", tags=["Intents"], route_class=AuthenticatedRoute)


@router.get("", operation_id="listIntents", summary="List intents", response_model=Page[Intent], responses=errors())
@require_scope("guests:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListIntents, FromQuery()]) -> Response:
    """What guests of this property want, as it was found in what they wrote, newest first."""
    asked = page_request(which, Prefix.INTENT)
    wanted = Which(
        type=which.type,
        status=IntentStatus(which.status) if which.status else None,
        guest_id=parse(Prefix.GUEST, which.guest_id) if which.guest_id else None,
        message_id=parse(Prefix.INBOUND, which.message_id) if which.message_id else None,
        page=asked,
    )
    listed = await intents.listing(engine, scope, wanted)
    return page([intent(row) for row in listed.rows], listed, asked, Prefix.INTENT)


@router.get(
    "/{intent_id}", operation_id="getIntent", summary="Get an intent", response_model=Intent, responses=errors(404)
)
@require_scope("guests:read")
async def one(engine: CurrentEngine, scope: CurrentScope, intent_id: str) -> Response:
    """One intent."""
    return reply(intent(await intents.get(engine, scope, key_of(Prefix.INTENT, intent_id))))


@router.patch(
    "/{intent_id}",
    operation_id="updateIntent",
    summary="Correct an intent",
    response_model=Intent,
    responses=errors(400, 404, 413),
)
@require_scope("guests:write")
async def change(engine: CurrentEngine, scope: CurrentScope, intent_id: str, body: ChangeIntent) -> Response:
    """Say that it is done, or wrong, or that the guest wants something else."""
    fields = cast(IntentFields, body.model_dump(exclude_unset=True))
    return reply(intent(await intents.change(engine, scope, key_of(Prefix.INTENT, intent_id), fields)))
