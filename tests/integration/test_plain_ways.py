"""What one statement does for a plain message is what the long way does: the same situations, played through both,
leave the same rows and answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Claim, Receipt, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.routing import carried
from bellhop.domain.statuses import Stage
from bellhop.domain.steps import When
from bellhop.providers import providers
from bellhop.settings import Settings
from bellhop.store.database import Database
from bellhop.store.delivery import callback_accounts, plain_claims, plain_outcomes, plain_receipts, receipts
from bellhop.store.messages import outbound
from bellhop.store.messages.accepting import NewStep
from bellhop.store.messages.outbound import NewMessage

from .races_kit import World
from .races_model import ADDRESSES, DAY, DELIVERY

SMS = NewMessage(channel=Channel.SMS, recipient="+13055551234", content=Content(text="Your suite is ready."))
MAIL = NewMessage(
    channel=Channel.EMAIL, recipient="jo@example.com", content=Content(text="See you.", subject="Tomorrow")
)
TAKEN = SendResult(SendKind.ACCEPTED, provider_id="SM1")
ENDPOINT = "insert into endpoints (scope_id, url, secret, events) values (:scope, 'https://h.example', '{}', '{*}')"
TABLES = {
    "messages": "select * from messages where scope_id = :scope order by id",
    "attempts": "select * from attempts where scope_id = :scope order by id",
    "events": "select * from events where scope_id = :scope order by id",
    "receipts": "select * from receipts where scope_id = :scope order by id",
    "deliveries": "select * from deliveries where scope_id = :scope order by event_id",
    "accounts": "select provider, health, held_code from provider_accounts where scope_id = :scope order by provider",
    "guests": "select last_seen_at > created_at as seen from guests where scope_id = :scope order by id",
    "contacts": "select * from contact_points where scope_id = :scope order by id",
}
NOT_COMPARED = frozenset({"xact", "scope_id", "guest_ref", "mail_names"})
"""They have other ids, or are made of them."""


@dataclass
class Play:
    """One property, and one message of it. `plainly`: one statement is tried first."""

    world: World
    plainly: bool
    said: list[object] = field(default_factory=list)
    """What each step answered."""
    plain: list[str] = field(default_factory=list)
    """The steps that one statement did, or would have done."""
    message: UUID | None = None
    claimed: Claim | None = None

    async def sql(self, query: str) -> None:
        await self.world.rows(query)

    async def accept(self, new: NewMessage = SMS) -> None:
        async with self.world.engine.begin() as tx:
            row = await outbound.accept(tx, self.world.scope, new, self.world.book, carried(providers()), DAY)
        self.message = row.id

    async def claim(self, *, room: bool = True) -> None:
        assert self.message is not None
        decided = await self.world.attempts.claim(self.message, 1e9, lambda _: room)
        self.claimed = decided if isinstance(decided, Claim) else self.claimed
        self.said.append(decided)

    async def record(self, result: SendResult = TAKEN) -> None:
        assert self.claimed is not None
        self.said.append(await self.world.attempts.record(self.claimed, result))

    async def receipt(self, word: str, stage: Stage | None, **more: Any) -> None:
        """A callback of one receipt, as `engine.receipts` takes it."""
        assert self.claimed is not None
        account = self.world.accounts[self.claimed.account.provider]
        known = {"provider_id": "SM1", "attempt_id": self.claimed.outgoing.attempt_id, "payload": {"Status": word}}
        item = Receipt(dedupe_key=f"SM1:{word}", word=word, stage=stage, **{**known, **more})
        async with self.world.engine.begin() as tx:
            version = await callback_accounts.version(tx, account.provider, account.identity)
        recorded = None
        if self.plainly and plain_receipts.plain(item):
            values = plain_receipts.values(item, account.provider, account.identity, version or 0)
            applied = await Database(self.world.engine).single(plain_receipts.RECORD, **values)
            if (recorded := plain_receipts.recorded(item, applied)) is not None:
                self.plain.append("receipt")
        if recorded is None:
            async with self.world.engine.begin() as tx:
                recorded = await receipts.record(tx, [account], [item], self.world.book, DELIVERY.follow_at)
        self.said += [recorded.stored, len(recorded.endpoints), *(signal.answer for signal in recorded.signals)]

    async def all(self, new: NewMessage = SMS) -> None:
        await self.accept(new)
        await self.claim()
        await self.record()

    async def left(self) -> dict[str, Any]:
        """Everything that is in the record now, with ids by the order in which they appear."""
        names: dict[UUID, str] = {}
        found = {table: await self.world.rows(query) for table, query in TABLES.items()}
        return {**{table: _compared(rows, names) for table, rows in found.items()}, "said": _compared(self.said, names)}


def _compared(value: Any, names: dict[UUID, str]) -> Any:
    if isinstance(value, Answer):
        # Of what waits for somebody, each comes back at another moment of a day.
        after = "later" if value.after > DAY / 2 else round(value.after)
        return (value.status, value.next, after, value.listed, value.through)
    if is_dataclass(value) and not isinstance(value, type):
        return _compared({each.name: getattr(value, each.name) for each in fields(value)}, names)
    if isinstance(value, Mapping):
        return {key: _compared(one, names) for key, one in value.items() if key not in NOT_COMPARED}
    if isinstance(value, (list, tuple)):
        return [_compared(one, names) for one in value]
    if isinstance(value, UUID):
        return names.setdefault(value, f"id{len(names)}")
    if isinstance(value, datetime):
        return "a time"
    if isinstance(value, str) and any(str(one) in value for one in names):
        return "with an id"
    return value


Situation = Callable[[Play], Awaitable[None]]
SITUATIONS: dict[str, tuple[Situation, str]] = {}
"""What happens, by what it is called, and which of it one statement does."""


def situation(plain: str) -> Callable[[Situation], Situation]:
    def put(made: Situation) -> Situation:
        SITUATIONS[made.__name__] = made, plain
        return made

    return put


def before_the_claim(name: str, sql: str, plain: str = "", new: NewMessage = SMS) -> None:
    async def play(it: Play) -> None:
        await it.accept(new)
        await it.sql(sql)
        await it.claim()
        if it.claimed:
            await it.record()

    SITUATIONS[name] = play, plain


def before_the_outcome(name: str, sql: str, plain: str = "claim") -> None:
    async def play(it: Play) -> None:
        await it.accept()
        await it.claim()
        await it.sql(sql)
        await it.record()

    SITUATIONS[name] = play, plain


def before_the_receipt(name: str, sql: str, plain: str = "claim record") -> None:
    async def play(it: Play) -> None:
        await it.all()
        await it.sql(sql)
        await it.receipt("delivered", Stage.DELIVERED)

    SITUATIONS[name] = play, plain


def receipts_in_order(name: str, *words: str, plain: str, new: NewMessage = SMS) -> None:
    async def play(it: Play) -> None:
        await it.sql(ENDPOINT)
        await it.all(new)
        for word in words:
            failed = {"code": FailureCode.UNDELIVERED, "provider_code": "30003"} if word == "undelivered" else {}
            await it.receipt(word, None if word == "accepted" else Stage(word), **failed)

    SITUATIONS[name] = play, f"claim record {plain}".strip()


EACH = "claim record"
CONSENT = (
    "insert into consents (scope_id, kind, address_hash, purpose, action, cause, source) select scope_id, 'phone',"
    " address_hash, 'all', '{action}', '{action}', 'test' from messages where scope_id = :scope"
)
before_the_claim("nothing", "select", EACH)
before_the_claim("a mail", "select", EACH, MAIL)
before_the_claim("marketing", "select", "record", replace(SMS, category=Category.MARKETING))
before_the_claim("paused", "update scopes set paused_at = now() where id = :scope")
before_the_claim("opted out", CONSENT.format(action="opt_out"))
before_the_claim("opted in", CONSENT.format(action="opt_in"), "record")
before_the_claim("held", "update provider_accounts set health = 'held', probe_at = now() + interval '1 hour'")
before_the_claim("tried", "update provider_accounts set health = 'held', probe_at = null")
before_the_claim(
    "two senders",
    "insert into senders (scope_id, account_id, channel, address) select scope_id, account_id, channel, '+15005550009'"
    " from senders where scope_id = :scope and channel = 'sms' limit 1",
    "record",
)
before_the_claim("no sender", "delete from senders where scope_id = :scope")
before_the_claim("no html", "update senders set capabilities = '{\"html\": false}'", EACH)
NIGHT = '{"quiet_hours": [{"categories": ["transactional"], "from": "00:00", "to": "23:59"}]}'
before_the_claim("quiet hours", f"update scopes set settings = '{NIGHT}'")
before_the_claim("bad quiet hours", "update scopes set settings = '{\"quiet_hours\": 7}'", "record")
before_the_claim("other settings", "update scopes set settings = '{\"a\": 7}'", EACH)
before_the_claim(
    "capped",
    'update scopes set settings = \'{"frequency_caps": [{"category": "transactional", "max": 1, "per": "P1D"}]}\'',
    "record",
)
before_the_claim("expired", "update messages set expires_at = now() - interval '1 s'")
before_the_claim("not due", "update messages set due_at = now() + interval '1 hour'")
before_the_claim("cancelled", "update messages set stage = 'cancelled', decision = 'cancelled'")
before_the_claim(
    "erased", "update messages set content = null, recipient = null, address_hash = null, erased_at = now()"
)
before_the_claim("parked", "update messages set waits_for = 'paused', parked_at = now()", "record")
before_the_claim("other credentials", "update provider_accounts set credentials = '{}'", EACH)
before_the_claim("another address", "update provider_accounts set base_url = 'https://elsewhere.example'", EACH)
before_the_outcome("with an endpoint", ENDPOINT, EACH)
before_the_outcome("held meanwhile", "update provider_accounts set health = 'held', held_code = '20003'")
before_the_outcome("lease over", "update attempts set state = 'unknown', ask_at = now()")
before_the_outcome(
    "erased meanwhile", "update messages set content = null, recipient = null, address_hash = null, erased_at = now()"
)
before_the_outcome("given up meanwhile", "update messages set stage = 'gave_up', decision = 'gave_up'")
before_the_receipt("erased before it came", "update messages set content = null, recipient = null, erased_at = now()")
before_the_receipt("rotated", "update provider_accounts set credentials = '{}'", "claim record receipt")
before_the_receipt("left a group", 'update messages set details = \'{"group": {"members": ["+1"], "left": 1}}\'')
receipts_in_order("sent", "sent", plain="receipt")
receipts_in_order("sent and delivered", "sent", "delivered", plain="receipt receipt")
receipts_in_order("a word that says nothing", "accepted", plain="receipt")
receipts_in_order("out of order", "delivered", "sent", plain="receipt receipt")
receipts_in_order("twice", "delivered", "delivered", plain="receipt")
receipts_in_order("failed, then delivered", "undelivered", "delivered", "sent", plain="")
receipts_in_order("delivered, then failed", "delivered", "undelivered", plain="receipt")
receipts_in_order("a mail, read at once", "read", "delivered", "sent", plain="receipt receipt receipt", new=MAIL)
receipts_in_order("a mail that comes back", "delivered", "undelivered", "read", plain="receipt", new=MAIL)


@situation("claim receipt")
async def a_receipt_is_quicker(it: Play) -> None:
    await it.accept()
    await it.claim()
    await it.receipt("sent", Stage.SENT)
    await it.record()
    await it.receipt("delivered", Stage.DELIVERED)


@situation("claim record")
async def read_by_a_known_guest(it: Play) -> None:
    await it.world.greet(Channel.EMAIL, 0)
    await it.all(replace(MAIL, recipient=ADDRESSES[Channel.EMAIL][0], guest_id=it.world.guests[0]))
    await it.receipt("read", Stage.READ)


@situation("claim record receipt")
async def to_a_known_guest(it: Play) -> None:
    await it.world.greet(Channel.SMS, 0)
    await it.all(replace(SMS, recipient=ADDRESSES[Channel.SMS][0], guest_id=it.world.guests[0]))
    await it.receipt("delivered", Stage.DELIVERED)


@situation("claim")
async def no_slot(it: Play) -> None:
    await it.accept()
    await it.claim(room=False)


@situation("claim")
async def not_taken_at_first(it: Play) -> None:
    await it.accept()
    await it.claim()
    await it.record(SendResult(SendKind.RETRY))
    await it.sql("update messages set due_at = now() where scope_id = :scope")
    await it.claim()
    await it.record()
    await it.receipt("delivered", Stage.DELIVERED)


@situation("claim")
async def claimed_twice(it: Play) -> None:
    await it.accept()
    await it.claim()
    await it.claim()
    await it.record(SendResult(SendKind.REFUSED, code=FailureCode.REJECTED))
    await it.claim()


@situation("")
async def with_another_step(it: Play) -> None:
    step = NewStep(channel=Channel.EMAIL, recipient="jo@example.com", content=MAIL.content, when=When.FAILED)
    await it.all(replace(SMS, fallback=(step,)))
    await it.receipt("delivered", Stage.DELIVERED)


@situation("")
async def in_parts(it: Play) -> None:
    await it.all(replace(SMS, content=Content(text="word " * 400)))
    await it.claim()
    await it.record(SendResult(SendKind.ACCEPTED, provider_id="SM2"))
    await it.receipt("delivered", Stage.DELIVERED, provider_id="SM2", attempt_id=None)


@situation("claim record")
async def a_receipt_of_another_id(it: Play) -> None:
    await it.all()
    await it.receipt("delivered", Stage.DELIVERED, provider_id="SM9")


@situation("claim record")
async def later(it: Play) -> None:
    await it.all(replace(SMS, scheduled_at=datetime.now(UTC) - timedelta(days=1)))


async def test_one_statement_does_what_the_long_way_does(
    engine: AsyncEngine, settings: Settings, book: AddressBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, record = plain_claims.begin, plain_outcomes.record
    wrong: dict[str, Any] = {}
    for name, (play, plain) in SITUATIONS.items():
        both = []
        for plainly in (True, False):
            world = World(engine, settings, book)
            await world.open(resend=False)
            it = Play(world, plainly)

            async def begun(*given: Any, it: Play = it) -> Any:
                found = await begin(*given) if it.plainly else None
                if found is not None and found.attempt_id is not None:
                    it.plain.append("claim")
                return found

            async def recorded(*given: Any, it: Play = it) -> Any:
                found = await record(*given) if it.plainly else None
                if found is not None:
                    it.plain.append("record")
                return found

            monkeypatch.setattr(plain_claims, "begin", begun)
            monkeypatch.setattr(plain_outcomes, "record", recorded)
            await play(it)
            both.append(await it.left())
            if plainly and " ".join(it.plain) != plain:
                wrong[f"{name}: one statement"] = it.plain
        if both[0] != both[1]:
            wrong[name] = {key: (both[0][key], both[1][key]) for key in both[0] if both[0][key] != both[1][key]}
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


@pytest.mark.parametrize(
    "said", [CONSENT.format(action="opt_out"), "update scopes set paused_at = now() where id = :scope"]
)
async def test_what_is_said_while_the_statement_runs_counts(
    engine: AsyncEngine, settings: Settings, book: AddressBook, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """The one statement sees what was committed before it began. Seen to fail without `plain_claims.still`: the message
    was handed over after the STOP."""
    world = World(engine, settings, book)
    await world.open(resend=False)
    it, begin, begun = Play(world, plainly=True), plain_claims.begin, []

    async def meanwhile(*given: Any) -> Any:
        found = await begin(*given)
        begun.append(found is not None and found.attempt_id is not None)
        await it.sql(said)
        return found

    monkeypatch.setattr(plain_claims, "begin", meanwhile)
    await it.accept()
    await it.claim()
    assert begun == [True], "its attempt was written, and is undone"
    assert it.claimed is None
    assert await world.rows("select from attempts where scope_id = :scope") == []
