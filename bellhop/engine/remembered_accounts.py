"""What a process remembers of the accounts that callbacks come for: an account that a thousand properties share has a
thousand rows, and reading and opening them is done once for each of its versions, not once a callback.

Its version is read from the record at each use, so that what was changed counts at once, in every process. While the
database is away, what is remembered is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.domain.delivery_ports import Account
from bellhop.domain.rows.delivery import AccountRow
from bellhop.store.database import TIMEOUT, Database
from bellhop.store.delivery import callback_accounts
from bellhop.store.delivery.accounts import calling_account

MOST_REMEMBERED = 10_000
"""Rows of accounts a process remembers."""


@dataclass(slots=True)
class Known:
    """One account at a provider: its rows, at least one."""

    version: int
    rows: Sequence[AccountRow]
    """With their credentials as they are stored: encrypted."""
    _opened: list[list[Account]] | None = field(default=None, repr=False)
    _unreadable: bool = False

    def opened(self, cipher: CredentialCipher) -> list[list[Account]]:
        """Its rows, those with the same credentials together. Raises CredentialsUnreadable."""
        if self._unreadable:
            raise CredentialsUnreadable
        if self._opened is None:
            try:
                self._opened = _together([calling_account(cipher, row) for row in self.rows])
            except CredentialsUnreadable:
                self._unreadable = True
                raise
        return self._opened


def _together(every: Sequence[Account]) -> list[list[Account]]:
    found: dict[tuple[frozenset[tuple[str, str]], ...], list[Account]] = {}
    for one in every:
        secrets = (frozenset(one.credentials.items()), frozenset(one.previous_credentials.items()))
        found.setdefault(secrets, []).append(one)
    return list(found.values())


class RememberedAccounts:
    """Accounts by provider and identity, `MOST_REMEMBERED` rows of them. One per process."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._known: dict[tuple[str, str], Known] = {}
        self._count = 0

    async def current(self, database: Database, provider: str, identity: str, timeout: float = TIMEOUT) -> Known | None:
        """The account as the record has it now; None: there is none. It is read only where it was changed since."""

        async def look(tx: AsyncConnection) -> tuple[int, Sequence[AccountRow]] | Known | None:
            version = await callback_accounts.version(tx, provider, identity)
            if version is None:
                return None
            known = self.of(provider, identity)
            if known is not None and known.version == version:
                return known
            # After its version: what is changed in between is read once more next time.
            return version, await callback_accounts.of_callbacks(tx, provider, identity)

        found = await database.read(look, timeout=timeout)
        if isinstance(found, Known):
            return found
        return self.note(provider, identity, *(found or (0, ())))

    async def renew(self, database: Database) -> None:
        """Remember every account there is, and only those; of more rows than may be remembered, some."""
        versions = {
            (one.provider, one.identity): one.version
            for one in await database.read(lambda tx: callback_accounts.versions(tx, self._most))
        }
        changed = self._keep(versions)
        if not changed:
            return
        rows = await database.read(lambda tx: callback_accounts.of_callbacks_each(tx, changed, self._most))
        fresh: dict[tuple[str, str], list[AccountRow]] = {}
        for row in rows:
            fresh.setdefault((row.provider, row.identity), []).append(row)
        for (provider, identity), found in fresh.items():
            self.note(provider, identity, versions[provider, identity], found)

    def of(self, provider: str, identity: str) -> Known | None:
        """As it is remembered."""
        known = self._known.pop((provider, identity), None)
        if known is not None:
            self._known[provider, identity] = known
        return known

    def note(self, provider: str, identity: str, version: int, rows: Sequence[AccountRow]) -> Known | None:
        """Its rows were just read. None: the account is no longer known."""
        self._forget((provider, identity))
        if not rows:
            return None
        known = self._known[provider, identity] = Known(version, rows)
        self._count += len(rows)
        # Whose callback came longest ago; one that is larger than all that may be is remembered alone.
        while self._count > self._most and len(self._known) > 1:
            self._forget(next(iter(self._known)))
        return known

    def _keep(self, versions: Mapping[tuple[str, str], int]) -> list[tuple[str, str]]:
        """Forget what is not among these. Returns those that are not remembered in that version."""
        for key in [key for key in self._known if key not in versions]:
            self._forget(key)
        return [
            key for key, version in versions.items() if key not in self._known or self._known[key].version != version
        ]

    def _forget(self, key: tuple[str, str]) -> None:
        known = self._known.pop(key, None)
        self._count -= len(known.rows) if known is not None else 0
