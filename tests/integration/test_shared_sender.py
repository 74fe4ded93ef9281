"""Several properties send from one number: whose an answer is, whom a STOP binds, what erasure reaches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind, Channel
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import Account, Inbound, Receipt
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.inbound_details import InboundDetails
from bellhop.domain.scopes import Scope
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store.delivery import receipts
from bellhop.store.delivery.accounts import calling_account
from bellhop.store.delivery.callback_accounts import of_callbacks
from bellhop.store.guests import consents

from .conftest_api import Api, open_api

GUEST = "+13055550801"
FIRST, SECOND, THIRD = "grand-sunset", "harbour-inn", "old-mill"


class Properties:
    """Three properties with one Twilio number and one SendGrid address."""

    def __init__(self, api: Api, settings: Settings, scopes: dict[str, Scope], headers: dict[str, Any]) -> None:
        self.api, self.settings, self.scopes, self.headers = api, settings, scopes, headers
        self.book: AddressBook = api.app.state.services.engine.book

    async def accounts(self, provider: str = "twilio") -> list[Account]:
        identities = await self.api.sql(
            "select distinct identity from provider_accounts where provider = :p", p=provider
        )
        async with self.api.database.begin() as tx:
            cipher = self.settings.bellhop.credential_cipher()
            found = await of_callbacks(tx, provider, identities[0][0])
        return [calling_account(cipher, row) for row in found]

    async def hears(self, *items: Receipt | Inbound, provider: str = "twilio") -> receipts.Recorded:
        verified = await self.accounts(provider)
        assert len(verified) == len(self.scopes)
        async with self.api.database.begin() as tx:
            return await receipts.record(tx, verified, items, self.book, [60.0])

    async def text(self, body: str, sid: str, sender: str = GUEST, **fields: Any) -> receipts.Recorded:
        to = (await self.api.sql("select distinct address from senders where channel = 'sms'"))[0][0]
        payload = {"From": sender, "Body": body}
        item = Inbound(f"{sid}:inbound", Channel.SMS, sender, to, body, sid, payload)
        return await self.hears(replace(item, **fields))

    async def wrote(self, slug: str, to: str = GUEST, *, provider: str = "twilio", state: str = "accepted") -> str:
        """A message of this property that a provider was called for; its attempt's id."""
        channel = "sms" if provider == "twilio" else "email"
        body = {"channel": channel, "recipient": to, "content": "Your suite is ready.", "subject": "Ready"}
        body = body if channel == "email" else {k: v for k, v in body.items() if k != "subject"}
        sent = await self.api.http.post("/v1/messaging/send", json=body, headers=self.headers[slug])
        assert sent.status_code == 201, sent.text
        return await self.called(sent.json()["id"], state)

    async def called(self, message_id: str, state: str = "accepted") -> str:
        rows = await self.api.sql(
            "insert into attempts (scope_id, message_id, part, account_id, provider, state, sender, lease_until)"
            " select m.scope_id, m.id, 0, s.account_id, m.provider, :state, s.address, now() from messages m"
            " join senders s on s.scope_id = m.scope_id and s.channel = m.channel where m.id = :id returning id",
            id=parse(Prefix.MESSAGE, message_id), state=state,
        )  # fmt: skip
        return str(rows[0][0])

    async def got(self) -> dict[str, list[str]]:
        """Texts by property."""
        rows = await self.api.sql(
            "select p.slug, m.content from messages m join scopes s on s.id = m.scope_id"
            " join properties p on p.id = s.property_id where m.direction = 'inbound' order by p.slug, m.id"
        )
        found: dict[str, list[str]] = {}
        for slug, content in rows:
            found.setdefault(slug, []).append(content)
        return found

    async def refusing(self, address: str = GUEST, kind: AddressKind = AddressKind.PHONE) -> set[str]:
        async with self.api.database.begin() as tx:
            return {
                slug for slug, scope in self.scopes.items()
                if await consents.refused(tx, scope.id, kind.value, self.book.hashes(kind, address))
            }  # fmt: skip


@pytest.fixture
async def sharing(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Properties]:
    async with open_api(settings, engine) as api:
        scopes = {FIRST: api.scope}
        async with engine.begin() as tx:
            for slug in (SECOND, THIRD):
                scopes[slug] = (await ensure_property(tx, slug, slug))["test"]
                await ensure_accounts(tx, scopes[slug], settings)
        headers = {slug: await api.mint(scope=scope) for slug, scope in scopes.items()}
        yield Properties(api, settings, scopes, headers)


