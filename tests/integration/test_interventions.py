"""Operators pause and resume properties, hold and mend accounts: through the API and by command, once, on record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.routing import carried
from bellhop.ops import composition, interventions
from bellhop.ops.administration import Refused
from bellhop.providers import providers
from bellhop.store.delivery.attempt_store import AttemptStore, Routes

from .engine import SMS, Engine, key

SLUG = "grand-sunset"
WHY = {"reason": "The PMS sends wrong dates"}


async def the_property(stack: Engine) -> Any:
    return (await stack.http.get("/v1/properties")).json()["data"][0]


async def the_account(stack: Engine, provider: str = "twilio") -> Any:
    found = (await stack.http.get("/v1/accounts")).json()["data"]
    return next(each for each in found if each["provider"] == provider)


async def command(stack: Engine, work: Any, *args: Any, **more: Any) -> Any:
    """As the command line does it."""
    more = {"reason": "asked by the desk", "actor": "cli:tests"} | more
    return await composition.with_engine(lambda engine: work(engine, *args, **more), stack.settings)


async def actions(stack: Engine) -> list[tuple[str, str, str]]:
    rows = await stack.rows("select action, actor, reason from operator_actions order by id")
    return [(row["action"], row["actor"], row["reason"]) for row in rows]


# --- properties ---


async def test_a_paused_property_sends_nothing_until_it_is_resumed(stack: Engine) -> None:
    hotel = await the_property(stack)
    assert hotel["paused_at"] is None
    paused = [await stack.http.post(f"/v1/properties/{hotel['id']}/pause", json=WHY) for _ in range(2)]
    assert [answer.status_code for answer in paused] == [200, 200]
    since = paused[0].json()["paused_at"]
    assert since is not None
    assert paused[1].json()["paused_at"] == since == (await the_property(stack))["paused_at"], "repeated it stays"
    sent = (await stack.send(SMS))["id"]
    await asyncio.sleep(1.5)
    assert (await stack.get(sent))["status"] == "queued"
    assert await stack.attempts(sent) == []
    for _ in range(2):
        answer = await stack.http.post(f"/v1/properties/{hotel['id']}/resume", json=WHY)
        assert (answer.status_code, answer.json()["paused_at"]) == (200, None)
    await stack.until(sent, "delivered")
    done = await actions(stack)
    assert [each[0] for each in done] == ["pause", "resume"], "once each"
    assert all(actor.startswith("key_") and reason == WHY["reason"] for _, actor, reason in done)


async def test_a_key_pauses_its_own_environment_and_a_command_both_or_one(stack: Engine) -> None:
    hotel = await the_property(stack)
    await stack.http.post(f"/v1/properties/{hotel['id']}/pause", json=WHY)
    done = await command(stack, interventions.pause_property, SLUG, None)
    assert done["changed"] == ["live"], "test was paused by its key"
    assert all(done["paused_at"].values())
    done = await command(stack, interventions.resume_property, SLUG, "live")
    assert done["changed"] == ["live"]
    assert (done["paused_at"]["live"], done["paused_at"]["test"] is None) == (None, False)
    shown = await composition.with_engine(lambda engine: interventions.show_property(engine, SLUG), stack.settings)
    assert [(each["environment"], each["action"]) for each in shown["actions"]] == [
        ("live", "resume"),
        ("live", "pause"),
        ("test", "pause"),
    ]
    assert shown["actions"][0]["actor"] == "cli:tests"
    assert shown["environments"]["test"]["paused_at"] is not None
    for slug, environment, reason in (("nowhere", None, "x"), (SLUG, "staging", "x"), (SLUG, None, "  ")):
        with pytest.raises(Refused):
            await command(stack, interventions.pause_property, slug, environment, reason=reason)


# --- accounts ---


async def test_a_held_account_is_not_called_nor_tried_until_it_is_mended(stack: Engine) -> None:
    account = await the_account(stack)
    assert (account["health"], account["held_code"]) == ("ok", None)
    for _ in range(2):
        answer = await stack.http.post(f"/v1/accounts/{account['id']}/hold", json=WHY)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["health"], answer.json()["held_code"]) == ("held", "operator")
    sent = (await stack.send(SMS))["id"]
    await asyncio.sleep(2)
    assert await stack.attempts(sent) == [], "nobody tries whether it works"
    assert (await the_account(stack))["waiting"] == 1
    assert (await the_account(stack, "sendgrid"))["health"] == "ok"
    for _ in range(2):
        answer = await stack.http.post(f"/v1/accounts/{account['id']}/mend", json=WHY)
        assert (answer.status_code, answer.json()["health"], answer.json()["held_since"]) == (200, "ok", None)
    await stack.sweep()
    await stack.until(sent, "delivered")
    assert [each[0] for each in await actions(stack)] == ["hold", "mend"]


async def test_calls_that_were_under_way_lift_no_hold(idle_stack: Engine) -> None:
    """One that the account takes, and one that it refuses: an operator has said that it is held."""
    store = AttemptStore(
        idle_stack.database,
        idle_stack.settings.delivery,
        Routes("http://127.0.0.1:8", "http://127.0.0.1:9"),
        carried(providers()),
        idle_stack.settings.bellhop.credential_cipher(),
        idle_stack.book,
        lambda _: None,
    )
    calls = []
    for _ in range(2):
        claim = await store.claim(key((await idle_stack.send(SMS))["id"]), 1e12)
        assert isinstance(claim, Claim)
        calls.append(claim)
    done = await command(idle_stack, interventions.hold_accounts, SLUG, "test", "twilio")
    assert (done["held"], [each["provider"] for each in done["accounts"]]) == (1, ["twilio"])
    await store.record(calls[0], SendResult(SendKind.ACCEPTED, "SM1"))
    await store.record(calls[1], SendResult(SendKind.ACCOUNT, provider_code="20003"))
    account = await the_account(idle_stack)
    assert (account["health"], account["held_code"]) == ("held", "operator")
    (row,) = await idle_stack.rows("select probe_at from provider_accounts where health = 'held'")
    assert row["probe_at"].year == 9000
    done = await command(idle_stack, interventions.mend_accounts, SLUG, None, None)
    assert done == {"property": SLUG, "mended": 1}
    with pytest.raises(Refused, match="twilio"):
        await command(idle_stack, interventions.hold_accounts, SLUG, "test", "fax")


async def test_accounts_are_listed_in_pages(stack: Engine) -> None:
    every = (await stack.http.get("/v1/accounts")).json()
    assert every["total"] == len(every["data"]) >= 2
    first = (await stack.http.get("/v1/accounts?limit=1")).json()
    rest = (await stack.http.get(f"/v1/accounts?cursor={first['next_cursor']}")).json()
    assert first["data"] + rest["data"] == every["data"]
    assert "credentials" not in str(every)


async def test_who_may_not_may_not(stack: Engine) -> None:
    reads = {"name": "reads", "scopes": ["accounts:read", "properties:read"]}
    minted = await stack.http.post("/v1/auth/keys", json=reads)
    headers = {"Authorization": f"Bearer {minted.json()['key']}"}
    account, hotel = await the_account(stack), await the_property(stack)
    assert (await stack.http.get("/v1/accounts", headers=headers)).status_code == 200
    for path in (f"accounts/{account['id']}/hold", f"accounts/{account['id']}/mend", f"properties/{hotel['id']}/pause"):
        assert (await stack.http.post(f"/v1/{path}", json=WHY, headers=headers)).status_code == 403, path
