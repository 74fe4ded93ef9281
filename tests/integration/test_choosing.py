"""`auto`: the first channel of the property's order that suits the guest and the message, and why it is that one."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.domain.choosing import OPEN

from .engine import GUEST, Engine, key
from .test_whatsapp import with_first_contact, wrote

MAIL = "jordan@example.com"
SAID = {"channel": "auto", "content": "Your suite is ready."}


async def guest_of(stack: Engine, **fields: Any) -> str:
    body = {"first_name": "Jordan", "last_name": "Mitchell", "phone": GUEST, "email": MAIL, **fields}
    answer = await stack.http.post("/v1/guests", json=body)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


async def order(stack: Engine, *channels: str) -> None:
    (own,) = (await stack.http.get("/v1/properties")).json()["data"]
    settings = {**own["settings"], "channel_order": list(channels)}
    answer = await stack.http.patch(f"/v1/properties/{own['id']}", json={"settings": settings})
    assert answer.status_code == 200, answer.text


def codes(shown: dict[str, Any]) -> dict[str, str]:
    return {one["channel"]: one["code"] for one in shown["chosen"]["not"]}


async def test_the_first_of_the_order_that_reaches_the_guest_and_the_rest_follows(idle_stack: Engine) -> None:
    guest = await guest_of(idle_stack)
    await order(idle_stack, "in_app", "whatsapp", "sms", "email", "push")
    sent = await idle_stack.send({**SAID, "recipient": guest, "subject": "Your suite"})
    assert (sent["channel"], sent["recipient"], sent["guest_id"], sent["subject"]) == ("sms", GUEST, guest, None)
    assert sent["fallback"] == [{"channel": "email", "when": "failed", "after": None}]
    assert sent["chosen"]["because"]["code"] == "reachable"
    assert codes(sent) == {
        "in_app": "not_signed_in", "whatsapp": "window_closed", "email": "later_in_order", "push": "no_device",
        "imessage": "not_in_order",
    }  # fmt: skip
    assert all(one["reason"].endswith(".") for one in sent["chosen"]["not"])
    (step,) = await idle_stack.rows(
        "select recipient, subject from message_steps where message_id = :i", i=key(sent["id"])
    )
    assert step == {"recipient": MAIL, "subject": "Your suite"}
    assert (await idle_stack.get(sent["id"]))["chosen"] == sent["chosen"]
    entries = (await idle_stack.http.get(f"/v1/messaging/{sent['id']}/timeline")).json()["data"]
    (chosen,) = [entry for entry in entries if entry["what"] == "message.chosen"]
    assert (chosen["channel"], chosen["because"]) == ("sms", "reachable")


async def test_who_is_signed_in_is_written_to_in_the_app_and_others_follow_where_it_is_not_shown(
    idle_stack: Engine,
) -> None:
    guest = await guest_of(idle_stack)
    assert (await idle_stack.http.post(f"/v1/guests/{guest}/sessions", json={})).status_code == 201
    await order(idle_stack, "in_app", "sms", "email")
    sent = await idle_stack.send({**SAID, "recipient": guest})
    assert (sent["channel"], sent["chosen"]["because"]["code"]) == ("in_app", "signed_in")
    assert sent["fallback"] == [{"channel": "sms", "when": "failed", "after": 300}]
    assert codes(sent)["email"] == "no_subject"
    alone = await idle_stack.send({**SAID, "recipient": guest, "fallback": []})
    assert (alone["channel"], alone["fallback"]) == ("in_app", [])
    named = [{"channel": "email", "subject": "Your suite", "when": "not_read", "after": 60}]
    other = await idle_stack.send({**SAID, "recipient": guest, "fallback": named})
    assert [one["channel"] for one in other["fallback"]] == ["email"]


async def test_whatsapp_is_for_who_wrote_there_or_where_a_template_may_be_sent(idle_stack: Engine) -> None:
    guest = await guest_of(idle_stack)
    await order(idle_stack, "whatsapp", "sms")
    await wrote(idle_stack)
    sent = await idle_stack.send({**SAID, "recipient": guest})
    assert (sent["channel"], sent["chosen"]["because"]["code"]) == ("whatsapp", "window_open")
    other = await guest_of(idle_stack, phone="+13055550177", email="other@example.com")
    assert (await idle_stack.send({**SAID, "recipient": other}))["channel"] == "sms"
    await with_first_contact(idle_stack)
    await order(idle_stack, "whatsapp", "sms")
    sent = await idle_stack.send({**SAID, "recipient": other})
    if sent["channel"] == "whatsapp":
        assert sent["chosen"]["because"]["code"] == "approved_template"


async def test_what_a_guest_wants_and_a_channel_can_carry_is_asked(idle_stack: Engine) -> None:
    guest = await guest_of(idle_stack)
    await order(idle_stack, "sms", "email")
    said = {"channel": "sms", "address": GUEST, "action": "opt_out", "reason": "asked at the desk"}
    assert (await idle_stack.http.post("/v1/consents", json=said)).status_code == 201
    body = {**SAID, "recipient": guest, "subject": "Your suite", "content": "<p>It is ready.</p>"}
    sent = await idle_stack.send({**body, "content_type": "text/html"})
    assert (sent["channel"], sent["recipient"], codes(sent)["sms"]) == ("email", MAIL, "opted_out")
    await order(idle_stack, "imessage")
    await idle_stack.rows("delete from senders where channel = 'imessage' returning id")
    refused = await idle_stack.http.post("/v1/messaging/send", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "no_channel")
    (wrong,) = refused.json()["detail"]
    assert (wrong["loc"], wrong["type"]) == (["body", "channel"], "no_channel")
    for channel in OPEN:
        assert f"{channel.value}: " in wrong["msg"]


@pytest.mark.parametrize(
    ("body", "place", "kind"),
    [
        ({**SAID, "recipient": GUEST}, "recipient", "recipient"),
        ({**SAID, "recipient": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3"}, "recipient", "unknown_guest"),
        ({"channel": "auto", "recipient": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3"}, "content", "content"),
    ],
)
async def test_auto_is_for_a_guest_of_the_property(
    idle_stack: Engine, body: dict[str, Any], place: str, kind: str
) -> None:
    answer = await idle_stack.http.post("/v1/messaging/send", json=body)
    assert [(one["loc"], one["type"]) for one in answer.json()["detail"]] == [(["body", place], kind)]


async def test_an_order_names_channels_each_once(idle_stack: Engine) -> None:
    (own,) = (await idle_stack.http.get("/v1/properties")).json()["data"]
    for wrong in ([], ["sms", "sms"], ["fax"], "sms", [1]):
        body = {"settings": {"channel_order": wrong}}
        answer = await idle_stack.http.patch(f"/v1/properties/{own['id']}", json=body)
        assert answer.status_code == 422, wrong
