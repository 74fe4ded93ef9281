"""Twilio, simulated: texts and WhatsApp messages, their status callbacks, and what guests write back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.accounts import new_phrase
from bellhop.sandbox.providers.twilio import accounts, contents, inbound, routes, scenarios
from bellhop.sandbox.providers.twilio.accounts import AccountRequest, TwilioAccount
from bellhop.sandbox.providers.twilio.callbacks import TOKEN, Webhooks
from bellhop.sandbox.providers.twilio.messages import callback
from bellhop.sandbox.providers.twilio.settings import TwilioSettings
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.simulator import CallbackKind, InvalidRequest, PostedCallback, Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, PlannedStep


class Twilio(Simulator):
    """See docs/sandbox/twilio.md."""

    name = "twilio"
    label = "Twilio"
    shown_as = "text"
    channel_label = "SMS"
    settings_group = TwilioSettings
    account_request = AccountRequest
    inbound_request = inbound.InboundRequest
    reached_by_default = True
    default_sender = accounts.FROM_NUMBER
    magic = scenarios.MAGIC
    moments = scenarios.MOMENTS
    tones = scenarios.TONES
    sent_word = "sent"
    read_at, read_word = "delivered", "read"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        made = accounts.default(state.secret)
        default = TwilioAccount(made.identity, made.env["TWILIO_AUTH_TOKEN"], [accounts.FROM_NUMBER])
        self.accounts = AccountRegistry(state.store, self.name, TwilioAccount, default)
        self.contents = contents.Contents(state.store)
        self.webhooks = Webhooks(state.callback_sender, self.accounts, lambda: self.settings)

    @property
    def settings(self) -> TwilioSettings:
        return self.state.settings_of(TwilioSettings)

    def mount(self, app: FastAPI) -> None:
        routes.mount(app, self)

    def in_time(self, message: Message, usual: tuple[Step, ...]) -> tuple[Step, ...]:
        """The usual steps, or that it failed in the queue: its validity period is over before it would be sent."""
        validity = message.detail["validity"]
        sent = next((step for step in usual if step.word == self.sent_word), None)
        if validity is None or sent is None or self.after(sent) <= validity:
            return usual
        over = Step("failed", 30036)
        return (replace(over, late=validity / (self.after(over) or 1.0)),)

    def pressed(self, button: Mapping[str, Any]) -> dict[str, Any]:
        fields = {"ButtonText": button["title"], "ButtonPayload": button.get("payload") or button["title"]}
        return {"fields": fields}

    def readable(self, message: Message) -> bool:
        # A text's sender hears no more than that it arrived.
        return ":" in message.recipient and super().readable(message)

    def read_step(self, message: Message, moment: float) -> PlannedStep:
        payload = callback(message, Step(self.read_word), self.accounts[message.account])
        return self.step_now(message, moment, payload, message.callback_url)

    def tell(self, step: PlannedStep) -> None:
        self.state.callback_sender.start(self.webhooks.tell(step))

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        return await self.webhooks.post_now(kind, word, message, step)

    def changes(self, step: PlannedStep, moment: float) -> dict[str, Any]:
        changed = super().changes(step, moment)
        # With a messaging service the number is only chosen when the text is sent, and anew where it falls back to SMS.
        went = step.word in (self.sent_word, "delivered")
        return changed | ({"sender": step.payload["From"]} if went else {})

    def renewed(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {**payload, TOKEN: str(uuid4())}

    def put_account(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given, phrase = AccountRequest.model_validate(asked), new_phrase()
        sid = given.account_sid or accounts.account_sid(self.state.secret, phrase)
        old = self.accounts.get(sid)
        token = given.auth_token or (old.auth_token if old else accounts.auth_token(self.state.secret, phrase))
        numbers = given.numbers if given.numbers is not None else old.numbers if old else [accounts.FROM_NUMBER]
        if not numbers:
            raise InvalidRequest("numbers: an account needs one to send from")
        shared = given.shared_key_id if given.shared_key_id is not None else old.shared_key_id if old else ""
        known = old.shared_key if old and old.shared_key_id == shared else ""
        key = (given.shared_key or known or secrets.token_hex(32)) if shared else ""
        self.accounts.put(TwilioAccount(sid, token, numbers, shared, key))
        made = {"account_sid": sid, "auth_token": token, "numbers": numbers}
        return made | ({"shared_key_id": shared, "shared_key": key} if shared else {})

    def owns(self, address: str) -> bool:
        return any(address.rpartition(":")[2] in account.numbers for account in self.accounts)

    async def receive(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given = inbound.InboundRequest.model_validate(asked)
        for account in self.accounts:
            if given.to.rpartition(":")[2] in account.numbers and given.account_sid in (None, account.sid):
                return await inbound.receive(self, account, given)
        raise InvalidRequest(f"no account owns the number {given.to}")


SIMULATOR = Twilio
