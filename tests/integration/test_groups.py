"""Messages to groups through all of it: sent once, shown, refused, lost, and without a member who is erased."""

from __future__ import annotations

import asyncio
from typing import Any

from .engine import Engine, key

ONE, OTHER, THIRD = "+13055551234", "+13055555678", "+13055559012"
TEXT = "Your table is set at eight."


async def say(stack: Engine, *numbers: str, **more: Any) -> dict[str, Any]:
    body = {"channel": "imessage", "recipients": list(numbers), "content": TEXT, **more}
    return await stack.send(body)


async def kept(stack: Engine) -> list[dict[str, Any]]:
    return await stack.accepted(provider="sendblue")


async def test_it_is_one_message_to_all_of_them(stack: Engine) -> None:
    sent = await say(stack, ONE, OTHER)
    assert (sent["recipient"], sent["recipients"]) == (None, [ONE, OTHER])
    shown = await stack.until(sent["id"], "delivered")
    assert (shown["recipients"], shown["status"]) == ([ONE, OTHER], "delivered")
    (one,) = await kept(stack)
    assert one["detail"]["participants"][:2] == [ONE, OTHER]
    assert shown["group_id"] == one["detail"]["group_id"]
    points = await stack.rows("select address from contact_points order by address")
    assert [point["address"] for point in points] == [ONE, OTHER]


async def test_one_of_them_wants_none_and_it_goes_to_nobody(stack: Engine) -> None:
    out = {"channel": "sms", "address": OTHER, "action": "opt_out", "reason": "at the desk"}
    assert (await stack.http.post("/v1/consents", json=out)).status_code == 201
    sent = await say(stack, ONE, OTHER, THIRD)
    error = (await stack.until(sent["id"], "failed"))["metadata"]["error"]
    assert (error["code"], error["recipients_refused"]) == ("opted_out", 1)
    assert await kept(stack) == []
    assert await stack.attempts(sent["id"]) == []


async def test_a_lost_answer_is_found_and_makes_no_second_one(stack: Engine) -> None:
    stack.settings.delivery.settle_pauses = [0.2, 0.2]
    await stack.fault("callback_drop", provider="sendblue")
    await stack.fault("accept_then_reset", provider="sendblue")
    sent = await say(stack, ONE, OTHER)
    await stack.until(sent["id"], "sent", "delivered")
    assert len(await kept(stack)) == 1


async def test_what_cannot_be_found_is_unknown_and_never_repeated(stack: Engine) -> None:
    stack.settings.delivery.settle_pauses = [0.1, 0.1]
    await stack.fault("reset", provider="sendblue")
    sent = await say(stack, ONE, OTHER)
    failed = await stack.until(sent["id"], "failed")
    assert failed["metadata"]["error"]["code"] == "outcome_unknown"
    assert len(await stack.attempts(sent["id"])) == 1
    assert await kept(stack) == []


async def test_an_erased_member_is_taken_out_of_it(stack: Engine) -> None:
    """Of what went out the number goes, and the text stays the others'; what waits is cancelled."""
    guest = (await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": OTHER})).json()
    gone, waits = await say(stack, ONE, OTHER), await say(stack, ONE, OTHER, scheduled_at="2031-05-01T10:00:00Z")
    shown = await stack.until(gone["id"], "delivered")
    document = (await stack.http.get(f"/v1/guests/{guest['id']}/export")).json()
    assert TEXT in str(document) and ONE not in str(document), "of the others it tells nothing"
    assert (await stack.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    left = await stack.get(gone["id"])
    assert (left["recipients"], left["content"], left["group_id"]) == ([ONE], TEXT, shown["group_id"])
    assert (await stack.get(waits["id"]))["status"] == "cancelled"
    assert await stack.workflow_closed(waits["id"]) == "cancelled"
    rows = await stack.rows(
        "select m::text as said from messages m union all select g::text from message_groups g"
        " union all select r::text from receipts r union all select c::text from contact_points c"
    )
    assert rows and not any(OTHER.removeprefix("+") in row["said"] for row in rows)
    # The last of them goes as well: then nothing is left of it.
    other = (await stack.http.post("/v1/guests", json={"first_name": "Al", "last_name": "M", "phone": ONE})).json()
    assert (await stack.http.delete(f"/v1/guests/{other['id']}")).status_code == 204
    assert (await stack.http.get(f"/v1/messaging/{gone['id']}")).status_code == 404
    (row,) = await stack.rows("select * from messages where id = :id", id=key(gone["id"]))
    assert (row["content"], row["details"], row["recipient"]) == (None, None, None)
    assert await stack.rows("select * from message_groups where message_id = :id", id=key(gone["id"])) == []


async def test_what_is_wrong_with_it_is_said_and_nothing_is_kept(stack: Engine) -> None:
    async def refused(place: str, **body: Any) -> str:
        given = {"channel": "imessage", "content": TEXT, **body}
        answer = await stack.http.post("/v1/messaging/send", json=given)
        assert answer.status_code == 422, answer.text
        (problem,) = answer.json()["detail"]
        assert problem["loc"][1] == place, problem
        return str(problem["msg"])

    both = [ONE, OTHER]
    for channel in ("sms", "email", "whatsapp", "in_app", "push", "auto"):
        assert channel in await refused(
            "recipients", channel=channel, recipients=both, subject="S" if channel == "email" else None
        )
    assert "not both" in await refused("recipient", recipients=both, recipient=ONE)
    assert "each number once" in await refused("recipients", recipients=["+5215512345678", "+525512345678"])
    await refused("recipients", recipients=[ONE])
    await refused("recipients", recipients=[f"+1305555{n:04}" for n in range(26)])
    assert "E.164" in await refused("recipients", recipients=[ONE, "0305"])
    await refused("recipient")
    step = {"channel": "sms", "recipient": ONE}
    assert "group" in await refused("fallback", recipients=both, fallback=[step])
    await refused("fallback", recipient=ONE, fallback=[{"channel": "imessage", "recipients": both}])
    assert await stack.rows("select id from messages") == []


async def test_it_is_sent_again_to_all_of_them(stack: Engine) -> None:
    stack.settings.delivery.settle_pauses = [0.1, 0.1]
    await stack.fault("reset", provider="sendblue")
    failed = await stack.until((await say(stack, ONE, OTHER))["id"], "failed")
    again = await stack.http.post(f"/v1/messaging/{failed['id']}/resend", json={"reason": "asked them"})
    assert again.status_code == 201, again.text
    assert (await stack.until(again.json()["id"], "delivered"))["recipients"] == [ONE, OTHER]
    await asyncio.sleep(0.2)
    assert len(await kept(stack)) == 1
