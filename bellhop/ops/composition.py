"""What commands run with: an engine over the installation of the settings, recovery by hand, reconciliation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from bellhop.domain.addresses import AddressBook
from bellhop.engine.context import Engine
from bellhop.media.library import Library
from bellhop.ops.administration import Refused, scope_of
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from bellhop.store.database import Database
from bellhop.store.database import DatabaseTimeout as DatabaseTimeout
from bellhop.temporal.client import connect
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.temporal.schedules import keep_sweeping

if TYPE_CHECKING:
    from bellhop.ops.reconciliation import Reconciled

T = TypeVar("T")


async def with_engine(work: Callable[[Engine], Awaitable[T]], settings: Settings) -> T:
    """Run `work` with an engine over the installation of `settings`; Temporal need not be there."""
    connections = make_engine(settings.postgres, "cli")
    book = AddressBook(settings.bellhop.secret_key.get_secret_value())
    try:
        async with TemporalDispatcher(await connect(settings.temporal, lazy=True), connections) as dispatcher:
            # No providers: no command takes callbacks, and their SDKs need half a second to be imported.
            cipher = settings.bellhop.credential_cipher()
            database = Database(connections)
            library = Library(settings.media, settings.media_addresses())
            given = settings.delivery, settings.webhook, settings.bellhop.public_url
            engine = Engine(database, dispatcher, book, cipher, {}, *given, library=library)
            return await work(engine)
    finally:
        await connections.dispose()


async def recover(settings: Settings, progress: Callable[[int, int], None] | None = None) -> tuple[int, int]:
    """Everything recovery can do, now: recovery's own schedules, workflows that are missing, and one sweep. Returns how
    many workflows were made and how much was woken. `progress`: see `PostgresSweeper.rebuild`."""
    client = await connect(settings.temporal, lazy=False)
    engine = make_engine(settings.postgres, "cli")
    try:
        async with TemporalDispatcher(client, engine) as dispatcher:
            grace, hold = settings.bellhop.sweep_grace, settings.delivery.hold
            library = Library(settings.media, settings.media_addresses())
            sweeper = PostgresSweeper(engine, client, dispatcher, grace, hold, library.remove)
            made = await sweeper.rebuild(progress)
            await keep_sweeping(client, settings.sweep_paces())
            return made, await sweeper.sweep()
    finally:
        await engine.dispose()


async def reconcile(
    settings: Settings, slug: str, environment: str, since: datetime | None, until: datetime | None, only: str | None
) -> Reconciled:
    """Compare a span of a property's environment with the lists of its providers, or of `only` that one. Raises
    Refused, BadSpan."""
    from bellhop.domain.provider_urls import Routes
    from bellhop.ops.reconciliation import Reconciler
    from bellhop.providers import providers

    there = providers()
    if only is not None and only not in there:
        raise Refused(f"--provider: there is no provider '{only}'. There are: {', '.join(sorted(there))}.")
    scope = await with_engine(lambda engine: scope_of(engine, slug, environment), settings)
    connections = make_engine(settings.postgres, "reconcile")
    try:
        routes = Routes(settings.bellhop.public_url, settings.bellhop.sandbox_url)
        cipher = settings.bellhop.credential_cipher()
        return await Reconciler(connections, scope, there, routes, cipher).reconcile(since, until, only)
    finally:
        await connections.dispose()
