"""The HTTP client of webhooks: to public addresses only, without redirects, for a fraction of the CPU of the one that
files are fetched with (docs/decisions/0023-a-light-client-for-webhooks.md).

It keeps to the same wall (`ssrf_guard`): the connection is made to addresses that were checked, whatever the URL says.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.tracing import Trace
from yarl import URL

from bellhop.webhooks import ssrf_guard
from bellhop.webhooks.resolver import Resolver
from bellhop.webhooks.ssrf_guard import ForbiddenTarget, Network

KEPT_ALIVE = 30.0
"""Seconds a connection that nobody uses is kept."""
MOST_KEPT = 256
"""Connections kept that nobody uses; beyond that they are closed after their answer."""
BUFFERED = 65_536
"""Bytes of an answer that are read ahead of whoever reads it, about."""


class _PublicConnector(aiohttp.TCPConnector):
    """Connects to checked addresses. TLS is unaware of it: names and certificates stay those of the URL."""

    def __init__(self, allow: Sequence[Network], resolver: Resolver | None, verify: ssl.SSLContext | None) -> None:
        # No limit on connections: waiting for a place in a pool would let a slow endpoint delay the others.
        context = verify or ssrf_guard.certificates()
        super().__init__(limit=0, ssl=context, use_dns_cache=False, keepalive_timeout=KEPT_ALIVE)
        self._allow = allow
        self._names = resolver

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Trace] | None = None) -> list[ResolveResult]:
        # aiohttp asks a resolver of one's own about names only, and this method about numbers, too; a test fails if it
        # does so no longer.
        addresses = await ssrf_guard.checked(host, self._allow, self._names)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        super()._release(key, protocol, should_close=should_close or self.kept >= MOST_KEPT)

    @property
    def kept(self) -> int:
        """How many connections wait for another request."""
        return sum(map(len, self._conns.values()))


class LightClient:
    """`async with`: POSTs to customers' URLs. Raises ForbiddenTarget when one leads inwards. It reads no proxies, CAs
    or passwords of the environment, keeps no cookies and unpacks nothing. It has no time limit: limit the whole
    yourself."""

    def __init__(
        self,
        allow: Iterable[str | Network] = (),
        *,
        resolver: Resolver | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._allow = ssrf_guard.networks(allow)
        self._resolver = resolver
        self._verify = verify

    async def __aenter__(self) -> Self:
        self._connector = _PublicConnector(self._allow, self._resolver, self._verify)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            read_bufsize=BUFFERED,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    @asynccontextmanager
    async def post(self, url: str, content: bytes, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, its body not yet read; a redirect is an answer. Raises aiohttp.InvalidURL, ForbiddenTarget,
        aiohttp.ClientError, OSError."""
        target = await self._checked(url)
        async with self._session.post(target, data=content, headers=headers, allow_redirects=False) as answer:
            yield answer

    async def _checked(self, url: str) -> URL:
        # The client's own parser: a second one might read another host out of the same text.
        try:
            target = URL(url)
        except (ValueError, TypeError):
            raise aiohttp.InvalidURL(url) from None
        if target.scheme not in ("https", "http") or not target.raw_host:
            raise ForbiddenTarget("The URL must begin with https://.")
        if target.raw_user is not None or target.raw_password is not None:
            raise ForbiddenTarget("The URL must not contain a user or password.")
        if target.explicit_port == 0:
            raise ForbiddenTarget("The URL's port is out of range.")
        if target.scheme == "http":
            # Only http asks here what the connection asks anyway: it is the one that must be inside the allow-list.
            await ssrf_guard.inside(target.raw_host, self._allow, self._resolver)
        return target
