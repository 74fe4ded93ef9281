"""What an address allows, on the record and through the API: by when it was said, and set or lifted by an operator."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.categories import Category
from bellhop.domain.channels import AddressKind, Channel
from bellhop.domain.consents import LIFTED_BY, OF_A_GROUP, ConsentFact, Effect, SaidTo, allowed, reopened
from bellhop.domain.delivery_ports import Account, CallbackRequest, Inbound, Receipt
from bellhop.engine.context import Engine as Context
from bellhop.ops import administration
from bellhop.ops.administration import Refused
from bellhop.providers.sendgrid.adapter import SendGrid
from bellhop.settings import Settings
from bellhop.store.delivery import receipts
from bellhop.store.guests import consents
from tests.integration.conftest_api import JORDAN, Api, open_api

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
MAIL = "jordan.mitchell@example.com"
PHONE = "+13055551234"
SET = {"channel": "email", "address": MAIL, "action": "opt_in", "reason": "The mailbox was full."}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def said(api: Api, kind: AddressKind = AddressKind.EMAIL, address: str = MAIL) -> Effect | None:
    async with api.database.begin() as tx:
        return await consents.refused(
            tx, api.scope.id, kind.value, api.app.state.services.engine.book.hashes(kind, address)
        )


async def account(api: Api, provider: str) -> Account:
    ((key, identity),) = await api.sql(
        "select id, identity from provider_accounts where scope_id = :scope and provider = :provider",
        scope=api.scope.id,
        provider=provider,
    )
    return Account(key, provider, identity, "", {})


async def hears(api: Api, *events: dict[str, Any]) -> None:
    """SendGrid's webhook tells of these events, of an address and no message of ours."""
    for number, event in enumerate(events):
        given = {"email": MAIL, "sg_event_id": f"{event}{number}{random.random()}", **event}
        items = SendGrid().parse(CallbackRequest("", "events", {}, {}, json.dumps([given]).encode()))
        async with api.database.begin() as tx:
            book = api.app.state.services.engine.book
            await receipts.record(tx, [await account(api, "sendgrid")], items, book, (60.0,))


def at(minute: int, event: str, **fields: Any) -> dict[str, Any]:
    return {"event": event, "timestamp": int((NOON + timedelta(minutes=minute)).timestamp()), **fields}


async def test_an_older_resubscription_that_arrives_late_lifts_nothing(api: Api) -> None:
    await hears(api, at(10, "group_unsubscribe", asm_group_id=7), at(5, "group_resubscribe", asm_group_id=7))
    assert await said(api) is Effect.GROUP_UNSUBSCRIBE
    await hears(api, at(12, "group_resubscribe", asm_group_id=7), at(11, "group_unsubscribe", asm_group_id=7))
    assert await said(api) is None, "and an older unsubscription that arrives late binds nobody"


@pytest.mark.parametrize("event", ["spamreport", "unsubscribe", "bounce"])
async def test_a_group_resubscription_lifts_that_groups_unsubscription_only(api: Api, event: str) -> None:
    await hears(api, at(0, "group_unsubscribe", asm_group_id=7), at(1, "group_unsubscribe", asm_group_id=8))
    await hears(api, at(2, "group_resubscribe", asm_group_id=7))
    assert await said(api) is Effect.GROUP_UNSUBSCRIBE
    await hears(api, at(3, "group_resubscribe", asm_group_id=8))
    assert await said(api) is None
    await hears(api, at(4, event), at(5, "group_resubscribe", asm_group_id=8))
    assert await said(api) not in (None, Effect.GROUP_UNSUBSCRIBE)


