"""Everything a running sandbox holds, handed to its routes; and the log of recent calls."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults, guest_addresses
from bellhop.sandbox.callback_sender import CallbackSender
from bellhop.sandbox.faults import FaultRequest, Faults, callback_effect
from bellhop.sandbox.providers import simulators
from bellhop.sandbox.scenarios import CALLBACK_KINDS, CallbackEffect
from bellhop.sandbox.simulator import Group, SettingsGroup, Simulator
from bellhop.sandbox.store import Message, PlannedStep, Store

Handler = Callable[[Request], Awaitable[Response]]


class State:
    """One sandbox. `env` are the settings as the environment has them; what was PUT lies over them. `secret`: what its
    accounts are derived from."""

    def __init__(self, db: Path | None, env: SettingsGroup, secret: str) -> None:
        self.secret = secret
        self.store = Store(db)
        self._env = env
        put: dict[str, Any] = self.store.kept("settings").get("put", {})
        # A file may be older than the sandbox, or from one with other simulators.
        self._put = {name: value for name, value in put.items() if name in type(env).model_fields}
        self.settings = self._over(self._put)
        self.faults = Faults()
        self.simulators: dict[str, Simulator] = {}
        self.callback_sender = CallbackSender(self.store, self.simulators)
        self.simulators.update((name, simulator(self)) for name, simulator in simulators().items())
        self.by_hand = guest_addresses.by_hand(self.store)
        self.app_sessions: dict[str, dict[str, str]] = {}
        """By the address of a guest's app: where it reads its inbox, and with which token."""
        self.called_at = ""
        """The address by which whoever wrote last as a guest called this sandbox."""
        self.requests: deque[dict[str, Any]] = deque(maxlen=20_000)

    def _over(self, put: dict[str, Any]) -> SettingsGroup:
        return type(self._env)(**{**self._env.model_dump(), **put})

    def settings_of(self, group: type[Group]) -> Group:
        """The settings in force, as those of one simulator."""
        assert isinstance(self.settings, group)
        return self.settings

    def put_settings(self, changed: dict[str, Any]) -> None:
        """Change settings and remember it. Raises ValidationError."""
        put = {**self._put, **changed}
        self.settings = self._over(put)
        self._put = put
        self.store.keep("settings", "put", put)
        for simulator in self.simulators.values():
            simulator.settings_changed(changed)

    def accept(self, accepted: list[tuple[Message, list[PlannedStep]]]) -> None:
        """Durable first, then set in motion."""
        self.store.accept(accepted)
        for _, steps in accepted:
            self.callback_sender.schedule(steps)

    def reads(self, address: str) -> bool:
        """Whether the guest with this address reads messages by themselves: all do but those who were told not to."""
        return guest_addresses.bare(address) not in self.by_hand

    def call_fault(self, provider: str, recipients: list[str]) -> FaultRequest | None:
        """What befalls the call that sends to these recipients: a fault in force, else the first magic one."""
        asked = self.faults.for_call(provider, "send", recipients)
        if asked is not None:
            return asked
        rows = map(self.simulators[provider].magic.lookup, recipients)
        return next((row.asked for row in rows if row and row.fault and row.fault not in CALLBACK_KINDS), None)

    def callback_effect(self, provider: str, recipient: str) -> CallbackEffect | None:
        """What befalls the callbacks of a message to this recipient."""
        effect = self.faults.for_callbacks(provider, recipient)
        row = self.simulators[provider].magic.lookup(recipient)
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
