"""Senders of the property: which there are, and which of them stand by."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, page, reply, require_scope
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.senders import ChangeSender, PropertySender
from bellhop.domain.ids import Prefix, render
from bellhop.domain.routing import STANDBY
from bellhop.engine import senders
from bellhop.engine.senders import OwnSender

router = APIRouter(prefix="/v1/senders", tags=["Accounts"], route_class=AuthenticatedRoute)


@router.get(
    "", operation_id="listSenders", summary="List senders", response_model=Page[PropertySender], responses=errors()
)
@require_scope("accounts:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[Paging, FromQuery()]) -> Response:
    """The addresses that messages of the key's environment can go out from, by channel."""
    asked = page_request(which, Prefix.SENDER)
    listed = await senders.listing(engine, scope, asked)
    return page([_shown(row) for row in listed.rows], listed, asked, Prefix.SENDER)


@router.put(
    "/{sender_id}/standby",
    operation_id="setSenderStandby",
    summary="Let a sender stand by",
    response_model=PropertySender,
    responses=errors(400, 404, 413),
)
@require_scope("accounts:write")
async def change(engine: CurrentEngine, scope: CurrentScope, sender_id: str, body: ChangeSender) -> Response:
    """Whether it takes over where the one before surely did not take a message, never where nobody knows."""
    return reply(_shown(await senders.stand_by(engine, scope, key_of(Prefix.SENDER, sender_id), body.standby)))


def _shown(row: OwnSender) -> dict[str, Any]:
    return {
        "id": render(Prefix.SENDER, row.id),
        "account_id": render(Prefix.ACCOUNT, row.account_id),
        "provider": row.provider,
        "channel": row.channel.value,
        "address": row.address,
        "name": row.name,
        "used": row.is_default,
        "standby": bool(row.capabilities.get(STANDBY, False)),
    }
