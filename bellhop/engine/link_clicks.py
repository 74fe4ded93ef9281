"""Links followed, and counted a moment later: whoever follows one waits for no write, and however many do, it is one
statement every two seconds for each process, of bounded size."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import structlog

from bellhop.domain.rows.links import FollowedLink
from bellhop.store.database import Database
from bellhop.store.messages import short_links
from bellhop.store.messages.short_links import Click

EVERY = 2.0
"""Seconds between two looks at what has come. What a killed process had not counted yet is lost: clicks are figures,
not messages."""
AT_ONCE = 3
"""Clicks on the links of one message between two looks that no person makes."""
MOST = 10_000
"""Clicks that wait to be counted; more are not."""

log = structlog.get_logger()


@dataclass(slots=True)
class LinkClicks:
    """One per process that serves links."""

    database: Database
    _waiting: list[Click] = field(default_factory=list)
    _lost: int = 0

    def add(self, link: FollowedLink, *, bot: bool) -> None:
        """Somebody follows it: count that at the next look."""
        if len(self._waiting) < MOST:
            self._waiting.append(Click(link.id, link.message_id, link.now, bot))
        else:
            self._lost += 1

    async def count(self) -> None:
        """Count what has come. What cannot be counted now waits."""
        taken, self._waiting = self._waiting, []
        if not taken:
            return
        often = Counter(click.message_id for click in taken)
        made = [replace(click, bot=click.bot or often[click.message_id] >= AT_ONCE) for click in taken]
        try:
            await self.database.write(lambda tx: short_links.count(tx, made))
        except Exception as error:  # noqa: BLE001  whatever it is, the next look may go well
            log.warning("clicks on links wait to be counted", error=type(error).__name__, clicks=len(taken))
            self._waiting = (made + self._waiting)[:MOST]
        if self._lost:
            log.warning("clicks on links were not counted", clicks=self._lost)
            self._lost = 0

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """Count from time to time as long as the body lasts, and once more at its end."""
        task = asyncio.create_task(self._keep_counting())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.count()

    async def _keep_counting(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.count()
