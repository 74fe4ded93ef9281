"""Apple Push Notification service, simulated: notifications are taken or refused, and nobody is told what became of
them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.accounts import new_phrase
from bellhop.sandbox.devices import PushSimulator
from bellhop.sandbox.providers.apns import accounts, routes, scenarios
from bellhop.sandbox.providers.apns.accounts import AccountRequest, ApnsAccount
from bellhop.sandbox.providers.apns.settings import ApnsSettings
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message


class Apns(PushSimulator):
    """See docs/sandbox/apns.md."""

    name = "apns"
    label = "Apple Push Notification service"
    shown_as = "text"
    channel_label = "Notification"
    settings_group = ApnsSettings
    account_request = AccountRequest
    default_sender = ""
    magic = scenarios.MAGIC
    moments = scenarios.MOMENTS
    tones = scenarios.TONES
    sent_word = "sent"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        key_id = accounts.identifier(state.secret, "default")
        self.accounts = AccountRegistry(state.store, self.name, ApnsAccount, ApnsAccount(key_id, "default"))

    def mount(self, app: FastAPI) -> None:
        routes.mount(app, self)

    @property
    def team_id(self) -> str:
        """The team all keys are of."""
        return accounts.identifier(self.state.secret, "team")

    def key_of(self, account: ApnsAccount) -> ec.EllipticCurvePrivateKey:
        """What its tokens are signed with."""
        return accounts.private_key(self.state.secret, account.phrase)

    @property
    def app_url(self) -> str:
        return self.state.settings_of(ApnsSettings).apns_app_url

    def data(self, message: Message) -> dict[str, Any]:
        return dict(message.detail["payload"])

    def put_account(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given, phrase = AccountRequest.model_validate(asked), new_phrase()
        key_id = given.key_id or accounts.identifier(self.state.secret, phrase)
        account = self.accounts.get(key_id) or ApnsAccount(key_id, phrase)
        self.accounts.put(account)
        return {"key_id": key_id, "team_id": self.team_id, "key": accounts.p8(self.key_of(account))}


SIMULATOR = Apns
