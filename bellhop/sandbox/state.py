"""Everything a running sandbox holds, handed to its routes; and the book of recent calls."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults, magic
from bellhop.sandbox.account_registry import Books
from bellhop.sandbox.callback_sender import Post
from bellhop.sandbox.faults import FaultRequest, Faults, callback_effect
from bellhop.sandbox.scenarios import CALLBACK_KINDS, CallbackEffect
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.store import Message, Step, Store

Handler = Callable[[Request], Awaitable[Response]]


class State:
    """One sandbox. `env` are the settings as the environment has them; what was PUT lies over them."""

    def __init__(self, db: Path | None, env: Settings) -> None:
        self.store = Store(db)
        self._env = env
        self._put: dict[str, Any] = self.store.kept("settings").get("put", {})
        self.settings = Settings(**{**env.model_dump(), **self._put})
        self.books = Books(self.store)
        self.faults = Faults()
        self.post = Post(self.store, self.books, lambda: self.settings)
        self.requests: deque[dict[str, Any]] = deque(maxlen=20_000)

    def put_settings(self, changed: dict[str, Any]) -> None:
        """Change settings and remember it. Raises ValidationError."""
        put = {**self._put, **changed}
        self.settings = Settings(**{**self._env.model_dump(), **put})
        self._put = put
        self.store.keep("settings", "put", put)

    def accept(self, accepted: list[tuple[Message, list[Step]]]) -> None:
        """Durable first, then set in motion."""
        self.store.accept(accepted)
        for _, steps in accepted:
            self.post.schedule(steps)

    def call_fault(self, provider: str, recipients: list[str]) -> FaultRequest | None:
        """What befalls the call that sends to these recipients: a fault in force, else the first magic one."""
        asked = self.faults.for_call(provider, "send", recipients)
        if asked is not None:
            return asked
        rows = (magic.lookup(recipient) for recipient in recipients)
        return next((row.asked for row in rows if row and row.fault and row.fault not in CALLBACK_KINDS), None)

    def callback_effect(self, provider: str, recipient: str) -> CallbackEffect | None:
        """What befalls the callbacks of a message to this recipient."""
        effect = self.faults.for_callbacks(provider, recipient)
        row = magic.lookup(recipient)
        if effect is None and row and row.asked and row.fault in CALLBACK_KINDS:
            return callback_effect(row.asked)
        return effect

    def recorded(self, provider: str, handler: Handler) -> Handler:
        """Write the call down, without its headers or body, whatever becomes of it."""

        async def call(request: Request) -> Response:
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            row: dict[str, Any] = {
                "at": time.time(),
                "provider": provider,
                "method": request.method,
                "path": path,
                "status": None,
                "fault": None,
            }
            self.requests.append(row)
            request.state.record = row
            try:
                answer = await handler(request)
            except asyncio.CancelledError:  # the sandbox is going away while a fault keeps this call waiting
                answer = faults.unanswered()
            # No status where a fault hung up: nobody was answered.
            row["status"] = None if answer.headers.get("x-sandbox-unanswered") else answer.status_code
            return answer

        return call
