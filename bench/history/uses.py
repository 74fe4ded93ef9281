"""What is done all the time, and what has to end however long the history is: each by the product's own functions."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind, Channel
from bellhop.domain.content import Content
from bellhop.domain.credentials import CredentialCipher
from bellhop.domain.delivery_ports import (
    Account,
    Claim,
    Inbound,
    Lookup,
    LookupKind,
    LookupResult,
    Receipt,
    SendKind,
    SendResult,
)
from bellhop.domain.ids import earliest_id
from bellhop.domain.paging import COUNTED, PageRequest, Place
from bellhop.domain.provider_urls import Routes
from bellhop.domain.rows.missed_callbacks import MissedCallbacksRow
from bellhop.domain.rows.webhooks import DeliveryState
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage, Status
from bellhop.domain.webhook_ports import Result, State, Visit
from bellhop.engine.remembered_accounts import RememberedAccounts
from bellhop.store.access import keys, properties
from bellhop.store.database import Database
from bellhop.store.delivery import left_behind, missed_callbacks, parked, pending_wakes, receipts, retention
from bellhop.store.delivery.attempt_store import AttemptStore
from bellhop.store.delivery.overdue_calls import OverdueCalls
from bellhop.store.delivery.pending_wakes import RebuildPlace
from bellhop.store.guests import consents, erasure, profiles
from bellhop.store.messages import lists, outbound, texts, timeline
from bellhop.store.messages.outbound import NewMessage
from bellhop.store.messages.texts import Number, OrderedBy, WhichTexts
from bellhop.store.reports import health_queries, reconciliation_queries, report_queries
from bellhop.store.settings import DeliverySettings
from bellhop.store.webhooks import deliveries, endpoints, results
from bench.history import backlogs
from bench.history.fill import TWILIO

CARRIED = {"twilio": frozenset({Channel.SMS}), "sendgrid": frozenset({Channel.EMAIL})}
FOLLOW_AT = (300.0, 1_200.0)
DAY = timedelta(days=1)

Run = Callable[["History"], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Use:
    """Something that is done, and the milliseconds it may take on a long history. `times`: how often it is measured;
    `prepare`: makes what one run takes, and is not measured."""

    name: str
    aim: float
    run: Callable[[History, Any], Awaitable[object]]
    prepare: Run | None = None
    times: int = 15


@dataclass(slots=True)
class History:
    """A filled database: its busiest property with endpoints, and what is needed to work there."""

    engine: AsyncEngine
    book: AddressBook
    cipher: CredentialCipher
    store: AttemptStore
    scope: Scope
    endpoint: UUID
    message: UUID
    """One of its messages that was delivered long ago."""
    numbers: itertools.count[int]
    database: Database
    accounts: RememberedAccounts = field(default_factory=RememberedAccounts)

    @classmethod
    async def opened(cls, engine: AsyncEngine, secret: str) -> History:
        """What is there."""
        book, cipher = AddressBook(secret), CredentialCipher(secret)
        routes = Routes("https://bellhop.example.com", None)
        # What a question costs, not how long it waits for its turn.
        delivery = DeliverySettings(_env_file=None, question_rate=1000.0)
        store = AttemptStore(engine, delivery, routes, CARRIED, cipher, book, lambda _: None)
        async with engine.connect() as tx:
            scope_id, property_id, endpoint = (await tx.execute(text(_BUSIEST))).one()
            message = (await tx.execute(text(_DELIVERED), {"scope": scope_id})).scalar_one()
        made = cls(
            engine, book, cipher, store, Scope(scope_id, property_id, "live"), endpoint, message, itertools.count(),
            Database(engine),
        )  # fmt: skip
        await made.sharing()  # as a process that has met the account
        return made

    async def read(self, work: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
        async with self.engine.connect() as tx:
            return await work(tx)

    async def write(self, work: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
        async with self.engine.begin() as tx:
            return await work(tx)

    async def sharing(self) -> list[Account]:
        """Everybody's rows of the Twilio account, as a callback finds them: all are signed with the same token."""
        known = await self.accounts.current(self.database, "twilio", TWILIO)
        assert known is not None
        (verified,) = known.opened(self.cipher)
        return verified

    async def guest(self) -> tuple[UUID, str]:
        """One of the property's guests who said no STOP, and their number; another at each call."""
        found = await self.read(
            lambda tx: tx.execute(
                text(
                    "select id, phone from guests where scope_id = :scope and phone ~ '[13579]$' order by id"
                    " offset :nth limit 1"
                ),
                {"scope": self.scope.id, "nth": next(self.numbers)},
            )
        )
        row = found.one()
        return row.id, row.phone


