"""The files' bytes for whoever does not block: inspected, kept, read and removed in threads of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import BinaryIO, TypeVar
from uuid import UUID

from bellhop.domain.media_addresses import MediaAddresses
from bellhop.media import kinds
from bellhop.media.kinds import Inspected
from bellhop.media.settings import MediaSettings
from bellhop.media.storage import Storage, storage_of

T = TypeVar("T")

THREADS = 4
"""Pictures held in memory at a time, and files written."""
CHUNK = 256 * 1024


class Library:
    """One per process. Its threads begin with the first file."""

    def __init__(self, settings: MediaSettings, addresses: MediaAddresses, storage: Storage | None = None) -> None:
        self.settings, self.addresses = settings, addresses
        self._storage = storage or storage_of(settings)
        self._threads = ThreadPoolExecutor(THREADS, "media")

    async def inspect(
        self, file: BinaryIO, claimed: str | None, filename: str | None, *, received: bool = False
    ) -> Inspected:
        """What a file is. `received`: it comes from a guest. Raises UnfitFile."""
        return await self._do(lambda: kinds.inspect(file, claimed, filename, received=received))

    async def put(self, key: str, file: BinaryIO) -> None:
        """Keep the rest of a file: it is there whole when this returns. Raises OSError."""
        await self._do(lambda: self._storage.put(key, file))

    async def open(self, key: str) -> BinaryIO:
        """A file's bytes. Raises FileNotFoundError."""
        return await self._do(lambda: self._storage.open(key))

    async def chunks(self, file: BinaryIO) -> AsyncIterator[bytes]:
        """The bytes of an open file, piece by piece; it is closed at the end."""
        try:
            while chunk := await self._do(partial(file.read, CHUNK)):
                yield chunk
        finally:
            file.close()

    def read(self, key: str) -> bytes:
        """All of a file, at once: for those who block anyway. Raises OSError."""
        with self._storage.open(key) as file:
            return file.read()

    def read_asset(self, asset_id: UUID) -> bytes:
        """The same, of an asset."""
        return self.read(str(asset_id))

    async def remove(self, keys: Sequence[str]) -> list[str]:
        """Remove files. Returns those that are surely there no more."""

        def removed() -> list[str]:
            done = []
            for key in keys:
                try:
                    self._storage.remove(key)
                except OSError:
                    continue
                done.append(key)
            return done

        return await self._do(removed)

    def close(self) -> None:
        """No more files."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