async def test_start_lifts_a_stop_by_when_it_was_written(api: Api) -> None:
    twilio = await account(api, "twilio")
    ((sender,),) = await api.sql("select address from senders where scope_id = :s and channel = 'sms'", s=api.scope.id)
    for number, (minute, words) in enumerate([(9, "Start"), (8, "“STOP”"), (3, "stop\n--\nJordan")]):
        item = Inbound(
            f"{number}",
            Channel.SMS,
            PHONE,
            sender,
            words,
            f"SM{number}",
            {},
            occurred_at=NOON + timedelta(minutes=minute),
        )
        async with api.database.begin() as tx:
            await receipts.record(tx, [twilio], [item], api.app.state.services.engine.book, (60.0,))
    assert await said(api, AddressKind.PHONE, PHONE) is None
    async with api.database.begin() as tx:
        hashed = api.app.state.services.engine.book.hash(AddressKind.PHONE, PHONE)
        await consents.write(tx, api.scope.id, "phone", hashed, Effect.COMPLAINT, "test", None)
        await consents.write(tx, api.scope.id, "phone", hashed, Effect.OPT_IN, "guest", None)
    assert await said(api, AddressKind.PHONE, PHONE) is Effect.COMPLAINT


async def test_what_is_looked_up_is_enough_however_much_was_said(engine: AsyncEngine, api: Api) -> None:
    """The store reads the last of each cause, purpose and sender; the rule over all of it says the same."""
    chance = random.Random(7)
    senders = [None, SaidTo(Channel.SMS, "+1305"), SaidTo(Channel.SMS, "+1306"), SaidTo(Channel.WHATSAPP, "+1305")]
    for number in range(30):
        hashed = bytes([number]) * 32
        facts = []
        async with api.database.begin() as tx:
            for _ in range(chance.randrange(25)):
                effect, sender = chance.choice(list(Effect)), chance.choice(senders)
                row = await consents.write(
                    tx, api.scope.id, "phone", hashed, effect, "test", None, said_to=sender,
                    occurred_at=NOON + timedelta(minutes=chance.randrange(6)),
                    group=chance.choice("ab") if effect in OF_A_GROUP else None,
                )  # fmt: skip
                assert row.action == ("opt_out" if effect in LIFTED_BY else "opt_in")
                facts.append(ConsentFact(row.id, effect, row.occurred_at, row.purpose, sender))
            started = reopened(facts, Category.TRANSACTIONAL)
            for sender in senders:
                which = {"channel": sender.channel, "sender": sender.address} if sender else {}
                may = sender in started if sender else bool(started)
                refused = await consents.refused(tx, api.scope.id, "phone", [hashed], **which)
                assert (refused is None) is (allowed(facts) or may)
            last = await consents.last_said(tx, api.scope.id, "phone", [hashed])
            assert len(last) == len({(fact.effect, fact.purpose, fact.said_to) for fact in facts})


async def test_a_word_said_a_thousand_times_costs_no_more(api: Api) -> None:
    hashed = b"h" * 32
    await api.sql(
        "insert into consents (scope_id, kind, address_hash, action, cause, source, occurred_at) "
        "select :scope, 'phone', :hashed, 'opt_in', cause, 'guest', now() - make_interval(secs => n) "
        "from generate_series(1, 3000) n, unnest(array['opt_in', 'opt_out']) cause",
        scope=api.scope.id,
        hashed=hashed,
    )
    await api.sql("analyze consents")
    values = {"scope": api.scope.id, "kind": "phone", "hashed": hashed}
    async with api.database.begin() as tx:
        plan = await explained(tx, values)
    assert plan["Execution Time"] < 20
    nodes = list(walk(plan["Plan"]))
    assert not [node for node in nodes if node["Node Type"] == "Seq Scan"]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in nodes) < 60


async def explained(tx: AsyncConnection, values: dict[str, Any]) -> dict[str, Any]:
    statement = consents._LAST_SAID._text.decode()
    for number, name in enumerate(consents._LAST_SAID._order, 1):
        statement = statement.replace(f"${number}", f":{name}")
    found = await tx.execute(text(f"explain (analyze, format json) {statement}"), values)
    plan: dict[str, Any] = found.scalar_one()[0]
    return plan


def walk(node: dict[str, Any]) -> Any:
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


