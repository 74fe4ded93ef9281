"""Many messages in one request, looked at after they were taken in."""

from __future__ import annotations

from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, reply, require_scope
from api.dialects.bird.commands import command_of
from api.dialects.bird.messages import ACCEPTED
from api.dialects.bird.router import CHANNEL, router
from api.dialects.bird.schemas import CreateBatch
from api.dialects.bird.workspaces import scope_of, uuid_of
from bellhop.engine import line_batches

BATCH = CHANNEL + "/batch/messages"


@router.post(BATCH)
@require_scope("messaging:write")
async def send(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, channel_id: str, body: CreateBatch
) -> Response:
    """Take in up to 100 messages. What is wrong with one of them is its failure."""
    scope, line_id = scope_of(caller, workspace_id), uuid_of(channel_id)
    commands = [command_of(each) for each in body.message_requests]
    batch_id = await line_batches.send(engine, scope, line_id, commands)
    return reply({"batchId": str(batch_id)}, ACCEPTED)
