"""What routes take: the process's services, the caller and its scope, and a route class that authenticates first, then
reads the body, then waits for its turn: a stranger, and who sends slowly, keep nobody waiting."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from fastapi.routing import APIRoute
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from api import cursors, json_bodies
from api.acceptance_wait import AcceptanceWait
from api.admission import BATCH_PATIENCE, BATCHES, Turns
from api.auth import Authenticator, Caller, read_key
from api.buckets import Buckets
from api.guest_auth import GuestAuthenticator
from api.large_callbacks import LargeCallbacks
from api.problems import Forbidden, Invalid, MissingScope, NotFound
from api.uploads import WITH_MESSAGE, Upload, Uploads
from bellhop.domain import keys
from bellhop.domain.conversations import Side
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.inbox import OpenSession
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.link_clicks import LinkClicks
from bellhop.engine.live import LiveStreams
from bellhop.settings import Settings

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Services:
    """What one process holds."""

    settings: Settings
    engine: Engine
    callbacks: Engine
    """The same for callbacks, with connections to the database of their own."""
    authenticator: Authenticator
    guests: GuestAuthenticator
    acceptance_wait: AcceptanceWait
    uploads: Uploads
    streams: LiveStreams
    link_clicks: LinkClicks
    forged_callbacks: Buckets = field(default_factory=lambda: Buckets(burst=60, rate=1.0))
    """What nobody's credentials had signed, by account and source address."""
    large_callbacks: LargeCallbacks = field(default_factory=LargeCallbacks)
    batches: Turns = field(default_factory=lambda: Turns(BATCHES, BATCH_PATIENCE))


# Dependencies are coroutines: FastAPI would run a plain function in a thread.


async def services(request: Request) -> Services:
    """The process's services."""
    return _services(request)


async def engine(request: Request) -> Engine:
    """What use cases work with."""
    return _services(request).engine


async def caller(request: Request) -> Caller:
    """Who calls; only on routes of the class AuthenticatedRoute."""
    return _caller(request)


async def scope(request: Request) -> Scope:
    """The one scope the caller's key opens. Raises Forbidden for a key that opens several."""
    return _caller(request).scope


async def upload(request: Request) -> Upload:
    """The file that was sent; only on endpoints that take one."""
    found: Upload = request.scope["bellhop.upload"]
    return found


async def session(request: Request) -> OpenSession:
    """The guest's session that reads; only on routes of the class GuestRoute."""
    found: OpenSession = request.scope["bellhop.session"]
    return found


CurrentServices = Annotated[Services, Depends(services)]
CurrentEngine = Annotated[Engine, Depends(engine)]
CurrentCaller = Annotated[Caller, Depends(caller)]
CurrentScope = Annotated[Scope, Depends(scope)]
CurrentUpload = Annotated[Upload, Depends(upload)]
CurrentSession = Annotated[OpenSession, Depends(session)]


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def _caller(request: Request) -> Caller:
    found: Caller = request.scope["bellhop.caller"]
    return found


def require_scope(right: str) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint: its callers' keys must hold the scope `right`, e.g. `messaging:write`."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.right = right  # type: ignore[attr-defined]
        return endpoint

    return mark


def for_both_sides(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint: it speaks with guests' platforms, too, and asks the caller's `side` itself."""
    endpoint.for_both_sides = True  # type: ignore[attr-defined]
    return endpoint


def takes_file(endpoint: Endpoint) -> Endpoint:
    """Mark an endpoint: its body is a file, which is on the disk before the endpoint runs (CurrentUpload)."""
    endpoint.takes_file = True  # type: ignore[attr-defined]
    return endpoint


class AuthenticatedRoute(APIRoute):
    """A route that knows its caller before it reads the body, and reads the body strictly.

    FastAPI resolves its dependencies after the body: an unknown caller would be answered what is wrong with it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        right: str = self.endpoint.right  # type: ignore[attr-defined]
        takes_body = self.body_field is not None
        takes_file = getattr(self.endpoint, "takes_file", False)
        for_both = getattr(self.endpoint, "for_both_sides", False)

        async def answered(request: Request) -> Response:
            await request.scope["bellhop.slot"].take()
            response = await handle(request)
            response.headers.update(request.scope["bellhop.rate"])
            return response

        async def authenticated(request: Request) -> Response:
            dialect = request.scope["bellhop.dialect"]
            raw = read_key(request) if dialect is None else dialect.read_key(request)
            known = await _services(request).authenticator.authenticate(request, raw)
            if not keys.allows(known.rights, right):
                raise MissingScope(right)
            if known.side is not Side.PROPERTY and not for_both:
                raise Forbidden("This API key is of a guests' platform: it opens Booking.com's messaging calls only.")
            request.scope["bellhop.caller"] = known
            if takes_body:
                request = _JsonRequest(request.scope, request.receive)
                await request.read()
            if not takes_file:
                return await answered(request)
            async with _services(request).uploads.received(request, str(known.key_id)) as upload:
                request.scope["bellhop.upload"] = upload
                return await answered(request)

        return authenticated


class GuestRoute(APIRoute):
    """The same for a guest's app, which comes with the token of a session."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        takes_body = self.body_field is not None
        takes_file = getattr(self.endpoint, "takes_file", False)

        async def authenticated(request: Request) -> Response:
            services = _services(request)
            session = request.scope["bellhop.session"] = await services.guests.authenticate(request)
            if takes_file:
                # Before any of it is read.
                services.guests.sends_file(session)
                async with services.uploads.received(request, str(session.id), WITH_MESSAGE) as upload:
                    request.scope["bellhop.upload"] = upload
                    await request.scope["bellhop.slot"].take()
                    return await handle(request)
            if takes_body:
                request = _JsonRequest(request.scope, request.receive)
                await request.read()
            await request.scope["bellhop.slot"].take()
            return await handle(request)

        return authenticated


class _JsonRequest(Request):
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


def page(shown: list[dict[str, Any]], listed: Listed[Any], asked: PageRequest, of: Prefix, **more: object) -> Response:
    """One page of a list of such objects, in the one envelope of all lists. `more`: what this list says beside it."""
    return reply(
        {
            "data": shown,
            "total": listed.total,
            "total_exact": listed.total_exact,
            "limit": asked.limit,
            "offset": asked.offset,
            "has_more": listed.next is not None,
            "next_cursor": cursors.write(listed.next, of) if listed.next else None,
            **more,
        }
    )


def key_of(prefix: Prefix, text: str) -> UUID:
    """The row key behind an id in a path. Raises NotFound."""
    found = parse(prefix, text)
    if found is None:
        raise NotFound
    return found
