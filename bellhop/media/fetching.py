"""Files fetched from where tenants say they are: from public addresses only, within bounds of size, time and number."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO, cast
from uuid import UUID

import httpx2
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.channels import CHANNELS
from bellhop.domain.failures import FailureCode
from bellhop.domain.file_ports import FetchedFile, FetchersBusy, FetchFiles, NotFetched
from bellhop.domain.media import Media, MediaRules
from bellhop.media.kinds import Inspected, UnfitFile, named
from bellhop.media.library import Library
from bellhop.store.messages import assets
from bellhop.store.messages.assets import NewAsset, QuotaReached
from bellhop.webhooks.resolver import on_behalf_of
from bellhop.webhooks.ssrf_guard import ForbiddenTarget

log = structlog.get_logger()

AT_ONCE = 16
"""Messages whose files one process fetches at a time."""
OF_ONE = 4
"""Of one property."""
IN_MEMORY = 1 << 20
HEADERS = {"user-agent": "Bellhop-Media/1", "accept-encoding": "identity"}


class Fetcher:
    """See `delivery_ports.FileFetcher`. One per process. `client`: reaches public addresses only, redirected too."""

    def __init__(self, engine: AsyncEngine, library: Library, client: httpx2.AsyncClient) -> None:
        self._engine, self._library, self._client = engine, library, client
        self._under_way = 0
        self._of: Counter[UUID] = Counter()

    async def fetch(self, wanted: FetchFiles) -> Sequence[FetchedFile | NotFetched]:
        """One after the other: a message takes one place."""
        rules = CHANNELS[wanted.channel].media
        if rules is None:
            return [NotFetched(FailureCode.MEDIA_REFUSED)]
        done: list[FetchedFile | NotFetched] = []
        async with self._place(wanted.scope_id):
            for position, media in enumerate(wanted.media):
                if media.asset_id is not None:
                    continue
                done.append(await self._one(wanted, rules, position, media))
                if isinstance(done[-1], NotFetched):
                    break
        return done

    async def _one(
        self, wanted: FetchFiles, rules: MediaRules, position: int, media: Media
    ) -> FetchedFile | NotFetched:
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY)) as file:
            try:
                most = min(rules.each, self._library.settings.max_bytes)
                with on_behalf_of(str(wanted.property_id)):
                    async with asyncio.timeout(self._library.settings.fetch_timeout):
                        said = await self._load(media.source or "", file, most)
                found = await self._library.inspect(file, media.content_type or said, media.filename or None)
                if rules.objection("", found.content_type, found.size):
                    raise UnfitFile("expected a file that the channel takes")
                return await self._keep(wanted, position, media, found)
            except UnfitFile:
                return NotFetched(FailureCode.MEDIA_REFUSED)
            except (ForbiddenTarget, httpx2.InvalidURL, httpx2.UnsupportedProtocol):
                return NotFetched(FailureCode.MEDIA_UNAVAILABLE)
            except (httpx2.HTTPError, TimeoutError, OSError, QuotaReached, _NotThere) as error:
                log.info("a file was not fetched", message=str(wanted.message_id), error=type(error).__name__)
                return NotFetched()

    async def _load(self, url: str, file: BinaryIO, most: int) -> str | None:
        """Write what is behind a URL to `file`; returns the type that its server says it has."""
        async with self._client.stream("GET", url, headers=HEADERS, follow_redirects=True) as answer:
            if answer.status_code != 200:
                raise _NotThere
            size = 0
            async for chunk in answer.aiter_raw():
                size += len(chunk)
                if size > most:
                    raise UnfitFile("expected a smaller file")
                await asyncio.to_thread(file.write, chunk)
            return answer.headers.get("content-type")

    async def _keep(self, wanted: FetchFiles, position: int, media: Media, found: Inspected) -> FetchedFile:
        last = (media.source or "").partition("?")[0].partition("#")[0].rpartition("/")[2]
        name = named(media.filename or last, found.content_type)
        new = NewAsset(
            content_type=found.content_type,
            size=found.size,
            sha256=found.sha256,
            filename=name,
            keep_for=wanted.keep_for,
            message_id=wanted.message_id,
        )
        async with self._engine.begin() as tx:
            row = await assets.reserve(tx, wanted.scope_id, new, self._library.settings.max_scope_bytes)
        await self._library.put(row.key, found.file)
        async with self._engine.begin() as tx:
            if not await assets.stored(tx, row.id):
                raise _NotThere  # its guest was erased meanwhile
        return FetchedFile(position, row.id, row.content_type, name, row.size)

    @asynccontextmanager
    async def _place(self, scope_id: UUID) -> AsyncIterator[None]:
        if self._under_way >= AT_ONCE or self._of[scope_id] >= OF_ONE:
            raise FetchersBusy
        self._under_way += 1
        self._of[scope_id] += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._of[scope_id] -= 1
            if not self._of[scope_id]:
                del self._of[scope_id]


class _NotThere(Exception):
    """The server does not have it, or not now."""
