"""Sendblue's calls: parsed, one call of the engine, rendered."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Header
from fastapi import Query as FromQuery
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import (
    CurrentCaller,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    reply,
    require_scope,
)
from api.dialects.sendblue.commands import handle_of, which
from api.dialects.sendblue.errors import error
from api.dialects.sendblue.router import router
from api.dialects.sendblue.schemas import ListMessages, SendGroupMessage, SendMessage, StatusOf
from bellhop.domain.failures import FailureCode
from bellhop.domain.formats import sendblue
from bellhop.domain.groups import Group
from bellhop.domain.media import MediaUse
from bellhop.domain.options import Options, SendStyle
from bellhop.engine import texts
from bellhop.engine.idempotency import Unkeyed
from bellhop.engine.texts import ListedTexts, SendText


@router.post("/send-message")
@require_scope("messaging:write")
async def send(
    request: Request,
    services: CurrentServices,
    caller: CurrentCaller,
    scope: CurrentScope,
    body: SendMessage,
    x_stainless_retry_count: Annotated[str | None, Header()] = None,
) -> Response:
    """Send a text; answered in the state it reaches within two seconds."""
    return await _sent(request, services, caller, scope, body, _command(body), x_stainless_retry_count)


@router.post("/send-group-message")
@require_scope("messaging:write")
async def send_to_group(
    request: Request,
    services: CurrentServices,
    caller: CurrentCaller,
    scope: CurrentScope,
    body: SendGroupMessage,
    x_stainless_retry_count: Annotated[str | None, Header()] = None,
) -> Response:
    """Send a text to all in a group chat; answered as any other."""
    if body.group_id is not None:
        group = await texts.group_called(services.engine, scope, body.group_id)
    else:
        group = Group(tuple(body.numbers or ()))
    command = replace(_command(body), group=group)
    return await _sent(request, services, caller, scope, body, command, x_stainless_retry_count)


async def _sent(
    request: Request,
    services: CurrentServices,
    caller: CurrentCaller,
    scope: CurrentScope,
    body: SendMessage | SendGroupMessage,
    command: SendText,
    retries: str | None,
) -> Response:
    done = await texts.send(services.engine, scope, command, _repeats(caller.key_id, body, retries))
    row = done.made
    if not done.replayed and row.due_at <= row.now:
        await services.acceptance_wait.outcome(request, scope, row, services.settings.bellhop.accept_wait)
    shown = await texts.get(services.engine, scope, row.id)
    if shown.failure_code == FailureCode.OPTED_OUT:
        said = sendblue.response(shown)
        more = {"error_key": "OPTED_OUT", "message_handle": said["message_handle"]}
        return error(400, said["error_code"], said["error_message"], **more)
    return reply(sendblue.response(shown))


def _command(body: SendMessage | SendGroupMessage) -> SendText:
    kept = {"seat_id": body.seat_id, "reply_to": body.reply_to.model_dump(exclude_none=True) if body.reply_to else None}
    kept = {name: value for name, value in kept.items() if value is not None}
    return SendText(
        number=body.number if isinstance(body, SendMessage) else "",
        content=body.content,
        line=body.from_number,
        options=Options(send_style=SendStyle(body.send_style) if body.send_style else None),
        media=(MediaUse(url=body.media_url),) if body.media_url else (),
        metadata={"sendblue": kept} if kept else {},
        callback_url=body.status_callback,
    )


def _repeats(key_id: UUID, body: SendMessage | SendGroupMessage, count: str | None) -> Unkeyed:
    """What makes two sends one, where its clients say in a header that they repeat themselves."""
    to = body.number if isinstance(body, SendMessage) else [body.group_id, *sorted(body.numbers or ())]
    same = [str(key_id), to, body.content, body.media_url]
    return Unkeyed(json.dumps(same).encode(), repeated=(count or "0").strip() not in ("", "0"))


@router.get("/status")
@require_scope("messaging:read")
async def status(engine: CurrentEngine, scope: CurrentScope, asked: Annotated[StatusOf, FromQuery()]) -> Response:
    """One text in the form that a send is answered in."""
    return reply(sendblue.response(await texts.get(engine, scope, handle_of(asked.handle))))


@router.get("/v2/messages")
@require_scope("messaging:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, asked: Annotated[ListMessages, FromQuery()]) -> Response:
    """Texts both ways."""
    wanted = which(engine, scope, asked)
    found = ListedTexts([], 0) if wanted is None else await texts.listing(engine, scope, wanted)
    return reply(
        {
            "status": "OK",
            "data": [sendblue.item(row) for row in found.rows],
            "pagination": {
                "hasMore": asked.offset + len(found.rows) < found.total,
                "limit": len(found.rows),
                "offset": asked.offset,
                "total": found.total,
            },
        }
    )


@router.get("/v2/messages/{message_id}")
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """One text."""
    return reply({"status": "OK", "data": sendblue.item(await texts.get(engine, scope, handle_of(message_id)))})
