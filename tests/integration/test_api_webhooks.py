"""Webhook endpoints through the API, and providers' callbacks to it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from twilio.request_validator import RequestValidator

from bellhop.domain.ids import Prefix, parse
from bellhop.settings import Settings
from bellhop.store.delivery import retention
from tests.integration.conftest_api import Api, open_api
from tests.sandbox_accounts import sandbox_twilio

HOOK = {"url": "http://127.0.0.1:9/hook", "events": "message.sent, message.failed,message.sent"}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def _endpoint(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await api.http.post("/v1/webhooks", json=HOOK | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_the_object_is_exact(api: Api) -> None:
    body = await _endpoint(api)
    assert list(body) == [
        "id", "property_id", "url", "secret", "events", "is_active", "created_at", "description", "disabled_at",
        "disabled_reason", "format",
    ]  # fmt: skip
    assert re.fullmatch(r"whe_[0-9a-z]{26}", body["id"])
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", body["secret"])
    assert (body["events"], body["is_active"]) == ("message.sent,message.failed", True)
    path = f"/v1/webhooks/{body['id']}"
    assert (await api.http.get(path)).json() == body
    assert (await api.http.get("/v1/webhooks")).json()["data"] == [body]
    assert (await _endpoint(api, events="*"))["events"] == "*"
    changed = await api.http.patch(path, json={"events": "*", "is_active": False})
    assert (changed.json()["events"], changed.json()["is_active"], changed.json()["url"]) == ("*", False, body["url"])
    rotated = (await api.http.post(f"{path}/rotate-secret")).json()
    assert rotated["secret"] != body["secret"]
    assert (await api.sql("select previous_secret #>> '{}' from endpoints where previous_secret is not null")) == [
        (body["secret"],)
    ]


async def test_who_may_only_look_is_shown_no_secret(api: Api) -> None:
    """With it events can be forged."""
    body = await _endpoint(api)
    path = f"/v1/webhooks/{body['id']}"
    reader, writer = await api.mint("webhooks:read"), await api.mint("webhooks:read", "webhooks:write")
    for at in path, "/v1/webhooks":
        seen = await api.http.get(at, headers=reader)
        assert body["secret"] not in seen.text
        shown = seen.json() if at == path else seen.json()["data"][0]
        assert shown == body | {"secret": None}
        assert body["secret"] in (await api.http.get(at, headers=writer)).text


async def test_a_deleted_endpoint_keeps_no_secret(api: Api, engine: AsyncEngine) -> None:
    body = await _endpoint(api, url="http://127.0.0.1:9/hook/with-a-token?key=in-it#x")
    path = f"/v1/webhooks/{body['id']}"
    await api.http.post(f"{path}/rotate-secret")
    assert (await api.http.delete(path)).status_code == 204
    assert await api.sql("select secret #>> '{}', previous_secret, url from endpoints") == [
        ("", None, "http://127.0.0.1:9")
    ]
    kept = (await _endpoint(api))["id"]
    await api.http.post(f"/v1/webhooks/{kept}/rotate-secret")
    await api.sql("update endpoints set previous_until = now() - interval '1 second' where deleted_at is null")
    async with engine.begin() as tx:
        await retention.previous_secrets(tx, 10)
    assert await api.sql("select 1 from endpoints where previous_secret is not null") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://10.0.0.1/"},
        {"url": "https://10.0.0.1/"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "https://user:pw@127.0.0.1/"},
        {"url": "nonsense"},
        {"url": ""},
        {"events": "message.sent,guest.exploded"},
        {"events": ""},
        {"events": ["message.sent"]},
        {"secret": "mine"},
    ],
)
async def test_bad_endpoints(api: Api, fields: dict[str, Any]) -> None:
    answer = await api.http.post("/v1/webhooks", json=HOOK | fields)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", next(iter(fields))]
    assert await api.rows("endpoints") == 0


async def test_deliveries_are_listed_replayed_and_abandoned(api: Api) -> None:
    body = await _endpoint(api, events="guest.created")
    path = f"/v1/webhooks/{body['id']}"
    for number in range(3):
        await api.guest(email=f"guest{number}@example.com")
    # In case somebody drains: nobody does here.
    listed = (await api.http.get(f"{path}/deliveries", params={"limit": 2})).json()
    assert (listed["total"], len(listed["data"]), listed["has_more"]) == (3, 2, True)
    one = listed["data"][0]
    assert (one["event_type"], one["state"], one["attempts"], one["endpoint_id"]) == (
        "guest.created", "pending", 0, body["id"],
    )  # fmt: skip
    await api.sql("update deliveries set state = 'failed', attempts = 9")
    again = await api.http.post(f"{path}/deliveries/{one['id']}/replay")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (202, "pending", 0)
    assert again.json()["event_id"] == one["event_id"]
    since = await api.http.post(f"{path}/replay", json={"since": "2020-01-01T00:00:00Z"})
    assert (since.status_code, since.json()) == (202, {"replayed": 2})
    assert (await api.http.post(f"{path}/replay", json={"since": "2020-01-01"})).status_code == 422
    pending = (await api.http.get(f"{path}/deliveries", params={"state": "pending"})).json()
    assert pending["total"] == 3
    await api.http.patch(path, json={"is_active": False})
    inactive = await api.http.post(f"{path}/deliveries/{one['id']}/replay")
    assert (inactive.status_code, inactive.json()["code"]) == (409, "endpoint_inactive")
    assert (await api.http.delete(path)).status_code == 204
    assert (await api.http.get(f"{path}/deliveries")).status_code == 404
    assert {row[0] for row in await api.sql("select state from deliveries")} == {"abandoned"}


async def test_the_wall(api: Api) -> None:
    body = await _endpoint(api, events="guest.created")
    await api.guest()
    path = f"/v1/webhooks/{body['id']}"
    delivery = (await api.http.get(f"{path}/deliveries")).json()["data"][0]["id"]
    neighbour = await api.neighbour()
    for method, at, content in [
        ("GET", path, None),
        ("PATCH", path, {"is_active": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate-secret", None),
        ("GET", f"{path}/deliveries", None),
        ("POST", f"{path}/deliveries/{delivery}/replay", None),
        ("POST", f"{path}/replay", {"since": "2020-01-01T00:00:00Z"}),
    ]:
        assert (await api.http.request(method, at, json=content, headers=neighbour)).status_code == 404, at
    assert (await api.http.get(path)).json() == body
    mine = await _endpoint(api)
    crossed = await api.http.post(f"/v1/webhooks/{mine['id']}/deliveries/{delivery}/replay")
    assert crossed.status_code == 404


# --- providers' callbacks ---------------------------------------------------------------------------------------------


async def _callback(api: Api, settings: Settings, form: dict[str, str], *, token: str, query: str = "") -> Any:
    path = f"/v1/receipts/twilio/{sandbox_twilio.ACCOUNT_SID}/status{query}"
    signature = RequestValidator(token).compute_signature(settings.bellhop.public_url + path, form)
    return await api.http.post(path, data=form, headers={"X-Twilio-Signature": signature, "Host": "elsewhere"})


async def test_a_signed_receipt_moves_the_message(api: Api, settings: Settings) -> None:
    await _endpoint(api, events="*")
    message = (await api.send()).json()
    key = parse(Prefix.MESSAGE, message["id"])
    await api.sql(
        """insert into attempts (scope_id, message_id, part, account_id, provider, state, lease_until, sender, body,
             provider_id) select scope_id, id, 0, (select id from provider_accounts where provider = 'twilio'),
             'twilio', 'in_flight', now(), '+15005550006', content, null from messages where id = :id""",
        id=key,
    )
    attempt = (await api.sql("select id from attempts"))[0][0]
    form = {
        "MessageSid": "SM" + "a" * 32, "SmsSid": "SM" + "a" * 32, "MessageStatus": "delivered", "From": "+15005550006",
        "To": "+13055551234", "AccountSid": sandbox_twilio.ACCOUNT_SID, "ApiVersion": "2010-04-01",
    }  # fmt: skip
    query = f"?attempt={attempt}"
    wrong = await _callback(api, settings, form, token="0" * 32, query=query)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_signature")
    assert await api.rows("receipts") == 0
    for _ in range(2):
        right = await _callback(api, settings, form, token=sandbox_twilio.AUTH_TOKEN, query=query)
        assert right.status_code in (200, 204), right.text
    assert await api.rows("receipts") == 1
    now = (await api.http.get(f"/v1/messaging/{message['id']}")).json()
    assert now["status"] == "delivered"
    reported = await api.sql("select e.type from events e join deliveries d on d.event_id = e.id order by e.id")
    assert [row[0] for row in reported] == ["message.sent", "message.delivered"]


async def test_callbacks_of_nobody(api: Api, settings: Settings) -> None:
    for path in (
        "/v1/receipts/nobody/x/status",
        "/v1/receipts/twilio/AC00000000000000000000000000000000/status",
        "/v1/receipts/twilio/%00/status",
    ):
        assert (await api.http.post(path, data={"a": "b"})).status_code == 404, path
    assert (await api.http.get("/v1/receipts/twilio/x/status")).status_code == 405