_BUSIEST = """
    select scope.id, scope.property_id, min(endpoint.id::text)::uuid from scopes scope
    join endpoints endpoint on endpoint.scope_id = scope.id
    where scope.id = (
      select scope_id from guests where scope_id in (select scope_id from endpoints)
      group by scope_id order by count(*) desc, scope_id limit 1)
    group by scope.id
"""
_DELIVERED = """
    select id from messages where scope_id = :scope and stage = 'delivered' and direction = 'outbound'
      and erased_at is null order by id offset 20 limit 1
"""


async def accept(history: History, guest: tuple[UUID, str]) -> UUID:
    new = NewMessage(
        Channel.SMS, guest[1], Content(text="Your room is ready.", content_type="text/plain"), guest_id=guest[0]
    )
    row = await history.write(
        lambda tx: outbound.accept(tx, history.scope, new, history.book, CARRIED, valid_for=3600.0)
    )
    return UUID(str(row.id))


async def accepted(history: History) -> UUID:
    return await accept(history, await history.guest())


async def claim(history: History, message: UUID) -> Claim:
    found = await history.store.claim(message, 1e12)
    assert isinstance(found, Claim), found
    return found


async def claimed(history: History) -> Claim:
    return await claim(history, await accepted(history))


async def record(history: History, made: Claim) -> Claim:
    await history.store.record(made, SendResult(SendKind.ACCEPTED, f"SM{uuid4().hex}"))
    return made


async def sent(history: History) -> Claim:
    return await record(history, await claimed(history))


async def receipt(history: History, made: Claim) -> None:
    """As a callback does it: the accounts of everybody who shares it, then the receipt."""
    verified = await history.sharing()
    attempt = made.outgoing.attempt_id
    said = Receipt(f"{attempt} delivered", "delivered", Stage.DELIVERED, attempt, None, {"MessageStatus": "delivered"})
    await history.write(lambda tx: receipts.record(tx, verified, [said], history.book, FOLLOW_AT))


async def unknown_id(history: History, _: None) -> None:
    """A receipt that bears the provider's id alone, of nothing that is here."""
    verified = await history.sharing()
    said = Receipt(uuid4().hex, "sent", Stage.SENT, None, f"SM{uuid4().hex}", {"a": "b"})
    await history.write(lambda tx: receipts.record(tx, verified, [said], history.book, FOLLOW_AT))


async def inbound(history: History, guest: tuple[UUID, str]) -> None:
    verified = await history.sharing()
    number = uuid4().hex
    said = Inbound(f"in{number}", Channel.SMS, guest[1], "+13055550100", "Thank you", f"SMin{number}", {"Body": "x"})
    await history.write(lambda tx: receipts.record(tx, verified, [said], history.book, FOLLOW_AT))


async def lost(history: History) -> UUID:
    """A message of which nobody knows whether it went out."""
    made = await claimed(history)
    await history.store.record(made, SendResult(SendKind.UNKNOWN))
    await history.write(
        lambda tx: tx.execute(
            text("update attempts set ask_at = now(), created_at = now() - interval '90 days' where id = :id"),
            {"id": made.outgoing.attempt_id},
        )
    )
    return made.outgoing.message_id


async def settle(history: History, message: UUID) -> None:
    found = await history.store.prepare_lookup(message)
    assert isinstance(found, Lookup), found
    await history.store.record_lookup(found, LookupResult(LookupKind.FOUND, f"SM{uuid4().hex}"))


