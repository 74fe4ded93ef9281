"""SendGrid's event webhook: its settings, what an event says, batches signed and posted until a 2xx.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.callback_sender import Answer, CallbackSender
from bellhop.sandbox.providers.sendgrid.accounts import SendGridAccount
from bellhop.sandbox.providers.sendgrid.settings import SendGridSettings
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.simulator import CallbackKind, PostedCallback
from bellhop.sandbox.store import Message, PlannedStep, now

# The flags of GET/PATCH /v3/user/webhooks/event/settings and the event each one lets through.
EVENT_FLAGS = {
    "processed": "processed",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounce",
    "dropped": "dropped",
    "open": "open",
    "click": "click",
    "spam_report": "spamreport",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "group_unsubscribe",
    "group_resubscribe": "group_resubscribe",
}
_FLAG_OF_EVENT = {event: flag for flag, event in EVENT_FLAGS.items()}
_LARGEST_BATCH = 500

# What real events carry besides the names of the message; the reader is always the same.
_EXTRAS: dict[str, dict[str, Any]] = {
    "delivered": {"response": "250 2.0.0 OK", "ip": "192.0.2.10", "tls": 1},
    "bounce": {"ip": "192.0.2.10", "tls": 1},
    "open": {
        "useragent": "Mozilla/5.0 (sandbox reader)",
        "ip": "198.51.100.7",
        "sg_machine_open": False,
        "sg_content_type": "html",
    },
    "click": {
        "useragent": "Mozilla/5.0 (sandbox reader)",
        "ip": "198.51.100.7",
        "url": "https://sandbox.example/",
        "url_offset": {"index": 0, "type": "html"},
    },
}


def event_settings(account: SendGridAccount, url: str) -> dict[str, Any]:
    """What SendGrid shows of an account's event webhook; `url` is the sandbox's own default."""
    defaults: dict[str, Any] = {"enabled": True, "url": url, "oauth_client_id": "", "oauth_token_url": ""}
    return {**defaults, **dict.fromkeys(EVENT_FLAGS, True), **account.event}


def event(message: Message, step: Step, due: float) -> dict[str, Any]:
    """One event as SendGrid posts it: custom arguments stand beside its own names."""
    found: dict[str, Any] = {
        **message.custom_args,
        "email": message.recipient,
        "timestamp": int(due),
        "smtp-id": f"<{message.id}@geopod-ismtpd-sandbox>",
        "event": step.word,
        "sg_event_id": secrets.token_urlsafe(32),
        "sg_message_id": message.detail["sg_message_id"],
        **_EXTRAS.get(step.word, {}),
        **dict(step.fields),
    }
    if message.detail["categories"]:
        found["category"] = message.detail["categories"]
    if message.detail["asm"]:
        found["asm_group_id"] = message.detail["asm"].get("group_id")
    return found


class EventWebhook:
    """Posts the events of one sandbox's accounts."""

    def __init__(
        self,
        sender: CallbackSender,
        accounts: AccountRegistry[SendGridAccount],
        settings: Callable[[], SendGridSettings],
    ) -> None:
        self._sender, self._accounts, self._settings = sender, accounts, settings
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def tell(self, step: PlannedStep) -> None:
        """Post the event of a step, together with what else the account is told in these moments."""
        self._sender.collect(step, self._settings().sendgrid_batch_window, _LARGEST_BATCH, self._tell)

    async def _tell(self, account_id: str, steps: list[PlannedStep]) -> None:
        account = self._accounts[account_id]
        wanted = event_settings(account, self._settings().sendgrid_event_url)
        if not (wanted["enabled"] and wanted["url"]):
            return self._settle_all(steps, "done", "no webhook")
        for step in steps:
            if not wanted[_FLAG_OF_EVENT[step.word]]:
                self._sender.settle(step, "done", "not enabled")
        steps = [step for step in steps if step.state == "owed"]
        if not steps:
            return
        answer = await self._post(account, wanted["url"], [step.payload for step in steps])
        if answer.shown.startswith("2"):
            return self._settle_all(steps, "done", answer.shown)
        pauses = self._settings().sendgrid_retry_pauses
        for step in steps:
            if step.tries < len(pauses):
                self._sender.again(step, pauses[step.tries], answer.shown)
            else:
                self._sender.settle(step, "failed", answer.shown)

    def _settle_all(self, steps: list[PlannedStep], state: str, answer: str) -> None:
        for step in steps:
            self._sender.settle(step, state, answer)

    async def _post(
        self, account: SendGridAccount, url: str, events: list[dict[str, Any]], *, forged: bool = False
    ) -> Answer:
        """One post, signed if the account wants it so."""
        # As SendGrid writes it: one event a line, and a line end after the last, which is signed as well.
        body = ("[" + ",\r\n".join(json.dumps(one, separators=(",", ":")) for one in events) + "]\r\n").encode()
        headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "SendGrid Event API"}
        # A forger has seen a genuine signature, of something else.
        headers |= self.signature(account, b"[]" if forged else body)
        return await self._sender.post(url, body, headers, aiohttp.ClientTimeout(total=10, sock_connect=5))

    def signature(self, account: SendGridAccount, body: bytes) -> dict[str, str]:
        """The headers that sign a body, if the account wants it so."""
        if not account.signed:
            return {}
        timestamp = str(int(time.time()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(self._sign(account, timestamp, body)).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }

    def _sign(self, account: SendGridAccount, timestamp: str, body: bytes) -> bytes:
        """The DER signature over timestamp and body."""
        key = self._keys.get(account.api_key)
        if key is None:
            key = self._keys[account.api_key] = account.private_key
        return key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))

    async def post_step(self, message: Message, step: Step) -> str:
        """Post what happened to a mail just now, if the account wants to be told, and say what was answered."""
        account = self._accounts[message.account]
        wanted = event_settings(account, self._settings().sendgrid_event_url)
        if not (wanted["enabled"] and wanted["url"] and wanted[_FLAG_OF_EVENT[step.word]]):
            return "not enabled"
        return (await self._post(account, wanted["url"], [event(message, step, now())])).shown

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        """See `Simulator.post_now`."""
        account = self._accounts[message.account]
        url = event_settings(account, self._settings().sendgrid_event_url)["url"]
        posted: dict[str, Any] = dict(step.payload)
        posted["event"] = word or step.word
        if kind != "again":
            posted["sg_event_id"] = secrets.token_urlsafe(32)
        if kind == "unknown":
            posted |= dict.fromkeys(message.custom_args, str(uuid4()))
            posted["sg_message_id"] = f"{secrets.token_urlsafe(16)}.filterdrecv-sandbox-1-{int(now()):X}-0.0"
        shown = "no webhook"
        if url:
            shown = (await self._post(account, url, [posted], forged=kind == "forged")).shown
        return PostedCallback(posted["sg_message_id"].partition(".")[0], posted["event"], shown)
