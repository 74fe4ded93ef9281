"""Firebase Cloud Messaging, simulated: notifications are taken or refused, and nobody is told what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI

from bellhop.sandbox.account_registry import AccountRegistry
from bellhop.sandbox.accounts import new_phrase
from bellhop.sandbox.devices import PushSimulator
from bellhop.sandbox.providers.fcm import accounts, keys, routes, scenarios
from bellhop.sandbox.providers.fcm.accounts import AccountRequest, FcmAccount
from bellhop.sandbox.providers.fcm.settings import FcmSettings
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message


class Fcm(PushSimulator):
    """See docs/sandbox/fcm.md."""

    name = "fcm"
    label = "Firebase Cloud Messaging"
    shown_as = "text"
    channel_label = "Notification"
    settings_group = FcmSettings
    account_request = AccountRequest
    default_sender = ""
    magic = scenarios.MAGIC
    moments = scenarios.MOMENTS
    tones = scenarios.TONES
    sent_word = "sent"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        secret = state.secret
        project = accounts.default(secret).identity
        default = FcmAccount(project, accounts.key_id(secret, "default"), "fcm default")
        self.accounts = AccountRegistry(state.store, self.name, FcmAccount, default)

    def mount(self, app: FastAPI) -> None:
        routes.mount(app, self)

    def key_of(self, account: FcmAccount) -> rsa.RSAPrivateKey:
        """What its service account signs with."""
        return keys.private_key(self.state.secret, account.phrase)

    @property
    def app_url(self) -> str:
        return self.state.settings_of(FcmSettings).fcm_app_url

    def data(self, message: Message) -> dict[str, Any]:
        return message.detail["message"].get("data") or {}

    def put_account(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        given, phrase, secret = AccountRequest.model_validate(asked), new_phrase(), self.state.secret
        project = given.project_id or accounts.project_id(secret, phrase)
        account = self.accounts.get(project) or FcmAccount(project, accounts.key_id(secret, phrase), f"fcm {phrase}")
        self.accounts.put(account)
        file = accounts.service_account(
            project, account.key_id, keys.pem(self.key_of(account)), f"http://127.0.0.1:8900{accounts.TOKEN_PATH}"
        )
        return {"project_id": project, "service_account": file}


SIMULATOR = Fcm
