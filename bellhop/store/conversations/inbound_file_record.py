"""The transactions around a guest's file: none is open while a provider is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.domain.delivery_ports import Account
from bellhop.domain.inbound_files import MOST_DELETIONS, KeptFile, NotKept, gives_up
from bellhop.domain.rows.inbound_files import DueFile
from bellhop.store.conversations import inbound_files
from bellhop.store.delivery.accounts import account_of
from bellhop.store.delivery.attempt_store import Routes


class InboundFileRecord:
    """activities.inbound_files.Record over Postgres. `wake`: wakes endpoints that can be told."""

    def __init__(
        self,
        engine: AsyncEngine,
        cipher: CredentialCipher,
        routes: Routes,
        wake: Callable[[Collection[UUID]], None],
    ) -> None:
        self._engine, self._cipher, self._routes, self._wake = engine, cipher, routes, wake

    async def claim(self, message_id: UUID) -> tuple[DueFile, Account | None] | None:
        async with self._engine.begin() as tx:
            due = await inbound_files.claim(tx, message_id)
            row = await inbound_files.account_row(tx, due.account_id) if due is not None else None
        if due is None:
            return None
        base_url = self._routes.base_url(due.environment, row.base_url) if row is not None else None
        if row is None or base_url is None:
            return due, None
        try:
            return due, account_of(self._cipher, row, base_url, due.environment)
        except CredentialsUnreadable:
            return due, None

    async def fetched(self, due: DueFile, outcome: KeptFile | NotKept) -> None:
        async with self._engine.begin() as tx:
            if isinstance(outcome, KeptFile):
                endpoints = await inbound_files.kept(tx, due, outcome)
            else:
                final = gives_up(outcome, due.tries)
                endpoints = await inbound_files.not_kept(tx, due, outcome.problem, final=final)
        self._wake(endpoints)

    async def wanted_elsewhere(self, due: DueFile) -> bool:
        async with self._engine.begin() as tx:
            return await inbound_files.wanted_elsewhere(tx, due)

    async def deleted(self, due: DueFile, *, done: bool) -> bool:
        if not done and due.tries < MOST_DELETIONS:
            return True
        async with self._engine.begin() as tx:
            await inbound_files.deleted(tx, due)
        return done

    async def next_in(self, message_id: UUID) -> float | None:
        async with self._engine.begin() as tx:
            return await inbound_files.next_in(tx, message_id)