async def drain(history: History, _: UUID) -> None:
    """What an endpoint is owed: opened, claimed, written down, closed."""
    endpoint = history.endpoint
    since = await history.write(lambda tx: deliveries.open_drain(tx, endpoint, 30.0))
    assert since is not None
    wanted = Visit(endpoint, room=20, since=since)
    taken = await history.write(lambda tx: deliveries.claim(tx, [wanted], 30.0))
    done = [Result(one.id, one.event_id, one.token, State.DELIVERED, status=200) for one in taken.get(endpoint, ())]
    written = Visit(endpoint, done, extend=True, since=since)
    await history.write(lambda tx: results.write(tx, [written], 30.0, 3600.0))
    await history.write(lambda tx: deliveries.close_drain(tx, endpoint))
    await history.read(lambda tx: deliveries.next_due(tx, endpoint))


async def erase(history: History, guest: tuple[UUID, str]) -> None:
    await history.write(lambda tx: erasure.erase(tx, history.scope, guest[0], history.book))


def _read(work: Callable[[History, AsyncConnection], Awaitable[object]]) -> Callable[[History, Any], Awaitable[object]]:
    async def run(history: History, _: object) -> object:
        return await history.read(lambda tx: work(history, tx))

    return run


def _write(
    work: Callable[[History, AsyncConnection], Awaitable[object]],
) -> Callable[[History, Any], Awaitable[object]]:
    async def run(history: History, _: object) -> object:
        return await history.write(lambda tx: work(history, tx))

    return run


def _long_ago(days: int) -> Place:
    return Place(earliest_id(datetime.now(UTC) - days * DAY))


async def _report(history: History, tx: AsyncConnection, *, all_of_them: bool) -> None:
    until = datetime.now(UTC)
    scopes = await properties.every_scope(tx) if all_of_them else [history.scope]
    await report_queries.figures(tx, scopes, until - 31 * DAY, until)


async def _reconciled(history: History, tx: AsyncConnection) -> None:
    at = datetime.now(UTC) - 100 * DAY
    await reconciliation_queries.attempts_of(tx, history.scope, at, at + DAY)
    await reconciliation_queries.known(tx, "twilio", ["SMa", "SMb"], [history.message])
    await reconciliation_queries.alike(
        tx, history.scope, "twilio", "+12122000001", "Your room is ready.", at, timedelta(minutes=5)
    )


async def _overdue(history: History, _: object) -> object:
    return await OverdueCalls(history.engine, 2.0, lambda _: None).overdue(64)


async def _missed(_: History, tx: AsyncConnection) -> object:
    now = datetime.now(UTC)
    return await missed_callbacks.silent(tx, MissedCallbacksRow("twilio", TWILIO, "live", now, now, now))


async def _doctor(_: History, tx: AsyncConnection) -> None:
    for look in (
        health_queries.past_due, health_queries.without_sender, health_queries.retrying,
        health_queries.pending_notifications, health_queries.lapsed, health_queries.unknown, health_queries.held,
        health_queries.paused, health_queries.failing, health_queries.disabled, health_queries.undrained,
        health_queries.unmatched, health_queries.histories,
    ):  # fmt: skip
        await look(tx, 60.0)


async def _address(history: History, tx: AsyncConnection) -> None:
    hashes = history.book.hashes(AddressKind.PHONE, "+12122000020")
    await consents.listing(tx, history.scope, [("phone", one) for one in hashes], PageRequest())
    await consents.refused(tx, history.scope.id, "phone", hashes)


def _messages(page: PageRequest, **which: Any) -> Callable[[History, Any], Awaitable[object]]:
    return _read(lambda history, tx: lists.listing(tx, history.scope, page, **which))


def _texts(**which: Any) -> Callable[[History, Any], Awaitable[object]]:
    return _read(lambda history, tx: texts.listing(tx, history.scope, WhichTexts(**which), frozenset()))


async def texts_with_one_number(history: History, _: object) -> None:
    number = "+12122000020"
    which = WhichTexts(number=Number(number, history.book.hashes(AddressKind.PHONE, number)))
    await history.read(lambda tx: texts.listing(tx, history.scope, which, frozenset()))


def _deliveries(page: PageRequest, state: DeliveryState | None) -> Callable[[History, Any], Awaitable[object]]:
    return _read(
        lambda history, tx: endpoints.listing_deliveries(tx, history.scope, history.endpoint, page, state=state)
    )


