"""WhatsApp through the whole engine: the window, first contacts, approved templates, and what is said late."""

from __future__ import annotations

from typing import Any

import pytest

from bellhop.domain.ids import Prefix, parse

from .engine import GUEST, Engine, working

OURS = "+15005550006"
FIRST, READY, PENDING, REJECTED, PAUSED = (f"HX{number:032d}" for number in range(1, 6))
FREE = {"channel": "whatsapp", "recipient": GUEST, "content": "Your suite is ready."}
FIRST_CONTACT = {
    "name": "first-contact",
    "locale": "en",
    "content": "A message from your hotel: {{ content }} Reply here to answer.",
    "whatsapp": {"content_sid": FIRST, "variables": {"1": "content"}},
}
SUITE = {
    "name": "suite-ready",
    "locale": "en",
    "content": "Hi {{ first_name }}, your {{ room.kind }} is ready for you.",
    "whatsapp": {"content_sid": READY, "variables": {"1": "first_name", "2": "room.kind"}},
}
USE = {"name": "suite-ready", "parameters": {"first_name": "Jo", "room": {"kind": "suite"}}}


async def wrote(stack: Engine, sender: str = GUEST, body: str = "Hello") -> None:
    said = {"from": f"whatsapp:{sender}", "to": f"whatsapp:{OURS}", "body": body}
    answer = await stack.sandbox.post("/_sandbox/inbound", json=said)
    assert answer.json()["status"] == 200, answer.text


