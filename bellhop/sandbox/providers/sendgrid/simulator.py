"""SendGrid, simulated: mails, their events, the Email Activity."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.accounts import new_phrase
from bellhop.sandbox.providers.sendgrid import accounts, inbound, reader, routes, scenarios
from bellhop.sandbox.providers.sendgrid.accounts import AccountRequest, SendGridAccount
from bellhop.sandbox.providers.sendgrid.events import EventWebhook, event
from bellhop.sandbox.providers.sendgrid.inbound import InboundRequest
from bellhop.sandbox.providers.sendgrid.settings import SendGridSettings
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.simulator import CallbackKind, PostedCallback, Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, PlannedStep


class SendGrid(Simulator):
    """See docs/sandbox/sendgrid.md."""

    name = "sendgrid"
    label = "SendGrid"
    shown_as = "mail"
    channel_label = "E-mail"
    settings_group = SendGridSettings
    account_request = AccountRequest
    inbound_request = InboundRequest
    default_sender = accounts.FROM_EMAIL
    magic = scenarios.MAGIC
    moments = scenarios.MOMENTS
    tones = scenarios.TONES
    actions = reader.ACTIONS
    sent_word = "processed"
    read_at, read_word = "delivered", "open"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._default_key = accounts.default(state.secret).env["SENDGRID_API_KEY"]
        self.accounts = AccountRegistry(state.store, self.name, SendGridAccount, SendGridAccount(self._default_key))
        self.webhook = EventWebhook(state.callback_sender, self.accounts, lambda: self.settings)

    @property
    def settings(self) -> SendGridSettings:
        return self.state.settings_of(SendGridSettings)

    def mount(self, app: FastAPI) -> None:
        routes.mount(app, self)

    def readable(self, message: Message) -> bool:
        # Opens are seen by a picture, which a mail of plain text has not.
        return (message.html is not None or "template_id" in message.detail) and super().readable(message)

    def read_step(self, message: Message, moment: float) -> PlannedStep:
        return self.step_now(message, moment, event(message, Step(self.read_word), moment), None)

    def unsubscribe_url(self, message: Message) -> str | None:
        headers = {name.casefold(): str(value) for name, value in message.detail["headers"].items()}
        if "list-unsubscribe-post" not in headers:
            return None
        found = re.search(r"<(https?://[^>]+)>", headers.get("list-unsubscribe", ""))
        return found[1] if found else None

    def media(self, message: Message) -> list[tuple[str, str]]:
        return [
            (f"/_sandbox/files/{message.id}/{at}/{quote(file['name'], safe='')}", file["type"])
            for at, file in enumerate(message.detail.get("files") or [])
        ]

    def answers_to(self, message: Message) -> str:
        wished = message.detail.get("reply_to") or {}
        return str(wished.get("email") or super().answers_to(message))

    def owns(self, address: str) -> bool:
        return "@" in address

    async def receive(self, asked: dict[str, Any]) -> dict[str, Any]:
        return await inbound.receive(self, InboundRequest.model_validate(asked))

    def tell(self, step: PlannedStep) -> None:
        self.webhook.tell(step)

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        return await self.webhook.post_now(kind, word, message, step)

    async def act(self, message: Message, action: str) -> str:
        return await reader.act(self.state.callback_sender, self.webhook, message, action)

    def calls_back(self, message: Message) -> bool:
        return True

    def account_of(self, api_key: str) -> SendGridAccount | None:
        """The account this key is of."""
        account = self.accounts.get(accounts.key_half(api_key))
        return account if account and hmac.compare_digest(account.api_key.encode(), api_key.encode()) else None

    def settings_changed(self, changed: Mapping[str, Any]) -> None:
        # Whoever sets it here means it, also for the default account that PATCHed its own before.
        if "sendgrid_event_url" in changed:
            default = self.account_of(self._default_key)
            if default and default.event.pop("url", None) is not None:
                self.accounts.put(default)

    def put_account(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given = AccountRequest.model_validate(asked)
        key = given.api_key or accounts.api_key(self.state.secret, new_phrase())
        account = self.account_of(key) or SendGridAccount(key)
        if given.from_emails is not None:
            account.from_emails = [email.casefold() for email in given.from_emails]
        if given.email_activity is not None:
            account.email_activity = given.email_activity
        self.accounts.put(account)
        return {
            "api_key": key,
            "from_emails": account.from_emails,
            "email_activity": account.email_activity,
            "webhook_public_key": accounts.webhook_public_key(account.private_key),
        }


SIMULATOR = SendGrid
