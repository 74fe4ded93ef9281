"""A message through each provider that has a simulator, from the API to its signed callbacks."""

from __future__ import annotations

import pytest

from bellhop.domain.channels import CHANNELS, Channel
from bellhop.providers import providers
from bellhop.sandbox.providers import names

from .engine import EMAIL, SMS, Engine

BODIES = {
    Channel.SMS: SMS,
    Channel.EMAIL: EMAIL,
    Channel.IMESSAGE: {**SMS, "channel": "imessage"},
    Channel.PUSH: {"channel": "push", "recipient": "dGhlIHRva2Vu:APA91bH", "content": "Your suite is ready."},
}


IPHONE = {"channel": "push", "recipient": "00fc13adff785122b4ad28809a342098", "content": "Your suite is ready."}


@pytest.mark.parametrize("name", names())
async def test_a_message_goes_out_once_and_is_followed(stack: Engine, name: str) -> None:
    channel = min(providers()[name].channels)
    body = IPHONE if name == "apns" else BODIES[channel]
    await stack.send_through(name)
    sent = await stack.send(body)
    reported = CHANNELS[channel].reports_delivery
    await stack.until(sent["id"], *(("delivered", "read") if reported else ("sent",)))
    (accepted,) = await stack.accepted(to=body["recipient"])
    assert (accepted["provider"], accepted["content"]) == (name, body["content"])
    assert (await stack.events(sent["id"]))[:2] == ["message.sent", "message.delivered"][: 1 + reported]


async def test_an_imessage_says_by_what_it_went(stack: Engine) -> None:
    await stack.send_through("sendblue")
    for number, service, status in (("+13055551234", "imessage", "delivered"), ("+13055557272", "rcs", "delivered")):
        sent = await stack.send({**BODIES[Channel.IMESSAGE], "recipient": number})
        assert (sent["service"], sent["was_downgraded"]) == (None, None)
        known = await stack.until(sent["id"], status)
        assert (known["service"], known["was_downgraded"]) == (service, service != "imessage")
        timeline = (await stack.http.get(f"/v1/messaging/{sent['id']}/timeline")).json()["data"]
        (answered,) = [one for one in timeline if one["what"] == "attempt.accepted"]
        assert (answered["service"], answered["was_downgraded"]) == (service, service != "imessage")
