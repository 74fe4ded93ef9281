"""Twilio's webhooks: signed calls, tried again as the address's fragment says, and callbacks posted on demand.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
)

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.callback_sender import Answer, CallbackSender
from bellhop.sandbox.providers.twilio import overrides
from bellhop.sandbox.providers.twilio.accounts import TwilioAccount
from bellhop.sandbox.providers.twilio.settings import TwilioSettings
from bellhop.sandbox.simulator import CallbackKind, PostedCallback
from bellhop.sandbox.store import Message, PlannedStep

TOKEN = "I-Twilio-Idempotency-Token"
"""The header that is the same in all retries of one callback; stored among the fields of its payload."""


class Webhooks:
    """Posts them for the accounts of one sandbox."""

    def __init__(
        self, sender: CallbackSender, accounts: AccountRegistry[TwilioAccount], settings: Callable[[], TwilioSettings]
    ) -> None:
        self._sender, self._accounts, self._settings = sender, accounts, settings
        self._began: dict[int, float] = {}
        """By step, when its first call was made; one from before a restart counts as made now."""

    async def call(
        self,
        account: str,
        url: str,
        fields: dict[str, str],
        token: str,
        *,
        elapsed: float = 0.0,
        forged: bool = False,
    ) -> Answer:
        """One signed call, `elapsed` seconds after the first one of it began."""
        bare, how = overrides.split(url)
        headers = {
            **_signature(self._accounts[account], bare, fields, forged),
            TOKEN: token,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "Accept": "*/*",
            "User-Agent": "TwilioProxy/1.1",
        }
        left = max(how.total - elapsed, 0.1)
        timeout = aiohttp.ClientTimeout(total=left, sock_connect=how.connect, sock_read=how.read)
        return await self._sender.post(bare, urlencode(fields).encode(), headers, timeout)

    def retry_pause(self, url: str, outcome: str, tries: int, elapsed: float) -> float | None:
        """Seconds until a call that ended so is made once more; None: it is not. `elapsed`: since the first one
        began."""
        _, how = overrides.split(url)
        pause = self._settings().twilio_retry_pause * 2**tries
        return pause if how.retry(outcome, tries, elapsed + pause) else None

    async def deliver(self, account: str, url: str, fields: dict[str, str]) -> tuple[Answer, int]:
        """Call until it is answered well or the address's overrides allow no more: the last answer, and how often."""
        token, tries, began = str(uuid4()), 0, time.monotonic()
        while True:
            elapsed = time.monotonic() - began
            answer = await self.call(account, url, fields, token, elapsed=elapsed)
            failed = answer.outcome != "ok"
            pause = self.retry_pause(url, answer.outcome, tries, time.monotonic() - began) if failed else None
            tries += 1
            if pause is None:
                return answer, tries
            await asyncio.sleep(pause)

    async def tell(self, step: PlannedStep) -> None:
        """Post the status callback of a step."""
        if not step.url:
            return self._sender.settle(step, "done", "no URL")
        fields = {name: value for name, value in step.payload.items() if name != TOKEN}
        began = self._began.setdefault(step.id, time.monotonic())
        elapsed = time.monotonic() - began
        answer = await self.call(step.account, step.url, fields, step.payload[TOKEN], elapsed=elapsed)
        elapsed = time.monotonic() - began
        if answer.outcome == "ok":
            self._sender.settle(step, "done", answer.shown)
        elif (pause := self.retry_pause(step.url, answer.outcome, step.tries, elapsed)) is not None:
            return self._sender.again(step, pause, answer.shown)
        else:
            self._sender.settle(step, "failed", answer.shown)
        self._began.pop(step.id, None)

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        """See `Simulator.post_now`."""
        word = word or step.word
        fields = {name: value for name, value in step.payload.items() if name != TOKEN}
        fields |= {"MessageStatus": word, "SmsStatus": word}
        url, token = str(message.callback_url), str(uuid4())
        if kind == "unknown":
            sid = "SM" + secrets.token_hex(16)
            fields |= {"MessageSid": sid, "SmsSid": sid}
            url = _elsewhere(url)
        answer = await self.call(message.account, url, fields, token, forged=kind == "forged")
        return PostedCallback(fields["MessageSid"], word, answer.shown)


def _signature(account: TwilioAccount, url: str, fields: dict[str, str], forged: bool) -> dict[str, str]:
    """The headers that vouch for a call: by the account's shared key, where it has one, or else its auth token."""
    secret, algorithm = account.shared_key or account.auth_token, HMAC_SHA256 if account.shared_key else HMAC_SHA1
    validator = RequestValidator(secrets.token_hex(16) if forged else secret)
    made = {SIGNATURE_HEADER: validator.compute_signature(url, fields, algorithm)}
    if account.shared_key:
        made[SIGNATURE_SETTINGS_HEADER] = f"key={account.shared_key_id},algorithm={algorithm}"
    return made


def _elsewhere(url: str) -> str:
    """The address with every id in its query replaced by one that nobody knows."""
    parts = urlsplit(url)
    query = [(name, str(uuid4()) if len(value) == 36 else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))
