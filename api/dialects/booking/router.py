"""Where its calls are: each module beside this one adds its own."""

from __future__ import annotations

from fastapi import APIRouter

from api.dependencies import AuthenticatedRoute

router = APIRouter(prefix="/messages", route_class=AuthenticatedRoute, include_in_schema=False)
UPLOAD = "/attachments/upload"
"""Its body holds a picture."""
