"""What guests' apps report of their notifications. No API key: the token in the notification's data is enough."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.buckets import source
from api.dependencies import CurrentServices
from api.problems import RateLimited
from bellhop.engine import app_receipts
from bellhop.engine.errors import WrongSignature

router = APIRouter(prefix="/v1/push/receipts", include_in_schema=False)


@router.post("/{token}/{word}")
async def report(request: Request, services: CurrentServices, token: str, word: str) -> Response:
    """`word`: delivered or read. The body is not looked at. 204, also for what has been reported before."""
    # Counted with forged callbacks: an address that guesses is kept off before anything is looked up.
    forged, tries = services.forged_callbacks, ("app", "", source(request))
    wait = forged.wait(tries)
    if wait > 0:
        raise RateLimited(
            "From this address came too many tokens that are none. Try again later.",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )
    try:
        await app_receipts.report(services.engine, token, word)
    except WrongSignature:
        forged.take(tries)
        raise
    return Response(status_code=204)
