"""What guests wrote while nobody took it is found in the provider's list, and counts as if it had been delivered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from bellhop.cli.main import app
from bellhop.domain.provider_urls import Routes
from bellhop.engine import inbound_lists
from bellhop.engine.context import Engine as UseCases
from bellhop.engine.inbound_lists import Fetched
from bellhop.providers import providers
from bellhop.store.conversations import inbound_lists as stored
from bellhop.store.database import Database

from .engine import GUEST, SMS, Engine


@pytest.fixture
async def stack(idle_stack: Engine) -> Engine:
    await idle_stack.rows(
        "insert into inbound_lists (provider, identity, environment, received_until, asked_at)"
        " select provider, identity, 'test', now(), now() from provider_accounts on conflict do nothing returning 1"
    )
    return idle_stack


def use_cases(stack: Engine) -> UseCases:
    settings = stack.settings
    cipher = settings.bellhop.credential_cipher()
    database = Database(stack.database)
    rules = (settings.delivery, settings.webhook, settings.bellhop.public_url)
    return UseCases(database, stack.dispatcher, stack.book, cipher, providers(), *rules)


def routes(stack: Engine) -> Routes:
    return Routes(stack.settings.bellhop.public_url, stack.settings.bellhop.sandbox_url)


async def fetch(stack: Engine, since: datetime | None = None) -> dict[str, Fetched]:
    """What became of asking every account of the property."""
    done = await inbound_lists.fetch_of(use_cases(stack), routes(stack), stack.scope, since)
    return {each.provider: each for each in done}


async def unreached(stack: Engine) -> dict[str, Any]:
    """The addresses the sandbox had; from now on it calls none."""
    before = (await stack.sandbox.get("/_sandbox/settings")).json()
    await stack.sandbox.put("/_sandbox/settings", json={"twilio_inbound_url": "", "twilio_inbound_fallback_url": ""})
    return {name: before[name] for name in ("twilio_inbound_url", "twilio_inbound_fallback_url")}


async def say(stack: Engine, body: str, **more: Any) -> dict[str, Any]:
    answer = await stack.sandbox.post("/_sandbox/inbound", json={"from": GUEST, "body": body, **more})
    return dict(answer.json())


async def texts(stack: Engine) -> list[str]:
    rows = await stack.rows("select content from messages where direction = 'inbound' order by id")
    return [row["content"] for row in rows]


async def test_texts_that_were_lost_are_found_once_and_bind(stack: Engine) -> None:
    await say(stack, "Delivered")
    await unreached(stack)
    await say(stack, "We are late")
    lost = await say(stack, "STOP")
    assert lost["status"] is None
    first = (await fetch(stack))["twilio"]
    assert (first.listed, first.new, first.problem) == (3, 2, None)
    assert await texts(stack) == ["Delivered", "We are late", "STOP"]
    again = (await fetch(stack))["twilio"]
    assert (again.listed, again.new) == (3, 0)
    refused = await stack.send(SMS)
    assert refused["status"] in ("queued", "failed")
    (consent,) = await stack.rows("select action, occurred_at from consents")
    assert consent["action"] == "opt_out"
    (kept,) = await stack.rows("select sent_at, created_at from messages where content = 'STOP'")
    assert consent["occurred_at"] == kept["sent_at"] < kept["created_at"]
    assert await stack.rows("select 1 from events where type = 'message.received'") == [{"?column?": 1}] * 3


async def test_a_callback_that_comes_after_all_is_a_duplicate(stack: Engine) -> None:
    addresses = await unreached(stack)
    lost = await say(stack, "Hello")
    await fetch(stack)
    await stack.sandbox.put("/_sandbox/settings", json=addresses)
    repeated = await say(stack, "Hello", fields={"MessageSid": lost["sid"], "SmsSid": lost["sid"]})
    assert repeated["status"] == 200
    assert await texts(stack) == ["Hello"]


async def test_its_files_are_asked_for(stack: Engine) -> None:
    await unreached(stack)
    await say(stack, "", media=["image/jpeg", "application/pdf"])
    await fetch(stack)
    ((details,),) = [tuple(row.values()) for row in await stack.rows("select details from messages")]
    assert [one["content_type"] for one in details["media"]] == ["image/jpeg", "application/pdf"]
    ids = [row["provider_id"] for row in await stack.rows("select provider_id from inbound_files")]
    assert len(ids) == 2 and all(one and one.startswith("MM") for one in ids), "known by what Twilio deletes them by"
    asked = (await stack.sandbox.get("/_sandbox/requests")).json()["data"]
    before = len([one for one in asked if one["path"].endswith("/Media.json")])
    await fetch(stack)
    asked = (await stack.sandbox.get("/_sandbox/requests")).json()["data"]
    assert len([one for one in asked if one["path"].endswith("/Media.json")]) == before


async def test_a_list_that_cannot_be_read_is_read_again(stack: Engine) -> None:
    await unreached(stack)
    await say(stack, "Hello")
    (before,) = await stack.rows("select received_until from inbound_lists where provider = 'twilio'")
    await stack.fault("unavailable", provider="twilio", calls="lookup", count=1)
    failed = (await fetch(stack))["twilio"]
    assert (failed.new, "asked again" in (failed.problem or "")) == (0, True)
    assert await stack.rows("select received_until from inbound_lists where provider = 'twilio'") == [before]
    assert (await fetch(stack))["twilio"].new == 1
    (after,) = await stack.rows("select received_until from inbound_lists where provider = 'twilio'")
    assert after["received_until"] > before["received_until"]


async def test_who_keeps_no_list_says_so_and_is_not_asked_again(stack: Engine) -> None:
    assert "no list" in ((await fetch(stack))["sendgrid"].problem or "")
    await stack.rows("update inbound_lists set asked_at = now() - interval '1 day' returning 1")
    async with stack.database.begin() as tx:
        assert {row.provider for row in await stored.claim(tx, 60.0)} == {"twilio", "sendblue"}


async def test_an_account_is_asked_by_one_process_and_not_too_often(stack: Engine) -> None:
    async with stack.database.begin() as tx:
        assert await stored.claim(tx, 60.0) == []
        assert [row.provider for row in await stored.claim(tx, -1.0)].count("twilio") == 1
        assert await stored.claim(tx, 60.0) == []


async def test_a_span_given_by_hand_leaves_no_gap_behind(stack: Engine) -> None:
    await stack.rows("update inbound_lists set received_until = now() - interval '1 day' returning 1")
    await unreached(stack)
    await say(stack, "Hello")
    later = datetime.now(UTC) + timedelta(seconds=2)
    assert (await fetch(stack, later))["twilio"].listed == 0
    since = await stack.rows(
        "select 1 from inbound_lists where provider = 'twilio' and received_until > now() - interval '1 hour'"
    )
    assert since == []
    assert (await fetch(stack))["twilio"].new == 1


async def test_nobody_is_asked_where_no_sandbox_is_set(stack: Engine) -> None:
    await unreached(stack)
    await say(stack, "Hello")
    nowhere = replace(routes(stack), sandbox_url=None)
    done = await inbound_lists.fetch_of(use_cases(stack), nowhere, stack.scope)
    assert [each.listed for each in done if each.provider == "twilio"] == [0]


async def test_what_an_erased_guest_wrote_is_not_found_again(stack: Engine) -> None:
    guest = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "Doe", "phone": GUEST})
    await say(stack, "I am Quetzal")
    await unreached(stack)
    await say(stack, "Quetzal, once more")
    await fetch(stack)
    assert (await stack.http.delete(f"/v1/guests/{guest.json()['id']}")).status_code == 204
    done = (await fetch(stack))["twilio"]
    assert (done.listed, done.new) == (2, 0)
    for table in ("messages", "receipts"):
        assert not await stack.rows(f"select 1 from {table} t where to_jsonb(t)::text like '%Quetzal%'")


async def test_an_api_that_was_away_asks_at_once(stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after its start, a database that was away, or a pause of the process; otherwise after a while."""
    ages: list[float] = []
    failing = [False]

    async def due(engine: object, routes: object, age: float) -> None:
        ages.append(age)
        if failing[0]:
            raise TimeoutError

    monkeypatch.setattr(inbound_lists, "_fetch_due", due)
    monkeypatch.setattr(inbound_lists, "TICK", 0.02)
    monkeypatch.setattr(inbound_lists, "SOON", 0.1)
    task = asyncio.create_task(inbound_lists.keep_fetching(use_cases(stack), routes(stack), 300.0))
    try:
        await until(lambda: 300.0 in ages)
        assert ages[0] == 0.1
        failing[0] = True
        await until(lambda: ages[-1] == 0.1)
        failing[0] = False
        await until(lambda: ages[-1] == 300.0)
    finally:
        task.cancel()
    ages.clear()
    await inbound_lists.keep_fetching(use_cases(stack), routes(stack), 0.0)
    assert ages == []


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_the_api_finds_them_by_itself(stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await unreached(stack)
    await say(stack, "Hello")
    await stack.rows("update inbound_lists set asked_at = now() - interval '1 hour' returning 1")
    task = asyncio.create_task(inbound_lists.keep_fetching(use_cases(stack), routes(stack), 300.0))
    try:
        async with asyncio.timeout(10):
            while await texts(stack) != ["Hello"]:
                await asyncio.sleep(0.05)
    finally:
        task.cancel()


async def test_the_command_says_what_it_found(stack: Engine) -> None:
    await unreached(stack)
    await say(stack, "Hello")
    env = {
        "POSTGRES_DSN": stack.settings.postgres.dsn.get_secret_value(),
        "BELLHOP_SECRET_KEY": stack.settings.bellhop.secret_key.get_secret_value(),
        "BELLHOP_SANDBOX_URL": stack.settings.bellhop.sandbox_url or "",
        "BELLHOP_ENV_FILE": "",
        "TEMPORAL_ADDRESS": stack.settings.temporal.address or "",
        "TEMPORAL_NAMESPACE": stack.settings.temporal.namespace,
    }
    command = ["inbound", "fetch", "grand-sunset", "--environment", "test"]
    ran = await asyncio.to_thread(CliRunner().invoke, app, command, env=env)
    assert ran.exit_code == 0, ran.output
    assert "1 of 1 messages looked at, 1 new" in ran.stderr
    found = {each["provider"]: each for each in json.loads(ran.stdout)}
    assert (found["twilio"]["new"], found["twilio"]["problem"]) == (1, None)
    assert await texts(stack) == ["Hello"]
    wrong = await asyncio.to_thread(CliRunner().invoke, app, ["inbound", "fetch", "nobody"], env=env)
    assert (wrong.exit_code, "There is no property 'nobody'" in wrong.output) == (2, True)
