"""Providers' callbacks: verified, stored and applied in one transaction, acknowledged; the workflow hears later."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import door
from api.errors import BadRequest, Forbidden, NotFound
from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.store.delivery import receipts
from bellhop.store.delivery.receipts import Recorded

router = APIRouter(prefix="/v1/receipts", include_in_schema=False)


class WrongSignature(Forbidden):
    """This callback does not bear a signature of the account it names."""

    code = "wrong_signature"


@router.post("/{provider}/{identity}/{path}")
async def receive(request: Request, provider: str, identity: str, path: str) -> Response:
    """Take a callback. A database that is away answers 503, and the provider repeats it."""
    here = door(request)
    adapter = here.providers.get(provider)
    if adapter is None or "\0" in identity:
        raise NotFound
    callback = _callback(request, path, await request.body())

    async def work(tx: AsyncConnection) -> Recorded:
        accounts = await receipts.accounts(tx, provider, identity)
        if not accounts:
            raise NotFound
        verified = [account for account in accounts if adapter.verify(account, callback)]
        if not verified:
            raise WrongSignature
        try:
            items = adapter.parse(callback)
        except ValueError:
            raise BadRequest("This is not what the provider sends.") from None
        return await receipts.record(tx, verified, items, here.book)

    recorded = await here.database.write(work)
    here.dispatcher.signal_receipts(recorded.signals)
    here.dispatcher.wake_endpoints(recorded.endpoints)
    status, media_type, body = adapter.acknowledgement()
    return Response(body, status, media_type=media_type)


def _callback(request: Request, path: str, body: bytes) -> CallbackRequest:
    # The address the provider was given, whatever name or scheme a proxy called us by: that is what it signed.
    called = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return CallbackRequest(
        url=door(request).settings.bellhop.public_url + called + (f"?{query}" if query else ""),
        path=path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
