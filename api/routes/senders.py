"""Senders of the property: which there are, which of them a channel uses, and which stand by."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, page, reply, require_scope
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.senders import ChangeSender, CreateSender, PropertySender, SetStandby
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.public_senders import sender as shown
from bellhop.engine import senders
from bellhop.engine.senders import NewSender, SenderFields

router = APIRouter(prefix="/v1/senders", tags=["Accounts"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="createSender",
    summary="Add a sender",
    status_code=201,
    response_model=PropertySender,
    responses=errors(400, 409, 413),
)
@require_scope("accounts:write")
async def create(engine: CurrentEngine, scope: CurrentScope, body: CreateSender) -> Response:
    """An address of one of the property's accounts that messages may go out from. What guests write to it is the
    property's from now on. That the provider knows it is found out with the first message."""
    account = parse(Prefix.ACCOUNT, body.account_id) if body.account_id else None
    new = NewSender(
        channel=Channel(body.channel),
        address=body.address,
        account_id=account,
        fields=cast(SenderFields, body.model_dump(exclude_unset=True, include={"name", "standby", "default", "rate"})),
    )
    return reply(shown(await senders.create(engine, scope, new)), 201)


@router.get(
    "", operation_id="listSenders", summary="List senders", response_model=Page[PropertySender], responses=errors()
)
@require_scope("accounts:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[Paging, FromQuery()]) -> Response:
    """The addresses that messages of the key's environment can go out from, by channel."""
    asked = page_request(which, Prefix.SENDER)
    listed = await senders.listing(engine, scope, asked)
    return page([shown(row) for row in listed.rows], listed, asked, Prefix.SENDER)


@router.get(
    "/{sender_id}",
    operation_id="getSender",
    summary="Get a sender",
    response_model=PropertySender,
    responses=errors(404),
)
@require_scope("accounts:read")
async def one(engine: CurrentEngine, scope: CurrentScope, sender_id: str) -> Response:
    """One sender."""
    return reply(shown(await senders.get(engine, scope, key_of(Prefix.SENDER, sender_id))))


@router.patch(
    "/{sender_id}",
    operation_id="updateSender",
    summary="Change a sender",
    response_model=PropertySender,
    responses=errors(400, 404, 413),
)
@require_scope("accounts:write")
async def change(engine: CurrentEngine, scope: CurrentScope, sender_id: str, body: ChangeSender) -> Response:
    """Change the fields that are present."""
    fields = cast(SenderFields, body.model_dump(exclude_unset=True))
    return reply(shown(await senders.change(engine, scope, key_of(Prefix.SENDER, sender_id), fields)))


@router.put(
    "/{sender_id}/standby",
    operation_id="setSenderStandby",
    summary="Let a sender stand by",
    response_model=PropertySender,
    responses=errors(400, 404, 413),
)
@require_scope("accounts:write")
async def stand_by(engine: CurrentEngine, scope: CurrentScope, sender_id: str, body: SetStandby) -> Response:
    """Whether it takes over where the one before surely did not take a message, never where nobody knows."""
    fields = SenderFields(standby=body.standby)
    return reply(shown(await senders.change(engine, scope, key_of(Prefix.SENDER, sender_id), fields)))


@router.delete(
    "/{sender_id}",
    operation_id="deleteSender",
    summary="Remove a sender",
    status_code=204,
    responses=errors(404, 409),
)
@require_scope("accounts:write")
async def delete(engine: CurrentEngine, scope: CurrentScope, sender_id: str) -> Response:
    """Nothing goes out from it any more, and what guests write to it is no message of the property's. 409
    `sender_in_use`: its channel uses it and has others, or messages wait that no other can carry."""
    await senders.remove(engine, scope, key_of(Prefix.SENDER, sender_id))
    return Response(status_code=204)
