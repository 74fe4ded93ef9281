"""Files of guests' messages, fetched from the provider: with the account's credentials, redirected only to public
addresses and without them, within bounds of size and time, and checked as what goes out is."""

from __future__ import annotations

import asyncio
import tempfile
from typing import BinaryIO, cast

import httpx2
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.inbound_files import FileAddress, FileProblem, KeptFile, NotKept
from bellhop.domain.rows.inbound_files import DueFile
from bellhop.media.fetching import HEADERS, IN_MEMORY
from bellhop.media.kinds import Inspected, UnfitFile, named
from bellhop.media.library import Library
from bellhop.store.messages import assets
from bellhop.store.messages.assets import NewAsset, QuotaReached
from bellhop.webhooks import ssrf_guard
from bellhop.webhooks.resolver import on_behalf_of, shared
from bellhop.webhooks.settings import WebhookSettings
from bellhop.webhooks.ssrf_guard import ForbiddenTarget

log = structlog.get_logger()

MOST_REDIRECTS = 3
_REFUSED = frozenset({401, 403})
_GONE = frozenset({404, 410})


def make_public_client(settings: WebhookSettings) -> httpx2.AsyncClient:
    """The client for addresses that tenants name: the same ones that their webhooks may have. Close it with the
    process."""
    # No limit on connections: waiting for a place in a pool would let a slow server delay the others.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=30)
    resolver = shared(settings.nameservers)
    return ssrf_guard.client(settings.allow, timeout=settings.timeout, limits=limits, resolver=resolver)


def make_own_client() -> httpx2.AsyncClient:
    """The client for the addresses of providers, which operators set: wherever these are. Close it with the process."""
    return ssrf_guard.client(("0.0.0.0/0", "::/0"))


class ReceivedFiles:
    """One per process. `public`: reaches public addresses only; `own`: whatever an operator has set as the address of
    an account's provider. Neither follows redirects."""

    def __init__(
        self, engine: AsyncEngine, library: Library, public: httpx2.AsyncClient, own: httpx2.AsyncClient
    ) -> None:
        self._engine, self.library = engine, library
        self._public, self._own = public, own

    async def fetch(self, due: DueFile, address: FileAddress, base_url: str) -> KeptFile | NotKept:
        """Fetch a file and write its bytes; whoever asked makes the copy the message's own. `base_url`: of the account
        whose file it is."""
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY)) as file:
            try:
                with on_behalf_of(str(due.property_id)):
                    async with asyncio.timeout(self.library.settings.fetch_timeout):
                        said = await self._load(address, base_url, file)
                found = await self.library.inspect(file, said or due.content_type, due.filename, received=True)
                return await self._keep(due, found)
            except _Answered as problem:
                return NotKept(problem.why)
            except _TooLarge:
                return NotKept(FileProblem.SIZE, final=True)
            except UnfitFile:
                return NotKept(FileProblem.TYPE, final=True)
            except QuotaReached:
                return NotKept(FileProblem.NO_ROOM)
            except (httpx2.HTTPError, httpx2.InvalidURL, ForbiddenTarget, TimeoutError, OSError) as error:
                log.info("a guest's file was not fetched", file=str(due.id), error=type(error).__name__)
                return NotKept(FileProblem.UNAVAILABLE)

    async def _load(self, address: FileAddress, base_url: str, file: BinaryIO) -> str | None:
        """Write what is there to `file`; returns the type that the server says it has."""
        url, headers = httpx2.URL(address.url), dict(address.headers)
        for _ in range(MOST_REDIRECTS + 1):
            client = self._own if _same_place(url, httpx2.URL(base_url)) else self._public
            async with client.stream("GET", url, headers={**HEADERS, **headers}, follow_redirects=False) as answer:
                if answer.has_redirect_location:
                    # What is elsewhere is no business of the account's credentials.
                    url, headers = url.join(answer.headers["location"]), {}
                    continue
                if answer.status_code != 200:
                    raise _Answered(answer.status_code)
                await self._write(answer, file)
                return answer.headers.get("content-type")
        raise _Answered(310)

    async def _write(self, answer: httpx2.Response, file: BinaryIO) -> None:
        size = 0
        async for chunk in answer.aiter_raw():
            size += len(chunk)
            if size > self.library.settings.max_bytes:
                raise _TooLarge
            await asyncio.to_thread(file.write, chunk)

    async def _keep(self, due: DueFile, found: Inspected) -> KeptFile:
        name = named(due.filename, found.content_type)
        new = NewAsset(
            content_type=found.content_type,
            size=found.size,
            sha256=found.sha256,
            filename=name,
            keep_for=self.library.settings.keep_received_for,
            message_id=due.message_id,
            received=True,
        )
        async with self._engine.begin() as tx:
            row = await assets.reserve(tx, due.scope_id, new, self.library.settings.max_scope_bytes)
        await self.library.put(row.key, found.file)
        return KeptFile(row.id, self.library.addresses.url(row.id, name), row.content_type, name, row.size)


def _same_place(one: httpx2.URL, other: httpx2.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


class _Answered(Exception):
    """The server does not hand it out now."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.why = FileProblem.UNAVAILABLE
        if status in _REFUSED:
            self.why = FileProblem.REFUSED
        elif status in _GONE:
            self.why = FileProblem.GONE


class _TooLarge(Exception):
    """There is more of it than is accepted."""
