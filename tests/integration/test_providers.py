"""A message through each provider that has a simulator, from the API to its signed callbacks."""

from __future__ import annotations

import pytest

from bellhop.domain.channels import Channel
from bellhop.providers import providers
from bellhop.sandbox.providers import names

from .engine import EMAIL, SMS, Engine

BODIES = {Channel.SMS: SMS, Channel.EMAIL: EMAIL, Channel.IMESSAGE: {**SMS, "channel": "imessage"}}


@pytest.mark.parametrize("name", names())
async def test_a_message_goes_out_once_and_is_followed(stack: Engine, name: str) -> None:
    body = BODIES[min(providers()[name].channels)]
    await stack.send_through(name)
    sent = await stack.send(body)
    await stack.until(sent["id"], "delivered", "read")
    (accepted,) = await stack.accepted(to=body["recipient"])
    assert (accepted["provider"], accepted["content"]) == (name, body["content"])
    assert (await stack.events(sent["id"]))[:2] == ["message.sent", "message.delivered"]
