"""The API's composition root, which `python -m api` serves. Starts and serves whatever else is down."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any

import structlog
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from api import docs, openapi
from api.acceptance_wait import AcceptanceWait
from api.auth import Authenticator
from api.connections import STATE, Connections
from api.dependencies import Services
from api.dialects import DIALECTS
from api.dialects.dialect import Dialect
from api.errors import HANDLERS
from api.guest_auth import GuestAuthenticator
from api.middleware import RequestMiddleware
from api.route_paths import base_of
from api.routes import (
    accounts,
    app_receipts,
    assets,
    batches,
    broadcasts,
    consents,
    conversation_stream,
    conversations,
    devices,
    guest_consents,
    guest_sessions,
    guests,
    health,
    inbound,
    inbox,
    intents,
    keys,
    ledger,
    media,
    message_links,
    messaging,
    properties,
    receipts,
    senders,
    short_links,
    stays,
    templates,
    unsubscribe,
    upcoming,
    webhooks,
)
from api.uploads import Uploads
from bellhop.domain import templates as liquid_templates
from bellhop.domain.addresses import AddressBook
from bellhop.domain.conversation_stream import KIND as CONVERSATIONS
from bellhop.domain.guests import language
from bellhop.domain.inbox import KIND as INBOXES
from bellhop.domain.live import Source
from bellhop.engine import missed_callbacks
from bellhop.engine.approvals import keep_asking
from bellhop.engine.callback_spool import spool_of
from bellhop.engine.context import Engine
from bellhop.engine.conversation_stream import ConversationSource
from bellhop.engine.inbound_lists import keep_fetching
from bellhop.engine.inbox import InboxSource
from bellhop.engine.installation import await_installation
from bellhop.engine.link_clicks import LinkClicks
from bellhop.engine.live import LiveStreams, StreamLimits
from bellhop.engine.receipts import keep_applying
from bellhop.engine.replay import replaying
from bellhop.logging import configure_logs
from bellhop.media.library import Library
from bellhop.providers import providers
from bellhop.settings import Settings, SettingsError, load
from bellhop.store.connections import API_POOL_TIMEOUT, callback_connections, make_engine
from bellhop.store.database import Database
from bellhop.store.notifications import listen
from bellhop.temporal.client import connect, register_search_attributes
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.webhooks.resolver import close_shared

ASK_AGAIN = 2.0
NATIVE = (
    # Routes are tried one after another: first what comes most often.
    receipts,
    messaging,
    batches,
    message_links,
    broadcasts,
    # Before `/v1/conversations/{id}`.
    conversation_stream,
    conversations,
    media,
    assets,
    templates,
    ledger,
    guests,
    stays,
    upcoming,
    devices,
    guest_consents,
    guest_sessions,
    inbox,
    inbound,
    consents,
    intents,
    webhooks,
    properties,
    accounts,
    senders,
    keys,
    health,
    app_receipts,
    unsubscribe,
    short_links,
)

log = structlog.get_logger()


def create_app(settings: Settings | None = None, dialects: Sequence[Dialect] = DIALECTS) -> FastAPI:
    """The API for `settings` (default: those of the environment), native and in `dialects`."""
    if settings is None:
        settings = load()
        configure_logs(settings.bellhop.log_level, "api")
    # uvicorn's own access log prints query strings, in which guests are searched for; the middleware logs instead.
    logging.getLogger("uvicorn.access").disabled = True
    read = settings

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        connections = make_engine(read.postgres, "api", pool_timeout=API_POOL_TIMEOUT)
        reserved = callback_connections(read.postgres)
        for_callbacks = make_engine(read.postgres, "callbacks", pool_timeout=API_POOL_TIMEOUT, pool_size=reserved)
        client = await connect(read.temporal, lazy=True)
        database = Database(connections)
        book = AddressBook(read.bellhop.secret_key.get_secret_value())
        registering = asyncio.create_task(_register(client))
        checking = asyncio.create_task(_check(connections, book))
        try:
            async with TemporalDispatcher(client, connections, read.delivery.run_ups()) as dispatcher:
                library = Library(read.media, read.media_addresses())
                engine = _engine(read, database, dispatcher, book, library)
                callbacks = replace(engine, database=Database(for_callbacks))
                app.state.services = served = _services(read, engine, callbacks)
                missed = (missed_callbacks.keep_noticing(engine), missed_callbacks.keep_asking(engine, read.routes))
                beside = (keep_applying(engine), _fetching(engine, read), _approvals(engine, read), *missed, _warm())
                async with _beside(*beside), replaying(engine), served.streams.running(), served.link_clicks.counting():
                    with Connections(read.api, on_stop=served.streams.stop) as connected:
                        yield {STATE: connected}
                await served.acceptance_wait.close()
                library.close()
        finally:
            for task in (registering, checking):
                await _ended(task)
            await close_shared()
            await connections.dispose()
            await for_callbacks.dispose()

    app = FastAPI(
        title="Bellhop",
        version=version("bellhop"),
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        **openapi.about(settings.bellhop.public_url),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        separate_input_output_schemas=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    base, https = base_of(settings.bellhop.public_url), settings.bellhop.encrypted
    app.add_middleware(
        RequestMiddleware, limits=settings.api, media=settings.media, dialects=dialects, base=base, https=https
    )
    _include(app, dialects)
    return app


def _include(app: FastAPI, dialects: Sequence[Dialect]) -> None:
    # As they are: `include_router` would make each anew at the app's first request, a tenth of a second's work, and
    # match every request twice.
    for router in (*(module.router for module in NATIVE), *(dialect.router for dialect in dialects)):
        app.router.routes.extend(router.routes)
    docs.serve(app)
    openapi.describe(app)


def _engine(
    settings: Settings, database: Database, dispatcher: TemporalDispatcher, book: AddressBook, library: Library
) -> Engine:
    cipher = settings.bellhop.credential_cipher()
    rules = settings.delivery, settings.webhook, settings.bellhop.public_url
    return Engine(database, dispatcher, book, cipher, providers(), *rules, spool_of(settings.spool, cipher), library)


def _services(settings: Settings, engine: Engine, callbacks: Engine) -> Services:
    database, api = engine.database, settings.api
    limits = StreamLimits(api.max_streams, api.streams_per_property, api.streams_per_guest, api.stream_heartbeat)
    sources: dict[str, Source] = {INBOXES: InboxSource(database), CONVERSATIONS: ConversationSource(database)}
    streams = LiveStreams(partial(listen, settings.postgres), sources, limits)
    authenticators = Authenticator(database), GuestAuthenticator(database)
    waiting, uploads, clicks = AcceptanceWait(engine), Uploads(settings.media), LinkClicks(database)
    return Services(settings, engine, callbacks, *authenticators, waiting, uploads, streams, clicks)


@asynccontextmanager
async def _beside(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these as long as the body lasts."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            await _ended(task)


async def _warm() -> None:
    """Templates take half a second to load, in which requests would wait for the first message of one; tags of
    languages a tenth of that."""
    await asyncio.to_thread(liquid_templates.warm)
    await asyncio.to_thread(language, "en")


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _fetching(engine: Engine, settings: Settings) -> None:
    """Ask providers from time to time for what guests have written."""
    await keep_fetching(engine, settings.routes, settings.bellhop.inbound_every)


async def _approvals(engine: Engine, settings: Settings) -> None:
    """Ask providers from time to time which templates are approved."""
    await keep_asking(engine, settings.routes, settings.bellhop.approvals_every)


async def _check(engine: AsyncEngine, book: AddressBook) -> None:
    """End the process when the secret key is not this database's, as soon as the database can be asked."""
    try:
        await await_installation(engine, book)
    except SettingsError as problem:
        print(problem, file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)


async def _register(client: Client) -> None:
    """Make Temporal know our search attributes, as soon as it is up: an unknown one would fail every start."""
    while True:
        try:
            await register_search_attributes(client)
            return
        except (RPCError, RuntimeError, OSError):
            await asyncio.sleep(ASK_AGAIN)
