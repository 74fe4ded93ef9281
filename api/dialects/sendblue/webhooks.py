"""Sendblue's account webhooks: endpoints of the property that are sent its message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, CurrentScope, reply, require_scope
from api.dialects.sendblue.router import router
from api.dialects.sendblue.schemas import AddWebhooks, RemoveWebhooks, ReplaceWebhooks, Webhook
from bellhop.domain import keys
from bellhop.domain.rows.webhooks import EndpointFormat, EndpointRow
from bellhop.engine import formatted_endpoints
from bellhop.engine.formatted_endpoints import RECEIVED, STATUSES, Wanted

SENDBLUE = EndpointFormat.SENDBLUE
_TYPES = {"receive": RECEIVED, "outbound": STATUSES}


@router.get("/account/webhooks")
@require_scope("webhooks:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller) -> Response:
    """The property's webhooks, by type; secrets for keys that may change them."""
    secrets = keys.allows(caller.rights, "webhooks:write")
    rows = await formatted_endpoints.listing(engine, scope, SENDBLUE)
    return reply({"status": "OK", "webhooks": _shown(rows, secrets=secrets)})


@router.post("/account/webhooks")
@require_scope("webhooks:write")
async def add(engine: CurrentEngine, scope: CurrentScope, body: AddWebhooks) -> Response:
    """Webhooks more of one type."""
    wanted = _wanted(body.type, body.webhooks, body.global_secret)
    return _changed(await formatted_endpoints.put(engine, scope, SENDBLUE, wanted), "Webhooks added")


@router.put("/account/webhooks")
@require_scope("webhooks:write")
async def replace(engine: CurrentEngine, scope: CurrentScope, body: ReplaceWebhooks) -> Response:
    """These webhooks instead of those there are, of each type that is named."""
    asked = {"receive": body.webhooks.receive, "outbound": body.webhooks.outbound}
    named = {kind: given for kind, given in asked.items() if given is not None}
    wanted = [one for kind, given in named.items() for one in _wanted(kind, given, body.webhooks.global_secret)]
    types = [_TYPES[kind] for kind in named]
    return _changed(await formatted_endpoints.put(engine, scope, SENDBLUE, wanted, types), "Webhooks updated")


@router.delete("/account/webhooks")
@require_scope("webhooks:write")
async def remove(engine: CurrentEngine, scope: CurrentScope, body: RemoveWebhooks) -> Response:
    """Webhooks of one type fewer."""
    await formatted_endpoints.remove(engine, scope, SENDBLUE, body.webhooks, _TYPES[body.type])
    return reply({"status": "OK", "message": "Webhooks deleted"})


def _wanted(kind: str, given: Sequence[str | Webhook], secret: str | None) -> list[Wanted]:
    """`secret`: of those that have none of their own."""
    both = [(one, None) if isinstance(one, str) else (one.url, one.secret) for one in given]
    return [Wanted(url, _TYPES[kind], own or secret or "") for url, own in both]


def _changed(rows: list[EndpointRow], said: str) -> Response:
    return reply({"status": "OK", "message": said, "webhooks": _shown(rows, secrets=True)})


def _shown(rows: list[EndpointRow], *, secrets: bool) -> dict[str, Any]:
    """An address by itself; with its secret where it has one."""
    found: dict[str, Any] = {kind: [] for kind in _TYPES}
    for row in rows:
        kind = next(kind for kind, events in _TYPES.items() if events == formatted_endpoints.type_of(row))
        found[kind].append({"url": row.url, "secret": row.secret} if secrets and row.secret else row.url)
    return found
