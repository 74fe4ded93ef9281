"""Callbacks too large for many to be held in memory at a time, such as mails with files: taken in on the disk."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO, Final, cast

from starlette.requests import Request

from api.problems import Busy
from bellhop.providers import PACKAGES

CALLBACK_PATHS: Final = {(package.name, each.path): each for package in PACKAGES for each in package.callback_paths}
"""What providers call, by provider and path. Anybody may post there."""
IN_MEMORY = 1024 * 1024
COMING_IN = 8
"""Such callbacks that one process takes in at a time."""


class LargeCallbacks:
    """Those of one process."""

    def __init__(self) -> None:
        self._coming_in = 0
        # Reading a mail takes several times its size.
        self._read = asyncio.Semaphore(1)

    @asynccontextmanager
    async def body_of(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request; where it is large, no other is in memory meanwhile. Raises Busy, and what the body
        raises."""
        if self._coming_in >= COMING_IN:
            raise Busy("Too many large callbacks come in just now. Nothing was done; try again.")
        self._coming_in += 1
        try:
            with cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY)) as file:
                async for piece in request.stream():
                    file.write(piece)
                size = file.tell()
                file.seek(0)
                if size <= IN_MEMORY:
                    yield file.read()
                    return
                async with self._read:
                    yield await asyncio.to_thread(file.read)
        finally:
            self._coming_in -= 1