async def test_a_clock_that_is_ahead_does_not_bind_for_ever(api: Api) -> None:
    ahead = int((datetime.now(UTC) + timedelta(days=400)).timestamp())
    await hears(api, {"event": "group_unsubscribe", "timestamp": ahead, "asm_group_id": 7})
    await hears(api, {"event": "group_resubscribe", "timestamp": ahead + 1, "asm_group_id": 7})
    assert await said(api) is None
    assert (await api.http.post("/v1/consents", json={**SET, "action": "opt_out"})).status_code == 201
    assert await said(api) is Effect.OPERATOR_OPT_OUT
    assert (await api.http.post("/v1/consents", json=SET)).status_code == 201
    assert await said(api) is None


async def test_rows_of_an_older_version_count_as_they_did(api: Api) -> None:
    """During an upgrade processes that know no causes write on."""
    book = api.app.state.services.engine.book
    for action, refused in (("opt_out", Effect.OPT_OUT), ("opt_in", None), ("opt_out", Effect.OPT_OUT)):
        await api.sql(
            "insert into consents (scope_id, kind, address_hash, action, source) "
            "values (:scope, 'email', :hashed, :action, 'guest')",
            scope=api.scope.id,
            hashed=book.hash(AddressKind.EMAIL, MAIL),
            action=action,
        )
        assert await said(api) is refused
    shown = (await api.http.get("/v1/consents", params={"channel": "email", "address": MAIL})).json()
    assert [one["cause"] for one in shown["data"]] == ["opt_out", "opt_in", "opt_out"]


async def test_an_operator_lifts_a_bounce_and_it_is_on_record(api: Api) -> None:
    guest = await api.guest()
    await hears(api, at(0, "bounce", status="5.2.2"))
    invalid = "select invalid_since from contact_points where kind = 'email'"
    assert (await api.sql(invalid))[0][0] == NOON
    asked = await api.http.get("/v1/consents", params={"channel": "email", "address": MAIL.upper()})
    assert asked.status_code == 200
    assert (asked.json()["allowed"], asked.json()["refused_by"], asked.json()["total"]) == (False, ["hard_bounce"], 1)
    assert asked.json()["data"][0]["in_force"] is True

    lifted = await api.http.post("/v1/consents", json=SET)
    assert lifted.status_code == 201, lifted.text
    shown = lifted.json()
    ((key,),) = await api.sql("select id from api_keys")
    assert (shown["cause"], shown["action"], shown["reason"]) == ("operator_opt_in", "opt_in", SET["reason"])
    assert (shown["source"], shown["in_force"]) == ("api", False)
    assert shown["actor"].startswith("key_") and isinstance(key, UUID)
    assert await said(api) is None
    assert (await api.sql(invalid))[0][0] is None
    asked = await api.http.get("/v1/consents", params={"channel": "email", "address": MAIL})
    assert (asked.json()["allowed"], asked.json()["refused_by"]) == (True, [])
    assert [one["cause"] for one in asked.json()["data"]] == ["operator_opt_in", "hard_bounce"]
    assert not any(one["in_force"] for one in asked.json()["data"])
    # The same bounce, told again later by another way, was said before: the operator knew of it.
    await hears(api, at(1, "bounce", status="5.2.2"))
    assert await said(api) is None
    assert (await api.sql(invalid))[0][0] is None

    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    assert [row[0] for row in await api.sql("select reason from consents")] == [None, None, None]
    assert await said(api) is None


async def test_consents_of_a_number_hold_on_every_channel_that_writes_to_it(api: Api) -> None:
    body = {"channel": "sms", "address": PHONE, "action": "opt_out", "reason": "asked at the desk"}
    assert (await api.http.post("/v1/consents", json=body)).status_code == 201
    for address in (PHONE, PHONE.replace("+", "%2B")):
        asked = await api.http.get(f"/v1/consents?channel=whatsapp&address={address}")
        assert asked.json()["refused_by"] == ["operator_opt_out"], asked.text


