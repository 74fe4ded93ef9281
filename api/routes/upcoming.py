"""What will go out in the days to come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    key_of,
    page,
    require_scope,
)
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.upcoming import ListUpcoming, UpcomingMessage
from bellhop.domain.ids import Prefix
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.upcoming import Upcoming, shown
from bellhop.engine import upcoming

router = APIRouter(prefix="/v1", route_class=AuthenticatedRoute)


@router.get(
    "/guests/{guest_id}/upcoming",
    tags=["Guests"],
    operation_id="listUpcomingOfGuest",
    summary="List what will go out to a guest",
    response_model=Page[UpcomingMessage],
    responses=errors(404),
)
@require_scope("messaging:read")
async def of_guest(
    engine: CurrentEngine,
    services: CurrentServices,
    scope: CurrentScope,
    guest_id: str,
    which: Annotated[ListUpcoming, FromQuery()],
) -> Response:
    """Messages to the guest that are due in the next 30 days, the first one first: when each goes out and by which
    channel, or why it does not, by what is known now. The rules are those that are asked when it is sent."""
    asked = page_request(which, Prefix.MESSAGE, timed=True)
    routes = services.settings.routes
    return _page(await upcoming.of_guest(engine, routes, scope, key_of(Prefix.GUEST, guest_id), asked), asked)


@router.get(
    "/stays/{stay_id}/upcoming",
    tags=["Stays"],
    operation_id="listUpcomingOfStay",
    summary="List what will go out to the guests of a stay",
    response_model=Page[UpcomingMessage],
    responses=errors(404),
)
@require_scope("messaging:read")
async def of_stay(
    engine: CurrentEngine,
    services: CurrentServices,
    scope: CurrentScope,
    stay_id: str,
    which: Annotated[ListUpcoming, FromQuery()],
) -> Response:
    """The same of all guests of a stay."""
    asked = page_request(which, Prefix.MESSAGE, timed=True)
    routes = services.settings.routes
    return _page(await upcoming.of_stay(engine, routes, scope, key_of(Prefix.STAY, stay_id), asked), asked)


def _page(listed: Listed[Upcoming], asked: PageRequest) -> Response:
    return page([shown(one) for one in listed.rows], listed, asked, Prefix.MESSAGE)
