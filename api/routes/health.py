"""Whether this process is up, and whether it can reach what it needs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import CurrentEngine, reply
from api.schemas.errors import only
from api.schemas.fields import Shown
from bellhop.engine import installation
from bellhop.spool.directory import Summary

router = APIRouter(tags=["Health"])


class Health(Shown):
    """The process answers."""

    model_config = {"json_schema_extra": {"examples": [{"status": "ok"}]}}

    status: str


class Spool(Shown):
    """Callbacks that this process's machine keeps on disk because the database was away."""

    usable: bool
    """False: it cannot be written to; callbacks are refused while the database is away."""
    waiting: int
    oldest_seconds: float
    rejected: int
    """Those that the database does not take, set aside."""
    full: float
    """Share of its bound, from 0 to 1."""


class Readiness(Shown):
    """What can be reached, and what waits on disk meanwhile."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "status": "ok",
                    "postgres": True,
                    "temporal": True,
                    "spool": {"usable": True, "waiting": 0, "oldest_seconds": 0.0, "rejected": 0, "full": 0.0},
                }
            ]
        }
    }

    status: str
    postgres: bool
    temporal: bool
    spool: Spool | None
    """Null: there is none."""


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
    """200 when PostgreSQL and Temporal can be reached. Without Temporal messages are still accepted, and sent
    later; without PostgreSQL providers' callbacks are kept on disk (`spool`)."""
    found = await installation.reachable(engine)
    ready = found.postgres and found.temporal
    return reply(
        {
            "status": "ok" if ready else "unavailable",
            "postgres": found.postgres,
            "temporal": found.temporal,
            "spool": None if engine.spool is None else _shown(await engine.spool.summary()),
        },
        200 if ready else 503,
    )


def _shown(summary: Summary | None) -> dict[str, Any]:
    known = summary or Summary()
    return {
        "usable": summary is not None,
        "waiting": known.waiting,
        "oldest_seconds": known.oldest,
        "rejected": known.rejected,
        "full": known.full,
    }