async def test_marketing_can_be_refused_alone(api: Api) -> None:
    """Of an address, and then by `deliver`, under the message's lock."""
    body = {**SET, "action": "opt_out", "purpose": "marketing"}
    shown = (await api.http.post("/v1/consents", json=body)).json()
    assert (shown["purpose"], shown["group"], shown["in_force"]) == ("marketing", None, True)
    asked = (await api.http.get("/v1/consents", params={"channel": "email", "address": MAIL})).json()
    assert (asked["allowed"], asked["marketing_allowed"], asked["refused_by"]) == (True, False, [])
    assert [one["purpose"] for one in asked["data"]] == ["marketing"]
    hashes = api.app.state.services.engine.book.hashes(AddressKind.EMAIL, MAIL)
    async with api.database.begin() as tx:
        said = {each: await consents.refused(tx, api.scope.id, "email", hashes, each) for each in Category}
    assert said == {**dict.fromkeys(Category), Category.MARKETING: Effect.OPERATOR_OPT_OUT}
    assert (await api.http.post("/v1/consents", json=SET)).status_code == 201
    still = await api.http.get("/v1/consents", params={"channel": "email", "address": MAIL})
    assert still.json()["marketing_allowed"] is False
    assert (await api.http.post("/v1/consents", json={**SET, "purpose": "marketing"})).status_code == 201
    gone = await api.http.get("/v1/consents", params={"channel": "email", "address": MAIL})
    assert gone.json()["marketing_allowed"] is True


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"address": "jordan"}, "address"),
        ({"channel": "sms"}, "address"),
        ({"action": "maybe"}, "action"),
        ({"purpose": "offers"}, "purpose"),
        ({"reason": " "}, "reason"),
        ({"reason": None}, "reason"),
        ({"more": 1}, "more"),
    ],
)
async def test_what_is_wrong_is_said_by_field(api: Api, changed: dict[str, Any], field: str) -> None:
    answer = await api.http.post("/v1/consents", json={**SET, **changed})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field]), answer.text
    assert await api.rows("consents") == 0


async def test_looking_needs_a_right_and_an_address_and_stays_in_the_property(api: Api) -> None:
    reading, other = await api.mint("guests:read"), await api.mint("*", scope=api.live)
    assert (await api.http.post("/v1/consents", json=SET, headers=reading)).status_code == 403
    assert (await api.http.post("/v1/consents", json={**SET, "action": "opt_out"})).status_code == 201
    where = {"channel": "email", "address": MAIL}
    assert (await api.http.get("/v1/consents", params=where, headers=reading)).json()["allowed"] is False
    theirs = (await api.http.get("/v1/consents", params=where, headers=other)).json()
    assert (theirs["allowed"], theirs["data"]) == (True, [])
    wrong = await api.http.get("/v1/consents", params={"channel": "email", "address": "jordan"})
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["query", "address"])
    assert (await api.http.get("/v1/consents")).status_code == 422


async def test_the_command_line_does_the_same(api: Api, engine: AsyncEngine, book: AddressBook) -> None:
    context: Context = api.app.state.services.engine
    await hears(api, at(0, "spamreport"))
    args = ("grand-sunset", "test", "email", MAIL)
    assert (await administration.list_consents(context, *args))["refused_by"] == ["complaint"]
    done = await administration.set_consent(context, *args, "opt_in", reason=" She asked. ", actor="cli:ann")
    assert (done["actor"], done["reason"], done["source"]) == ("cli:ann", "She asked.", "cli")
    found = await administration.list_consents(context, *args)
    assert (found["allowed"], [one["cause"] for one in found["said"]]) == (True, ["operator_opt_in", "complaint"])
    for wrong in (
        ("nowhere", "test", "email", MAIL, "opt_in"),
        ("grand-sunset", "prod", "email", MAIL, "opt_in"),
        ("grand-sunset", "test", "pigeon", MAIL, "opt_in"),
        ("grand-sunset", "test", "email", "jordan", "opt_in"),
        ("grand-sunset", "test", "email", MAIL, "in"),
    ):
        with pytest.raises(Refused):
            await administration.set_consent(context, *wrong, reason="x", actor="cli:ann")


async def test_the_receipt_of_a_group_names_it() -> None:
    event = at(0, "group_resubscribe", asm_group_id=7, email=MAIL)
    items = SendGrid().parse(CallbackRequest("", "events", {}, {}, json.dumps([event]).encode()))
    assert [item.effect_group for item in items if isinstance(item, Receipt)] == ["7"]
    assert JORDAN["email"] == MAIL
