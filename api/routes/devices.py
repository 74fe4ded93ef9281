"""Guests' devices: registered by the app, listed, removed."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, key_of, reply, require_scope
from api.schemas.devices import Device, DeviceList, RegisterDevice
from api.schemas.errors import errors
from bellhop.domain import serializers
from bellhop.domain.devices import DeviceEnvironment, DeviceKind, NewDevice, Platform
from bellhop.domain.ids import Prefix
from bellhop.engine import devices

router = APIRouter(prefix="/v1/guests/{guest_id}/devices", tags=["Guests"], route_class=AuthenticatedRoute)


@router.post(
    "",
    operation_id="registerDevice",
    summary="Register a guest's device",
    status_code=201,
    response_model=Device,
    responses={
        200: {"model": Device, "description": "The token was known and has registered again."},
        **errors(400, 404, 413),
    },
)
@require_scope("guests:write")
async def register(engine: CurrentEngine, scope: CurrentScope, guest_id: str, body: RegisterDevice) -> Response:
    """Say where a guest's app takes push notifications (201); the same token again moves `registered_at` (200).

    A guest has at most 20 devices: a further one takes the place of the one that registered longest ago. A device is
    removed when its provider says that the app or its token is gone; the timeline of the message that met it names it.
    """
    row, new = await devices.register(engine, scope, key_of(Prefix.GUEST, guest_id), _new(body))
    return reply(serializers.device(row), 201 if new else 200)


def _new(body: RegisterDevice) -> NewDevice:
    return NewDevice(
        platform=Platform(body.platform),
        kind=DeviceKind(body.kind),
        token=body.token,
        environment=DeviceEnvironment(body.environment) if body.environment else None,
        bundle_id=body.bundle_id,
        locale=body.locale,
        app_version=body.app_version,
    )


@router.get(
    "", operation_id="listDevices", summary="List a guest's devices", response_model=DeviceList, responses=errors(404)
)
@require_scope("guests:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, guest_id: str) -> Response:
    """All of them, the one that registered last first."""
    rows = await devices.listing(engine, scope, key_of(Prefix.GUEST, guest_id))
    return reply({"data": [serializers.device(row) for row in rows]})


@router.delete(
    "/{device_id}",
    operation_id="deleteDevice",
    summary="Remove a guest's device",
    status_code=204,
    responses=errors(404),
)
@require_scope("guests:write")
async def delete(engine: CurrentEngine, scope: CurrentScope, guest_id: str, device_id: str) -> Response:
    """Nothing goes to it any more, what waits to be sent included: for a guest who signs out of the app."""
    await devices.remove(engine, scope, key_of(Prefix.GUEST, guest_id), key_of(Prefix.DEVICE, device_id))
    return Response(status_code=204)
