"""Quiet hours and frequency caps of a property: what waits, what is refused, and what is said of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bellhop.domain.failures import error_object
from bellhop.domain.ids import Prefix, render
from bellhop.store.messages import outbound

from .engine import EMAIL, SMS, Engine, key

NEW_YORK = ZoneInfo("America/New_York")
MIAMI = "+1305555"
"""Of whose numbers the clock is New York's."""


async def rule(stack: Engine, **settings: Any) -> None:
    """Set them, and nothing else."""
    path = f"/v1/properties/{render(Prefix.PROPERTY, stack.scope.property_id)}"
    changed = await stack.http.patch(path, json={"settings": settings})
    assert changed.status_code == 200, changed.text


def around(zone: ZoneInfo, *, before: float = 1, after: float = 2) -> dict[str, Any]:
    """Quiet hours that began hours ago by the clock of a zone, and end some hours from now."""
    now = datetime.now(zone)
    begins, ends = (f"{now + timedelta(hours=by):%H:%M}" for by in (-before, after))
    return {"categories": ["marketing"], "from": begins, "to": ends}


async def waiting(stack: Engine, message: dict[str, Any]) -> dict[str, Any]:
    """The entry of its timeline that says so, once there is one."""
    async with asyncio.timeout(20):
        while True:
            shown = (await stack.http.get(f"/v1/messaging/{message['id']}/timeline")).json()["data"]
            if found := [entry for entry in shown if entry["what"] == "message.waiting"]:
                return dict(found[-1])
            await asyncio.sleep(0.05)


async def guest(stack: Engine, **fields: Any) -> str:
    made = await stack.http.post("/v1/guests", json={"first_name": "Ann", "last_name": "Doe", **fields})
    assert made.status_code in (200, 201), made.text
    return str(made.json()["id"])


async def wake(stack: Engine, message: dict[str, Any]) -> None:
    async with stack.database.begin() as tx:
        row = await outbound.get(tx, stack.scope, key(message["id"]))
    assert row is not None
    stack.dispatcher.woken(row)


async def test_marketing_waits_for_the_end_of_quiet_hours(stack: Engine) -> None:
    hours = around(NEW_YORK)
    await rule(stack, quiet_hours=[hours])
    offer = {**SMS, "category": "marketing"}
    kept = await stack.send({**offer, "recipient": MIAMI + "0701"})
    entry = await waiting(stack, kept)
    assert entry["detail"] == (
        f"waits until {hours['to']} in the guest's time zone (by the country or region of the guest's number), because "
        f"the property leaves guests alone there from {hours['from']} to {hours['to']}"
    )
    (row,) = await stack.rows("select due_at, waits_for, stage from messages")
    until = row["due_at"].astimezone(NEW_YORK)
    assert (f"{until:%H:%M}", row["waits_for"], row["stage"]) == (hours["to"], None, "queued")
    assert timedelta(hours=1.9) < until - datetime.now(UTC) < timedelta(hours=2.1)
    (event,) = await stack.rows("select facts from events where type = 'message.waiting'")
    assert "New_York" not in str(event["facts"]), "where a guest is, is theirs"
    # Whoever wakes it: it does not go out before.
    await wake(stack, kept)
    # By now that has been looked at.
    for goes_out in (
        {**SMS, "recipient": MIAMI + "0702"},
        {**offer, "recipient": MIAMI + "0703", "ignore_quiet_hours": True},
        {**offer, "recipient": "+819012345678"},  # where it is another hour
        {**SMS, "recipient": MIAMI + "0704", "category": "two_factor"},
    ):
        await stack.until((await stack.send(goes_out))["id"], "sent", "delivered")
    assert await stack.accepted(to=MIAMI + "0701") == []
    # Once they are over, or the property has none any more.
    await rule(stack, quiet_hours=[around(NEW_YORK, before=3, after=-1)])
    assert (await stack.http.patch(f"/v1/messaging/{kept['id']}", json={"scheduled_at": None})).status_code == 200
    await stack.until(kept["id"], "sent", "delivered")


