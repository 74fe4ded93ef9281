"""Batches of receipts: verified once, acknowledged at once, applied in transactions of a bounded size, never lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.domain.delivery_ports import Account, CallbackRequest, Receipt
from bellhop.domain.statuses import Stage
from bellhop.engine import receipts as engine_receipts
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store.database import Database
from bellhop.store.delivery import receipts, unapplied_receipts
from bellhop.store.tables import provider_accounts
from tests.integration.conftest_api import Api, open_api
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio, sendgrid_batch

EVENTS = f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/events"
STATUS = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status"
MAILS = 1_500


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def mails(api: Api, count: int) -> list[UUID]:
    """The attempts of so many mails that SendGrid has taken."""
    made = await api.sql(
        """
        with made as (
          insert into messages (scope_id, channel, recipient, content, provider, stage, sent_at)
          select :scope, 'email', 'guest' || n || '@example.com', 'Ready', 'sendgrid', 'sent', now()
          from generate_series(1, :count) n returning id, scope_id)
        insert into attempts (scope_id, message_id, part, account_id, provider, state, stage, sender, lease_until,
          provider_id)
        select made.scope_id, made.id, 0, s.account_id, 'sendgrid', 'accepted', 'sent', s.address, now(),
          'sg' || made.id
        from made join senders s on s.scope_id = made.scope_id and s.channel = 'email' returning id
        """,
        scope=api.scope.id,
        count=count,
    )
    return [row[0] for row in made]


def event(attempt: object, word: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": word, "email": "guest@example.com", "timestamp": int(time.time()), "sg_event_id": uuid4().hex,
        "sg_message_id": f"{uuid4().hex}.filterdrecv-1", "attempt_id": str(attempt), **fields,
    }  # fmt: skip


async def posted(api: Api, events: list[dict[str, Any]]) -> httpx2.Response:
    body, headers = sendgrid_batch(events)
    return await api.http.post(EVENTS, content=body, headers=headers, timeout=60)


async def stages(api: Api) -> dict[str, int]:
    return {row[0]: row[1] for row in await api.sql("select stage, count(*) from messages group by stage")}


async def until(reached: Callable[[], Awaitable[bool]], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not await reached():
            await asyncio.sleep(0.1)


async def all_applied(api: Api) -> bool:
    return await api.rows("unapplied_receipts") == 0


async def test_five_thousand_events_in_one_body(api: Api) -> None:
    """Once they were applied in the transaction of the answer: whatever it waited for, 503, again and again. Here
    somebody holds one of the messages."""
    attempts = await mails(api, MAILS)
    third = MAILS // 3
    batch = [event(one, word) for one in attempts for word in ("open", "delivered", "processed")]
    batch += [event(uuid4(), "delivered") for _ in range(500 - third)]
    batch += [event(one, "bounce", type="blocked", reason="full") for one in attempts[:third]]
    batch = [each for each in batch if each["event"] != "open" or UUID(each["attempt_id"]) in set(attempts[third:])]
    batch += batch[:500]
    batch += [event(uuid4(), "open") for _ in range(5_000 - len(batch))]
    began = time.monotonic()
    async with api.database.begin() as holder:
        held = text("select 1 from messages m join attempts a on a.message_id = m.id where a.id = :id for update of m")
        await holder.execute(held, {"id": attempts[MAILS // 2]})
        answer = await posted(api, batch)
    assert (answer.status_code, answer.text) == (200, "ok")
    assert time.monotonic() - began < 5
    await until(lambda: all_applied(api), 120)
    # On e-mail `delivered` means that a server took it: what came back was not.
    assert await stages(api) == {"read": MAILS - third, "undelivered": third}
    assert await api.rows("receipts") == len({each["sg_event_id"] for each in batch})
    types = dict(await api.sql("select type, count(*) from events where type like 'message.%' group by type"))
    assert types["message.read"] == MAILS - third and types["message.failed"] == third
    again = await posted(api, batch)
    assert again.status_code == 200
    await until(lambda: all_applied(api), 60)
    assert await api.rows("receipts") == len({each["sg_event_id"] for each in batch})


async def test_few_are_applied_before_the_answer(api: Api) -> None:
    attempts = await mails(api, unapplied_receipts.MOST_MESSAGES)
    assert (await posted(api, [event(one, "delivered") for one in attempts])).status_code == 200
    assert await stages(api) == {"delivered": len(attempts)}
    assert await api.rows("unapplied_receipts") == 0
    # Many about one mail are no more work than a few.
    assert (await posted(api, [event(attempts[0], "open") for _ in range(900)])).status_code == 200
    assert await stages(api) == {"delivered": len(attempts) - 1, "read": 1}


async def test_what_a_killed_process_stored_is_applied_by_the_next(
    settings: Settings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(_: object) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as dead:
        dead.setattr("api.app.keep_applying", nobody)
        async with open_api(settings, engine) as api:
            attempts = await mails(api, 60)
            assert (await posted(api, [event(one, "delivered") for one in attempts])).status_code == 200
            assert await stages(api) == {"sent": 60}
            assert await api.rows("unapplied_receipts") == 3
    async with open_api(settings, engine) as api:
        await until(lambda: all_applied(api), 30)
        assert await stages(api) == {"delivered": 60}


async def test_one_that_cannot_be_applied_keeps_no_other_waiting(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = await mails(api, 40)
    apply = receipts.record

    async def fails(tx: AsyncConnection, verified: Any, items: Any, *more: Any) -> Any:
        recorded = await apply(tx, verified, items, *more)
        if any(isinstance(item, Receipt) and item.attempt_id == attempts[7] for item in items):
            raise ValueError("a fault of ours")
        return recorded

    with monkeypatch.context() as faulty:
        faulty.setattr(receipts, "record", fails)
        assert (await posted(api, [event(one, "delivered") for one in attempts])).status_code == 200

        async def others() -> bool:
            return await stages(api) == {"delivered": 39, "sent": 1}

        await until(others, 30)
        assert await api.rows("unapplied_receipts") == 1
        await until(lambda: _tried(api), 10)
    await api.sql("update unapplied_receipts set due_at = now()")
    api.app.state.services.engine.receipts_stored.set()
    await until(lambda: all_applied(api), 30)
    assert await stages(api) == {"delivered": 40}


async def _tried(api: Api) -> bool:
    return bool((await api.sql("select max(tries) from unapplied_receipts"))[0][0])


async def test_an_accounts_signature_is_checked_once_however_many_properties_share_it(
    api: Api, settings: Settings, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine.begin() as tx:
        for number in range(5):
            scopes = await ensure_property(tx, f"House {number}", f"house-{number}")
            await ensure_accounts(tx, scopes["test"], settings)

    form = {"MessageSid": "SM" + uuid4().hex, "MessageStatus": "sent"}
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(
        settings.bellhop.public_url + STATUS, form
    )
    headers = {"X-Twilio-Signature": signature}

    async def both() -> None:
        assert (await posted(api, [event(uuid4(), "open")])).status_code == 200
        assert (await api.http.post(STATUS, data=form, headers=headers)).status_code == 200

    # An account is looked at as it is remembered, and once more where it has changed since.
    await both()
    providers = api.app.state.services.engine.providers
    checked: list[str] = []
    for name in ("twilio", "sendgrid"):
        verify = providers[name].verify

        def counted(account: Account, request: CallbackRequest, name: str = name, verify: Any = verify) -> bool:
            checked.append(name)
            return bool(verify(account, request))

        monkeypatch.setattr(providers[name], "verify", counted)
    signed_by: list[int] = []
    record = receipts.record

    async def noted(tx: AsyncConnection, verified: Any, *more: Any) -> Any:
        signed_by.append(len(verified))
        return await record(tx, verified, *more)

    monkeypatch.setattr(receipts, "record", noted)
    await both()
    assert checked == ["sendgrid", "twilio"]
    assert signed_by == [6, 6], "all of them are candidates"
    # One of them has been given another token: whoever has the old one signed it, and the other did not.
    cipher = settings.bellhop.credential_cipher()
    (row,) = await api.sql("select id from provider_accounts where provider = 'twilio' order by id limit 1")
    async with engine.begin() as tx:
        other = cipher.seal({"auth_token": "f" * 32})
        await tx.execute(update(provider_accounts).where(provider_accounts.c.id == row[0]).values(credentials=other))
    assert (await api.http.post(STATUS, data=form, headers=headers)).status_code == 200
    assert (checked[2:], signed_by[2:]) == (["twilio"] * 3, [5])
    assert (await api.http.post(STATUS, data=form, headers={"X-Twilio-Signature": "x"})).status_code == 403


def test_chunks_hold_everything_once_and_are_bounded() -> None:
    def one(attempt: UUID | None, sid: str | None = None) -> Receipt:
        return Receipt(uuid4().hex, "open", Stage.READ, attempt, sid, {"é": 1.5, "n": None})

    busy, others = uuid4(), [uuid4() for _ in range(60)]
    given = [one(each) for each in others] + [one(busy) for _ in range(2_500)] + [one(each) for each in others]
    given += [one(None, "SM1"), one(None, "SM1"), one(None)]
    chunks = unapplied_receipts.chunks(given)
    assert sorted(each.dedupe_key for chunk in chunks for each in chunk) == sorted(each.dedupe_key for each in given)
    for chunk in chunks:
        assert len(chunk) <= unapplied_receipts.MOST_RECEIPTS
        about = {each.attempt_id or each.provider_id or each.dedupe_key for each in chunk}
        assert len(about) <= unapplied_receipts.MOST_MESSAGES
    where = [{index for index, chunk in enumerate(chunks) if one in {r.attempt_id for r in chunk}} for one in others]
    assert all(len(each) == 1 for each in where), "one message's in one transaction"
    assert unapplied_receipts.chunks([]) == []


async def test_nothing_waits_for_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking whether something was left behind begins no transaction."""
    begun: list[str] = []
    write = Database.write

    async def counted(self: Database, *given: Any, **more: Any) -> Any:
        begun.append("write")
        return await write(self, *given, **more)

    monkeypatch.setattr(Database, "write", counted)
    monkeypatch.setattr(engine_receipts, "LOOK_AGAIN", 0.05)
    api.app.state.services.engine.receipts_stored.set()
    await asyncio.sleep(0.5)
    assert begun == []
