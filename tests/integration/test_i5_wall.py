"""I5: the property wall. Another scope's ids answer 404, and nothing of `test` reaches a live account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from bellhop.domain.ids import Prefix, render
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.sandbox.testing import Receiver
from bellhop.store.access import keys

from .engine import EMAIL, SMS, Engine


@pytest.fixture
async def neighbour(stack: Engine) -> AsyncIterator[httpx2.AsyncClient]:
    """The API with another property's key."""
    async with stack.database.begin() as tx:
        scopes = await ensure_property(tx, "Harbour House", "harbour-house")
        await ensure_accounts(tx, scopes["test"], stack.settings)
        _, raw = await keys.create(tx, scopes["test"], "neighbour", ["*"], rate_limit=1_000_000)
    async with httpx2.AsyncClient(
        base_url=stack.http.base_url, headers={"Authorization": f"Bearer {raw}"}, timeout=30
    ) as client:
        yield client


async def test_what_a_guest_wrote_is_another_propertys(stack: Engine, neighbour: httpx2.AsyncClient) -> None:
    await stack.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z"})
    await stack.sandbox.post("/_sandbox/inbound", json={"from": SMS["recipient"], "body": "Jordan"})
    (said,) = await stack.rows("select id from messages where direction = 'inbound'")
    path = f"/v1/inbound/{render(Prefix.INBOUND, said['id'])}"
    for each in (path, f"{path}/timeline"):
        assert (await stack.http.get(each)).status_code == 200
        assert (await neighbour.get(each)).status_code == 404


def _of_conversation(talk: str) -> list[tuple[str, str, object]]:
    return [
        ("GET", f"/v1/conversations/{talk}", None),
        ("GET", f"/v1/conversations/{talk}/messages", None),
        ("GET", f"/v1/conversations/{talk}/notes", None),
        ("PATCH", f"/v1/conversations/{talk}", {"status": "closed"}),
        ("POST", f"/v1/conversations/{talk}/read", {}),
        ("POST", f"/v1/conversations/{talk}/reply", {"content": "Hi"}),
        ("POST", f"/v1/conversations/{talk}/notes", {"content": "Hi"}),
    ]


