"""Sendblue, simulated: iMessages, their status callbacks, and what guests write back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.accounts import new_phrase
from bellhop.sandbox.providers.sendblue import accounts, inbound, routes, scenarios
from bellhop.sandbox.providers.sendblue.accounts import AccountRequest, SendblueAccount
from bellhop.sandbox.providers.sendblue.callbacks import Webhooks
from bellhop.sandbox.providers.sendblue.settings import SendblueSettings
from bellhop.sandbox.simulator import CallbackKind, InvalidRequest, PostedCallback, Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, PlannedStep


class Sendblue(Simulator):
    """See docs/sandbox/sendblue.md."""

    name = "sendblue"
    label = "Sendblue"
    shown_as = "text"
    channel_label = "iMessage"
    settings_group = SendblueSettings
    account_request = AccountRequest
    inbound_request = inbound.InboundRequest
    default_sender = accounts.FROM_NUMBER
    magic = scenarios.MAGIC
    moments = scenarios.MOMENTS
    tones = scenarios.TONES
    sent_word = "SENT"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        made = accounts.default(state.secret)
        default = SendblueAccount(
            made.identity,
            made.env["SENDBLUE_API_SECRET_KEY"],
            made.env["SENDBLUE_SIGNING_SECRET"],
            [accounts.FROM_NUMBER],
        )
        self.accounts = AccountRegistry(state.store, self.name, SendblueAccount, default)
        self.webhooks = Webhooks(state.callback_sender, lambda: self.settings)

    @property
    def settings(self) -> SendblueSettings:
        return self.state.settings_of(SendblueSettings)

    def mount(self, app: FastAPI) -> None:
        routes.mount(app, self)

    def tell(self, step: PlannedStep) -> None:
        self.state.callback_sender.start(self.webhooks.tell(step))

    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        return await self.webhooks.post_now(kind, word, message, step)

    def changes(self, step: PlannedStep, moment: float) -> dict[str, Any]:
        reported = step.payload
        kept = {name: reported[name] for name in ("media_url", "send_style", "service", "was_downgraded")}
        return super().changes(step, moment) | {"detail": kept}

    def put_account(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given, phrase, secret = AccountRequest.model_validate(asked), new_phrase(), self.state.secret
        identity = given.key_id or accounts.key_id(secret, phrase)
        old = self.accounts.get(identity)
        key = given.secret_key or (old.secret_key if old else accounts.secret_key(secret, phrase))
        signing = given.signing_secret or (old.signing_secret if old else accounts.signing_secret(secret, phrase))
        lines = given.lines if given.lines is not None else old.lines if old else [accounts.FROM_NUMBER]
        if not lines:
            raise InvalidRequest("lines: an account needs one to send from")
        self.accounts.put(SendblueAccount(identity, key, signing, lines))
        return {"key_id": identity, "secret_key": key, "signing_secret": signing, "lines": lines}

    def owns(self, address: str) -> bool:
        return any(address in account.lines for account in self.accounts)

    async def receive(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given = inbound.InboundRequest.model_validate(asked)
        for account in self.accounts:
            if given.to in account.lines:
                return await inbound.receive(self, account, given)
        raise InvalidRequest(f"no account owns the line {given.to}")


SIMULATOR = Sendblue
