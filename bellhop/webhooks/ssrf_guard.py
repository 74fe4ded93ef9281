"""What keeps customers' URLs out of private networks: an HTTP client that connects to public addresses only.

A customer names the URL of a webhook, so without this guard they could make us call our own database, a machine
beside us or the cloud's metadata service. The check is made where the connection is: names are resolved once, every
address must be public, and the connection goes to an address that was checked, so a name that changes its answer
gains nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import httpcore2
import httpx2

from bellhop.webhooks.resolver import Address, Resolver, Unresolvable, shared

Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")


class ForbiddenTarget(Exception):
    """The URL is not one that webhooks may be sent to. `reason` is a sentence for whoever set it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def networks(allow: Iterable[str | Network]) -> tuple[Network, ...]:
    """CIDRs (`settings.webhook.allow`) as networks. Raises ValueError on one that is not."""
    return tuple(ip_network(each, strict=False) if isinstance(each, str) else each for each in allow)


def unwrap(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to (v4-mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def is_public(address: Address) -> bool:
    """True for an address of the open Internet."""
    inner = unwrap(address)
    # `is_global` alone lets multicast, the old IPv4-compatible ::127.0.0.1 and site-local addresses pass.
    return inner.is_global and not (
        inner.is_multicast
        or inner.is_reserved
        or inner.is_unspecified
        or inner.is_link_local
        or inner.is_loopback
        or (isinstance(inner, IPv6Address) and (inner.is_site_local or inner.teredo is not None))
    )


def _within(address: Address, allow: Sequence[Network]) -> bool:
    inner = unwrap(address)
    return any(inner in network for network in allow)


async def _resolve(host: str, resolver: Resolver | None) -> tuple[Address, ...]:
    try:
        return await (resolver or shared()).addresses(host)
    except Unresolvable:
        raise ForbiddenTarget("The host name of this URL cannot be resolved.") from None


async def checked(host: str, allow: Sequence[Network], resolver: Resolver | None = None) -> tuple[Address, ...]:
    """The addresses of a host, all of them public or in the allow-list. Raises ForbiddenTarget."""
    addresses = await _resolve(host, resolver)
    if not all(is_public(address) or _within(address, allow) for address in addresses):
        # Not which address: that would be a map of our network.
        raise ForbiddenTarget("This URL leads to a private or reserved network.")
    return addresses


async def inside(host: str, allow: Sequence[Network], resolver: Resolver | None = None) -> None:
    """Raise ForbiddenTarget unless all addresses of a host are in the allow-list: the only ones plain http goes to."""
    addresses = await checked(host, allow, resolver)
    if not all(_within(address, allow) for address in addresses):
        raise ForbiddenTarget("The URL must begin with https://.")


async def check_url(url: str, allow: Iterable[str | Network] = (), resolver: Resolver | None = None) -> None:
    """Raise ForbiddenTarget unless webhooks may go to `url`: https, or http inside the allow-list; a public host;
    no user or password. Ask at creation; the client asks again at every connection."""
    await _check(_parsed(url), networks(allow), resolver)


def _parsed(url: str) -> httpx2.URL:
    # The client's own parser: a second one might read another host out of the same text.
    try:
        return httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise ForbiddenTarget("This is not a URL.") from None


async def _check(url: httpx2.URL, allow: Sequence[Network], resolver: Resolver | None) -> None:
    if url.scheme not in ("https", "http"):
        raise ForbiddenTarget("The URL must begin with https://.")
    if not url.host:
        raise ForbiddenTarget("The URL names no host.")
    if url.userinfo:
        raise ForbiddenTarget("The URL must not contain a user or password.")
    if url.port is not None and not 0 < url.port < 65_536:
        raise ForbiddenTarget("The URL's port is out of range.")
    host = url.raw_host.decode("ascii").strip("[]")
    if url.scheme == "http":
        await inside(host, allow, resolver)
    else:
        await checked(host, allow, resolver)


class _PublicOnly(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses. TLS is unaware of it: names and certificates stay those of the URL."""

    def __init__(self, allow: Sequence[Network], resolver: Resolver | None) -> None:
        self._allow = allow
        self._resolver = resolver
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await checked(host, self._allow, self._resolver)
        share = timeout / len(addresses) if timeout is not None else None
        for last, address in enumerate(addresses, start=1 - len(addresses)):
            try:
                return await self._inner.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if last == 0:
                    raise
        raise AssertionError("unreachable: checked() returns at least one address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise ForbiddenTarget("This URL leads to a private or reserved network.")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@cache
def certificates() -> ssl.SSLContext:
    """What the certificates of customers' servers are checked with."""
    # Once for the process: to read every certificate there is takes a twentieth of a second.
    return httpx2.create_ssl_context(trust_env=False)


class _Transport(httpx2.AsyncHTTPTransport):
    def __init__(
        self,
        allow: Sequence[Network],
        verify: ssl.SSLContext | bool,
        limits: httpx2.Limits,
        resolver: Resolver | None,
    ) -> None:
        context = verify if isinstance(verify, ssl.SSLContext) else certificates()
        super().__init__(verify=context, trust_env=False)
        self._allow = allow
        self._resolver = resolver
        # httpx2 has no argument for a network backend; a test fails if this attribute loses its meaning.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_PublicOnly(allow, resolver),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme != "https" or request.url.userinfo:
            # Only http asks here what the backend asks anyway: it is the one that must be inside the allow-list.
            await _check(request.url, self._allow, self._resolver)
        return await super().handle_async_request(request)


def client(
    allow: Iterable[str | Network] = (),
    *,
    timeout: float = 15.0,
    verify: ssl.SSLContext | bool = True,
    limits: httpx2.Limits | None = None,
    resolver: Resolver | None = None,
) -> httpx2.AsyncClient:
    """An HTTP client for customers' URLs. Raises ForbiddenTarget when one leads inwards. It follows no redirects and
    reads no proxies, CAs or passwords of the environment. `timeout` limits each step; limit the whole yourself."""
    transport = _Transport(networks(allow), verify, limits or httpx2.Limits(), resolver)
    return httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False, timeout=timeout)
