"""What has to end however much there is: forgetting in chunks, rebuilding what is due first, erasing by an index."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Next
from bellhop.domain.delivery_ports import Claim, Lookup, LookupKind, LookupResult, SendKind, SendResult
from bellhop.domain.ids import Prefix, message_workflow, parse
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import carried
from bellhop.providers import providers
from bellhop.settings import Settings
from bellhop.store.delivery import pending_wakes, retention
from bellhop.store.delivery.attempt_store import AttemptStore
from bellhop.store.delivery.pending_wakes import RebuildPlace
from tests.conftest import SECRET
from tests.integration.conftest_api import Api, open_api

WEEK = timedelta(days=7)


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


def key(message: dict[str, Any]) -> UUID:
    found = parse(Prefix.MESSAGE, message["id"])
    assert found is not None
    return found


async def account(api: Api) -> UUID:
    found: UUID = (
        await api.sql(
            "select id from provider_accounts where scope_id = :scope and provider = 'twilio'", scope=api.scope.id
        )
    )[0][0]
    return found


async def test_what_is_old_is_forgotten_in_chunks(api: Api, engine: AsyncEngine) -> None:
    """Whoever is behind by a million rows forgets them a few at a time, the oldest first, each few for good."""
    await api.sql(
        "insert into receipts (account_id, provider, dedupe_key, word, payload, received_at) select :account, 'twilio',"
        " n::text, 'sent', '{}', now() - make_interval(days => 29 + n) from generate_series(0, 5) n",
        account=await account(api),
    )
    await api.sql(
        "insert into idempotency (scope_id, kind, key, fingerprint, status_code, created_at) select :scope, 'send',"
        " n::text, '', 201, now() - interval '49 hours' from generate_series(1, 3) n",
        scope=api.scope.id,
    )
    for forget, expected in ((retention.payloads_of_nobody, [2, 2, 1, 0]), (retention.idempotency_keys, [2, 1, 0, 0])):
        forgotten = []
        for _ in expected:
            async with engine.begin() as tx:
                forgotten.append(await forget(tx, 2))
        assert forgotten == expected
    left = await api.sql("select dedupe_key from receipts where payload is not null")
    assert [row[0] for row in left] == ["0"]
    assert await api.rows("idempotency") == 0


async def test_a_rebuild_begins_with_what_is_due_first(api: Api, engine: AsyncEngine) -> None:
    later = [await api.later(scheduled_at=f"2030-0{month}-01T09:00:00Z") for month in (3, 2, 1)]
    now = await api.later(scheduled_at=None)
    parked = await api.later(scheduled_at=None)
    await api.sql("update messages set waits_for = 'paused', parked_at = now() where id = :id", id=key(parked))
    sent = [await api.later() for _ in range(3)]
    for one, (stage, ago) in zip(sent, (("sent", 6), ("sent", 8), ("delivered", 1)), strict=True):
        await api.sql(
            "update messages set stage = :stage, sent_at = now() - make_interval(days => :ago) where id = :id",
            stage=stage, ago=ago, id=key(one),
        )  # fmt: skip
        await api.sql(
            "insert into attempts (id, scope_id, message_id, part, account_id, provider, state, lease_until, sender)"
            " values (uuidv7(make_interval(days => -:ago)), :scope, :id, 0, :account, 'twilio', 'accepted', now(), '')",
            ago=ago, scope=api.scope.id, id=key(one), account=await account(api),
        )  # fmt: skip
    found: list[UUID] = []
    pages = 0
    place: RebuildPlace | None = RebuildPlace()
    while place is not None:
        async with engine.connect() as tx:
            rows, place = await pending_wakes.needing_workflows(tx, place, 2, WEEK)
        found += [row.id for row in rows]
        pages += 1
    assert found == [key(now), *(key(one) for one in reversed(later)), key(parked), key(sent[0])], (
        "an SMS delivered is done"
    )
    assert pages < 12


async def test_histories_behind_many_that_wait_are_found(api: Api, engine: AsyncEngine) -> None:
    waiting, free = [await api.later() for _ in range(4)], await api.later()
    for one in (*waiting, free):
        await api.sql(
            "insert into history_erasures (workflow_id, created_at) values (:id, clock_timestamp())",
            id=message_workflow(key(one)),
        )
        await api.sql("update messages set wake_due_at = now() where id = :id", id=key(one))
    await api.sql("update messages set wake_due_at = null where id = :id", id=key(free))
    async with engine.connect() as tx:
        found, _ = await pending_wakes.histories_to_erase(tx, 2)
        assert found == [message_workflow(key(free))]


@pytest.mark.parametrize(
    "payload",
    [
        {"To": "+13055550711"},
        {"To": "whatsapp:+13055550711"},
        {"query": "To=%2B13055550711&From=1"},
        {"query": "email=jordan.m%2Bstay%40example.com"},
        {"email": "Jordan.M+stay@Example.com"},
        {"headers": "To: Jordan <jordan.m+stay@example.com>, x"},
        {"text": "first\njordan.m+stay@example.com.\tnext"},
        {"a": [{"b": "mailto:jordan.m+stay@example.com?subject=x"}]},
        {"email": "jordan.m+stay@xn--bcher-kva.example"},
        {"email": "jordan.m+stay@bücher.example"},
    ],
    ids=str,
)
async def test_an_erased_guest_is_found_in_payloads_that_are_nobodys(api: Api, payload: dict[str, Any]) -> None:
    domain = "example.com" if "example.com" in str(payload).lower() else "bücher.example"
    guest = await api.guest(email=f"jordan.m+stay@{domain}", phone="+13055550711")
    given = {"mine": payload, "other": {"email": "xjordan@example.com", "To": "+13055550712"}}
    for name, one in given.items():
        async with api.database.begin() as tx:
            await tx.execute(
                text(
                    "insert into receipts (account_id, provider, dedupe_key, word, payload)"
                    " values (:account, 'twilio', :name, 'sent', cast(:payload as jsonb))"
                ),
                {"account": await account(api), "name": name, "payload": json.dumps(one)},
            )
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    kept = await api.sql("select dedupe_key from receipts where payload is not null")
    assert [row[0] for row in kept] == ["other"]


async def test_a_copy_that_is_an_erased_messages_is_not_taken_for_this_one(
    api: Api, engine: AsyncEngine, settings: Settings
) -> None:
    """What other messages to the same address have is known, but for those that were erased since: theirs is noticed
    when it is found, and nothing is sent again."""
    routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
    book, cipher = AddressBook(SECRET), settings.bellhop.credential_cipher()
    store = AttemptStore(engine, settings.delivery, routes, carried(providers()), cipher, book, lambda _: None)
    before, other, this = [await api.later(scheduled_at=None) for _ in range(3)]
    for one, sid in ((before, "SM1"), (other, "SM2")):
        claim = await store.claim(key(one), 1e12)
        assert isinstance(claim, Claim)
        await store.record(claim, SendResult(SendKind.ACCEPTED, sid))
    await api.sql("update messages set address_hash = null, erased_at = now() where id = :id", id=key(before))
    claim = await store.claim(key(this), 1e12)
    assert isinstance(claim, Claim)
    await store.record(claim, SendResult(SendKind.UNKNOWN))
    await api.sql("update attempts set ask_at = now() where state = 'unknown'")
    lookup = await store.prepare_lookup(key(this))
    assert isinstance(lookup, Lookup)
    assert lookup.request.claimed == {"SM2"}
    answer = await store.record_lookup(lookup, LookupResult(LookupKind.FOUND, "SM1"))
    assert answer.next is Next.SETTLE
    assert [row[0] for row in await api.sql("select state from attempts order by id")][-1] == "unknown"
    await store.record_lookup(lookup, LookupResult(LookupKind.FOUND, "SM3"))
    assert [row[0] for row in await api.sql("select state from attempts order by id")][-1] == "accepted"
