"""Broadcasts: one message to a list or a filter of guests."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.requests import Request
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    key_of,
    page,
    reply,
    require_scope,
)
from api.routes.messaging import command_of
from api.schemas.broadcasts import (
    Broadcast,
    BroadcastPreview,
    BroadcastRecipient,
    BroadcastWithProgress,
    CreateBroadcast,
    GuestFilter,
    ListBroadcasts,
    ListRecipients,
    StartBroadcast,
)
from api.schemas.errors import errors
from api.schemas.fields import Page
from bellhop.domain import broadcast_object, broadcasts, serializers
from bellhop.domain.broadcasts import BroadcastState, Outcome
from bellhop.domain.ids import Prefix, parse
from bellhop.engine import broadcast_preview
from bellhop.engine import broadcasts as engine_broadcasts
from bellhop.engine.errors import InvalidField

router = APIRouter(prefix="/v1/broadcasts", tags=["Broadcasts"], route_class=AuthenticatedRoute)


def _guests(given: list[str]) -> list[UUID]:
    keys = [parse(Prefix.GUEST, one) for one in given]
    if None in keys:
        raise InvalidField(f"to.guests.{keys.index(None)}", "expected the id of a guest", "unknown_guest")
    return [key for key in keys if key is not None]


def _filter(given: GuestFilter) -> broadcasts.GuestFilter:
    return broadcasts.GuestFilter(
        stay_status=tuple(given.stay_status or ()),
        first=given.first,
        last=given.last,
        languages=tuple(given.languages or ()),
        search=given.search,
    )


@router.post(
    "",
    operation_id="createBroadcast",
    summary="Create a broadcast",
    status_code=201,
    response_model=Broadcast,
    responses=errors(400, 413),
)
@require_scope("messaging:write")
async def create(request: Request, services: CurrentServices, scope: CurrentScope, body: CreateBroadcast) -> Response:
    """Make a draft: one message to a list of guests or addresses, or to the guests that a filter means. Nobody gets
    anything until it is started. Look at its preview before."""
    command = engine_broadcasts.CreateBroadcast(
        name=body.name,
        message=command_of(body.message),
        shown=body.message.model_dump(mode="json", exclude_unset=True, by_alias=True),
        guests=None if body.to.guests is None else _guests(body.to.guests),
        to=body.to.recipients,
        filter=None if body.to.filter is None else _filter(body.to.filter),
        pace=body.pace,
    )
    request.scope["bellhop.slot"].release()
    async with services.batches.turn(scope.id):
        row = await engine_broadcasts.create(services.engine, scope, command)
    return reply(broadcast_object.broadcast(row), 201)


@router.get(
    "",
    operation_id="listBroadcasts",
    summary="List broadcasts",
    response_model=Page[Broadcast],
    responses=errors(),
)
@require_scope("messaging:read")
async def listing(
    engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListBroadcasts, FromQuery()]
) -> Response:
    """Broadcasts of this property, newest first."""
    asked = page_request(which, Prefix.BROADCAST)
    state = BroadcastState(which.state) if which.state else None
    listed = await engine_broadcasts.listing(engine, scope, asked, state)
    return page([broadcast_object.broadcast(row) for row in listed.rows], listed, asked, Prefix.BROADCAST)


@router.get(
    "/{broadcast_id}",
    operation_id="getBroadcast",
    summary="Get a broadcast and how far it is",
    response_model=BroadcastWithProgress,
    responses=errors(404),
)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, broadcast_id: str) -> Response:
    """One broadcast, how many recipients have their message, who gets none and why, and where the messages stand."""
    row, progress = await engine_broadcasts.get(engine, scope, key_of(Prefix.BROADCAST, broadcast_id))
    shown = broadcast_object.progress(progress.pending, progress.accepted, progress.refused, progress.messages)
    return reply(broadcast_object.broadcast(row) | {"progress": shown})


@router.get(
    "/{broadcast_id}/recipients",
    operation_id="listBroadcastRecipients",
    summary="List whom a broadcast goes to and what became of each",
    response_model=Page[BroadcastRecipient],
    responses=errors(404),
)
@require_scope("messaging:read")
async def list_recipients(
    engine: CurrentEngine, scope: CurrentScope, broadcast_id: str, which: Annotated[ListRecipients, FromQuery()]
) -> Response:
    """Guests and addresses, the last that was written down first: of a list all of them from the beginning, of a filter
    those whom it meant when it started. Who was erased since is not among them."""
    key = key_of(Prefix.BROADCAST, broadcast_id)
    asked = page_request(which, Prefix.RECIPIENT)
    outcome = Outcome(which.outcome) if which.outcome else None
    listed = await engine_broadcasts.list_recipients(engine, scope, key, asked, outcome)
    return page([broadcast_object.recipient(row) for row in listed.rows], listed, asked, Prefix.RECIPIENT)


@router.get(
    "/{broadcast_id}/preview",
    operation_id="previewBroadcast",
    summary="See what a broadcast would do",
    response_model=BroadcastPreview,
    responses=errors(404),
)
@require_scope("messaging:read")
async def preview(request: Request, services: CurrentServices, scope: CurrentScope, broadcast_id: str) -> Response:
    """How many of those who have yet to get it would, how many would not and why, and what the first of them would get.
    By what is known now: consents, addresses and caps are looked at again when each message goes out. Nothing is
    sent or written."""
    key = key_of(Prefix.BROADCAST, broadcast_id)
    request.scope["bellhop.slot"].release()
    async with services.batches.turn(scope.id):
        found = await broadcast_preview.preview(services.engine, scope, key)
    problem = found.problem
    return reply(
        {
            "sends": found.sends,
            "unchecked": found.unchecked,
            "refused": dict(found.refused),
            "example": serializers.message(found.example) if found.example else None,
            "problem": None
            if problem is None
            else {"code": getattr(problem, "kind", "refused"), "message": str(problem)},
        }
    )


@router.post(
    "/{broadcast_id}/start",
    operation_id="startBroadcast",
    summary="Start a broadcast, now or later",
    response_model=Broadcast,
    responses=errors(400, 404, 409, 413),
)
@require_scope("messaging:write")
async def start(engine: CurrentEngine, scope: CurrentScope, broadcast_id: str, body: StartBroadcast) -> Response:
    """It begins at `at`, or now: state `scheduled`, then `running` by itself. Repeated before it began it moves the
    time. Each recipient gets one message, accepted at the broadcast's pace. 409 `broadcast_state`: it began, or is
    over."""
    key = key_of(Prefix.BROADCAST, broadcast_id)
    return reply(broadcast_object.broadcast(await engine_broadcasts.start(engine, scope, key, body.at)))


@router.post(
    "/{broadcast_id}/pause",
    operation_id="pauseBroadcast",
    summary="Pause a broadcast",
    response_model=Broadcast,
    responses=errors(404, 409),
)
@require_scope("messaging:write")
async def pause(engine: CurrentEngine, scope: CurrentScope, broadcast_id: str) -> Response:
    """Nobody else gets it until it is resumed; messages that are accepted go out. Repeating it changes nothing."""
    key = key_of(Prefix.BROADCAST, broadcast_id)
    return reply(broadcast_object.broadcast(await engine_broadcasts.pause(engine, scope, key)))


@router.post(
    "/{broadcast_id}/resume",
    operation_id="resumeBroadcast",
    summary="Go on with a broadcast",
    response_model=Broadcast,
    responses=errors(404, 409),
)
@require_scope("messaging:write")
async def resume(engine: CurrentEngine, scope: CurrentScope, broadcast_id: str) -> Response:
    """Go on with one that was paused: with who has yet to get it, or, where it had not begun, at its time."""
    key = key_of(Prefix.BROADCAST, broadcast_id)
    return reply(broadcast_object.broadcast(await engine_broadcasts.resume(engine, scope, key)))


@router.post(
    "/{broadcast_id}/cancel",
    operation_id="cancelBroadcast",
    summary="Cancel a broadcast",
    response_model=Broadcast,
    responses=errors(404, 409),
)
@require_scope("messaging:write")
async def cancel(engine: CurrentEngine, scope: CurrentScope, broadcast_id: str) -> Response:
    """Nobody else gets it, and those of its messages that still wait are cancelled within moments. Repeating it changes
    nothing."""
    key = key_of(Prefix.BROADCAST, broadcast_id)
    return reply(broadcast_object.broadcast(await engine_broadcasts.cancel(engine, scope, key)))
