"""Where its calls are: each module beside this one adds its own."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import AuthenticatedRoute

router = APIRouter(prefix="/workspaces", route_class=AuthenticatedRoute, include_in_schema=False)
of_organizations = APIRouter(prefix="/organizations", route_class=AuthenticatedRoute, include_in_schema=False)
CHANNEL = "/{workspace_id}/channels/{channel_id}"
