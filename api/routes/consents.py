"""What addresses allow: looked at, set and lifted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentCaller,
    CurrentEngine,
    CurrentScope,
    page,
    reply,
    require_scope,
)
from api.schemas.consents import Consent, ConsentPage, ListConsents, SetConsent
from api.schemas.errors import errors
from bellhop.domain import public_consents
from bellhop.domain.channels import CHANNELS, AddressKind, Channel
from bellhop.domain.ids import Prefix, render
from bellhop.engine import consents
from bellhop.engine.consents import Action

router = APIRouter(prefix="/v1/consents", tags=["Consents"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="setConsent",
    summary="Set or lift a consent",
    status_code=201,
    response_model=Consent,
    responses=errors(400, 413),
)
@require_scope("guests:write")
async def set_consent(engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: SetConsent) -> Response:
    """Write down that an address wants nothing, or may be written to again: a mailbox that was full, a guest who asked
    at the desk. The key's id and the reason stay on record. A provider's own list is not changed: what it refuses comes
    back as a refusal."""
    address, row, holds = await consents.set_by_operator(
        engine,
        scope,
        Channel(body.channel),
        body.address,
        Action(body.action),
        source="api",
        actor=render(Prefix.KEY, caller.key_id),
        reason=body.reason,
        purpose=body.purpose,
    )
    return reply(public_consents.consent(row, address, in_force=holds), 201)


@router.get(
    "",
    operation_id="listConsents",
    summary="What an address allows",
    response_model=ConsentPage,
    responses=errors(),
)
@require_scope("guests:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListConsents, FromQuery()]) -> Response:
    """Everything that was said of one address, the last first, and whether messages go out to it."""
    channel = Channel(which.channel)
    # A plus that was not percent-encoded is read as a space.
    address = "+" + which.address[1:] if which.address[0] == " " and _is_phone(channel) else which.address
    asked = page_request(which, Prefix.CONSENT)
    found = await consents.of_address(engine, scope, channel, address, asked)
    shown = [public_consents.consent(row, found.address, in_force=row.id in found.holding) for row in found.listed.rows]
    refused_by = [effect.value for effect in found.refused_by]
    allowed = {"allowed": not refused_by, "marketing_allowed": not found.marketing_refused_by}
    senders = public_consents.senders(found.reopened)
    return page(shown, found.listed, asked, Prefix.CONSENT, **allowed, refused_by=refused_by, allowed_from=senders)


def _is_phone(channel: Channel) -> bool:
    return CHANNELS[channel].address is AddressKind.PHONE
