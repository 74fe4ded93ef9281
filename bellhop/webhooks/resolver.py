"""The names of customers' servers made addresses, so that one customer's name server keeps nobody else's waiting.

The system's resolver takes a thread for each look-up, and all share a few: name servers that never answer would hold
them all. c-ares asks without threads; how many look-ups one customer has under way is bounded all the same.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, ip_address
from weakref import WeakKeyDictionary

import aiodns

Address = IPv4Address | IPv6Address

LOOKUP_TIMEOUT = 8.0
"""Seconds, the wait for a place among the customer's own included."""
ONE_LOOKUP = 5.0
"""Seconds of one look-up."""
PER_CUSTOMER = 8
"""Look-ups one customer has under way."""
SHORTEST, LONGEST, FAILED = 5.0, 60.0, 5.0
"""Seconds an answer is remembered: its own time, but not less or more than these; and that there was none."""
MOST_REMEMBERED = 4_096

_customer: ContextVar[str] = ContextVar("customer", default="")


@contextmanager
def on_behalf_of(customer: str) -> Iterator[None]:
    """Count what is looked up inside among the look-ups of this customer."""
    token = _customer.set(customer)
    try:
        yield
    finally:
        _customer.reset(token)


class Unresolvable(Exception):
    """The name has no address, or nobody said so in time."""


class Resolver:
    """One per event loop. Knows /etc/hosts, `localhost` and resolv.conf as the system's does."""

    def __init__(self, nameservers: Sequence[str] = ()) -> None:
        """`nameservers`: those to ask instead of the system's, `address` or `address:port`."""
        self._dns = aiodns.DNSResolver(list(nameservers) or None, timeout=2.0, tries=2)
        self._known: dict[str, tuple[float, tuple[Address, ...]]] = {}
        self._places: dict[str, tuple[asyncio.Semaphore, int]] = {}

    async def addresses(self, host: str) -> tuple[Address, ...]:
        """Every address of a host, numbers as the system reads them (`127.1`, `0x7f.1`, `2130706433`). Raises
        Unresolvable."""
        literal = _literal(host)
        if literal is not None:
            return (literal,)
        name = "localhost" if host.lower() == "localhost." else host.lower()
        found = self._remembered(name)
        if found is None:
            try:
                async with asyncio.timeout(LOOKUP_TIMEOUT), _Place(self._places, _customer.get()):
                    found = self._remembered(name)
                    found = await self._look_up(name) if found is None else found
            except TimeoutError:
                # Nothing is remembered: it was this customer's places that were taken.
                raise Unresolvable from None
        if not found:
            raise Unresolvable
        return found

    async def close(self) -> None:
        """Ask no more."""
        await self._dns.close()

    async def _look_up(self, name: str) -> tuple[Address, ...]:
        try:
            async with asyncio.timeout(ONE_LOOKUP):
                ttl, found = await self._ask(name)
        except (aiodns.error.DNSError, TimeoutError, UnicodeError, ValueError):
            ttl, found = FAILED, ()
        self._remember(name, found, min(max(ttl, SHORTEST), LONGEST) if found else FAILED)
        return found

    async def _ask(self, name: str) -> tuple[float, tuple[Address, ...]]:
        answer = await self._dns.getaddrinfo(name, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
        texts = [(_text(node.addr[0]), node.ttl) for node in answer.nodes]
        addresses = [ip_address(text.partition("%")[0]) for text, _ in texts]
        return float(min((ttl for _, ttl in texts), default=0)), tuple(dict.fromkeys(addresses))

    def _remembered(self, name: str) -> tuple[Address, ...] | None:
        until, found = self._known.get(name, (0.0, ()))
        return found if time.monotonic() < until else None

    def _remember(self, name: str, found: tuple[Address, ...], seconds: float) -> None:
        self._known.pop(name, None)
        self._known[name] = (time.monotonic() + seconds, found)
        if len(self._known) > MOST_REMEMBERED:
            del self._known[next(iter(self._known))]


class _Place:
    """One of a customer's places; what counts them goes with the last."""

    def __init__(self, places: dict[str, tuple[asyncio.Semaphore, int]], customer: str) -> None:
        self._places, self._customer = places, customer

    async def __aenter__(self) -> None:
        free, users = self._places.get(self._customer, (None, 0))
        free = free or asyncio.Semaphore(PER_CUSTOMER)
        self._places[self._customer] = (free, users + 1)
        try:
            await free.acquire()
        except BaseException:
            self._gone()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._places[self._customer][0].release()
        self._gone()

    def _gone(self) -> None:
        free, users = self._places[self._customer]
        if users > 1:
            self._places[self._customer] = (free, users - 1)
        else:
            del self._places[self._customer]


_shared: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, ...], Resolver]] = WeakKeyDictionary()


def shared(nameservers: Sequence[str] = ()) -> Resolver:
    """The running loop's resolver."""
    of_loop = _shared.setdefault(asyncio.get_running_loop(), {})
    names = tuple(nameservers)
    if names not in of_loop:
        of_loop[names] = Resolver(names)
    return of_loop[names]


async def close_shared() -> None:
    """Ask no more on the running loop: before it is closed."""
    for resolver in _shared.pop(asyncio.get_running_loop(), {}).values():
        await resolver.close()


_NUMBERS = re.compile(r"[0-9a-fx.]{1,64}", re.IGNORECASE)


def _text(given: str | bytes) -> str:
    return given.decode() if isinstance(given, bytes) else given


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not _NUMBERS.fullmatch(host):
        return None
    try:
        # As getaddrinfo reads it, who knows the old short, hexadecimal and octal forms too.
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError, UnicodeError):
        return None
