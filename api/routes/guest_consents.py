"""What a guest allows, over all of the guest's addresses: looked at, and written down."""

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
    key_of,
    page,
    reply,
    require_scope,
)
from api.schemas.consents import Consent, GuestConsentPage, SetGuestConsent
from api.schemas.errors import errors
from api.schemas.fields import Paging
from bellhop.domain import public_consents
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix, render
from bellhop.engine import consents
from bellhop.engine.consents import Action

router = APIRouter(prefix="/v1/guests/{guest_id}/consents", tags=["Consents"], route_class=AuthenticatedRoute)


@router.get(
    "",
    operation_id="listGuestConsents",
    summary="What a guest allows",
    response_model=GuestConsentPage,
    responses=errors(404),
)
@require_scope("guests:read")
async def listing(
    engine: CurrentEngine, scope: CurrentScope, guest_id: str, which: Annotated[Paging, FromQuery()]
) -> Response:
    """Everything that was said of the guest's addresses, the last first, with its source and time; and of each address
    whether messages go out to it. What is said of an address binds all of this property's senders, and everybody who
    shares it, but for the senders in `allowed_from`."""
    asked = page_request(which, Prefix.CONSENT)
    found = await consents.of_guest(engine, scope, key_of(Prefix.GUEST, guest_id), asked)
    shown = [
        public_consents.consent(row, found.of[row.id].address, in_force=row.id in found.of[row.id].holding)
        for row in found.listed.rows
    ]
    addresses = [
        {
            "kind": one.kind.value,
            "address": one.address,
            "allowed": not one.refused_by,
            "refused_by": [effect.value for effect in one.refused_by],
            "marketing_allowed": not one.marketing_refused_by,
            "allowed_from": public_consents.senders(one.reopened),
        }
        for one in found.addresses
    ]
    return page(shown, found.listed, asked, Prefix.CONSENT, addresses=addresses)


@router.post(
    "",
    operation_id="setGuestConsent",
    summary="Write down what a guest allows",
    status_code=201,
    response_model=Consent,
    responses=errors(400, 404, 413),
)
@require_scope("guests:write")
async def set_consent(
    engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, guest_id: str, body: SetGuestConsent
) -> Response:
    """Write down what a guest has said of one of their addresses, and when: what was said later counts, whenever it
    came to be known. The key's id stays on record. `guest.updated` follows where it changes what the address allows."""
    address, row, holds = await consents.set_of_guest(
        engine,
        scope,
        key_of(Prefix.GUEST, guest_id),
        Channel(body.channel),
        body.address,
        Action(body.action),
        source=body.source,
        actor=render(Prefix.KEY, caller.key_id),
        reason=body.reason,
        purpose=body.purpose,
        occurred_at=body.occurred_at,
    )
    return reply(public_consents.consent(row, address, in_force=holds), 201)
