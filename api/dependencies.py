"""What every request finds at the door: the process's things, the caller, and the way routes are guarded."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from fastapi.routing import APIRoute
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api import json_bodies
from api.acceptance_wait import Waiting
from api.auth import Caller, Callers
from api.errors import Invalid, MissingScope, NotFound
from bellhop.domain import keys
from bellhop.domain.addresses import AddressBook
from bellhop.domain.delivery_ports import Provider
from bellhop.domain.ids import Prefix, parse
from bellhop.settings import Settings
from bellhop.store.database import Database
from bellhop.temporal.dispatcher import TemporalDispatcher

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Door:
    """What one process holds."""

    settings: Settings
    database: Database
    callers: Callers
    waiting: Waiting
    dispatcher: TemporalDispatcher
    book: AddressBook
    providers: Mapping[str, Provider]


def door(request: Request) -> Door:
    """The process's things."""
    found: Door = request.app.state.door
    return found


def caller(request: Request) -> Caller:
    """Who calls; only on routes marked with `needs`."""
    found: Caller = request.scope["bellhop.caller"]
    return found


def needs(right: str) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint: its callers must hold `right`."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.right = right  # type: ignore[attr-defined]
        return endpoint

    return mark


class Guarded(APIRoute):
    """A route that knows its caller before it reads the body, and reads the body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        right: str = self.endpoint.right  # type: ignore[attr-defined]
        takes_body = self.body_field is not None

        async def guarded(request: Request) -> Response:
            known = await door(request).callers.authenticate(request)
            if not keys.allows(known.rights, right):
                raise MissingScope(right)
            request.scope["bellhop.caller"] = known
            if takes_body:
                request = _Read(request.scope, request.receive)
                await request.read()
            response = await handle(request)
            response.headers.update(request.scope["bellhop.rate"])
            return response

        return guarded


class _Read(Request):
    """A request whose JSON was read by our own rules."""

    _parsed: Any = None

    async def read(self) -> None:
        raw = await self.body()
        if not raw:
            return
        if not json_bodies.is_json(self.headers.get("content-type")):
            raise Invalid(["header", "content-type"], "expected application/json", "content_type")
        self._parsed = json_bodies.parse(raw)

    async def json(self) -> Any:
        return self._parsed


def reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(to_json(content), status, dict(headers or {}), media_type="application/json")


def page(rows: list[dict[str, Any]], total: int, limit: int, offset: int) -> Response:
    """One page of a list, in the one envelope of all lists."""
    return reply(
        {"data": rows, "total": total, "limit": limit, "offset": offset, "has_more": offset + len(rows) < total}
    )


def key_of(prefix: Prefix, text: str) -> UUID:
    """The row key behind an id in a path. Raises NotFound."""
    found = parse(prefix, text)
    if found is None:
        raise NotFound
    return found
