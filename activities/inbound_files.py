"""`settle_files`: fetch a file of a guest's message, or delete one at its provider whose guest was erased."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

import structlog
from temporalio import activity

from activities.faults import redact_errors
from activities.recovery import beating
from bellhop.domain.delivery_ports import Account, Provider
from bellhop.domain.inbound_files import FileAddress, FileProblem, FileState, KeptFile, NotKept
from bellhop.domain.rows.inbound_files import DueFile
from bellhop.temporal import contract

log = structlog.get_logger()

CALL_TIMEOUT = 10.0
"""Seconds of one call that deletes a file."""


class Record(Protocol):
    """Files of guests' messages, and what is to be done with them: each method is one transaction."""

    async def claim(self, message_id: UUID) -> tuple[DueFile, Account | None] | None:
        """The next file of a message with which something is to be done now, and whose credentials that takes, if they
        are to be had; the try is counted. None: there is none."""

    async def fetched(self, due: DueFile, outcome: KeptFile | NotKept) -> None:
        """Write what became of it."""

    async def wanted_elsewhere(self, due: DueFile) -> bool:
        """Whether another property is yet to fetch the provider's file."""

    async def deleted(self, due: DueFile, *, done: bool) -> bool:
        """Write that the provider has it no longer, or was asked once more. False: it is not asked again."""

    async def next_in(self, message_id: UUID) -> float | None:
        """Seconds until something is to be done with a file of a message; None: nothing is."""


class Fetches(Protocol):
    """Gets the bytes."""

    async def fetch(self, due: DueFile, address: FileAddress, base_url: str) -> KeptFile | NotKept:
        """Fetch a file of an account whose provider is at `base_url`, and write its bytes."""


class InboundFileActivities:
    """The activity around the record, the providers and what gets the bytes."""

    def __init__(self, record: Record, providers: Mapping[str, Provider], fetches: Fetches) -> None:
        self._record, self._providers, self._fetches = record, providers, fetches

    @activity.defn(name=contract.SETTLE_FILES)
    @redact_errors
    async def settle_files(self, message: str) -> float | None:
        """Do what is to be done with one file of a message. `message`: its row's key. Returns the seconds until there
        is more to do; None: there is nothing."""
        message_id = UUID(message)
        claimed = await self._record.claim(message_id)
        if claimed is not None:
            due, account = claimed
            async with beating():
                if due.state is FileState.PENDING:
                    await self._record.fetched(due, await self._fetch(due, account))
                elif due.state is FileState.ERASING:
                    await self._delete(due, account)
        return await self._record.next_in(message_id)

    async def _fetch(self, due: DueFile, account: Account | None) -> KeptFile | NotKept:
        if account is None or account.provider not in self._providers:
            return NotKept(FileProblem.REFUSED)
        address = self._providers[account.provider].file_at(account, due.source or "", due.provider_id)
        if address is None:
            return NotKept(FileProblem.NO_ADDRESS, final=True)
        return await self._fetches.fetch(due, address, account.base_url)

    async def _delete(self, due: DueFile, account: Account | None) -> None:
        if await self._record.wanted_elsewhere(due):
            return
        done = False
        if account is not None and account.provider in self._providers and due.provider_id:
            delete = self._providers[account.provider].delete_file
            done = await asyncio.to_thread(delete, account, due.provider_id, CALL_TIMEOUT)
        if not await self._record.deleted(due, done=done) and not done:
            log.error("a file of an erased guest was not deleted at its provider", file=due.provider_id)
