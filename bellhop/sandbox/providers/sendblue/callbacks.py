"""Sendblue's webhooks: the status callback of a message, which bears no signature, and `receive`, which bears the
account's signing secret; made again while they are not answered with a 2xx."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import aiohttp

from bellhop.sandbox.callback_sender import Answer, CallbackSender
from bellhop.sandbox.providers.sendblue.settings import SendblueSettings
from bellhop.sandbox.simulator import CallbackKind, PostedCallback
from bellhop.sandbox.store import Message, PlannedStep

TRIES = 4
"""How often a callback is made, at most."""


class Webhooks:
    """Posts them for one sandbox."""

    def __init__(self, sender: CallbackSender, settings: Callable[[], SendblueSettings]) -> None:
        self._sender, self._settings = sender, settings

    async def call(self, url: str, body: dict[str, Any], secret: str | None = None) -> Answer:
        """One call; `secret`: what stands in `sb-signing-secret`."""
        headers = {"Content-Type": "application/json", "User-Agent": "Sendblue/1.0"}
        headers |= {"sb-signing-secret": secret} if secret else {}
        return await self._sender.post(url, json.dumps(body).encode(), headers, aiohttp.ClientTimeout(total=10))

    def retry_pause(self, answer: Answer, tries: int) -> float | None:
        """Seconds until a call that ended so is made once more; None: it is not."""
        again = answer.outcome != "ok" and tries + 1 < TRIES
        return self._settings().sendblue_retry_pause * 2**tries if again else None

    async def tell(self, step: PlannedStep) -> None:
        """Post the status callback of a step."""
        if not step.url:
            return self._sender.settle(step, "done", "no URL")
        answer = await self.call(step.url, step.payload)
        if answer.outcome == "ok":
            self._sender.settle(step, "done", answer.shown)
        elif (pause := self.retry_pause(answer, step.tries)) is not None:
            self._sender.again(step, pause, answer.shown)
        else:
            self._sender.settle(step, "failed", answer.shown)

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        """See `Simulator.post_now`. Forged: under an address that was never handed out."""
        word = word or step.word
        body = step.payload | {"status": word}
        url = str(message.callback_url)
        if kind == "unknown":
            body["message_handle"] = str(uuid4()).upper()
        if kind == "forged":
            url = _guessed(url)
        answer = await self.call(url, body)
        return PostedCallback(body["message_handle"], word, answer.shown)


def _guessed(url: str) -> str:
    """The address with another token."""
    parts = urlsplit(url)
    query = [(name, secrets.token_hex(20) if name == "token" else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))
