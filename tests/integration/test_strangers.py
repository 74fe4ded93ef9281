"""What those may cost who have neither key nor signature."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from api import auth
from api.auth import LONGEST_WAIT, STRANGERS_BURST, STRANGERS_WAITING
from api.errors import MOST_ERRORS
from bellhop.domain.keys import digest, mint
from bellhop.settings import Settings
from bellhop.store.database import Database
from tests.integration.conftest_api import Api, open_api
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

STATUS = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status"
EVENTS = f"/v1/receipts/sendgrid/{sandbox_sendgrid.KEY_ID}/events"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


@asynccontextmanager
async def elsewhere(api: Api, address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the same API at another address."""
    transport = httpx2.ASGITransport(app=api.app, raise_app_exceptions=False, client=(address, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as http:
        yield http


async def signed(api: Api, settings: Settings, path: str = STATUS, **more: str) -> httpx2.Response:
    form = {"MessageSid": "SM" + uuid4().hex, "MessageStatus": "sent", **more}
    url = settings.bellhop.public_url + path
    signature = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(url, form)
    return await api.http.post(path, data=form, headers={"X-Twilio-Signature": signature})


def invented() -> str:
    return mint("test", uuid4()).raw


# --- callbacks ------------------------------------------------------------------------------------------------------


async def test_a_body_is_as_large_as_its_provider_makes_it(api: Api) -> None:
    for path, size, status in (
        (STATUS, 65_536, 403), (STATUS, 65_537, 413), (STATUS.replace("/status", "/inbound"), 65_537, 413),
        ("/v1/receipts/nobody/x/events", 65_537, 413), (STATUS.replace("/status", "/events"), 65_537, 413),
        (EVENTS, 65_537, 403), (EVENTS, 8 * 1024 * 1024 + 1, 413),
    ):  # fmt: skip
        assert (await api.http.post(path, content=b"x" * size)).status_code == status, (path, size)


async def test_many_fields_are_read_by_nobody(api: Api, settings: Settings) -> None:
    """Two MiB of them once blocked the API for six seconds."""
    began = time.process_time()
    for body in (b"a&" * 32_000, b"&".join(b"f%d=x" % n for n in range(8_000)), b"=&" * 32_000):
        assert (await api.http.post(STATUS, content=body)).status_code == 403
    assert time.process_time() - began < 1.0
    assert (await signed(api, settings, **{f"f{n}": "x" for n in range(200)})).status_code == 200
    assert (await signed(api, settings, **{f"f{n}": "x" for n in range(300)})).status_code == 403


async def test_without_a_signature_nothing_is_parsed_and_no_transaction_is_begun(
    api: Api, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    begun: list[str] = []
    write = Database.write

    async def counted(self: Database, *given: Any, **more: Any) -> Any:
        begun.append("write")
        return await write(self, *given, **more)

    monkeypatch.setattr(Database, "write", counted)
    adapter = api.app.state.services.engine.providers["twilio"]
    monkeypatch.setattr(adapter, "parse", lambda _: begun.append("parse") or [])
    assert (await api.http.post(STATUS, data={"MessageSid": "SM1"})).status_code == 403
    assert begun == []
    assert (await signed(api, settings)).status_code == 200
    assert begun == ["parse", "write"]


async def test_forged_callbacks_are_limited_by_account_and_address(api: Api, settings: Settings) -> None:
    forged = [await api.http.post(STATUS, data={"MessageSid": "SM1"}) for _ in range(80)]
    statuses = [answer.status_code for answer in forged]
    assert statuses[:60] == [403] * 60
    assert statuses[-1] == 429
    assert int(forged[-1].headers["retry-after"]) >= 1
    # The provider may have the same address, behind a proxy that names nobody: what it signed is taken all the same.
    assert (await signed(api, settings)).status_code == 200
    assert (await api.http.post(EVENTS, content=b"[]")).status_code == 403, "another account"
    assert (await api.http.post(EVENTS, content=b"x" * 70_000)).status_code == 403
    async with elsewhere(api, "203.0.113.9") as http:
        assert (await http.post(STATUS, data={"MessageSid": "SM1"})).status_code == 403, "another address"
    for _ in range(60):
        await api.http.post(EVENTS, content=b"[]")
    assert (await api.http.post(EVENTS, content=b"x" * 70_000)).status_code == 429, "too large to be looked at now"
    nowhere = [(await api.http.post(f"/v1/receipts/twilio/AC{n}/status")).status_code for n in range(80)]
    assert (nowhere[0], nowhere[-1]) == (404, 429)


# --- keys -----------------------------------------------------------------------------------------------------------


async def ask(http: httpx2.AsyncClient, key: str) -> int:
    return (await http.get("/v1/messaging", headers={"Authorization": f"Bearer {key}"})).status_code


async def test_unknown_keys_are_slowed_by_address(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "LONGEST_WAIT", 0.3)
    began = time.monotonic()
    for _ in range(int(STRANGERS_BURST)):
        assert await ask(api.http, invented()) == 401
    quick = time.monotonic() - began
    began = time.monotonic()
    for _ in range(5):
        assert await ask(api.http, invented()) == 401
    assert time.monotonic() - began > 1.0 > quick / 10
    # Whose key is good is served: at once where it was seen before, and after the wait where it was not.
    assert await ask(api.http, api.key) == 200
    fresh = (await api.mint("messaging:read"))["Authorization"].removeprefix("Bearer ")
    assert await ask(api.http, fresh) == 200
    async with elsewhere(api, "203.0.113.9") as http:
        began = time.monotonic()
        assert await ask(http, invented()) == 401
        assert time.monotonic() - began < 0.25, "nobody else waits"
    crowd = await asyncio.gather(*(ask(api.http, invented()) for _ in range(40)))
    assert set(crowd) == {401, 429}
    # On a busy machine a first lot may have waited to its end before the last of the crowd has come.
    assert crowd.count(401) + 1 >= STRANGERS_WAITING and crowd.count(429) >= len(crowd) // 2
    assert LONGEST_WAIT == 2.0


async def test_made_up_keys_push_out_no_key_that_opens_something(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MOST_REMEMBERED", 20)
    monkeypatch.setattr(auth, "REMEMBERED", 60.0)
    authenticator = api.app.state.services.authenticator
    assert await ask(api.http, api.key) == 200
    made_up = [invented() for _ in range(25)]
    for key in made_up:
        assert await ask(api.http, key) == 401
    assert digest(api.key) in authenticator._known
    assert len(authenticator._refused) == 20
    assert digest(made_up[-1]) in authenticator._refused, "what was refused last is still known"
    looked_up = []
    read = Database.read

    async def counted(self: Database, *given: Any, **more: Any) -> Any:
        looked_up.append(given)
        return await read(self, *given, **more)

    monkeypatch.setattr(Database, "read", counted)
    assert await ask(api.http, made_up[-1]) == 401
    assert looked_up == []


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_an_answer_does_not_grow_with_what_was_wrong(api: Api) -> None:
    wrong = {f"field{n}": n for n in range(900)}
    answer = await api.http.post("/v1/guests", json=wrong)
    detail = answer.json()["detail"]
    assert (answer.status_code, len(detail)) == (422, MOST_ERRORS)
    assert detail[-1]["type"] == "more_errors"
    assert "more errors like these" in detail[-1]["msg"]
    many = await api.http.post("/v1/guests", json={f"field{n}": n for n in range(5_000)})
    assert many.json()["detail"] == [
        {"loc": ["body"], "msg": "expected at most 1000 fields", "type": "too_many_fields"}
    ], "an error each would take long"
    long = await api.http.post("/v1/guests", json={"x" * 100_000: 1})
    assert (long.status_code, len(long.content) < 2_000) == (422, True)
    odd = await api.http.post("/v1/guests", json={"y" * 100_000: "\0"})
    assert (odd.status_code, len(odd.content) < 2_000) == (422, True)
    few = (await api.http.post("/v1/guests", json={f"field{n}": n for n in range(40)})).json()["detail"]
    assert "more_errors" not in {each["type"] for each in few}
