"""Small things of HTTP that clients, proxies and servers differ in, and the API does not."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Receive, Scope, Send
from twilio.request_validator import RequestValidator

from api.app import create_app
from api.headers import prefers
from bellhop.settings import Settings
from tests.integration.conftest_api import EMAIL, Api, open_api
from tests.sandbox_accounts import sandbox_twilio


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_head_is_answered_wherever_get_is(api: Api) -> None:
    message = await api.later()
    guest = await api.guest()
    text = {"name": "hi", "locale": "en", "content": "Hi"}
    ids = {
        "message_id": message["id"],
        "guest_id": guest["id"],
        "property_id": message["property_id"],
        "asset_id": "ast_none",
        "template_id": (await api.http.post("/v1/templates", json=text)).json()["id"],
    }
    described: dict[str, Any] = api.app.openapi()["paths"]
    # Of what is named nowhere above there is none: its 404 is compared.
    known = defaultdict(lambda: "none", ids)
    # A stream has no end; its HEAD does.
    stream = "/v1/conversations/stream"
    paths = [path for path, ways in described.items() if "get" in ways and "webhook_id" not in path and path != stream]
    gets = [path.format_map(known) for path in paths]
    opened = await api.http.head(stream)
    assert (opened.status_code, opened.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    for path in [*gets, "/openapi.json", "/docs", "/", "/docs/assets/swagger-ui.css", "/v1/messaging/omsg_none"]:
        got, headed = await api.http.get(path), await api.http.head(path)
        assert headed.status_code == got.status_code, path
        assert headed.content == b"", path
        for name in ("content-type", "content-length"):
            if path not in ("/v1/ledger", "/v1/messaging/omsg_none"):  # different at each call
                assert headed.headers.get(name) == got.headers.get(name), path
    assert (await api.http.head("/v1/messaging/omsg_x/cancel")).status_code == 405
    refused = await api.http.put("/v1/guests")
    assert refused.headers["allow"] == "GET, HEAD, POST"
    unknown = await api.http.head("/v1/guests", headers={"Authorization": ""})
    assert (unknown.status_code, unknown.content) == (401, b"")


async def test_blanks_around_a_header_are_none_of_it(api: Api) -> None:
    async def sent(**headers: str) -> httpx2.Response:
        return await api.send(headers={name.replace("_", "-"): value for name, value in headers.items()})

    first, again = await sent(Idempotency_Key="one"), await sent(Idempotency_Key="  one\t")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert (await sent(Idempotency_Key='\t"one" ')).headers["idempotency-replayed"] == "true"
    del api.http.headers["authorization"]
    for name, value in (("Authorization", f" \tBearer   {api.key} "), ("X-API-Key", f"  {api.key}\t")):
        answer = await api.http.get("/v1/messaging", headers={name: value})
        assert answer.status_code == 200, name
    body = {"content": b'{"channel": "sms"}', "headers": {"X-API-Key": api.key, "Content-Type": " application/json "}}
    assert (await api.http.post("/v1/messaging/send", **body)).json()["detail"][0]["loc"] == ["body", "recipient"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("respond-async", True), (" Respond-Async ", True), ("wait=10, respond-async; x=1", True),
        ("respond-async-not", False), ("no-respond-async", False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_what_a_prefer_header_asks_for(given: str | None, asked: bool) -> None:
    assert prefers(given, "respond-async") is asked


NUMBERS = {
    "third": 0.1, "large": 1e23, "larger": 1.7976931348623157e308, "small": 5e-324, "whole": 3.0, "negative": -1e22,
    "many": 12345678901234567890.5, "integer": 2**63 - 1, "least": -(2**63) + 1, "nested": [{"x": 1e100}],
}  # fmt: skip


async def test_numbers_come_back_as_they_were_given(api: Api) -> None:
    answer = await api.send(metadata=NUMBERS, scheduled_at="2030-01-01T09:00:00Z")
    assert answer.json()["metadata"] == NUMBERS
    shown = (await api.http.get(f"/v1/messaging/{answer.json()['id']}")).json()["metadata"]
    assert shown == NUMBERS
    assert isinstance(shown["integer"], int)
    guest = await api.guest(metadata=NUMBERS, preferences=NUMBERS)
    again = (await api.http.get(f"/v1/guests/{guest['id']}")).json()
    assert again["metadata"] == again["preferences"] == NUMBERS


async def test_times_of_long_ago_have_the_width_of_all_others(api: Api) -> None:
    for at in ("0999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"):
        answer = await api.send(scheduled_at=at)
        assert answer.json()["scheduled_at"] == at[:-1] + ".000000Z"


async def test_how_content_is_written_can_be_said(api: Api) -> None:
    async def kept(**fields: Any) -> str:
        assert (await api.send(**fields)).status_code == 201
        return str((await api.sql("select content_type from messages order by id desc limit 1"))[0][0])

    assert await kept(**EMAIL, content_type="text/html") == "text/html"
    assert await kept(**EMAIL | {"content": "<b>5</b>"}, content_type="text/plain") == "text/plain"
    assert await kept(**EMAIL | {"content": "<b>5</b>"}) == "text/html"
    assert await kept(content="<b>5</b>", content_type="text/plain") == "text/plain"
    for fields in ({"content_type": "text/html"}, {**EMAIL, "content_type": "text/markdown"}):
        refused = await api.send(**fields)
        assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "content_type"])


@pytest.mark.parametrize("blank", [" ", "\u200b", "\u3164\u2800", "\u00a0\u2060"], ids=ascii)
async def test_what_nobody_can_see_is_blank_wherever_a_text_is_needed(api: Api, blank: str) -> None:
    guest = await api.guest()
    place = f"/v1/guests/{guest['id']}"
    own = f"/v1/properties/{guest['property_id']}"
    key = {"name": blank, "scopes": ["*"]}
    for answer, field in (
        (await api.send(content=blank), "content"),
        (await api.send(**EMAIL | {"subject": blank}), "subject"),
        (await api.http.post("/v1/guests", json={"first_name": blank, "last_name": "x"}), "first_name"),
        (await api.http.post("/v1/guests", json={"first_name": "x", "last_name": "x", "external_id": blank}),
         "external_id"),
        (await api.http.patch(place, json={"last_name": blank}), "last_name"),
        (await api.http.patch(place, json={"phone": blank}), "phone"),
        (await api.http.patch(own, json={"name": blank}), "name"),
        (await api.http.post("/v1/auth/keys", json=key), "name"),
    ):  # fmt: skip
        assert answer.status_code == 422, field
        assert answer.json()["detail"][0]["loc"] == ["body", field]


async def test_a_search_finds_names_however_their_marks_are_typed(api: Api) -> None:
    await api.guest(first_name="Séan", last_name="O’Brien‑Smith", email="one@example.com")
    for text in ("o'brien-smith", "O´Brien", "O`Brien–Smith", "ÓBrien".replace("Ó", "O'"), "Se\u00adan O\u200b’Brien"):
        assert (await api.http.get("/v1/guests", params={"search": text})).json()["total"] == 1, text


async def test_only_zones_that_mean_the_same_everywhere(api: Api) -> None:
    own = f"/v1/properties/{(await api.later())['property_id']}"
    for zone in ("localtime", "Factory", "posixrules", "Mars/Base", "europe/lisbon"):
        answer = await api.http.patch(own, json={"timezone": zone})
        assert answer.status_code == 422, zone
    assert (await api.http.patch(own, json={"timezone": "Europe/Lisbon"})).json()["timezone"] == "Europe/Lisbon"


# How a request for {public address}/v1/… arrives: the server's root path, and what is before the path.
PROXIES = {
    "cuts the path off": ("", ""),
    "cuts it off, and the server was told": ("/hotels/bellhop", "/hotels/bellhop"),
    "passes it on": ("", "/hotels/bellhop"),
}


@pytest.mark.parametrize("proxy", PROXIES)
async def test_below_a_path_of_a_proxy_everything_is_found_and_signatures_hold(
    settings: Settings, engine: AsyncEngine, proxy: str
) -> None:
    base = "/hotels/bellhop"
    bellhop = settings.bellhop.model_copy(update={"public_url": f"https://example.com{base}"})
    root, before = PROXIES[proxy]
    async with open_api(settings.model_copy(update={"bellhop": bellhop}), engine) as api:

        async def served(scope: Scope, receive: Receive, send: Send) -> None:
            await api.app({**scope, "root_path": root}, receive, send)

        transport = httpx2.ASGITransport(app=served, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url=f"http://api{before}") as http:
            key = {"Authorization": f"Bearer {api.key}"}
            assert (await http.get("/v1/guests", headers=key)).status_code == 200
            assert (await http.put("/v1/guests")).headers["allow"] == "GET, HEAD, POST"
            assert (await http.get("/healthz")).status_code == 200
            page = (await http.get("/docs")).text
            assert f"url: '{before}/openapi.json'" in page
            assert (await http.get("/openapi.json")).json()["servers"][0]["url"] == f"https://example.com{base}"
            large = await http.post("/v1/receipts/nobody/x/status", content=b"x" * 100_000)
            assert large.status_code == 413, "the limit of callbacks"
            form = {"MessageSid": "SM" + "a" * 32, "MessageStatus": "sent"}
            path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status?attempt=%C3%A9"
            signed = RequestValidator(sandbox_twilio.AUTH_TOKEN).compute_signature(
                f"https://example.com{base}{path}", form
            )
            for signature, status in ((signed, range(200, 300)), (f"  {signed}\t", range(200, 300)), ("x", [403])):
                answer = await http.post(path, data=form, headers={"X-Twilio-Signature": signature})
                assert answer.status_code in status, (signature, answer.text)


def test_without_a_path_there_is_none_to_cut_off(settings: Settings) -> None:
    assert create_app(settings).openapi()["servers"][-1]["url"] == "/"


async def test_no_query_may_hold_what_postgres_cannot(api: Api) -> None:
    asked = [
        (path, parameter["name"])
        for path, operations in api.app.openapi()["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["in"] == "query"
    ]
    assert ("/v1/templates", "locale") in asked
    for path, name in asked:
        for value in ("%00", "a%00b"):
            answer = await api.http.get(re.sub(r"{\w+}", "x", path) + f"?{name}={value}")
            assert answer.status_code == 422, (path, name, answer.text)
            assert answer.json()["detail"] == [
                {"loc": ["query", name], "msg": "expected text without NUL characters", "type": "string_nul"}
            ]
    assert (await api.http.get("/v1/messaging?%00=x")).status_code == 422