async def test_an_answer_goes_to_the_property_that_wrote_last(sharing: Properties) -> None:
    await sharing.wrote(FIRST)
    await sharing.wrote(SECOND)
    recorded = await sharing.text("Late arrival, please", "SM1")
    assert recorded.stored == 1
    assert await sharing.got() == {SECOND: ["Late arrival, please"]}
    await sharing.wrote(FIRST)
    await sharing.text("And a cot", "SM2")
    assert await sharing.got() == {FIRST: ["And a cot"], SECOND: ["Late arrival, please"]}


async def test_last_is_when_it_went_out_and_not_when_it_was_asked_for(sharing: Properties) -> None:
    body = {"channel": "sms", "recipient": GUEST, "content": "Welcome", "scheduled_at": "2030-01-01T00:00:00Z"}
    planned = await sharing.api.http.post("/v1/messaging/send", json=body, headers=sharing.headers[FIRST])
    await sharing.wrote(SECOND)
    await sharing.wrote(THIRD, state="not_sent")
    await sharing.text("Thanks", "SM1")
    assert await sharing.got() == {SECOND: ["Thanks"]}
    await sharing.called(planned.json()["id"])
    await sharing.text("Thank you", "SM2")
    assert await sharing.got() == {FIRST: ["Thank you"], SECOND: ["Thanks"]}


async def test_a_repeated_callback_is_stored_once_whoever_wrote_meanwhile(sharing: Properties) -> None:
    await sharing.wrote(FIRST)
    assert (await sharing.text("Hello", "SM1")).stored == 1
    await sharing.wrote(SECOND)
    assert (await sharing.text("Hello", "SM1")).stored == 0
    assert await sharing.got() == {FIRST: ["Hello"]}


async def test_nobody_wrote_so_each_that_knows_the_guest_reads_it(sharing: Properties) -> None:
    for slug in (SECOND, THIRD):
        guest = {"first_name": "Jo", "last_name": "Mitchell", "phone": "+1 (305) 555-0801"}
        made = await sharing.api.http.post("/v1/guests", json=guest, headers=sharing.headers[slug])
        assert made.status_code == 201, made.text
        hook = {"url": "http://127.0.0.1:9/hook"}
        assert (
            await sharing.api.http.post("/v1/webhooks", json=hook, headers=sharing.headers[slug])
        ).status_code == 201
    recorded = await sharing.text("Is the bar open?", "SM1")
    assert (recorded.stored, len(recorded.endpoints)) == (1, 2)
    assert await sharing.got() == {SECOND: ["Is the bar open?"], THIRD: ["Is the bar open?"]}
    assert await sharing.api.rows("events where type = 'message.received'") == 2
    assert await sharing.api.rows("messages where direction = 'inbound' and guest_id is not null") == 2
    assert (await sharing.text("Is the bar open?", "SM1")).stored == 0
    assert await sharing.api.rows("receipts where word = 'inbound'") == 2


async def test_what_is_nobodys_is_kept_and_its_stop_binds(sharing: Properties) -> None:
    await sharing.text("Who is this?", "SM1")
    assert await sharing.got() == {}
    assert await sharing.api.rows("receipts where word = 'inbound' and scope_id is null and message_id is null") == 1
    assert await sharing.refusing() == set()
    await sharing.text("STOP", "SM2")
    assert await sharing.got() == {}
    assert await sharing.refusing() == {FIRST, SECOND, THIRD}


async def test_stop_and_start_bind_every_property_that_shares_the_number(sharing: Properties) -> None:
    await sharing.wrote(SECOND)
    await sharing.text("STOP", "SM1")
    assert await sharing.got() == {SECOND: ["STOP"]}
    assert await sharing.refusing() == {FIRST, SECOND, THIRD}
    await sharing.text("start", "SM2")
    assert await sharing.refusing() == set()


async def test_another_number_of_the_account_is_not_bound(sharing: Properties) -> None:
    await sharing.api.sql(
        "update senders set address = '+13055550999' where channel = 'sms' and scope_id = :s",
        s=sharing.scopes[THIRD].id,
    )
    await sharing.wrote(SECOND)
    to = "select address from senders where channel = 'sms' and scope_id = :s"
    shared = (await sharing.api.sql(to, s=sharing.scopes[FIRST].id))[0][0]
    item = Inbound("SM1:inbound", Channel.SMS, GUEST, shared, "STOP", "SM1", {})
    await sharing.hears(item)
    assert await sharing.refusing() == {FIRST, SECOND}
    await sharing.hears(replace(item, dedupe_key="SM2:inbound", recipient="+13055550999", text="Hello"))
    assert (await sharing.got())[THIRD] == ["Hello"]