async def test_by_whose_clock_it_is_quiet(stack: Engine) -> None:
    """In house it is the property's, else what the guest's profile says, else the number's, else the property's."""
    tokyo, utc = ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")
    today = datetime.now(UTC).date()
    ann = await guest(stack, timezone="Asia/Tokyo", phone=MIAMI + "0711")
    stay = {"source": "pms", "reservation": "1", "guests": [ann], "status": "in_house"}
    stay |= {"arrival": str(today - timedelta(days=2)), "departure": str(today + timedelta(days=2))}
    offer = {**SMS, "category": "marketing", "recipient": MIAMI + "0711", "guest_id": ann}

    async def by(zone: ZoneInfo, **fields: Any) -> str:
        await rule(stack, quiet_hours=[around(zone)])
        message = await stack.send({**offer, **fields})
        entry = await waiting(stack, message)
        await stack.http.post(f"/v1/messaging/{message['id']}/cancel")
        return str(entry["detail"]).partition("(")[2].partition(")")[0]

    assert await by(tokyo) == "as the guest's profile has it"
    assert await by(NEW_YORK, guest_id=None) == "by the country or region of the guest's number"
    unknown = "the property's, since nothing is known of the guest's own"
    assert await by(utc, guest_id=None, recipient="+61412345678") == unknown, "Australia has several"
    made = await stack.http.put("/v1/stays", json=stay)
    if made.status_code == 405:
        made = await stack.http.post("/v1/stays", json=stay)
    assert made.status_code in (200, 201), made.text
    assert await by(utc) == "the guest is in house"
    assert await by(utc, channel="in_app", recipient=ann) == "the guest is in house"


async def test_what_would_come_too_late_fails_at_once(stack: Engine) -> None:
    await rule(stack, quiet_hours=[around(NEW_YORK)])
    offer = {**SMS, "category": "marketing", "recipient": MIAMI + "0721"}
    failed = await stack.until((await stack.send({**offer, "validity": 3600}))["id"], "failed")
    assert failed["metadata"]["error"] == error_object("quiet_hours", None)
    # The next step is another channel, of which nothing of the kind was said.
    await rule(stack, quiet_hours=[{**around(NEW_YORK), "channels": ["sms"]}])
    mail = {"channel": "email", "recipient": "ann@example.com", "subject": "An offer"}
    followed = await stack.send({**offer, "validity": 3600, "fallback": [mail]})
    await stack.until(followed["id"], "sent", "delivered")
    assert await stack.accepted(to=MIAMI + "0721") == []


async def test_two_at_once_are_not_both_the_last_one_allowed(stack: Engine) -> None:
    """Whichever way they go."""
    await rule(stack, frequency_caps=[{"category": "marketing", "max": 2, "per": "P7D"}])
    ann, offer = await guest(stack), {"category": "marketing", "content": "An offer"}
    ways = (
        {**SMS, "recipient": MIAMI + "0731"},
        {**EMAIL, "recipient": "ann@example.com"},
        {"channel": "in_app", "recipient": ann},
        {**SMS, "recipient": MIAMI + "0732"},
        {**EMAIL, "recipient": "ann@example.org"},
        {"channel": "in_app", "recipient": ann},
    )
    sent = await asyncio.gather(*(stack.send({**way, **offer, "guest_id": ann}) for way in ways))
    ended = [await stack.until(one["id"], "sent", "delivered", "failed") for one in sent]
    refused = [shown for shown in ended if shown["status"] == "failed"]
    assert len(refused) == len(ways) - 2
    assert [shown["metadata"]["error"] for shown in refused] == [error_object("frequency_cap", None)] * len(refused)
    # Neither another guest's, nor another category, nor what is to go out all the same.
    for fields in (
        {"recipient": MIAMI + "0733", "guest_id": await guest(stack)},
        {"recipient": MIAMI + "0734", "guest_id": ann, "category": "transactional"},
        {"recipient": MIAMI + "0735", "guest_id": ann, "ignore_frequency_cap": True},
    ):
        await stack.until((await stack.send({**SMS, **offer, **fields}))["id"], "delivered")


async def test_what_went_out_long_ago_or_did_not_arrive_does_not_count(stack: Engine) -> None:
    await rule(stack, frequency_caps=[{"category": "marketing", "max": 1, "per": "P7D"}])
    offer = {**SMS, "category": "marketing", "recipient": MIAMI + "0741"}

    async def refused(**fields: Any) -> bool:
        return (await stack.until((await stack.send({**offer, **fields}))["id"], "delivered", "failed"))[
            "status"
        ] == "failed"

    assert not await refused(guest_id=await guest(stack))
    assert await refused(), "it is the same guest's, by the number"
    await stack.rows("update messages set sent_at = sent_at - interval '8 days' where sent_at is not null returning id")
    assert not await refused()
    await stack.rows("update messages set stage = 'undelivered' where stage = 'delivered' returning id")
    assert not await refused()
    assert await refused()


async def test_a_long_text_is_one_message_and_goes_out_whole(stack: Engine) -> None:
    await rule(stack, frequency_caps=[{"category": "marketing", "max": 1, "per": "PT1H"}])
    long = {**SMS, "category": "marketing", "recipient": MIAMI + "0751", "content": "An offer. " * 300}
    await stack.until((await stack.send(long))["id"], "sent", "delivered")
    assert len(await stack.accepted(to=MIAMI + "0751")) == 2
