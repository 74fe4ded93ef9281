"""What happens in a property's conversations comes to every reader once, in one order, whatever is committed when."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.accounts import OURS
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Inbound
from bellhop.domain.ids import Prefix, render
from bellhop.settings import Settings
from bellhop.store.access import keys
from bellhop.store.conversations import event_order, inbound, inbound_scopes

from .inbox_kit import PATIENCE, Inboxes, guest_key, open_inboxes

WRITERS, READERS = 40, 4


@pytest.fixture
async def inboxes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Inboxes]:
    async with open_inboxes(settings, engine) as opened:
        yield opened


@dataclass
class Reader:
    """An inbox: follows the stream, is cut off, comes again to whichever server."""

    inboxes: Inboxes
    key: dict[str, str]
    seen: list[dict[str, Any]] = field(default_factory=list)
    started: list[bool] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    status: int = 0
    place: str | None = None
    closed: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def once(self, server: int, most: int | None = None) -> None:
        """One connection, to its end, or until so many events more have come."""
        headers = self.key if self.place is None else {**self.key, "Last-Event-ID": self.place}
        http, taken, name = self.inboxes.servers[server], 0, ""
        async with http.stream("GET", "/v1/conversations/stream", headers=headers) as answer:
            self.status = answer.status_code
            self._news.set()
            async for line in answer.aiter_lines():
                kind, _, value = line.partition(": ")
                if kind == "id":
                    self.place = value
                elif kind == "event":
                    name = value
                elif kind == "data" and name == "start":
                    self.started.append(json.loads(value)["resumed"])
                elif kind == "data" and name == "end":
                    self.ended.append(json.loads(value)["reason"])
                elif kind == "data":
                    self.seen.append({"_name": name, **json.loads(value)})
                    taken += 1
                self._news.set()
                if most is not None and taken >= most and self.started:
                    return

    async def again_and_again(self, chance: random.Random) -> None:
        """Connections that are cut off anywhere, until it is `closed`."""
        while not self.closed:
            await self.once(chance.randrange(2), chance.randint(1, 4))

    async def until(self, true: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()


def writes(inboxes: Inboxes, guest: str, content: str) -> Any:
    """What stores a guest's message, for a transaction of the test's own."""
    book = AddressBook(inboxes.settings.bellhop.secret_key.get_secret_value())

    async def work(tx: AsyncConnection) -> UUID:
        sender = await inbound_scopes.sender_of(tx, inboxes.scope.id, Channel.IN_APP)
        assert sender is not None
        item = Inbound(uuid4().hex, Channel.IN_APP, guest, sender.address, content, content, {})
        received = await inbound.receive_from(tx, guest_key(guest), sender, OURS, item, book)
        assert received is not None
        return received[0]

    return work


async def test_each_event_comes_once_whatever_is_committed_first(inboxes: Inboxes) -> None:
    chance = random.Random(11)
    guests = [await inboxes.guest(f"Guest {number}") for number in range(WRITERS)]
    async with inboxes.database.begin() as tx:
        row, raw = await keys.create(tx, inboxes.scope, "inbox", ["messaging:read"])
    readers = [Reader(inboxes, {"Authorization": f"Bearer {raw}"}) for _ in range(READERS)]
    for server, reader in enumerate(readers):
        await reader.once(server % 2, 0)
    following = [
        asyncio.create_task(reader.again_and_again(random.Random(number))) for number, reader in enumerate(readers)
    ]
    begun: list[UUID] = []
    committed: list[UUID] = []

    async def writer(number: int) -> None:
        await asyncio.sleep(chance.uniform(0, 0.5))
        connection = await inboxes.database.connect()
        try:
            message = await writes(inboxes, guests[number], f"Message {number}")(connection)
            begun.append(message)
            await asyncio.sleep(chance.uniform(0, 0.5))
            if number % 10 == 9:
                await connection.rollback()
                return
            # Of one commit after the other the order is known.
            await connection.commit()
            committed.append(message)
        finally:
            await connection.close()

    async with asyncio.timeout(2 * PATIENCE):
        for at in range(0, WRITERS, 8):
            await asyncio.gather(*(writer(number) for number in range(at, at + 8)))
    expected = {render(Prefix.INBOUND, key) for key in committed}
    try:
        for reader in readers:
            await reader.until(lambda reader=reader: len(reader.seen) >= len(expected))
    finally:
        for reader in readers:
            reader.closed = True
        await inboxes.http.delete(f"/v1/auth/keys/{render(Prefix.KEY, row.id)}", headers=inboxes.key)
        await asyncio.wait(following, timeout=PATIENCE)
    assert committed != sorted(committed), "what was begun first was committed first: nothing was tried"
    orders = []
    for reader in readers:
        ids = [one["data"]["id"] for one in reader.seen]
        assert len(ids) == len(set(ids)) and set(ids) == expected
        assert {one["type"] for one in reader.seen} == {"message.received"}
        assert len(reader.started) > 3 and reader.started[0] is False and all(reader.started[1:])
        orders.append([one["id"] for one in reader.seen])
    assert all(order == orders[0] for order in orders)


async def test_what_a_slow_writer_holds_back_comes_when_it_has_ended(inboxes: Inboxes) -> None:
    """An inbox that has seen what was committed later would never come back for it."""
    first, second = await inboxes.guest("First"), await inboxes.guest("Second")
    reader = Reader(inboxes, inboxes.key)
    await reader.once(0, 0)
    task = asyncio.create_task(reader.once(1))
    slow = await inboxes.database.connect()
    try:
        early = await writes(inboxes, first, "Early")(slow)
        token = await inboxes.token(second)
        body = {"key": "key-0001", "content": "Late"}
        late = (await inboxes.http.post("/v1/inbox/messages", json=body, headers=token)).json()["id"]
        await asyncio.sleep(1.5)
        assert not reader.seen
        await slow.commit()
        await reader.until(lambda: len(reader.seen) == 2)
    finally:
        await slow.close()
    assert [one["data"]["id"] for one in reader.seen] == [render(Prefix.INBOUND, early), late]
    task.cancel()


async def test_statuses_moves_and_erasures_are_shown_and_no_other_scope(inboxes: Inboxes) -> None:
    guest, token = (guest := await inboxes.guest()), await inboxes.token(guest)
    reader = Reader(inboxes, inboxes.key)
    task = asyncio.create_task(reader.once(1))
    await reader.until(lambda: reader.started)
    began = reader.place
    message = await inboxes.send(guest)
    await inboxes.report(token, message, "read")
    await reader.until(lambda: len(reader.seen) == 3)
    assert [one["type"] for one in reader.seen] == ["message.sent", "message.delivered", "message.read"]
    assert {one["data"]["id"] for one in reader.seen} == {message}
    last = reader.seen[-1]
    assert (last["_name"], last["data"]["status"], last["data"]["direction"]) == ("message", "read", "outbound")
    assert last["data"]["conversation_id"].startswith("cvs_") and last["id"].startswith("evt_")
    # What is erased is shown no more, to whoever comes again either.
    assert (await inboxes.http.delete(f"/v1/guests/{guest}", headers=inboxes.key)).status_code == 204
    await reader.until(lambda: len(reader.seen) == 4)
    assert (reader.seen[3]["_name"], reader.seen[3]["data"]["id"]) == ("guest", guest)
    task.cancel()
    again = Reader(inboxes, inboxes.key, place=began)
    task = asyncio.create_task(again.once(0))
    await again.until(lambda: again.seen)
    assert again.started == [True] and [one["type"] for one in again.seen] == ["guest.deleted"]
    task.cancel()
    (other,) = await inboxes.sql("select id from scopes where environment = 'live'")
    async with inboxes.database.begin() as tx:
        rows = await event_order.after(tx, [(other.id, event_order.Place(1, UUID(int=0)))], 10)
    assert rows == [[]]


async def test_a_stream_ends_with_its_key(inboxes: Inboxes) -> None:
    async with inboxes.database.begin() as tx:
        row, raw = await keys.create(tx, inboxes.scope, "inbox", ["messaging:read"])
        _, blind = await keys.create(tx, inboxes.scope, "guests", ["guests:read"])
    reader = Reader(inboxes, {"Authorization": f"Bearer {raw}"})
    task = asyncio.create_task(reader.once(1))
    await reader.until(lambda: reader.started)
    revoked = await inboxes.http.delete(f"/v1/auth/keys/{render(Prefix.KEY, row.id)}", headers=inboxes.key)
    assert revoked.status_code == 204, revoked.text
    await asyncio.wait_for(task, PATIENCE)
    assert reader.ended == ["session_over"]
    for key, status in ((reader.key, 401), ({"Authorization": f"Bearer {blind}"}, 403)):
        refused = Reader(inboxes, key)
        await refused.once(0)
        assert (refused.status, refused.started) == (status, [])


async def test_a_place_of_another_server_begins_anew(inboxes: Inboxes) -> None:
    """After a dump was restored: its transactions are further than this server's."""
    guest = await inboxes.guest()
    await inboxes.sql("update events set xact = 4000000000000000000")
    async with inboxes.database.begin() as tx:
        await event_order.adopt(tx)
    assert not await inboxes.sql("select 1 from events where xact is not null")
    reader = Reader(inboxes, inboxes.key, place=str((4 * 10**18 << 128) + 7))
    task = asyncio.create_task(reader.once(0))
    await reader.until(lambda: reader.started)
    assert reader.started == [False]
    await inboxes.send(guest)
    await reader.until(lambda: reader.seen)
    task.cancel()
