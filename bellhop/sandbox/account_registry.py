"""The accounts of one simulator: kept in the store, held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, asdict
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from bellhop.sandbox.store import Store


class SimulatedAccount(Protocol):
    """A dataclass whose `id` may be written down: no secret."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def id(self) -> str: ...


Account = TypeVar("Account", bound=SimulatedAccount)


class AccountRegistry(Generic[Account]):
    """Every account the sandbox knows at one provider; `default` among them, as it was last changed."""

    def __init__(self, store: Store, provider: str, of: Callable[..., Account], default: Account) -> None:
        self._store, self._provider = store, provider
        self._accounts = {default.id: default}
        for row in store.kept(provider).values():
            account = of(**row)
            self._accounts[account.id] = account

    def put(self, account: Account) -> None:
        """Add an account or change one; new credentials take effect at once, as after a rotation."""
        self._accounts[account.id] = account
        self._store.keep(self._provider, account.id, asdict(account))

    def get(self, account_id: str) -> Account | None:
        return self._accounts.get(account_id)

    def __getitem__(self, account_id: str) -> Account:
        return self._accounts[account_id]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())
