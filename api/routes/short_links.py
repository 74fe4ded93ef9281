"""Short links: whoever has one is sent on to where it led when its message was accepted. Nobody shows a key; nothing
of the request but the code decides where it goes."""

from __future__ import annotations

import math

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import short_link_page
from api.admission import Overloaded
from api.buckets import source
from api.dependencies import CurrentServices
from api.middleware import HEAD
from api.short_link_page import Page
from bellhop.domain.link_visitors import is_machine
from bellhop.domain.links import location
from bellhop.domain.short_links import PATH
from bellhop.engine import links

TRY_AGAIN = 5
"""Seconds after which somebody may try whom the database kept waiting."""

router = APIRouter(prefix=PATH.rstrip("/"), include_in_schema=False)


@router.get("/{code}")
async def follow(request: Request, services: CurrentServices, code: str) -> Response:
    """302, to GET and HEAD alike; 404 and 410 where it leads nowhere, with a page for people."""
    wanted = request.headers.get("accept-language", "")
    guesses = services.forged_callbacks
    # An address that guesses is kept off before anything is looked up.
    if (wait := guesses.wait(_guesser(request))) > 0:
        return short_link_page.page(Page.TOO_MANY, wanted, retry_after=max(1, math.ceil(wait)))
    try:
        await request.scope["bellhop.slot"].take()
        found = await links.follow(services.engine, code)
    except (Overloaded, links.NotNow):
        return short_link_page.page(Page.LATER, wanted, retry_after=TRY_AGAIN)
    if found is None:
        guesses.take(_guesser(request))
        return short_link_page.page(Page.NONE, wanted)
    target = location(found.target)
    if found.expired or target is None:
        return short_link_page.page(Page.EXPIRED, wanted)
    machine = is_machine(request.headers, head=bool(request.scope.get(HEAD)))
    services.link_clicks.add(found, bot=machine)
    headers = {
        "location": target,
        # The next click is counted, too.
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex",
    }
    return Response(status_code=302, headers=headers)


def _guesser(request: Request) -> tuple[str, str, str]:
    return "link", "", source(request)