async def refused(stack: Engine, body: dict[str, Any]) -> dict[str, Any]:
    answer = await stack.http.post("/v1/messaging/send", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "whatsapp_template_required"
    assert await stack.rows("select 1 from messages where direction = 'outbound'") == []
    return dict(answer.json()["detail"][0])


async def written(stack: Engine, template: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await stack.http.post("/v1/templates", json=template | fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def with_first_contact(stack: Engine) -> None:
    await written(stack, FIRST_CONTACT)
    (own,) = (await stack.http.get("/v1/properties")).json()["data"]
    changed = await stack.http.patch(
        f"/v1/properties/{own['id']}", json={"settings": {"whatsapp_first_contact": "first-contact"}}
    )
    assert changed.status_code == 200, changed.text


async def went_out(stack: Engine) -> list[tuple[str, str | None]]:
    """What the guest got, and as which template."""
    return [(row["content"], row["detail"]["content_sid"]) for row in await stack.accepted(to=f"whatsapp:{GUEST}")]


async def test_a_free_text_within_the_window(stack: Engine) -> None:
    assert (await refused(stack, FREE))["loc"] == ["body", "content"]
    await wrote(stack)
    sent = await stack.send(FREE)
    await stack.until(sent["id"], "read")
    assert await stack.events(sent["id"]) == ["message.sent", "message.delivered", "message.read"]
    assert await went_out(stack) == [(FREE["content"], None)]
    (inbound,) = await stack.rows("select * from messages where direction = 'inbound'")
    assert (inbound["channel"], inbound["sender"], inbound["recipient"]) == ("whatsapp", GUEST, OURS)
    # A text of theirs opens nothing: the window is WhatsApp's own.
    await stack.rows("update messages set channel = 'sms' where direction = 'inbound' returning 1")
    answer = await stack.http.post("/v1/messaging/send", json=FREE)
    assert answer.status_code == 422


async def test_a_first_contact_goes_out_as_the_propertys_template(stack: Engine) -> None:
    await with_first_contact(stack)
    sent = await stack.send(FREE)
    await stack.until(sent["id"], "read")
    said = "A message from your hotel: Your suite is ready. Reply here to answer."
    assert await went_out(stack) == [(said, FIRST)]
    assert sent["content"] == FREE["content"]
    (attempt,) = await stack.attempts(sent["id"])
    assert (attempt["content_sid"], attempt["body"]) == (FIRST, said)
    timeline = (await stack.http.get(f"/v1/messaging/{sent['id']}/timeline")).json()["data"]
    assert FIRST in {entry.get("content_sid") for entry in timeline}
    await wrote(stack)
    again = await stack.send(FREE)
    await stack.until(again["id"], "read")
    assert (await went_out(stack))[1] == (FREE["content"], None), "within the window as it is"


@pytest.mark.parametrize("content", ["Two\nlines", "x" * 1_000, "x" * 1_700])
async def test_what_a_first_contact_cannot_carry(stack: Engine, content: str) -> None:
    await with_first_contact(stack)
    assert (await refused(stack, FREE | {"content": content}))["loc"] == ["body", "content"]
    await wrote(stack)
    sent = await stack.send(FREE | {"content": content})
    await stack.until(sent["id"], "read")


async def test_a_file_does_not_go_out_as_a_template(stack: Engine) -> None:
    await with_first_contact(stack)
    await written(stack, SUITE)
    files = {"media": [{"url": "https://hotel.example/lobby.jpg"}]}
    for body in (FREE, {"channel": "whatsapp", "recipient": GUEST, "template": USE}):
        assert "file" in (await refused(stack, body | files))["msg"]


async def test_a_template_outside_the_window_and_as_text_within(stack: Engine) -> None:
    made = await written(stack, SUITE)
    assert (made["whatsapp"]["status"], made["whatsapp"]["problem"]) == ("approved", None)
    body = {"channel": "whatsapp", "recipient": GUEST, "template": USE}
    sent = await stack.send(body)
    await stack.until(sent["id"], "read")
    said = "Hi Jo, your suite is ready for you."
    assert await went_out(stack) == [(said, READY)]
    await wrote(stack)
    again = await stack.send(body)
    await stack.until(again["id"], "read")
    assert await went_out(stack) == [(said, READY), (said, None)]


@pytest.mark.parametrize(("sid", "status"), [(PENDING, "pending"), (REJECTED, "rejected"), (PAUSED, "paused"),
                                             ("HX" + "9" * 32, "missing")])  # fmt: skip
async def test_a_template_that_is_not_approved(stack: Engine, sid: str, status: str) -> None:
    fields = {"content": "Hi {{ name }}", "whatsapp": {"content_sid": sid, "variables": {"1": "name"}}}
    made = await written(stack, {"name": "hi", "locale": "en", **fields})
    assert (made["whatsapp"]["status"], status in made["whatsapp"]["problem"]) == (status, True)
    body = {"channel": "whatsapp", "recipient": GUEST, "template": {"name": "hi", "parameters": {"name": "Jo"}}}
    assert status in (await refused(stack, body))["msg"]


async def test_variables_are_compared_before_the_call(stack: Engine) -> None:
    mapped = {"content_sid": READY, "variables": {"1": "first_name"}}
    made = await written(stack, SUITE, whatsapp=mapped)
    assert "1, 2" in made["whatsapp"]["problem"]
    await refused(stack, {"channel": "whatsapp", "recipient": GUEST, "template": USE})
    for variables in {"1": "floor"}, {"a-b": "first_name"}:
        wrong = await stack.http.post("/v1/templates", json=SUITE | {"whatsapp": mapped | {"variables": variables}})
        assert wrong.status_code == 422
        assert wrong.json()["detail"][0]["loc"] == ["body", "whatsapp", "variables"]


async def test_a_message_for_later_is_decided_when_it_goes_out(idle_stack: Engine) -> None:
    stack = idle_stack
    later = await stack.send(FREE | {"scheduled_at": "2035-01-01T00:00:00Z"})
    moved = await stack.http.patch(f"/v1/messaging/{later['id']}", json={"scheduled_at": None})
    assert moved.status_code == 200, moved.text
    async with working(stack):
        failed = await stack.until(later["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "whatsapp_template_required"
    assert await stack.accepted() == []


async def test_what_whatsapp_says_late(stack: Engine) -> None:
    await wrote(stack, "+13055556016")
    sent = await stack.send(FREE | {"recipient": "+13055556016"})
    failed = await stack.until(sent["id"], "failed")
    error = failed["metadata"]["error"]
    assert (error["code"], error["provider_code"]) == ("whatsapp_template_required", "63016")


async def test_a_lost_answer_of_a_template_is_never_repeated(stack: Engine) -> None:
    await with_first_contact(stack)
    await stack.fault("accept_then_reset", provider="twilio")
    sent = await stack.send(FREE)
    await stack.until(sent["id"], "read")
    assert len(await went_out(stack)) == 1


async def test_approvals_are_read_again(stack: Engine) -> None:
    made = await written(stack, SUITE)
    await stack.rows("update content_templates set status = 'pending', asked_at = now() - interval '1 day' returning 1")
    path = f"/v1/templates/{made['id']}"
    assert (await stack.http.get(path)).json()["whatsapp"]["problem"] == "it is pending, not approved"
    again = await stack.http.post(f"{path}/refresh")
    assert (again.status_code, again.json()["whatsapp"]["status"]) == (200, "approved")
    await stack.fault("unavailable", provider="twilio", calls="lookup")
    assert (await stack.http.post(f"{path}/refresh")).json()["code"] == "provider_unavailable"
    plain = await written(stack, {"name": "plain", "locale": "en", "content": "Hi"})
    assert (await stack.http.post(f"/v1/templates/{plain['id']}/refresh")).status_code == 422
    assert plain["whatsapp"] is None


async def test_stop_on_whatsapp_binds(stack: Engine) -> None:
    await wrote(stack, body="STOP")
    sent = await stack.send(FREE)
    failed = await stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "opted_out"


USER = "US.1A2b3C4d5E6f"
"""As WhatsApp calls a guest who shows no number, to this hotel alone."""


async def test_a_guest_without_a_number_is_answered_on_the_same_id(stack: Engine) -> None:
    body = {**FREE, "recipient": USER}
    await refused(stack, body)
    await wrote(stack, USER)
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M"})).json()
    sent = await stack.send({**body, "guest_id": guest["id"]})
    await stack.until(sent["id"], "read")
    assert [one["content"] for one in await stack.accepted(to=f"whatsapp:{USER}")] == [FREE["content"]]
    await wrote(stack, USER, "Thank you")
    theirs = await stack.rows("select guest_id from messages where direction = 'inbound' order by id")
    assert [row["guest_id"] is not None for row in theirs] == [True, True]
    assert [row["guest_id"] == parse(Prefix.GUEST, guest["id"]) for row in theirs] == [False, True]
    assert {row["kind"] for row in await stack.rows("select kind from contact_points")} == {"whatsapp_user_id"}
    # Its id is no number to send an SMS to.
    further = {"channel": "sms", "content": "Your suite is ready."}
    answer = await stack.http.post("/v1/messaging/send", json={**body, "fallback": [further]})
    assert answer.status_code == 422 and answer.json()["detail"][0]["loc"][-1] == "recipient"
    for wrong in ("us.1A2b", "US.", "US.1A 2b", "USA.1", "US." + "a" * 129):
        answer = await stack.http.post("/v1/messaging/send", json={**body, "recipient": wrong})
        assert answer.status_code == 422, wrong
    assert (await stack.http.post("/v1/messaging/send", json={**body, "channel": "sms"})).status_code == 422


async def test_a_guest_without_a_number_is_obeyed_and_erased(stack: Engine) -> None:
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M"})).json()
    await wrote(stack, USER)
    sent = await stack.send({**FREE, "recipient": USER, "guest_id": guest["id"]})
    await stack.until(sent["id"], "read")
    await wrote(stack, USER, "STOP")
    asked = {"channel": "whatsapp", "address": USER}
    said = (await stack.http.get("/v1/consents", params=asked)).json()
    assert (said["allowed"], [one["kind"] for one in said["data"]]) == (False, ["whatsapp_user_id"])
    late = await stack.send({**FREE, "recipient": USER, "guest_id": guest["id"]})
    failed = await stack.until(late["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "opted_out"
    # One that nobody was found for keeps what it said for a while: not of a guest who is erased.
    await stack.rows("update receipts set message_id = null where word = 'inbound' returning 1")
    assert (await stack.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    for table in ("messages", "contact_points", "receipts", "attempts"):
        assert await stack.rows(f"select 1 from {table} kept where kept::text like '%{USER}%'") == [], table
    (kept,) = await stack.rows("select kind from consents")
    assert kept["kind"] == "whatsapp_user_id"


async def test_a_stop_gets_its_one_confirmation_and_nothing_else(stack: Engine) -> None:
    ann = "+13055550921"
    body = {"first_name": "Ann", "last_name": "Doe", "phone": ann, "language": "fr"}
    assert (await stack.http.post("/v1/guests", json=body)).status_code == 201
    await wrote(stack, ann, "Arrêt !")
    (answer,) = (await stack.http.get("/v1/messaging")).json()["data"]
    await stack.until(answer["id"], "delivered", "read")
    refused_ = await stack.send({**FREE, "recipient": ann})
    assert (await stack.until(refused_["id"], "failed"))["metadata"]["error"]["code"] == "opted_out"
    (got,) = await stack.accepted(to=f"whatsapp:{ann}")
    assert got["content"].startswith("Grand Sunset Resort : vous êtes désabonné")
