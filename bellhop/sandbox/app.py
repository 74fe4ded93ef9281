"""Puts the sandbox together: one FastAPI application, and the server that can misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from bellhop.sandbox import control, guest_actions, kept_files, page, phone, socket_faults
from bellhop.sandbox.host_check import HostCheck
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.simulator import SettingsGroup
from bellhop.sandbox.state import State
from bellhop.sandbox.tls import Certificates


def create_app(secret: str, db: Path | None = None, settings: SettingsGroup | None = None) -> FastAPI:
    """The application; without `db` everything is held in memory. `secret`: what its accounts are derived from."""
    state = State(db, settings or Settings(), secret)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await state.callback_sender.open()
        yield
        await state.callback_sender.close()
        state.store.close()

    app = FastAPI(title="Bellhop sandbox", description=__doc__, version="1", lifespan=lifespan)
    app.state.sandbox = state
    app.include_router(control.router)
    app.include_router(guest_actions.router)
    app.include_router(kept_files.router)
    app.include_router(page.router)
    app.include_router(phone.router)
    for simulator in state.simulators.values():
        simulator.mount(app)
    return app


def create_server(
    secret: str,
    host: str = "127.0.0.1",
    port: int = 8900,
    db: Path | None = None,
    settings: SettingsGroup | None = None,
    names: Collection[str] = (),
) -> socket_faults.Server:
    """A server with its port already bound (`server.port`, also for port 0); run it with `server.run()`. `names`: those
    it may be called by beside localhost and addresses."""
    app = create_app(secret, db, settings)
    server = socket_faults.Server(
        uvicorn.Config(
            HostCheck(app, names, "SANDBOX_ALLOWED_HOSTS"),
            host=host,
            port=port,
            ws="none",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            backlog=2048,
        ),
        Certificates(secret, {host, *names}),
    )
    app.state.server = server
    return server
