"""Bird's Python client, unchanged, against our running API: what differs is its base URL, and ids."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import bird_python
import pytest
from bird_python import client as module

from bellhop.domain.ids import Prefix, render

from .engine import Engine

# What its description says: `client.send_message(channels_id=…, body=…)`.
BODY = {
    "receiver": {"contacts": [{"identifierValue": "+13055550812"}]},
    "body": {"type": "text", "text": {"text": "Single text message"}},
}


async def test_its_own_client_sends_and_follows(stack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENDPOINT", f"{stack.http.base_url}/")
    monkeypatch.setenv("NO_PROXY", "*")
    client = bird_python.Client(str(stack.http.headers["Authorization"]).removeprefix("Bearer "), str(uuid4()))

    def do() -> dict[str, Any]:
        workspaces = client.workspace_list()["results"]
        client.workspaces = workspaces[0]["id"]
        assert client.workspace_list_by_id(client.workspaces) == workspaces[0]
        channels = client.channel_list()["results"]
        (channel,) = [one for one in channels if one["platformId"].startswith("sms")]
        assert client.channel_list_by_id(channel["id"]) == channel
        return dict(client.send_message(channels_id=channel["id"], body=BODY))

    sent = await asyncio.to_thread(do)
    assert sent["status"] in ("accepted", "processing", "sent")
    await stack.until(render(Prefix.MESSAGE, UUID(sent["id"])), "delivered")
    path = f"/workspaces/{client.workspaces}/channels/{sent['channelId']}/messages/{sent['id']}"
    message = (await stack.http.get(path)).json()
    assert (message["status"], message["body"]) == ("delivered", BODY["body"])
    assert len(message["parts"]) == 1
    assert message["parts"][0]["platformReference"].startswith("SM")
    missing = await asyncio.to_thread(client.request, path.replace(sent["id"], str(uuid4())))
    assert missing["code"] == "NotFound"
