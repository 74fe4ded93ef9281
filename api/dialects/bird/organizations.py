"""Workspaces as its clients look for them: those of an organization, which is not looked at. There are none here."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query as FromQuery
from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, reply, require_scope
from api.dialects.bird.router import of_organizations
from api.dialects.bird.schemas import Paging
from api.dialects.bird.workspaces import page_of, paged, shown, uuid_of
from bellhop.domain.ids import Prefix
from bellhop.engine import properties


@of_organizations.get("/{organization_id}/workspaces")
@require_scope("messaging:read")
async def listing(
    engine: CurrentEngine, caller: CurrentCaller, organization_id: str, asked: Annotated[Paging, FromQuery()]
) -> Response:
    """The properties that the key opens."""
    uuid_of(organization_id)
    page = page_of(asked.limit, asked.page_token, Prefix.PROPERTY)
    found = await properties.listing(engine, caller.scopes, page)
    return reply(paged([shown(row) for row in found.rows], found.next, Prefix.PROPERTY))


@of_organizations.get("/{organization_id}/workspaces/{workspace_id}")
@require_scope("messaging:read")
async def one(engine: CurrentEngine, caller: CurrentCaller, organization_id: str, workspace_id: str) -> Response:
    """One of them."""
    uuid_of(organization_id)
    return reply(shown(await properties.get(engine, caller.scopes, uuid_of(workspace_id))))
