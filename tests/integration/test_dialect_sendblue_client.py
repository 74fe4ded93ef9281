"""Sendblue's own clients, unchanged, against our running API: its base URL and key are all that differ.

For Python the newest and the oldest with the types of the description, whose answers are checked strictly: what the
types do not allow is an error. And the one for JavaScript.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sendblue_api import AsyncSendblueAPI, BadRequestError, NotFoundError

from bellhop.domain.ids import Prefix, render
from bellhop.sandbox.providers.sendblue.accounts import FROM_NUMBER
from bellhop.sandbox.testing import ReceivedCall, Receiver

from .engine import Engine
from .test_dialect_sendblue import OF_ITEM, OF_RESPONSE, pair

GUEST = "+13055550711"
CLIENTS = Path(__file__).parents[1] / "contract" / "clients"
DENO = ("--cached-only", "--allow-net=localhost,127.0.0.1", "--allow-env", "--allow-read", "--allow-sys")
COMMANDS: dict[str, list[str]] = {
    "python-oldest": [sys.executable, "sendblue_oldest.py"],
    "javascript": [str(Path(sys.executable).with_name("deno")), "run", *DENO, "sendblue.mjs"],
}
"""Clients that run in a process of their own, and take what they are given as JSON."""


@pytest.fixture
async def client(stack: Engine) -> AsyncIterator[AsyncSendblueAPI]:
    stack.settings.bellhop.accept_wait = 20.0
    headers = pair(str(stack.http.headers["Authorization"]).removeprefix("Bearer "))
    async with AsyncSendblueAPI(
        api_key=headers["sb-api-key-id"],
        api_secret=headers["sb-api-secret-key"],
        base_url=str(stack.http.base_url),
        _strict_response_validation=True,
        http_client=httpx.AsyncClient(trust_env=False),
    ) as client:
        yield client


def said(calls: list[ReceivedCall]) -> list[dict[str, Any]]:
    return [json.loads(call.body) for call in calls]


async def received(receiver: Receiver, count: int) -> list[ReceivedCall]:
    await asyncio.to_thread(receiver.wait, lambda received: len(received) >= count)
    return list(receiver.received)


async def test_a_text_is_sent_followed_and_told_of(stack: Engine, client: AsyncSendblueAPI) -> None:
    with Receiver().open() as single, Receiver().open() as account:
        await client.webhooks.create(webhooks=[f"{account.url}/all"], type="outbound", global_secret="shibboleth")
        callback = f"{single.url}/status?id=1"
        sent = await client.messages.send(
            number=GUEST,
            from_number=FROM_NUMBER,
            content="Your suite is ready.",
            send_style="slam",
            status_callback=callback,
        )
        assert sent.message_handle
        assert (sent.number, sent.is_outbound, sent.error_code) == (GUEST, True, None)
        native = render(Prefix.MESSAGE, UUID(sent.message_handle))
        await stack.until(native, "delivered")
        status = await client.messages.get_status(handle=sent.message_handle)
        assert (status.status, status.send_style) == ("DELIVERED", "slam")
        (item,) = (await client.messages.list(number=GUEST)).data or []
        assert (item.service, item.was_downgraded, item.to_number) == ("iMessage", False, GUEST)
        alone = await client.messages.retrieve(sent.message_handle)
        assert alone.data is not None
        assert alone.data.to_dict() == item.to_dict()
        for receiver, path in ((single, "/status?id=1"), (account, "/all")):
            calls = await received(receiver, 2)
            assert {call.path for call in calls} == {path}
            assert [one["status"] for one in said(calls)] == ["SENT", "DELIVERED"]
            assert all(set(one) == OF_ITEM and one["message_handle"] == sent.message_handle for one in said(calls))
            secret = "shibboleth" if receiver is account else None
            assert {call.headers.get("sb-signing-secret") for call in calls} == {secret}
        # A message that names nobody, and one on another channel: only the account hears of the first.
        await stack.until(
            (await stack.send({"channel": "sms", "recipient": GUEST, "content": "SMS"}))["id"], "delivered"
        )
        mail = {"channel": "email", "recipient": "j@example.com", "subject": "S", "content": "C"}
        await stack.until((await stack.send(mail))["id"], "delivered", "read")
        calls = await received(account, 4)
        assert [one["service"] for one in said(calls[2:])] == ["SMS", "SMS"]
        assert len(single.received) == 2
        hooks = (await stack.http.get("/v1/webhooks")).json()["data"]
        assert [(hook["format"], hook["url"]) for hook in hooks] == [("sendblue", f"{account.url}/all")]


async def test_what_guests_write_is_received(stack: Engine, client: AsyncSendblueAPI) -> None:
    with Receiver().open() as account:
        await client.webhooks.create(webhooks=[{"url": f"{account.url}/in", "secret": "own"}])
        said_ = {"provider": "sendblue", "from": GUEST, "body": "Is breakfast included?"}
        answer = await stack.sandbox.post("/_sandbox/inbound", json=said_)
        assert answer.status_code < 300, answer.text
        (call,) = await received(account, 1)
        (item,) = said([call])
        assert (call.path, call.headers["sb-signing-secret"]) == ("/in", "own")
        assert set(item) == OF_ITEM
        assert (item["status"], item["is_outbound"], item["content"]) == ("RECEIVED", False, said_["body"])
        assert (item["from_number"], item["number"]) == (GUEST, GUEST)
        assert item["to_number"] == item["sendblue_number"] != GUEST
        page = await client.messages.list(is_outbound="false", sendblue_number=item["sendblue_number"])
        assert [one.message_handle for one in page.data or []] == [item["message_handle"]]
        assert page.data is not None
        assert page.data[0].status == "RECEIVED"
        assert len((await client.messages.list(status="RECEIVED", from_number=GUEST)).data or []) == 1
        listed = (await client.webhooks.list()).webhooks
        assert listed is not None
        assert listed.receive is not None
        assert (len(listed.receive), listed.outbound) == (1, [])
        replaced = await client.webhooks.update(webhooks={"receive": [], "outbound": ["https://127.0.0.1:9/x"]})
        assert replaced.webhooks is not None
        assert (replaced.webhooks.receive, replaced.webhooks.outbound) == ([], ["https://127.0.0.1:9/x"])
        await client.webhooks.delete(webhooks=["https://127.0.0.1:9/x"], type="outbound")
        with pytest.raises(NotFoundError):
            await client.webhooks.delete(webhooks=["https://127.0.0.1:9/x"], type="outbound")
        with pytest.raises(BadRequestError, match="private"):
            await client.webhooks.create(webhooks=["https://10.0.0.1/x"])


async def test_who_opted_out_is_declined_and_the_rest_of_its_calls(stack: Engine, client: AsyncSendblueAPI) -> None:
    out = await client.contacts.opt_out(number=GUEST)
    assert (out.number, out.opted_out) == (GUEST, True)
    with pytest.raises(BadRequestError) as declined:
        await client.messages.send(number=GUEST, from_number=FROM_NUMBER, content="Hello")
    body: Any = declined.value.body
    assert (body["status"], body["error_key"], body["error_code"]) == ("ERROR", "OPTED_OUT", 4002)
    (item,) = (await client.messages.list()).data or []
    assert (item.status, item.error_reason, item.opted_out) == ("ERROR", "OPTED_OUT", True)
    assert (await client.contacts.opt_out(number=GUEST, opted_out=False)).opted_out is False
    sent = await client.messages.send(number=GUEST, from_number=FROM_NUMBER, content="Hello")
    assert sent.status in ("SENT", "DELIVERED")
    await stack.until(render(Prefix.MESSAGE, UUID(str(sent.message_handle))), "delivered")
    assert (await client.lookups.lookup_number(number=GUEST)).service == "iMessage"
    typing = await client.typing_indicators.send(number=GUEST, from_number=str(sent.from_number))
    assert typing.status == "ERROR"
    both = [GUEST, "+13055551235"]
    together = await client.groups.send_message(numbers=both, content="Hi", from_number=FROM_NUMBER)
    shown = await stack.until(render(Prefix.MESSAGE, UUID(str(together.message_handle))), "delivered")
    (in_group,) = (await client.messages.list(group_id=shown["group_id"])).data or []
    assert (in_group.message_type, in_group.participants) == ("group", both)
    with pytest.raises(BadRequestError, match="status_callback"):
        await client.messages.send(
            number=GUEST, from_number=FROM_NUMBER, content="Hello", status_callback="https://10.0.0.1/x"
        )


async def test_a_lost_answer_makes_no_second_message(stack: Engine, client: AsyncSendblueAPI) -> None:
    """The client repeats by itself what it has no answer to."""
    lost = 0

    class Losing(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal lost
            response = await super().handle_async_request(request)
            if lost < 2:
                lost += 1
                await response.aread()
                await response.aclose()
                raise httpx.ReadError("the answer is lost", request=request)
            return response

    repeating = client.with_options(http_client=httpx.AsyncClient(transport=Losing()), max_retries=2)
    sent = await repeating.messages.send(number=GUEST, from_number=FROM_NUMBER, content="Once")
    assert lost == 2
    await stack.until(render(Prefix.MESSAGE, UUID(str(sent.message_handle))), "delivered")
    assert [one["content"] for one in await stack.accepted(to=GUEST)] == ["Once"]


@pytest.mark.parametrize("name", COMMANDS)
async def test_other_clients_of_its_send_follow_and_list_a_text(stack: Engine, name: str) -> None:
    stack.settings.bellhop.accept_wait = 20.0
    headers = pair(str(stack.http.headers["Authorization"]).removeprefix("Bearer "))
    hook = "https://127.0.0.1:9/hook"
    given = {
        "url": str(stack.http.base_url), "key": headers["sb-api-key-id"], "secret": headers["sb-api-secret-key"],
        "number": GUEST, "line": FROM_NUMBER, "webhook": hook,
    }  # fmt: skip
    env = {one: value for one, value in os.environ.items() if "proxy" not in one.lower()} | {
        "DENO_DIR": str(Path(sys.prefix) / "deno"), "DENO_NO_UPDATE_CHECK": "1",
        "PYTHONPATH": str(Path(sys.prefix) / "oldest"),
    }  # fmt: skip
    run = await asyncio.create_subprocess_exec(
        *COMMANDS[name], json.dumps(given), cwd=CLIENTS, env=env, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await run.communicate()
    assert run.returncode == 0
    answers = json.loads(printed)
    assert answers.get("version", "1.10.0") == "1.10.0"
    sent, (item,) = answers["sent"], answers["listed"]["data"]
    assert set(sent) == OF_RESPONSE
    assert set(item) == OF_ITEM
    assert (answers["status"]["status"], sent["send_style"]) == ("DELIVERED", "slam")
    assert (item["status"], item["service"], item["accountEmail"]) == ("DELIVERED", "iMessage", sent["account_email"])
    assert sent["account_email"].endswith("@bellhop.invalid")
    assert answers["one"]["data"] == item
    assert answers["made"]["webhooks"]["outbound"] == answers["webhooks"]["webhooks"]["outbound"] == [hook]
    assert (answers["looked"]["service"], answers["out"]["opted_out"]) == ("iMessage", True)
    refused = answers["refused"]
    assert (refused["name"], refused["status"], refused["body"]["error_key"]) == ("BadRequestError", 400, "OPTED_OUT")
