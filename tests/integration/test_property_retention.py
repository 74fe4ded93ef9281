"""What a property keeps for fewer days goes, in chunks; nothing that is pending, and nothing of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import earliest_id
from bellhop.engine import properties
from bellhop.ops import administration
from bellhop.ops.administration import Refused
from bellhop.settings import Settings
from bellhop.store.delivery import property_retention, retention

from .conftest_api import Api, open_api

OTHERS = "another's"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def message(api: Api, days: float, **fields: Any) -> UUID:
    """A message of so many days ago, as it is left when it was read."""
    at = datetime.now(UTC) - timedelta(days=days)
    given: dict[str, Any] = {
        "id": UUID(int=earliest_id(at).int + len(await api.sql("select 1 from messages")) + 1),
        "scope_id": api.scope.id, "channel": "sms", "stage": "read", "direction": "outbound",
        "recipient": "+13055550931", "content": "Dear Quetzal", "due_at": at, "created_at": at, "sent_at": at,
        "wake_due_at": None, "remind_at": None,
        **fields,
    }  # fmt: skip
    names = ", ".join(given)
    await api.sql(f"insert into messages ({names}) values ({', '.join(f':{name}' for name in given)})", **given)
    ((account,),) = await api.sql(
        "select id from provider_accounts where scope_id = :scope limit 1", scope=api.scope.id
    )
    await api.sql(
        "insert into attempts (scope_id, message_id, part, account_id, provider, state, lease_until, sender, body)"
        " values (:scope, :id, 0, :account, 'twilio', 'accepted', :at, '+15005550006', 'Dear Quetzal')",
        scope=given["scope_id"], id=given["id"], account=account, at=at,
    )  # fmt: skip
    await api.sql(
        "insert into receipts (scope_id, account_id, provider, dedupe_key, message_id, word, payload, received_at)"
        " values (:scope, :account, 'twilio', cast(:id as uuid)::text, :id, 'read', '{\"To\": \"Quetzal\"}', :at)",
        scope=given["scope_id"], id=given["id"], account=account, at=at,
    )  # fmt: skip
    return UUID(str(given["id"]))


async def forgotten(api: Api) -> set[UUID]:
    """The messages of which a tombstone is left, when everything was forgotten in chunks of two."""
    for forget in property_retention.EVERY:
        while True:
            async with api.database.begin() as tx:
                done = await forget(tx, 2)
            assert done <= 2
            if done < 2:
                break
    return {row[0] for row in await api.sql("select id from messages where erased_at is not null")}


async def retain(api: Api, **days: int | None) -> None:
    await properties.retain(api.app.state.services.engine, api.scope, days)


async def test_messages_go_after_their_days_with_what_is_kept_beside_them(api: Api) -> None:
    old = {await message(api, 40), await message(api, 41, stage="gave_up"), await message(api, 300, stage="cancelled")}
    old |= {await message(api, 35, direction="inbound", stage="delivered")}
    young = {await message(api, 20), await message(api, 29, direction="inbound", stage="delivered")}
    assert await forgotten(api) == set(), "as long as the installation keeps them"
    await retain(api, messages_days=30)
    assert await forgotten(api) == old
    rows = await api.sql("select to_jsonb(m)::text from messages m where erased_at is not null")
    rows += await api.sql("select to_jsonb(a)::text from attempts a where message_id = any(:ids)", ids=list(old))
    rows += await api.sql("select to_jsonb(r)::text from receipts r where message_id = any(:ids)", ids=list(old))
    assert len(rows) == 12 and not [row for row in rows if "Quetzal" in row[0]]
    assert await api.sql("select count(*) from messages where content is not null") == [(len(young),)]


@pytest.mark.parametrize(
    "fields",
    [
        {"stage": "queued", "sent_at": None},
        {"due_at": datetime.now(UTC), "sent_at": None, "stage": "gave_up"},
        {"sent_at": datetime.now(UTC) - timedelta(days=2), "stage": "sent"},
        {"wake_due_at": datetime.now(UTC)},
        {"remind_at": datetime.now(UTC) + timedelta(days=1), "stage": "delivered"},
        {"scope_id": OTHERS},
        {"direction": "inbound", "stage": "delivered", "wake_due_at": datetime.now(UTC)},
    ],
    ids=["waits", "was scheduled for today", "went out lately", "is to be looked at", "has a reminder", "another's",
         "nobody has looked for intents"],
)  # fmt: skip
async def test_what_is_pending_or_anothers_stays(api: Api, fields: dict[str, Any]) -> None:
    await retain(api, messages_days=1)
    if fields.get("scope_id") == OTHERS:
        fields = {"scope_id": api.live.id}
    await message(api, 60, **fields)
    assert await forgotten(api) == set()


async def test_one_with_an_open_call_or_in_an_inbox_stays(api: Api) -> None:
    await retain(api, messages_days=1)
    called, lies = await message(api, 60, stage="sent"), await message(api, 60, stage="sent")
    await api.sql("update attempts set state = 'unknown' where message_id = :id", id=called)
    await api.sql(
        "insert into inbox (scope_id, message_id, guest_id, expires_at) values (:s, :m, :m, now() + interval '1 day')",
        s=api.scope.id, m=lies,
    )  # fmt: skip
    assert await forgotten(api) == set()
    await api.sql("update inbox set expires_at = now()")
    assert await forgotten(api) == {lies}
    assert await api.rows("inbox") == 0


async def test_receipts_and_files_have_days_of_their_own(api: Api) -> None:
    for days in (6, 8, 29, 31):
        await message(api, days)
    at = datetime.now(UTC)
    for days, fields in ((9, {"message_id": "m"}), (9, {"guest_id": "m"}), (9, {}), (2, {"guest_id": "m"})):
        made = at - timedelta(days=days)
        names = ", ".join(["id", *fields])
        await api.sql(
            f"insert into assets ({names}, scope_id, state, content_type, size, sha256, expires_at) values (:id"
            f"{''.join(', :id' for _ in fields)}, :scope, 'stored', 'image/png', 1, 'x', now() + interval '1 year')",
            id=UUID(int=earliest_id(made).int + len(fields) + days * 10 + ("guest_id" in fields)), scope=api.scope.id,
        )  # fmt: skip
    payloads = "select count(*) from receipts where payload is not null"
    for forget in retention.EVERY:
        async with api.database.begin() as tx:
            await forget(tx, 100)
    assert (await api.sql(payloads))[0][0] == 3, "the installation keeps them for 30 days"
    await retain(api, receipts_days=7, media_days=5)
    assert await forgotten(api) == set()
    assert (await api.sql(payloads))[0][0] == 1
    assert (await api.sql("select count(*) from assets where state = 'gone'"))[0][0] == 2, "guests' files, not its own"


async def test_it_is_set_by_the_api_and_by_command(api: Api) -> None:
    (own,) = (await api.http.get("/v1/properties")).json()["data"]

    async def patch(kept: Any) -> Any:
        return await api.http.patch(f"/v1/properties/{own['id']}", json={"settings": {"retention": kept}})

    assert (await patch({"messages_days": 400, "media_days": None})).json()["settings"]["retention"] == {
        "messages_days": 400
    }
    for wrong in (
        {"messages_days": 0},
        {"receipts_days": 31},
        {"days": 3},
        7,
        {"media_days": True},
        {"media_days": "7"},
    ):
        answer = await patch(wrong)
        assert answer.json()["detail"][0]["type"] == "retention", answer.text
    engine = api.app.state.services.engine
    shown = await administration.retain(engine, "grand-sunset", "test", {"messages_days": None, "receipts_days": 7})
    assert shown["retention"] == {"messages_days": 400, "media_days": None, "receipts_days": 7}
    shown = await administration.retain(engine, "grand-sunset", "test", {"messages_days": 0})
    assert shown["retention"] == {"messages_days": None, "media_days": None, "receipts_days": 7}
    with pytest.raises(Refused):
        await administration.retain(engine, "grand-sunset", "test", {"receipts_days": 365})