async def test_another_propertys_ids_are_not_found(stack: Engine, neighbour: httpx2.AsyncClient) -> None:
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Mitchell"})).json()
    hook = (await stack.http.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/hook"})).json()
    sent = await stack.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z", "guest_id": guest["id"]})
    message, person, endpoint = sent["id"], guest["id"], hook["id"]
    account = (await stack.http.get("/v1/accounts")).json()["data"][0]["id"]
    hotel = (await stack.http.get("/v1/properties")).json()["data"][0]["id"]
    booked = {"source": "pms", "reservation": "R1", "guests": [person]}
    stay = (await stack.http.post("/v1/stays", json=booked)).json()["id"]
    why = {"reason": "not mine"}
    calls: list[tuple[str, str, object]] = [
        ("GET", f"/v1/messaging/{message}", None),
        ("GET", f"/v1/messaging/{message}/timeline", None),
        ("GET", f"/v1/messaging/{message}/links", None),
        ("POST", f"/v1/messaging/{message}/cancel", None),
        ("PATCH", f"/v1/messaging/{message}", {"scheduled_at": "2030-01-02T00:00:00Z"}),
        ("POST", f"/v1/messaging/{message}/resend", why),
        ("POST", f"/v1/accounts/{account}/hold", why),
        ("POST", f"/v1/accounts/{account}/mend", why),
        ("POST", f"/v1/properties/{hotel}/pause", why),
        ("POST", f"/v1/properties/{hotel}/resume", why),
        *_of_conversation(sent["conversation_id"]),
        ("GET", f"/v1/guests/{person}", None),
        ("PATCH", f"/v1/guests/{person}", {"first_name": "Mallory"}),
        ("DELETE", f"/v1/guests/{person}", None),
        ("GET", f"/v1/stays/{stay}", None),
        *(("GET", f"/v1/{whose}/upcoming", None) for whose in (f"guests/{person}", f"stays/{stay}")),
        ("PATCH", f"/v1/stays/{stay}", {"room": "1"}),
        ("PATCH", f"/v1/webhooks/{endpoint}", {"is_active": False}),
        ("DELETE", f"/v1/webhooks/{endpoint}", None),
        ("GET", f"/v1/webhooks/{endpoint}/deliveries", None),
        ("POST", f"/v1/webhooks/{endpoint}/replay", {"since": "2020-01-01T00:00:00Z"}),
        ("POST", f"/v1/webhooks/{endpoint}/rotate-secret", None),
    ]
    for method, path, body in calls:
        answer = await neighbour.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
        assert "Jordan" not in answer.text
    answer = await neighbour.post("/v1/messaging/send", json={**SMS, "guest_id": person})
    assert answer.status_code == 422
    theirs = await neighbour.post("/v1/stays", json=booked)
    assert (theirs.status_code, theirs.json()["detail"][0]["loc"]) == (422, ["body", "guests", 0])
    about = await neighbour.post("/v1/messaging/send", json={**SMS, "stay_id": stay})
    assert (about.status_code, about.json()["detail"][0]["loc"]) == (422, ["body", "stay_id"])
    for path in (
        "/v1/messaging",
        "/v1/stays",
        "/v1/conversations",
        f"/v1/conversations?guest_id={person}",
        f"/v1/stays?guest_id={person}",
        "/v1/guests",
        "/v1/guests?search=jordan",
        f"/v1/messaging?guest_id={person}",
    ):
        assert (await neighbour.get(path)).json()["total"] == 0, path
    assert (await neighbour.get("/v1/webhooks")).json()["data"] == []
    shown = (await stack.http.get(f"/v1/guests/{person}")).json()
    assert shown["first_name"] == "Jordan"
    assert await stack.rows("select * from operator_actions") == []
    assert account not in [each["id"] for each in (await neighbour.get("/v1/accounts")).json()["data"]]


async def test_one_propertys_webhooks_never_hear_of_another(stack: Engine, neighbour: httpx2.AsyncClient) -> None:
    with Receiver().open() as ours, Receiver().open() as theirs:
        for client, receiver in ((stack.http, ours), (neighbour, theirs)):
            assert (await client.post("/v1/webhooks", json={"url": f"{receiver.url}/hook"})).status_code == 201
        sent = await stack.send({**SMS, "recipient": "+13055550301"})
        await stack.until(sent["id"], "delivered")
        await asyncio.to_thread(ours.wait, lambda received: len(received) >= 2)
        assert theirs.received == []


async def test_a_live_key_opens_another_scope(stack: Engine) -> None:
    async with stack.database.begin() as tx:
        scopes = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
        _, raw = await keys.create(tx, scopes["live"], "live", ["*"])
    sent = await stack.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z"})
    live = {"Authorization": f"Bearer {raw}"}
    answer = await stack.http.get(f"/v1/messaging/{sent['id']}", headers=live)
    assert answer.status_code == 404
    answer = await stack.http.post("/v1/messaging/send", json=SMS, headers=live)
    assert (answer.status_code, answer.json()["code"]) == (422, "channel_unavailable")


async def test_nothing_of_test_reaches_a_live_account(stack: Engine) -> None:
    """Even an account row that points elsewhere is overruled: a test scope calls the sandbox and nothing else."""
    with Receiver().open() as live:
        await stack.rows("update provider_accounts set base_url = :url returning id", url=live.url)
        for body in (SMS, EMAIL):
            sent = await stack.send({**body})
            await stack.until(sent["id"], "delivered", "read")
        assert live.received == []


async def test_a_receipt_for_another_account_moves_nothing(stack: Engine, neighbour: httpx2.AsyncClient) -> None:
    """A callback signed for one account cannot speak of another account's attempts."""
    from twilio.request_validator import RequestValidator

    await stack.fault("callback_drop", provider="twilio", count=1)
    sent = await stack.send({**SMS, "recipient": "+13055550302"})
    await stack.until(sent["id"], "sent")
    (attempt,) = await stack.attempts(sent["id"])
    sid, token = "AC" + "e" * 32, "a stranger's token"
    await stack.rows(
        "insert into provider_accounts (scope_id, provider, identity, base_url, credentials) "
        "select id, 'twilio', :sid, 'http://127.0.0.1:9', jsonb_build_object('auth_token', cast(:token as text)) "
        "from scopes where environment = 'live' limit 1 returning id",
        sid=sid,
        token=token,
    )
    path = f"/v1/receipts/twilio/{sid}/status?attempt={attempt['id']}"
    form = {"MessageSid": attempt["provider_id"], "MessageStatus": "delivered", "AccountSid": sid}
    url = stack.settings.bellhop.public_url + path
    signed = {"X-Twilio-Signature": RequestValidator(token).compute_signature(url, form)}
    answer = await stack.http.post(path, data=form, headers=signed)
    assert answer.status_code < 300, answer.text
    assert (await stack.get(sent["id"]))["status"] == "sent"
    forged = await stack.http.post(path, data=form, headers={"X-Twilio-Signature": "bm90IGl0"})
    assert forged.status_code == 403
