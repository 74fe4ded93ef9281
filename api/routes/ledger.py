"""The ledger: what was accepted in a span, and what became of every single one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, reply, require_scope
from api.schemas.errors import errors
from api.schemas.ledger import AskLedger, LedgerOf
from bellhop.domain.channels import Channel
from bellhop.domain.message_report import report_json
from bellhop.engine import message_report
from bellhop.engine.message_report import AskReport

router = APIRouter(prefix="/v1/ledger", tags=["Messaging"], route_class=AuthenticatedRoute)


@router.get(
    "",
    operation_id="getLedger",
    summary="Get the ledger of a span",
    response_model=LedgerOf,
    responses=errors(),
)
@require_scope("messaging:read")
async def ledger(engine: CurrentEngine, scope: CurrentScope, which: Annotated[AskLedger, FromQuery()]) -> Response:
    """Messages accepted in a span, by channel and in all: where they stand, how late they went out, and the webhooks.

    Everything is counted at one moment, and `accepted` is always the sum of where they stand. Erased messages count.
    """
    channel = Channel(which.channel) if which.channel else None
    asked = AskReport(which.since, which.until, channel)
    return reply(report_json(await message_report.read(engine, [scope], asked)))