async def test_a_text_to_a_messaging_service_finds_its_property(sharing: Properties) -> None:
    service = "MG" + "0" * 32
    await sharing.api.sql(
        "update senders set address = :a where channel = 'sms' and scope_id = :s", a=service, s=sharing.scopes[THIRD].id
    )
    item = Inbound("SM1:inbound", Channel.SMS, GUEST, "+13055550777", "Hello", "SM1", {}, service=service)
    await sharing.hears(item)
    assert await sharing.got() == {THIRD: ["Hello"]}


@pytest.mark.parametrize(
    ("effect", "lifting"),
    [
        (Effect.COMPLAINT, None),
        (Effect.UNSUBSCRIBE, None),
        (Effect.HARD_BOUNCE, None),
        (Effect.GROUP_UNSUBSCRIBE, Effect.GROUP_RESUBSCRIBE),
    ],
)
@pytest.mark.parametrize("matched", [True, False])
async def test_what_a_provider_says_binds_every_property_that_shares_the_sender(
    sharing: Properties, effect: Effect, lifting: Effect | None, matched: bool
) -> None:
    mail = "jordan@b\u00fccher.example"
    attempt = UUID(await sharing.wrote(SECOND, mail, provider="sendgrid")) if matched else None
    group = "7" if "group" in effect.value else None

    def said(key: str, what: Effect) -> Receipt:
        return Receipt(
            key, what.value, None, attempt, None, {}, effect=what, effect_group=group,
            address="Jordan@xn--bcher-kva.example", address_kind=AddressKind.EMAIL,
        )  # fmt: skip

    await sharing.hears(said("one", effect), provider="sendgrid")
    assert await sharing.refusing(mail, AddressKind.EMAIL) == {FIRST, SECOND, THIRD}
    if lifting:
        await sharing.hears(said("two", lifting), provider="sendgrid")
        assert await sharing.refusing(mail, AddressKind.EMAIL) == set()


async def test_erasure_reaches_what_was_kept_with_another_property(sharing: Properties) -> None:
    """Nobody's texts, and those that an older version gave to a property that never wrote to the guest."""
    await sharing.text("I am Quetzal", "SM1")
    await sharing.api.sql(
        "update receipts set account_id = account.id from provider_accounts account where account.scope_id = :s"
        " and account.provider = 'twilio'",
        s=sharing.scopes[FIRST].id,
    )
    await sharing.api.sql(
        "insert into messages (scope_id, direction, channel, recipient, sender, address_hash, content, stage, provider,"
        " due_at) values (:s, 'inbound', 'sms', '+1', :g, :h, 'Quetzal here', 'delivered', 'twilio', now())",
        s=sharing.scopes[THIRD].id, g=GUEST, h=sharing.book.hash(AddressKind.PHONE, GUEST),
    )  # fmt: skip
    guest = {"first_name": "Jo", "last_name": "Mitchell", "phone": GUEST}
    made = await sharing.api.http.post("/v1/guests", json=guest, headers=sharing.headers[SECOND])
    await sharing.wrote(FIRST, "+13055550802")
    gone = await sharing.api.http.delete(f"/v1/guests/{made.json()['id']}", headers=sharing.headers[SECOND])
    assert gone.status_code == 204
    kept = await sharing.api.sql(
        "select to_jsonb(r)::text from receipts r union all select to_jsonb(m)::text from messages m"
    )
    assert not [row for (row,) in kept if "Quetzal" in row or GUEST in row]


async def test_erasure_reaches_who_was_made_a_guest_by_another_property(sharing: Properties) -> None:
    """That had the number alone when they wrote, and has never written to them."""
    number = "update senders set address = :to where channel = 'sms' and scope_id = any(:scopes)"
    others = [sharing.scopes[slug].id for slug in (FIRST, SECOND)]
    ((ours,),) = await sharing.api.sql("select distinct address from senders where channel = 'sms'")
    await sharing.api.sql(number, to="+13055550997", scopes=others)
    details = InboundDetails(profile_name="Quetzal")
    await sharing.text("I am Quetzal", "SM1", recipient=ours, details=details)
    assert await sharing.api.rows("guests where is_provisional and first_name = 'Quetzal'") == 1
    await sharing.api.sql(number, to=ours, scopes=others)
    guest = {"first_name": "Jo", "last_name": "Mitchell", "phone": GUEST}
    made = await sharing.api.http.post("/v1/guests", json=guest, headers=sharing.headers[SECOND])
    gone = await sharing.api.http.delete(f"/v1/guests/{made.json()['id']}", headers=sharing.headers[SECOND])
    assert gone.status_code == 204
    assert await sharing.api.rows("guests") == 0
    kept = await sharing.api.sql(
        "select to_jsonb(r)::text from receipts r union all select to_jsonb(m)::text from messages m"
        " union all select to_jsonb(c)::text from contact_points c"
    )
    assert not [row for (row,) in kept if "Quetzal" in row or GUEST in row]


