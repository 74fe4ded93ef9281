"""Bird's calls: parsed, one call of the engine, rendered."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header
from fastapi import Query as FromQuery
from starlette.responses import Response

from api import idempotency
from api.dependencies import CurrentCaller, CurrentEngine, reply, require_scope
from api.dialects.bird.commands import command_of, which
from api.dialects.bird.router import CHANNEL, router
from api.dialects.bird.schemas import CreateMessage, ListMessages
from api.dialects.bird.workspaces import page_of, paged, scope_of, uuid_of
from bellhop.domain.formats import bird
from bellhop.domain.ids import Prefix
from bellhop.domain.serializers import timestamp
from bellhop.engine import line_messages
from bellhop.engine.line_messages import Interaction

MESSAGES = CHANNEL + "/messages"
MESSAGE = MESSAGES + "/{message_id}"
ACCEPTED = 202


@router.post(MESSAGES)
@require_scope("messaging:write")
async def send(
    engine: CurrentEngine,
    caller: CurrentCaller,
    workspace_id: str,
    channel_id: str,
    body: CreateMessage,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Take in a message; answered at once."""
    scope, line_id = scope_of(caller, workspace_id), uuid_of(channel_id)
    key = idempotency.read_key(idempotency_key, body, f"{line_id} ")
    row = await line_messages.send(engine, scope, line_id, command_of(body), key)
    return reply(bird.message(row), ACCEPTED)


@router.get(MESSAGES)
@require_scope("messaging:read")
async def listing(
    engine: CurrentEngine,
    caller: CurrentCaller,
    workspace_id: str,
    channel_id: str,
    asked: Annotated[ListMessages, FromQuery()],
) -> Response:
    """Messages both ways, the newest first."""
    scope, line_id = scope_of(caller, workspace_id), uuid_of(channel_id)
    wanted = which(asked, page_of(asked.limit, asked.page_token, Prefix.MESSAGE))
    found = await line_messages.listing(engine, scope, line_id, wanted)
    return reply(paged([bird.message(row) for row in found.rows], found.next, Prefix.MESSAGE))


@router.get(MESSAGE)
@require_scope("messaging:read")
async def one(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, channel_id: str, message_id: str
) -> Response:
    """One message."""
    scope, line_id = scope_of(caller, workspace_id), uuid_of(channel_id)
    return reply(bird.message(await line_messages.get(engine, scope, line_id, uuid_of(message_id))))


@router.delete(MESSAGE)
@require_scope("messaging:write")
async def cancel(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, channel_id: str, message_id: str
) -> Response:
    """Withdraw a message that has not gone out. Ours: the vendor describes no such call."""
    scope, line_id = scope_of(caller, workspace_id), uuid_of(channel_id)
    return reply(bird.message(await line_messages.cancel(engine, scope, line_id, uuid_of(message_id))))


@router.get(MESSAGE + "/interactions")
@require_scope("messaging:read")
async def interactions(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, channel_id: str, message_id: str
) -> Response:
    """What the guest did with a message."""
    scope, line_id, key = scope_of(caller, workspace_id), uuid_of(channel_id), uuid_of(message_id)
    found = await line_messages.interactions(engine, scope, line_id, key)
    return reply({"results": [_interaction(each, message_id, channel_id) for each in found]})


def _interaction(one: Interaction, message_id: str, channel_id: str) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "messageId": message_id.lower(),
        "channelId": channel_id.lower(),
        "type": one.type,
        "createdAt": timestamp(one.at),
    }
