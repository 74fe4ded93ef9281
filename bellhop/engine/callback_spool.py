"""What one API process holds of the spool: its directory, and whether the database is away."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog

from bellhop.domain.credentials import CredentialCipher
from bellhop.spool.directory import Name, SpoolDirectory, Summary
from bellhop.spool.entries import Entry, unpacked
from bellhop.spool.settings import SpoolSettings

MOST_TRIES = 20
"""How often an entry is tried that the database, which is there, does not take."""
LONGEST_REST = 300.0
"""Seconds between two of those, at most; the pauses double."""
WRITERS = 8
SAID_FOR = 10.0
"""Seconds for which the log is not told again that the database is away."""

log = structlog.get_logger()


class CallbackSpool:
    """One per process. `away`: the database was found away, and callbacks are kept without asking it first."""

    def __init__(self, settings: SpoolSettings, cipher: CredentialCipher) -> None:
        self.directory = SpoolDirectory(settings.dir, settings.max_entries, settings.max_bytes)
        self.after = settings.after
        self.away = False
        self._said = -SAID_FOR
        self._cipher = cipher
        self._news = asyncio.Event()
        self._resting: dict[str, tuple[int, float]] = {}
        # Of its own: whatever else waits in threads does not keep a callback from its disk.
        self._threads = ThreadPoolExecutor(WRITERS, "spool")

    def close(self) -> None:
        """Nothing is kept any more."""
        self._threads.shutdown(wait=False)

    def notice(self, error: BaseException) -> None:
        """The database did not do its part."""
        if not self.away and time.monotonic() - self._said >= SAID_FOR:
            log.warning("the database is away; callbacks are kept on disk", error=type(error).__name__)
            self._said = time.monotonic()
        self.away = True
        self._news.set()

    async def news(self, seconds: float) -> None:
        """Wait until there is something to look at, so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()

    async def keep(self, entry: Entry, *, text: bool) -> None:
        """Put a callback on the disk; it is there when this returns. `text`: a guest wrote it. Raises SpoolFull."""

        def put() -> None:
            at = int(entry.arrived_at.timestamp() * 1e9)
            self.directory.put(self._cipher.seal_bytes(entry.packed()), at, text=text)

        # A caller who goes away takes nothing back.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._threads, put))
        self._news.set()

    async def waiting(self) -> list[Name]:
        """What waits, in the order in which it is replayed. Raises OSError."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.directory.waiting)

    async def has_texts(self) -> bool:
        """Whether something waits that guests wrote: what they write now comes after it."""
        try:
            return any(not name.of_receipts for name in (await self.waiting())[:1])
        except OSError:
            return False

    async def summary(self) -> Summary | None:
        """What is in it; None where it cannot be used."""

        def look() -> Summary:
            self.directory.check()
            return self.directory.summary()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, look)
        except OSError:
            return None

    async def entry(self, name: Name) -> Entry:
        """What was kept. Raises OSError, CredentialsUnreadable, ValueError, KeyError."""
        sealed = await asyncio.get_running_loop().run_in_executor(self._threads, self.directory.read, name)
        return unpacked(self._cipher.open_bytes(sealed))

    # --- what the database does not take --------------------------------------------------------------------------

    def rests(self, name: Name) -> bool:
        """Whether it is not to be tried yet."""
        return self._resting.get(name.text, (0, 0.0))[1] > time.monotonic()

    def rest(self, name: Name) -> int:
        """It was tried in vain: later again. Returns how often it was."""
        tries = self._resting.get(name.text, (0, 0.0))[0] + 1
        self._resting[name.text] = (tries, time.monotonic() + min(2.0**tries, LONGEST_REST))
        return tries

    def forget(self, name: Name) -> None:
        """It is not there any more."""
        self._resting.pop(name.text, None)


def spool_of(settings: SpoolSettings, cipher: CredentialCipher) -> CallbackSpool | None:
    """The spool that is set; None: there is to be none."""
    return CallbackSpool(settings, cipher) if settings.max_entries else None
