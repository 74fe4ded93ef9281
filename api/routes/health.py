"""Whether this process is up, and whether it can reach what it needs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from temporalio.client import Client
from temporalio.service import RPCError

from api.dependencies import door, reply
from api.schemas.fields import Shown
from bellhop.store.database import DatabaseTimeout

router = APIRouter(tags=["Health"])

PATIENCE = 2.0


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


@router.get("/healthz", operation_id="getHealth", summary="Is the process up?", response_model=Health)
async def healthz() -> Response:
    """200 as long as the process answers."""
    return reply({"status": "ok"})


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can it reach what it needs?",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "PostgreSQL or Temporal cannot be reached."}},
)
async def readyz(request: Request) -> Response:
    """200 when PostgreSQL and Temporal can be reached. Without Temporal messages are still accepted, and sent later."""
    postgres, temporal = await asyncio.gather(_postgres(request), _temporal(request.app.state.temporal))
    ready = postgres and temporal
    return reply(
        {"status": "ok" if ready else "unavailable", "postgres": postgres, "temporal": temporal}, 200 if ready else 503
    )


async def _postgres(request: Request) -> bool:
    try:
        # A table of ours, so that a database without migrations is not ready.
        await door(request).database.read(lambda tx: tx.execute(text("select from scopes limit 1")), timeout=PATIENCE)
    except (SQLAlchemyError, OSError, DatabaseTimeout):
        return False
    return True


async def _temporal(client: Client) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await client.service_client.check_health(timeout=timedelta(seconds=PATIENCE))
    except (RPCError, RuntimeError, OSError, TimeoutError):
        return False