async def test_erasure_leaves_what_another_property_and_its_guest_said(sharing: Properties) -> None:
    await sharing.wrote(FIRST)
    await sharing.text("A word with the first property", "SM1")
    guest = {"first_name": "Jo", "last_name": "Mitchell", "phone": GUEST}
    made = await sharing.api.http.post("/v1/guests", json=guest, headers=sharing.headers[SECOND])
    gone = await sharing.api.http.delete(f"/v1/guests/{made.json()['id']}", headers=sharing.headers[SECOND])
    assert gone.status_code == 204
    assert await sharing.got() == {FIRST: ["A word with the first property"]}


@pytest.mark.parametrize(
    ("given", "written"),
    [("+525512345678", "+5215512345678"), ("+541123456789", "+5491123456789"), ("+5531987654321", "+553187654321")],
)
async def test_two_spellings_of_a_number_are_one_guest(sharing: Properties, given: str, written: str) -> None:
    for to, sender, sid in ((given, written, "SM1"), (written, given, "SM2")):
        await sharing.wrote(SECOND, to)
        assert (await sharing.api.sql("select recipient from messages order by id desc limit 1"))[0][0] == to
        await sharing.text("Thanks", sid, sender)
    assert await sharing.got() == {SECOND: ["Thanks", "Thanks"]}
    assert await sharing.api.rows("conversations") == 1
    await sharing.text("stop", "SM3", written)
    assert await sharing.refusing(given) == {FIRST, SECOND, THIRD} == await sharing.refusing(written)


async def test_what_older_versions_wrote_down_of_a_spelling_still_binds(sharing: Properties) -> None:
    """They hashed numbers as they came: an opt-out from +521… is one of +52…."""
    written = "+5215512345678"
    old = sharing.book._hash(AddressKind.PHONE, written)
    assert old != sharing.book.hash(AddressKind.PHONE, written)
    async with sharing.api.database.begin() as tx:
        await consents.write(tx, sharing.scopes[FIRST].id, "phone", old, Effect.OPT_OUT, "guest", None)
    assert await sharing.refusing("+525512345678") == {FIRST}
    await sharing.text("START", "SM1", written)
    assert await sharing.refusing("+525512345678") == set()


async def test_a_reply_address_reaches_its_own_property(sharing: Properties) -> None:
    """Whoever wrote last, and nobody else: with the account of another it is an address like any other."""
    mailbox = "ann@guest.example"
    first = await sharing.wrote(FIRST, mailbox, provider="sendgrid")
    await sharing.wrote(SECOND, mailbox, provider="sendgrid")
    ((message,),) = await sharing.api.sql("select message_id from attempts where id = :id", id=UUID(first))
    names = sharing.book.mail_addresses.names(message, 0, "reply.hotel.example", "stay@hotel.example")
    assert names.reply_to is not None
    ((sender,),) = await sharing.api.sql("select distinct address from senders where channel = 'email'")

    def answer(text: str, to: str, **more: Any) -> Inbound:
        return Inbound(f"mail:{text}", Channel.EMAIL, mailbox, to, text, text, {"from": mailbox}, **more)

    await sharing.hears(answer("By address", names.reply_to), provider="sendgrid")
    by_id = answer("By id", sender, references=("<x@y>", f"<{names.message_id}>"))
    await sharing.hears(by_id, provider="sendgrid")
    await sharing.hears(answer("By sender", sender), provider="sendgrid")
    assert await sharing.got() == {FIRST: ["By address", "By id"], SECOND: ["By sender"]}
    own = [account for account in await sharing.accounts("sendgrid") if account.id not in await _accounts_of(sharing)]
    async with sharing.api.database.begin() as tx:
        await receipts.record(tx, own, [answer("Elsewhere", names.reply_to)], sharing.book, [60.0])
    assert await sharing.got() == {FIRST: ["By address", "By id"], SECOND: ["By sender"]}
    await sharing.hears(answer("STOP", names.reply_to), provider="sendgrid")
    assert await sharing.refusing(mailbox, AddressKind.EMAIL) == {FIRST, SECOND, THIRD}


async def _accounts_of(sharing: Properties) -> set[UUID]:
    """The rows of accounts of the first property."""
    scope = sharing.scopes[FIRST].id
    return {row[0] for row in await sharing.api.sql("select id from provider_accounts where scope_id = :s", s=scope)}
