"""Bird's webhook subscriptions, against the running API: its message, signed as its clients check it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from bellhop.domain.ids import Prefix, parse
from bellhop.domain.scopes import Scope
from bellhop.sandbox.testing import ReceivedCall, Receiver
from bellhop.store.access import keys

from .engine import Engine

GUEST = "+13055550712"
KEY = "KeV+/HGoIQrxuE5YPCRR6AuQOJveldYNNhbVi1i22qk="


class Workspace:
    """The property as its clients have it."""

    def __init__(self, stack: Engine, raw: str | None = None) -> None:
        bearer = str(stack.http.headers["Authorization"]).removeprefix("Bearer ")
        self.stack, self.id = stack, str(stack.scope.property_id)
        self.headers = {"Authorization": f"AccessKey {raw or bearer}"}
        self.place = f"/workspaces/{self.id}/webhook-subscriptions"

    async def call(self, method: str, path: str = "", **more: Any) -> httpx2.Response:
        answer: httpx2.Response = await self.stack.http.request(
            method, f"{self.place}{path}", headers=self.headers, **more
        )
        return answer

    async def subscribe(self, url: str, event: str = "sms.outbound", **more: Any) -> dict[str, Any]:
        answer = await self.call("POST", json={"service": "channels", "event": event, "url": url, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def text(self, words: str = "Your suite is ready.") -> UUID:
        sent = await self.stack.send({"channel": "sms", "recipient": GUEST, "content": words})
        await self.stack.until(sent["id"], "delivered")
        found = parse(Prefix.MESSAGE, sent["id"])
        assert found is not None
        return found


@pytest.fixture
def bird(stack: Engine) -> Workspace:
    return Workspace(stack)


def signed(call: ReceivedCall, url: str) -> bool:
    """docs.bird.com, "Verifying a webhook subscription"."""
    stamp = call.headers["messagebird-request-timestamp"]
    joined = f"{stamp}\n{url}\n".encode() + hashlib.sha256(call.body).digest()
    made = hmac.new(KEY.encode(), joined, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64decode(call.headers["messagebird-signature"]), made)


async def received(receiver: Receiver, count: int) -> list[ReceivedCall]:
    await asyncio.to_thread(receiver.wait, lambda received: len(received) >= count)
    return list(receiver.received)


async def test_what_becomes_of_a_message_is_posted_signed_and_in_order(stack: Engine, bird: Workspace) -> None:
    listed = await stack.http.get(f"/workspaces/{bird.id}/channels", headers=bird.headers)
    (channel,) = [one["id"] for one in listed.json()["results"] if one["platformId"] == "sms-messagebird"]
    with Receiver().open() as every, Receiver().open() as some, Receiver().open() as none:
        url = f"{every.url}/hook?a=1"
        made = await bird.subscribe(url, signingKey=KEY)
        assert made == made | {
            "workspaceId": bird.id, "service": "channels", "event": "sms.outbound", "eventFilters": [], "url": url,
            "signingKey": KEY, "status": "active",
        }  # fmt: skip
        of_channel = {"key": "channelId", "value": channel}
        filters = [of_channel, {"key": "status", "value": "delivered"}]
        assert (await bird.subscribe(some.url, eventFilters=filters))["eventFilters"] == filters
        await bird.subscribe(none.url, eventFilters=[{"key": "channelId", "value": str(uuid4())}])
        await bird.subscribe(none.url, event="sms.inbound")
        message_id = await bird.text()
        calls = await received(every, 2)
        said = [json.loads(call.body) for call in calls]
        assert [(one["service"], one["event"]) for one in said] == [("channels", "sms.outbound")] * 2
        assert [one["payload"]["status"] for one in said] == ["sent", "delivered"]
        for call, one in zip(calls, said, strict=True):
            assert call.path == "/hook?a=1"
            assert signed(call, url)
            assert (one["payload"]["id"], one["payload"]["channelId"]) == (str(message_id), channel)
            (contact,) = one["payload"]["receiver"]["contacts"]
            assert (contact["identifierKey"], contact["identifierValue"]) == ("phonenumber", GUEST)
            assert one["payload"]["body"] == {"type": "text", "text": {"text": "Your suite is ready."}}
        (only,) = await received(some, 1)
        assert json.loads(only.body)["payload"]["status"] == "delivered"
        assert "messagebird-signature" not in only.headers, "it has no key"
        assert none.received == []
        pending = await stack.rows(
            f"select from deliveries d join endpoints e on e.id = d.endpoint_id where e.url = '{some.url}'"
        )
        assert len(pending) == 1, "what its filter leaves out is not pending for it at all"


async def test_what_guests_write_is_posted_and_a_failure_is_tried_again(stack: Engine, bird: Workspace) -> None:
    with Receiver().open() as receiver:
        receiver.answers = [500]
        await bird.subscribe(receiver.url, event="sms.inbound", signingKey=KEY)
        said = {"provider": "twilio", "from": GUEST, "body": "Is breakfast included?"}
        assert (await stack.sandbox.post("/_sandbox/inbound", json=said)).status_code < 300
        first, again = await received(receiver, 2)
        assert first.body == again.body
        assert first.headers["messagebird-request-id"] == again.headers["messagebird-request-id"]
        event = json.loads(again.body)
        assert event["event"] == "sms.inbound"
        payload = event["payload"]
        assert (payload["status"], payload["direction"]) == ("delivered", "incoming")
        assert payload["sender"]["contact"]["identifierValue"] == GUEST
        assert payload["receiver"]["connector"]["id"] == payload["channelId"]
        assert payload["body"]["text"]["text"] == said["body"]


async def test_subscriptions_are_listed_changed_and_deleted(stack: Engine, bird: Workspace) -> None:
    with Receiver().open() as receiver:
        first = await bird.subscribe(receiver.url, signingKey=KEY)
        second = await bird.subscribe(receiver.url, event="sms.inbound")
        page = (await bird.call("GET", params={"limit": 1})).json()
        assert [one["id"] for one in page["results"]] == [second["id"]]
        more = (await bird.call("GET", params={"pageToken": page["nextPageToken"]})).json()
        assert more == {"results": [first]}
        one = f"/{first['id']}"
        assert (await bird.call("GET", one)).json() == first
        org = f"/organizations/{uuid4()}{bird.place}"
        assert (await stack.http.get(org + one, headers=bird.headers)).json() == first
        changed = await bird.call("PATCH", one, json={"status": "inactive", "signingKey": "other"})
        assert changed.json() == first | {
            "status": "inactive", "signingKey": "other", "updatedAt": changed.json()["updatedAt"]
        }  # fmt: skip
        await bird.text()
        filters = [{"key": "status", "value": "sent"}]
        changed = await bird.call("PATCH", one, json={"status": "active", "eventFilters": filters})
        assert (changed.json()["status"], changed.json()["eventFilters"]) == ("active", filters)
        assert await stack.rows("select from endpoints where events = '{message.sent}'") != []
        assert (await bird.call("PATCH", one, json={"eventFilters": None})).json()["eventFilters"] == []
        assert (await bird.call("DELETE", one)).status_code == 204
        for method in ("GET", "PATCH", "DELETE"):
            gone = await bird.call(method, one, **({"json": {}} if method == "PATCH" else {}))
            assert (gone.status_code, gone.json()["code"]) == (404, "NotFound")
        assert receiver.received == [], "nothing is owed for what happened while it was inactive"
        native = (await stack.http.post("/v1/webhooks", json={"url": receiver.url, "events": "*"})).json()
        key = parse(Prefix.ENDPOINT, native["id"])
        assert (await bird.call("GET", f"/{key}")).status_code == 404, "one of another format is none of Bird's"


async def test_what_is_no_subscription_is_refused(stack: Engine, bird: Workspace) -> None:
    good = {"service": "channels", "event": "sms.outbound", "url": "https://93.184.216.34/x"}
    twice = [{"key": "status", "value": "sent"}] * 2
    for wrong, status in (
        ({"url": "https://10.0.0.1/x"}, 422), ({"url": "ftp://h.example"}, 422), ({"event": "sms.interaction"}, 422),
        ({"service": "numbers"}, 422), ({"template": "twilio"}, 400), ({"eventFilters": twice}, 422),
        ({"eventFilters": [{"key": "interactionType", "value": "opened"}]}, 422),
        ({"eventFilters": [{"key": "status", "value": "read"}]}, 422),
    ):  # fmt: skip
        answer = await bird.call("POST", json=good | wrong)
        assert answer.status_code == status, (wrong, answer.text)
        assert set(answer.json()) == {"code", "message", "details"}
    events = (await stack.http.get(f"/workspaces/{bird.id}/available-webhooks", headers=bird.headers)).json()
    assert {"sms.outbound", "sms.inbound"} < {one["event"] for one in events["results"]}


async def test_who_may_only_look_sees_no_signing_key(stack: Engine, bird: Workspace) -> None:
    made = await bird.subscribe("https://93.184.216.34/x", signingKey=KEY)
    scope: Scope = stack.scope
    async with stack.database.begin() as tx:
        _, raw = await keys.create(tx, scope, "looks", ["webhooks:read"])
    looks = Workspace(stack, raw)
    shown = await looks.call("GET", f"/{made['id']}")
    assert shown.status_code == 200
    assert KEY not in shown.text
    assert (await looks.call("DELETE", f"/{made['id']}")).status_code == 403
