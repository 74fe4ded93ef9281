"""Provider accounts of the property: their health, held and mended by hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as FromQuery
from starlette.responses import Response

from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentCaller,
    CurrentEngine,
    CurrentScope,
    key_of,
    page,
    reply,
    require_scope,
)
from api.schemas.errors import errors
from api.schemas.fields import Page, Paging
from api.schemas.operators import Account, WithReason
from bellhop.domain import serializers
from bellhop.domain.ids import Prefix, render
from bellhop.domain.operators import Operator
from bellhop.engine import accounts

router = APIRouter(prefix="/v1/accounts", tags=["Accounts"], route_class=AuthenticatedRoute)


@router.get(
    "", operation_id="listAccounts", summary="List provider accounts", response_model=Page[Account], responses=errors()
)
@require_scope("accounts:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[Paging, FromQuery()]) -> Response:
    """The accounts that messages of the key's environment go through, their health, and how many messages wait for
    each. No secrets."""
    asked = page_request(which, Prefix.ACCOUNT)
    listed = await accounts.listing(engine, scope, asked)
    return page([serializers.account(row, scope.environment) for row in listed.rows], listed, asked, Prefix.ACCOUNT)


@router.post(
    "/{account_id}/hold",
    operation_id="holdAccount",
    summary="Hold a provider account",
    response_model=Account,
    responses=errors(400, 404, 413),
)
@require_scope("accounts:write")
async def hold(
    engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, account_id: str, body: WithReason
) -> Response:
    """Nothing is sent through it until it is mended: messages are accepted and wait, and nobody tries whether it works.
    Repeating it changes nothing. The key's id and the reason stay on record."""
    operator = Operator(render(Prefix.KEY, caller.key_id), body.reason)
    (row,), _ = await accounts.hold(engine, scope, [key_of(Prefix.ACCOUNT, account_id)], operator)
    return reply(serializers.account(row, scope.environment))


@router.post(
    "/{account_id}/mend",
    operation_id="mendAccount",
    summary="Say that a provider account is mended",
    response_model=Account,
    responses=errors(400, 404, 413),
)
@require_scope("accounts:write")
async def mend(
    engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, account_id: str, body: WithReason
) -> Response:
    """It is in order again, whoever held it: what waits for it goes out. Should the provider refuse it still, it is
    held again. Repeating it changes nothing. The key's id and the reason stay on record."""
    operator = Operator(render(Prefix.KEY, caller.key_id), body.reason)
    (row,), _ = await accounts.mend(engine, scope, [key_of(Prefix.ACCOUNT, account_id)], operator)
    return reply(serializers.account(row, scope.environment))
