"""Names of customers' servers, asked of a name server of ours: one customer's that never answers delays nobody else."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from types import MappingProxyType
from uuid import UUID, uuid4

import pytest

from bellhop.domain.webhook_ports import PendingDelivery
from bellhop.webhooks import resolver as module
from bellhop.webhooks.poster import WebhookPoster, make_client
from bellhop.webhooks.resolver import Resolver, Unresolvable, on_behalf_of
from bellhop.webhooks.settings import WebhookSettings


class NameServer(asyncio.DatagramProtocol):
    """Knows every name but those of `tarpit.example`, to which it never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.address = bytes([127, 0, 0, 1])
        self.ttl = 0
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        name, kind = ".".join(labels), struct.unpack("!H", data[at + 1 : at + 3])[0]
        self.asked.append(name)
        if name.endswith("tarpit.example"):
            return
        answers = b"" if kind != 1 else b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, self.ttl, 4) + self.address
        head = data[:2] + b"\x81\x80" + struct.pack("!HHHH", 1, 1 if answers else 0, 0, 0)
        self._transport.sendto(head + data[12 : at + 5] + answers, addr)  # type: ignore[attr-defined]


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield server
    transport.close()


def of(server: NameServer) -> list[str]:
    return [f"127.0.0.1:{server.port}"]


@asynccontextmanager
async def receiver() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def delivery(property_id: UUID, url: str) -> PendingDelivery:
    now = datetime.now(UTC)
    return PendingDelivery(
        id=uuid4(), event_id=uuid4(), type="guest.deleted", subject="guest", subject_id=uuid4(), stage=None,
        facts=MappingProxyType({}), created_at=now, property_id=property_id, row=None, url=url,
        secrets=("whsec_" + "A" * 32,), attempts=0, claimed_at=now, token=now,
    )  # fmt: skip


async def test_a_customers_tarpit_delays_nobody_elses_webhooks(names: NameServer) -> None:
    """Sixty names that are never answered, more than the process has threads to wait with."""
    settings = WebhookSettings(allow=["127.0.0.0/8"], nameservers=of(names), timeout=30)
    theirs, ours = uuid4(), uuid4()
    async with receiver() as port, make_client(settings) as client:
        poster = WebhookPoster(settings, client)
        stuck = [
            asyncio.create_task(poster.post(delivery(theirs, f"http://{n}.tarpit.example:{port}/"), datetime.now(UTC)))
            for n in range(60)
        ]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        posted = [
            await poster.post(delivery(ours, f"http://{n}.fine.example:{port}/"), datetime.now(UTC)) for n in range(5)
        ]
        assert [each.status for each in posted] == [200] * 5, posted
        assert time.monotonic() - began < module.ONE_LOOKUP / 2
        assert len({name for name in names.asked if "tarpit" in name}) <= module.PER_CUSTOMER
        assert {(await each).error for each in stuck} == {"unknown host"}
    await module.close_shared()


async def test_answers_are_remembered_within_bounds(names: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(of(names))
    names.ttl = 86_400
    assert await resolver.addresses("a.example") == (ip_address("127.0.0.1"),)
    until, _ = resolver._known["a.example"]
    assert until - time.monotonic() <= module.LONGEST
    names.ttl = 0
    await resolver.addresses("b.example")
    asked = len(names.asked)
    await asyncio.gather(*(resolver.addresses("b.example") for _ in range(20)))
    assert len(names.asked) == asked, "not asked again at once, whatever its owner says"
    monkeypatch.setattr(module, "MOST_REMEMBERED", 10)
    for number in range(30):
        await resolver.addresses(f"{number}.example")
    assert len(resolver._known) == 10
    assert resolver._places == {}
    await resolver.close()


async def test_what_took_too_long_is_remembered_and_whose_places_were_taken_is_not(
    names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ONE_LOOKUP", 2.0)
    resolver = Resolver(of(names))
    with on_behalf_of("theirs"):
        stuck = [asyncio.create_task(resolver.addresses(f"{n}.tarpit.example")) for n in range(module.PER_CUSTOMER)]
        await asyncio.sleep(0.2)
        with monkeypatch.context() as impatient:
            impatient.setattr(module, "LOOKUP_TIMEOUT", 0.3)
            with pytest.raises(Unresolvable):
                await resolver.addresses("fine.example")
    with on_behalf_of("ours"):
        assert await resolver.addresses("fine.example")
    assert {type(each) for each in await asyncio.gather(*stuck, return_exceptions=True)} == {Unresolvable}
    monkeypatch.setattr(module, "ONE_LOOKUP", 0.3)
    with pytest.raises(Unresolvable):
        await resolver.addresses("again.tarpit.example")
    asked = len(names.asked)
    began = time.monotonic()
    with pytest.raises(Unresolvable):
        await resolver.addresses("again.tarpit.example")
    assert time.monotonic() - began < 0.2
    assert len(names.asked) == asked
    await resolver.close()


async def test_this_machines_own_names() -> None:
    """`localhost` and what /etc/hosts says, without asking anybody."""
    resolver = Resolver(["127.0.0.1:1"])
    for name in ("localhost", "LOCALHOST", "localhost."):
        assert ip_address("127.0.0.1") in await resolver.addresses(name)
    await resolver.close()
