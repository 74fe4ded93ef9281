"""What the simulators of push services share: they call nobody, but the app on the device may report what it shows."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import aiohttp

from bellhop.sandbox.simulator import CallbackKind, InvalidRequest, PostedCallback, Simulator
from bellhop.sandbox.store import Message, PlannedStep

TOKEN = "receipt_token"
"""In a notification's data: what the property's app reports with."""


class PushSimulator(Simulator):
    """A service whose notifications end on a guest's device. `read` is what the app on it reports, not the service."""

    read_at, read_word = "sent", "read"

    @property
    @abstractmethod
    def app_url(self) -> str:
        """Where the app reports; empty: it does not."""

    @abstractmethod
    def data(self, message: Message) -> dict[str, Any]:
        """What a notification carries for the app."""

    def readable(self, message: Message) -> bool:
        return bool(self.app_url and self.data(message).get(TOKEN)) and super().readable(message)

    def read_step(self, message: Message, moment: float) -> PlannedStep:
        url = f"{self.app_url.rstrip('/')}/{self.data(message)[TOKEN]}/{self.read_word}"
        return self.step_now(message, moment, {}, url)

    def tell(self, step: PlannedStep) -> None:
        if step.url:
            self.state.callback_sender.start(self._report(step, step.url))
        else:
            self.state.callback_sender.settle(step, "done", f"{self.label} calls nobody")

    async def _report(self, step: PlannedStep, url: str) -> None:
        answer = await self.state.callback_sender.post(url, b"", {}, aiohttp.ClientTimeout(total=10))
        self.state.callback_sender.settle(step, "done" if answer.outcome == "ok" else "failed", answer.shown)

    def calls_back(self, message: Message) -> bool:
        return False

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        raise InvalidRequest(f"{self.label} calls nobody")
