"""The ledger: what was accepted in a span, and what became of every single one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import Guarded, caller, door, needs, reply
from api.errors import Invalid
from api.schemas.errors import errors
from api.schemas.ledger import AskLedger, LedgerOf
from bellhop.domain.channels import Channel
from bellhop.engine import message_report
from bellhop.engine.message_report import BadSpan
from bellhop.store.database import BULK_TIMEOUT

router = APIRouter(prefix="/v1/ledger", tags=["Messaging"], route_class=Guarded)


@router.get(
    "",
    operation_id="getLedger",
    summary="Get the ledger of a span",
    response_model=LedgerOf,
    responses=errors(),
)
@needs("messaging:read")
async def ledger(request: Request, which: Annotated[AskLedger, FromQuery()]) -> Response:
    """Messages accepted in a span, by channel and in all: where they stand, how late they went out, and the webhooks.

    Everything is counted at one moment, and `accepted` is always the sum of where they stand. Erased messages count.
    """
    scope = caller(request).scope
    channel = Channel(which.channel) if which.channel else None
    try:
        found = await door(request).database.read(
            lambda tx: message_report.read(tx, [scope], which.since, which.until, channel), timeout=BULK_TIMEOUT
        )
    except BadSpan as problem:
        raise Invalid(["query", problem.place], problem.said, problem.kind) from None
    return reply(found)
