"""Firebase projects as the sandbox makes them up; the default one is the same in each process of an installation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.accounts import DefaultAccount, digest
from bellhop.sandbox.providers.fcm import keys

TOKEN_PATH = "/token"


def project_id(secret: str, phrase: str) -> str:
    """A project's name."""
    return "sandbox-" + digest(secret, f"fcm project {phrase}").hex()[:8]


def key_id(secret: str, phrase: str) -> str:
    """40 hexadecimal digits."""
    return digest(secret, f"fcm key {phrase}").hex()[:40]


def service_account(project: str, identity: str, private_key: str, token_uri: str) -> str:
    """A service account's key file. `token_uri`: of this sandbox."""
    made = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": identity,
        "private_key": private_key,
        "client_email": email(project),
        "token_uri": token_uri,
    }
    return json.dumps(made)


def email(project: str) -> str:
    """Of its service account."""
    return f"messaging@{project}.iam.gserviceaccount.com"


class _Made(Mapping[str, str]):
    """One variable whose value takes half a second to make, once somebody asks for it."""

    def __init__(self, name: str, make: Callable[[], str]) -> None:
        self._name, self._make = name, make

    def __getitem__(self, name: str) -> str:
        if name != self._name:
            raise KeyError(name)
        return self._make()

    def __iter__(self) -> Iterator[str]:
        yield self._name

    def __len__(self) -> int:
        return 1


def default(secret: str) -> DefaultAccount:
    """The account every sandbox with this secret has."""
    project = project_id(secret, "default")

    def made() -> str:
        key = keys.pem(keys.private_key(secret, "fcm default"))
        return service_account(project, key_id(secret, "default"), key, f"http://127.0.0.1:8900{TOKEN_PATH}")

    return DefaultAccount(
        identity=project, env=_Made("FCM_SERVICE_ACCOUNT", made), callbacks={}, app_reports="SANDBOX_FCM_APP_URL"
    )


@dataclass(slots=True)
class FcmAccount:
    """A project. `phrase`: what its key is made of beside the sandbox's secret."""

    project_id: str
    key_id: str
    phrase: str

    @property
    def id(self) -> str:
        return self.project_id


class AccountRequest(BaseModel):
    """A further project; its key is made up."""

    model_config = ConfigDict(extra="forbid")

    project_id: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
