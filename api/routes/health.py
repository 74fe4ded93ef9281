"""Whether this process is up, and whether it can reach what it needs."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import CurrentEngine, reply
from api.schemas.errors import only
from api.schemas.fields import Shown
from bellhop.engine import installation

router = APIRouter(tags=["Health"])


class Health(Shown):
    """The process answers."""

    model_config = {"json_schema_extra": {"examples": [{"status": "ok"}]}}

    status: str


class Readiness(Shown):
    """What can be reached."""

    model_config = {"json_schema_extra": {"examples": [{"status": "ok", "postgres": True, "temporal": True}]}}

    status: str
    postgres: bool
    temporal: bool


@router.get(
    "/healthz", operation_id="getHealth", summary="Is the process up?", response_model=Health, responses=only(413)
)
async def healthz() -> Response:
    """200 as long as the process answers."""
    return reply({"status": "ok"})


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can it reach what it needs?",
    response_model=Readiness,
    responses={
        503: {"model": Readiness, "description": "PostgreSQL or Temporal cannot be reached."},
        **only(413),
    },
)
async def readyz(engine: CurrentEngine) -> Response:
    """200 when PostgreSQL and Temporal can be reached. Without Temporal messages are still accepted, and sent later."""
    found = await installation.reachable(engine)
    ready = found.postgres and found.temporal
    return reply(
        {"status": "ok" if ready else "unavailable", "postgres": found.postgres, "temporal": found.temporal},
        200 if ready else 503,
    )