def _guests(page: PageRequest, search: str | None = None) -> Callable[[History, Any], Awaitable[object]]:
    return _read(lambda history, tx: profiles.listing(tx, history.scope, page, search=search))


SENT = RebuildPlace(due=None, parked=False)
FIRST, FAR = PageRequest(), PageRequest(offset=COUNTED)
DEEP = PageRequest(after=_long_ago(60))

USES = (
    Use("accept a message", 5, accept, History.guest),
    Use("claim", 5, claim, accepted),
    Use("record what came of a call", 5, record, claimed),
    Use("a receipt, an account of every property", 5, receipt, sent),
    Use("a receipt of nothing that is here", 5, unknown_id),
    Use("a guest's text to a sender of every property", 20, inbound, History.guest),
    Use("settle an unknown outcome by look-up", 10, settle, lost),
    Use("an endpoint's deliveries, 20 at a time", 25, drain, accepted),
    Use("timeline", 5, _read(lambda history, tx: timeline.timeline(tx, history.scope, history.message))),
    Use("messages: first page", 50, _messages(FIRST)),
    Use("messages that failed", 50, _messages(FIRST, status=Status.FAILED)),
    Use("messages on a channel without any", 50, _messages(FIRST, channel=Channel.WHATSAPP)),
    Use("messages: by cursor, 60 days back", 50, _messages(DEEP)),
    Use("messages: offset 10,000", 50, _messages(FAR)),
    Use("texts: the newest", 250, _texts()),
    Use("texts: by when they changed", 250, _texts(order=OrderedBy.UPDATED, statuses=[Status.FAILED])),
    Use("texts: with one number", 50, texts_with_one_number),
    Use("deliveries: first page", 50, _deliveries(FIRST, None)),
    *(Use(f"deliveries: {state.value}", 50, _deliveries(FIRST, state)) for state in DeliveryState),
    Use("deliveries: by cursor, 60 days back", 50, _deliveries(DEEP, None)),
    Use("guests: first page", 50, _guests(FIRST)),
    Use("guests: by cursor, 60 days back", 50, _guests(DEEP)),
    Use("guests: a search that finds nothing", 100, _guests(FIRST, "nobody")),
    Use("API keys", 50, _read(lambda history, tx: keys.listing(tx, history.scope, FIRST))),
    Use("what an address allows", 5, _read(_address)),
    Use("report of 31 days, one property", 1000, _read(lambda h, tx: _report(h, tx, all_of_them=False)), times=3),
    Use("report of 31 days, all properties", 1000, _read(lambda h, tx: _report(h, tx, all_of_them=True)), times=3),
    Use("reconcile a day", 1000, _read(_reconciled), times=3),
    Use("erase a guest", 1000, erase, History.guest, times=5),
    Use("the doctor's look", 1000, _read(_doctor), times=3),
    *(
        Use(f"recovery: {kind.value}", 50, _read(lambda _, tx, look=look: look(tx, 10.0, left_behind.Place(), 500)))  # type: ignore[misc]
        for kind, look in left_behind.KINDS.items()
    ),
    Use("calls that nobody follows up", 50, _overdue),
    Use("callbacks that were missed", 100, _read(_missed)),
    Use("recovery: parked", 100, _read(lambda _, tx: parked.backlogs(tx))),
    *(Use(name, 50, _write(work)) for name, work in backlogs.USES.items()),
    Use("one message of each held account", 50, _write(lambda _, tx: parked.probes(tx, 60.0))),
    Use("recovery: histories to erase", 50, _read(lambda _, tx: pending_wakes.histories_to_erase(tx, 500))),
    Use(
        "rebuild: what is due first",
        100,
        _read(lambda _, tx: pending_wakes.needing_workflows(tx, RebuildPlace(), 500, timedelta(days=7))),
    ),
    Use(
        "rebuild: what was sent",
        100,
        _read(
            lambda _, tx: pending_wakes.needing_workflows(
                tx, RebuildPlace(due=None, parked=False), 500, timedelta(days=7)
            )
        ),
    ),
    *(
        Use(f"forget 500: {forget.__name__}", 250, _write(lambda _, tx, forget=forget: forget(tx, 500)))  # type: ignore[misc]
        for forget in retention.EVERY
    ),
)
