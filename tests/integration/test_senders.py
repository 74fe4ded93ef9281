"""The senders of a property: added, changed and removed, by the API and by command; guests' texts to a new one are the
property's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from bellhop.cli.main import app
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Inbound
from bellhop.settings import Settings
from bellhop.store.delivery import receipts
from bellhop.store.delivery.accounts import calling_account
from bellhop.store.delivery.callback_accounts import of_callbacks

from .conftest_api import Api, open_api

SPARE = "+13055550188"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def listed(api: Api, channel: str = "sms") -> list[tuple[str, bool, bool]]:
    every = (await api.http.get("/v1/senders")).json()["data"]
    return [(one["address"], one["default"], one["standby"]) for one in every if one["channel"] == channel]


async def add(api: Api, address: str = SPARE, channel: str = "sms", **more: Any) -> Any:
    return await api.http.post("/v1/senders", json={"channel": channel, "address": address, **more})


async def test_a_sender_is_added_used_and_removed(api: Api) -> None:
    ((first, *_),) = await listed(api)
    made = await add(api, standby=True)
    assert (made.status_code, made.json()["default"], made.json()["standby"]) == (201, False, True)
    assert (await add(api)).json()["code"] == "sender_exists"
    place = f"/v1/senders/{made.json()['id']}"
    changed = await api.http.patch(place, json={"default": True, "standby": False})
    assert (changed.status_code, changed.json()["default"]) == (200, True)
    assert await listed(api) == [(SPARE, True, False), (first, False, False)]
    assert (await api.http.patch(place, json={"default": False})).json()["detail"][0]["loc"] == ["body", "default"]
    kept = await api.http.delete(place)
    assert (kept.status_code, kept.json()["code"]) == (409, "sender_in_use")
    old = next(one for one in (await api.http.get("/v1/senders")).json()["data"] if one["address"] == first)
    await api.http.patch(f"/v1/senders/{old['id']}", json={"default": True})
    message = await api.later(**{"from": SPARE})
    assert (await api.http.delete(place)).status_code == 409, "a message waits that asks for it"
    await api.http.post(f"/v1/messaging/{message['id']}/cancel")
    assert (await api.http.delete(place)).status_code == 204
    assert (await api.http.delete(place)).status_code == 404
    await api.later()
    last = await api.http.delete(f"/v1/senders/{old['id']}")
    assert (last.status_code, last.json()["code"]) == (409, "sender_in_use"), "messages wait, and it is the only one"
    (inbox,) = [one for one in (await api.http.get("/v1/senders")).json()["data"] if one["channel"] == "in_app"]
    assert (await api.http.delete(f"/v1/senders/{inbox['id']}")).status_code == 409


async def test_an_address_is_checked_by_its_providers_rules(api: Api) -> None:
    for channel, address in (
        ("sms", "not a number!"),
        ("sms", "+1305"),
        ("whatsapp", "Grand Hotel"),
        ("email", "nobody"),
        ("imessage", "Grand Hotel"),
    ):
        answer = await add(api, address, channel)
        assert answer.status_code == 422, (channel, address, answer.text)
        assert answer.json()["detail"][0]["loc"] == ["body", "address"]
    for channel, address in (
        ("sms", "GrandHotel"),
        ("sms", "MG" + "a" * 32),
        ("email", "spa@example.com"),
        ("push", "com.example.spa"),
    ):
        assert (await add(api, address, channel)).status_code == 201, (channel, address)
    assert (await add(api, "inbox", "in_app")).json()["detail"][0]["loc"] == ["body", "channel"]
    foreign = await add(api, account_id="acc_01kaj3nm2xf7k8c9d0e1f2g3h4")
    assert foreign.json()["detail"][0]["loc"] == ["body", "account_id"]


async def test_only_whoever_may_set_accounts_changes_senders_and_only_its_own(api: Api) -> None:
    made = (await add(api)).json()
    reads, neighbour = await api.mint("accounts:read"), await api.neighbour()
    for headers, status in ((reads, 403), (neighbour, 404)):
        place = f"/v1/senders/{made['id']}"
        assert (await api.http.patch(place, json={"standby": True}, headers=headers)).status_code == status
        assert (await api.http.delete(place, headers=headers)).status_code == status


async def test_what_a_guest_writes_to_a_new_sender_is_the_propertys(api: Api, settings: Settings) -> None:
    await add(api)
    identity = (await api.sql("select identity from provider_accounts where provider = 'twilio'"))[0][0]
    async with api.database.begin() as tx:
        rows = await of_callbacks(tx, "twilio", identity)
    verified = [calling_account(settings.bellhop.credential_cipher(), row) for row in rows]
    item = Inbound("SM1:inbound", Channel.SMS, "+13055550801", SPARE, "Hello", "SM1", {"Body": "Hello"})
    async with api.database.begin() as tx:
        await receipts.record(tx, verified, [item], api.app.state.services.engine.book, [60.0])
    found = await api.sql("select scope_id, content from messages where direction = 'inbound'")
    assert [tuple(row) for row in found] == [(api.scope.id, "Hello")]


async def test_the_same_by_command(api: Api, settings: Settings) -> None:
    env = {
        "POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "BELLHOP_SECRET_KEY": settings.bellhop.secret_key.get_secret_value(),
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "BELLHOP_ENV_FILE": "",
    }

    async def command(*arguments: str) -> Any:
        line = ["senders", *arguments, "--environment", "test"]
        return await asyncio.to_thread(CliRunner().invoke, app, line, env=env)

    slug = "grand-sunset"
    for arguments in (("add", slug, "sms", SPARE), ("standby", slug, SPARE), ("default", slug, SPARE)):
        ran = await command(*arguments)
        assert ran.exit_code == 0, ran.output
    shown = (await command("list", slug)).stdout
    found = json.loads(shown[shown.index("[\n") :])
    assert SPARE in [one["address"] for one in found]
    assert (await listed(api))[0] == (SPARE, True, True)
    refused = await command("remove", slug, SPARE)
    assert (refused.exit_code, "default first" in refused.output) == (2, True)
    assert "no sender" in (await command("remove", slug, "+13055550199")).output
