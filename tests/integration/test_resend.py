"""A failed message is sent again as a new one that names it: once, by whom and why on record, policy asked anew."""

from __future__ import annotations

import asyncio
from typing import Any

from .engine import EMAIL, SMS, Engine, key

BAD = "+13055552211"
WHY = {"reason": "The number is right now"}


async def failed(stack: Engine, **fields: Any) -> str:
    """A message that the provider refuses."""
    message = str((await stack.send({**SMS, "recipient": BAD, **fields}))["id"])
    await stack.until(message, "failed")
    return message


async def resend(stack: Engine, message: str, **headers: str) -> Any:
    return await stack.http.post(f"/v1/messaging/{message}/resend", json=WHY, headers=headers)


async def mended(stack: Engine, message: str) -> None:
    """What was wrong with the number is not any more."""
    await stack.rows("update messages set recipient = '+13055551234' where id = :id returning id", id=key(message))


async def test_a_new_message_names_the_old_and_goes_out(stack: Engine) -> None:
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Mitchell"})).json()["id"]
    old = await failed(stack, guest_id=guest, metadata={"booking": "GSR-1"}, priority="urgent")
    assert (await stack.get(old))["resend_of"] is None
    await mended(stack, old)
    answer = await resend(stack, old)
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert new["id"] != old
    before = await stack.get(old)
    assert before["status"] == "failed", "the old one stays as it is"
    for name in ("channel", "recipient", "content", "subject", "guest_id", "priority", "category"):
        assert new[name] == before[name], name
    assert (new["resend_of"], new["metadata"], new["scheduled_at"]) == (old, {"booking": "GSR-1"}, None)
    await stack.until(new["id"], "delivered")
    entries = (await stack.http.get(f"/v1/messaging/{old}/timeline")).json()["data"]
    (done,) = [each for each in entries if each["what"] == "operator.resend"]
    assert done["actor"].startswith("key_")
    assert done["reason"] == WHY["reason"]
    entries = (await stack.http.get(f"/v1/messaging/{new['id']}/timeline")).json()["data"]
    assert old in entries[0]["detail"]


async def test_only_what_has_failed_and_only_once(stack: Engine) -> None:
    sent = (await stack.send(SMS))["id"]
    waits = (await stack.send({**SMS, "scheduled_at": "2031-05-01T10:00:00Z"}))["id"]
    await stack.until(sent, "delivered")
    for message in (sent, waits):
        answer = await resend(stack, message)
        assert (answer.status_code, answer.json()["code"]) == (409, "message_not_failed"), message
    old = await failed(stack)
    answers = await asyncio.gather(*(resend(stack, old) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    made = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    refusal = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refusal["code"] == "message_resent"
    assert made in refusal["detail"]
    # The same number is refused again: then it may be tried once more, and so may the new one.
    await stack.until(made, "failed")
    assert (await resend(stack, old)).status_code == 201
    assert (await resend(stack, made)).status_code == 201


async def test_the_same_key_makes_nothing_twice(stack: Engine) -> None:
    old, other = await failed(stack), await failed(stack)
    first = await resend(stack, old, **{"Idempotency-Key": "again"})
    await stack.until(first.json()["id"], "failed")
    second = await resend(stack, old, **{"Idempotency-Key": "again"})
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    third = await resend(stack, other, **{"Idempotency-Key": "again"})
    assert (third.status_code, third.json()["code"]) == (409, "idempotency_key_reused")


async def test_what_the_address_allows_is_asked_anew(stack: Engine) -> None:
    old = await failed(stack)
    said = {"channel": "sms", "address": BAD, "action": "opt_out", "reason": "asked at the desk"}
    assert (await stack.http.post("/v1/consents", json=said)).status_code == 201
    new = (await resend(stack, old)).json()["id"]
    shown = await stack.until(new, "failed")
    assert shown["metadata"]["error"]["code"] == "opted_out"
    assert await stack.attempts(new) == []


async def test_what_was_erased_is_not_there_and_its_reason_is_gone(stack: Engine) -> None:
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jordan", "last_name": "Mitchell"})).json()["id"]
    old = await failed(stack, guest_id=guest)
    assert (await resend(stack, old)).status_code == 201
    assert (await stack.http.delete(f"/v1/guests/{guest}")).status_code == 204
    assert (await resend(stack, old)).status_code == 404
    (left,) = await stack.rows("select action, actor, reason from operator_actions")
    assert left["action"] == "resend"
    assert left["actor"].startswith("key_")
    assert left["reason"] is None


async def test_a_mail_is_as_it_was_written(stack: Engine) -> None:
    text = {**EMAIL, "content": "a<b and <b>c</b>", "content_type": "text/plain", "recipient": "jordan@example.com"}
    old = (await stack.send(text))["id"]
    await stack.rows("update messages set stage = 'gave_up' where id = :id returning id", id=key(old))
    new = (await resend(stack, old)).json()["id"]
    rows = await stack.rows(
        "select content, content_type, subject from messages where id in (:a, :b)", a=key(old), b=key(new)
    )
    assert rows[0] == rows[1]


async def test_a_reason_is_needed(stack: Engine) -> None:
    old = await failed(stack)
    for body in ({}, {"reason": "  "}, {"reason": "x", "more": 1}):
        assert (await stack.http.post(f"/v1/messaging/{old}/resend", json=body)).status_code == 422
