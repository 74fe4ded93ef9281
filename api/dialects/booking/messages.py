"""Messages: sent, polled, confirmed, and the conversations that they are in."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, CurrentScope, for_both_sides, reply, require_scope
from api.dialects.booking.accommodations import hotel_of, known_as
from api.dialects.booking.router import router
from api.dialects.booking.schemas import Confirm, Send, Talk
from bellhop.domain.formats import booking
from bellhop.engine import polled
from bellhop.engine.polled import Which


def answered(request: Request, **said: Any) -> Response:
    """An answer in its form."""
    return reply({"request_id": request.scope["bellhop.request_id"], **said})


@router.post("/send")
@require_scope("messaging:write")
@for_both_sides
async def send(
    request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: Send
) -> Response:
    """Write to the other side."""
    await hotel_of(engine, scope, body.accommodation)
    which = Which(body.conversation, body.reservation)
    message_id = await polled.send(engine, scope, caller.side, which, body.content, body.attachments)
    return answered(request, data={"message": str(message_id)})


@router.post("/latest")
@require_scope("messaging:read")
@for_both_sides
async def latest(request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller) -> Response:
    """What this side has not confirmed. Whatever the body says is passed over."""
    rows = await polled.latest(engine, scope, caller.side)
    hotel = await known_as(engine, scope)
    return answered(request, data={"messages": [booking.unconfirmed(row, hotel) for row in rows]})


@router.post("/latest/confirm")
@require_scope("messaging:read")
@for_both_sides
async def confirm(
    request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: Confirm
) -> Response:
    """Say that this side has these messages."""
    done = await polled.confirm(engine, scope, caller.side, body.messages)
    return answered(request, confirmedMessages=[str(one) for one in done])


@router.post("/conversations")
@require_scope("messaging:read")
@for_both_sides
async def conversation(
    request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: Talk
) -> Response:
    """All that was written in a conversation."""
    hotel = await hotel_of(engine, scope, body.accommodation)
    found = await polled.conversation(engine, scope, caller.side, Which(body.conversation, body.reservation))
    shown = booking.conversation(found.talk, found.thread.reservation, found.entries, hotel)
    return answered(request, data={"conversation": shown})
