"""Many messages in one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from api import idempotency
from api.dependencies import AuthenticatedRoute, CurrentCaller, CurrentScope, CurrentServices, reply, require_scope
from api.errors import invalid
from api.idempotency import REPLAYED
from api.problems import Problem, problem_of
from api.routes.messaging import command_of
from api.schemas.batches import BatchOutcome, BatchRequest
from api.schemas.errors import errors
from api.schemas.messages import SendRequest
from bellhop.domain import serializers
from bellhop.domain.rows.messages import MessageRow
from bellhop.engine import batches
from bellhop.engine.batches import Outcome, Unfit
from bellhop.engine.errors import EngineError
from bellhop.engine.messages import SendMessage

router = APIRouter(prefix="/v1/messaging", tags=["Messaging"], route_class=AuthenticatedRoute)

AT_ONCE = 25
"""So many messages are read, or shown, before other requests have their turn."""


@router.post(
    "/batch",
    operation_id="sendBatch",
    summary="Send many messages",
    status_code=202,
    response_model=BatchOutcome,
    responses=errors(400, 409, 413),
)
@require_scope("messaging:write")
async def send(
    request: Request,
    services: CurrentServices,
    caller: CurrentCaller,
    scope: CurrentScope,
    body: BatchRequest,
    idempotency_key: Annotated[
        str | None,
        Header(description="Repeat the request with the same key, and nothing is sent twice. Kept 48 hours."),
    ] = None,
) -> Response:
    """Send up to 1,000 messages, in a body of at most 4 MiB. Each is accepted or refused by itself: `data` has its
    message, `queued`, or the error that a single send of it would have been answered with. 202 means that those which
    are accepted will not be lost, whatever became of the others; all were accepted in one transaction.

    Each message counts as a request towards the rate limits: a batch that does not fit in what is left of the minute is
    answered 429, and nothing of it is done. The Idempotency-Key is one for the whole batch: a repetition is answered
    with the same outcomes. A property's batches are accepted one after the other.
    """
    key = idempotency.read_key(idempotency_key, body)
    given: list[Any] = body.messages
    request.scope["bellhop.rate"] = await services.authenticator.take(caller, len(given) - 1)
    commands: list[SendMessage | Unfit] = []
    for place, one in enumerate(given):
        commands.append(_command(one))
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
    # It has its own turns: a thousand messages do not hold one that single requests wait for.
    request.scope["bellhop.slot"].release()
    async with services.batches.turn(scope.id):
        done = await batches.send(services.engine, scope, commands, key)
    request_id: str = request.scope["bellhop.request_id"]
    shown = await _shown(done.made, request_id)
    refused = sum(one["message"] is None for one in shown)
    answer = {"accepted": len(shown) - refused, "refused": refused, "data": shown}
    return reply(answer, done.status_code, REPLAYED if done.replayed else None)


def _command(given: Any) -> SendMessage | Unfit:
    try:
        return command_of(SendRequest.model_validate(given))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problem = invalid([{**each, "loc": ("body", *each["loc"])} for each in found])
    except EngineError as error:
        problem = problem_of(error, "body")
    return Unfit(_said(problem))


def _said(problem: Problem) -> dict[str, Any]:
    return {"detail": problem.detail, "status_code": problem.status_code, "code": problem.code}


async def _shown(outcomes: Sequence[Outcome], request_id: str) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, MessageRow):
            shown.append({"index": place, "message": serializers.accepted(outcome), "error": None})
        else:
            said = outcome.said if isinstance(outcome, Unfit) else _said(problem_of(outcome, "body"))
            shown.append({"index": place, "message": None, "error": {**said, "request_id": request_id}})
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
    return shown
