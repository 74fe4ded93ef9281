"""Broadcasts: counted beforehand, given to each guest once whoever dies, paused, resumed, withdrawn, and forgotten."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, parse
from bellhop.engine.broadcast_feed import BroadcastFeeder
from bellhop.settings import Settings
from tests.integration.conftest_api import Api, open_api
from tests.integration.engine import Engine

OFFER = {"channel": "sms", "content": "Wine tasting on Friday at 6."}
NIGHT = {"categories": ["marketing"], "from": "00:00", "to": "23:59"}


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def guests(api: Api, count: int) -> list[str]:
    made = [
        await api.guest(email=f"guest{number}@example.com", phone=f"+1305555{number:04}", first_name=f"G{number}")
        for number in range(1000, 1000 + count)
    ]
    return [str(one["id"]) for one in made]


async def create(api: Api, to: dict[str, Any], message: dict[str, Any] = OFFER, **fields: Any) -> dict[str, Any]:
    body = {"name": "Wine tasting", "message": message, "to": to, "pace": 50, **fields}
    answer = await api.http.post("/v1/broadcasts", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def post(api: Api, made: dict[str, Any], verb: str, expect: int = 200, **body: Any) -> dict[str, Any]:
    answer = await api.http.post(f"/v1/broadcasts/{made['id']}/{verb}", json=body if verb == "start" else None)
    assert answer.status_code == expect, answer.text
    return dict(answer.json())


async def shown(api: Api, made: dict[str, Any]) -> dict[str, Any]:
    return dict((await api.http.get(f"/v1/broadcasts/{made['id']}")).json())


def key(made: dict[str, Any]) -> UUID:
    found = parse(Prefix.BROADCAST, made["id"])
    assert found is not None
    return found


async def feed(api: Api, made: dict[str, Any], steps: int = 50) -> None:
    """What the activity does, without its waiting."""
    feeder = BroadcastFeeder(api.app.state.services.engine)
    for _ in range(steps):
        if await feeder.feed(key(made)) is None:
            return


async def test_preview_counts_who_would_get_it_and_who_not(api: Api) -> None:
    ids = await guests(api, 5)
    nowhere = (await api.guest(email="no@example.com", phone=None))["id"]
    odd = (await api.guest(email="odd@example.com", phone="ask at the desk"))["id"]
    twin = (await api.guest(email="twin@example.com", phone="+13055551000"))["id"]
    for number, guest in ((1, ids[1]), (2, ids[2])):
        said = {"channel": "sms", "address": f"+1305555100{number}", "action": "opt_out", "reason": "said so"}
        assert (await api.http.post("/v1/consents", json=said)).status_code in (200, 201), guest
    caps = {"settings": {"frequency_caps": [{"category": "marketing", "max": 1, "per": "P7D"}]}}
    property_id = (await api.http.get("/v1/properties")).json()["data"][0]["id"]
    assert (await api.http.patch(f"/v1/properties/{property_id}", json=caps)).status_code == 200
    had = (await api.send(recipient="+13055551003", category="marketing")).json()
    await api.sql(
        "update messages set sent_at = now(), stage = 'sent' where id = :id", id=parse(Prefix.MESSAGE, had["id"])
    )
    everybody = [*ids, nowhere, odd, twin, ids[0], "gst_01m7y9ww09fpfsjyxvxv8v45j6"]
    by_list = await create(api, {"guests": everybody})
    preview = (await api.http.get(f"/v1/broadcasts/{by_list['id']}/preview")).json()
    unknown = {"unknown_guest": 1, "duplicate": 2}
    refused = {"opted_out": 2, "frequency_cap": 1, "no_address": 1, "invalid_address": 1}
    assert (preview["sends"], preview["refused"]) == (2, refused | unknown)
    assert preview["example"]["content"] == OFFER["content"]
    assert preview["example"]["category"] == "marketing"
    assert preview["problem"] is None
    by_filter = await create(api, {"filter": {"search": "G10"}})
    preview = (await api.http.get(f"/v1/broadcasts/{by_filter['id']}/preview")).json()
    assert (preview["sends"], preview["refused"]) == (2, {"opted_out": 2, "frequency_cap": 1})
    by_address = await create(api, {"recipients": ["+13055559999", "+1 305 555 9999", "nobody"]})
    preview = (await api.http.get(f"/v1/broadcasts/{by_address['id']}/preview")).json()
    assert preview["sends"] + sum(preview["refused"].values()) == 3
    assert preview["refused"]["invalid_address"] >= 1
    none = await create(api, {"guests": ids}, {"channel": "sms", "template": {"name": "none"}})
    preview = (await api.http.get(f"/v1/broadcasts/{none['id']}/preview")).json()
    assert preview["problem"]["code"] == "unknown_template"
    assert await api.rows("messages") == 1, "nothing of what was tried is there"


async def test_filters_mean_guests_by_stay_and_language(api: Api) -> None:
    ids = await guests(api, 4)
    for number, (guest, status, language) in enumerate(
        zip(ids, ("in_house", "booked", "in_house", "departed"), ("en", "en", "de-AT", "de"), strict=True)
    ):
        stay = {
            "source": "pms", "reservation": f"R{number}", "guests": [guest], "status": status,
            "arrival": "2027-03-15", "departure": f"2027-03-1{number + 6}",
        }  # fmt: skip
        assert (await api.http.post("/v1/stays", json=stay)).status_code == 201
        assert (await api.http.patch(f"/v1/guests/{guest}", json={"language": language})).status_code == 200
    for which, count in (
        ({"stay_status": ["in_house"]}, 2),
        ({"stay_status": ["in_house", "booked"], "languages": ["en"]}, 2),
        ({"languages": ["de"]}, 2),
        ({"first": "2027-03-18"}, 2),
        ({"last": "2027-03-14"}, 0),
        ({}, 4),
    ):
        made = await create(api, {"filter": which})
        preview = (await api.http.get(f"/v1/broadcasts/{made['id']}/preview")).json()
        assert preview["sends"] == count, which
    inactive = {"is_active": False}
    assert (await api.http.patch(f"/v1/guests/{ids[0]}", json=inactive)).status_code in (200, 422)


async def test_whoever_is_killed_nobody_is_left_out_and_nobody_gets_it_twice(api: Api) -> None:
    """Several go on with it at once and are cut off at any moment, again and again."""
    ids = await guests(api, 60)
    made = await create(api, {"filter": {"search": "G10"}})
    assert (await post(api, made, "start"))["state"] == "scheduled"
    feeder, dice = BroadcastFeeder(api.app.state.services.engine), random.Random(7)

    async def cut_off() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(dice.uniform(0.001, 0.08)):
                await feeder.feed(key(made))

    for _ in range(12):
        await asyncio.gather(cut_off(), cut_off())
    await feed(api, made)
    found = await shown(api, made)
    assert found["state"] == "finished"
    assert found["progress"] == {
        "recipients": 60, "pending": 0, "accepted": 60, "refused": {},
        "messages": {"queued": 60, "sent": 0, "delivered": 0, "read": 0, "failed": 0, "cancelled": 0},
    }  # fmt: skip
    got = await api.sql("select guest_id, count(*), min(priority), min(category) from messages group by guest_id")
    assert {(row[1], row[2], row[3]) for row in got} == {(1, "bulk", "marketing")}
    assert len(got) == len(ids)


async def test_what_became_of_each_recipient_is_listed(api: Api) -> None:
    ids = await guests(api, 5)
    nowhere = (await api.guest(email="no@example.com", phone=None))["id"]
    made = await create(api, {"guests": [*ids, nowhere]})
    path = f"/v1/broadcasts/{made['id']}/recipients"

    async def listed(**which: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = await api.http.get(path, params={"limit": 2, **which})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["data"]
            if page["next_cursor"] is None:
                return found
            which["cursor"] = page["next_cursor"]

    assert [(one["guest_id"], one["outcome"]) for one in await listed()] == [
        (guest, "pending") for guest in (nowhere, *reversed(ids))
    ]
    await post(api, made, "start")
    await feed(api, made)
    there = {one["guest_id"]: one for one in await listed()}
    assert (there[nowhere]["outcome"], there[nowhere]["reason"]) == ("refused", "no_address")
    assert {there[guest]["outcome"] for guest in ids} == {"queued"}
    for guest, change in (
        (ids[0], "stage = 'gave_up', decision = 'gave_up', failure_code = 'opted_out'"),
        (ids[1], "stage = 'undelivered', failure_code = 'undelivered', sent_at = now()"),
        (ids[2], "stage = 'read', sent_at = now()"),
        # It goes on to its next way: it was sent.
        (ids[3], "sent_at = now()"),
    ):
        message = parse(Prefix.MESSAGE, there[guest]["message_id"])
        await api.sql(f"update messages set {change} where id = :id", id=message)
    failed = {one["guest_id"]: one["reason"] for one in await listed(outcome="failed")}
    assert failed == {ids[0]: "opted_out", ids[1]: "undelivered"}
    words = ("pending", "refused", "queued", "sent", "delivered", "read", "cancelled", "accepted")
    by_outcome = {word: [one["guest_id"] for one in await listed(outcome=word)] for word in words}
    assert by_outcome == {
        "pending": [], "refused": [nowhere], "queued": [ids[4]], "sent": [ids[3]], "delivered": [], "read": [ids[2]],
        "cancelled": [], "accepted": [],
    }  # fmt: skip
    progress = (await shown(api, made))["progress"]
    assert progress["messages"] == {word: len(by_outcome.get(word, failed)) for word in progress["messages"]}
    assert (await api.http.get(path, params={"outcome": "lost"})).status_code == 422
    assert (await api.http.get(path, params={"outcome": "failed"})).json()["total"] == 2


async def test_paused_resumed_cancelled_and_withdrawn(api: Api) -> None:
    ids = await guests(api, 6)
    made = await create(api, {"guests": ids}, OFFER | {"metadata": {"offer": "wine"}}, pace=1)
    await post(api, made, "resume", expect=409)
    later = await post(api, made, "start", at="2030-01-01T09:00:00Z")
    assert (later["state"], later["scheduled_at"]) == ("scheduled", "2030-01-01T09:00:00.000000Z")
    await feed(api, made, 1)
    assert (await shown(api, made))["state"] == "scheduled"
    await post(api, made, "pause")
    assert (await post(api, made, "resume"))["scheduled_at"] == "2030-01-01T09:00:00.000000Z"
    await post(api, made, "start")
    await feed(api, made, 2)
    for _ in range(2):
        assert (await post(api, made, "pause"))["state"] == "paused"
    await feed(api, made)
    found = await shown(api, made)
    assert (found["progress"]["accepted"], found["progress"]["pending"]) == (2, 4)
    await post(api, made, "start", expect=409)
    assert (await post(api, made, "resume"))["state"] == "running"
    await feed(api, made, 1)
    await api.sql(
        "update messages set stage = 'sent', sent_at = now() where id = (select min(id::text)::uuid from messages)"
    )
    assert (await post(api, made, "cancel"))["state"] == "cancelled"
    await feed(api, made)
    found = await shown(api, made)
    assert (found["progress"]["messages"]["cancelled"], found["progress"]["messages"]["sent"]) == (3, 1)
    assert found["progress"]["pending"] == 2
    await post(api, made, "resume", expect=409)
    assert (await post(api, made, "cancel"))["state"] == "cancelled"


async def test_what_is_wrong_with_the_property_is_no_recipients_fault(api: Api) -> None:
    ids = await guests(api, 3)
    made = await create(api, {"guests": ids})
    await post(api, made, "start")
    await api.sql("update senders set channel = 'imessage' where address = '+15005550006' and channel = 'sms'")
    await feed(api, made)
    found = await shown(api, made)
    assert (found["state"], found["problem"], found["progress"]["pending"]) == ("paused", "channel_unavailable", 3)
    await api.sql("update senders set channel = 'sms' where address = '+15005550006' and channel = 'imessage'")
    assert (await post(api, made, "resume"))["problem"] is None
    await feed(api, made)
    assert (await shown(api, made))["progress"]["accepted"] == 3


async def test_it_waits_while_many_of_the_property_wait_in_line(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellhop.engine.broadcast_feed.IN_LINE", 2)
    ids = await guests(api, 3)
    made = await create(api, {"guests": ids})
    await post(api, made, "start")
    for _ in range(2):
        await api.send()
    await api.sql("update messages set waits_for = 'paced', parked_at = now()")
    await feed(api, made, 4)
    assert (await shown(api, made))["progress"]["accepted"] == 0
    await api.sql("update messages set waits_for = null, parked_at = null")
    await feed(api, made)
    assert (await shown(api, made))["progress"]["accepted"] == 3


async def test_erased_guests_are_taken_out_and_neighbours_see_nothing(api: Api) -> None:
    ids = await guests(api, 3)
    made = await create(api, {"guests": ids})
    neighbour = await api.neighbour()
    for method, path, body in (
        ("GET", "", None), ("GET", "/preview", None), ("GET", "/recipients", None), ("POST", "/start", {}),
        ("POST", "/pause", None), ("POST", "/resume", None), ("POST", "/cancel", None),
    ):  # fmt: skip
        answer = await api.http.request(method, f"/v1/broadcasts/{made['id']}{path}", json=body, headers=neighbour)
        assert answer.status_code == 404, (path, answer.text)
    assert (await api.http.get("/v1/broadcasts", headers=neighbour)).json()["data"] == []
    theirs = await api.http.post(
        "/v1/broadcasts", json={"name": "x", "message": OFFER, "to": {"guests": ids}}, headers=neighbour
    )
    progress = (await api.http.get(f"/v1/broadcasts/{theirs.json()['id']}", headers=neighbour)).json()["progress"]
    assert progress["refused"] == {"unknown_guest": 3}
    assert (await api.http.delete(f"/v1/guests/{ids[0]}")).status_code == 204
    await post(api, made, "start")
    await feed(api, made)
    assert (await shown(api, made))["progress"]["recipients"] == 2
    kept = await api.sql(
        "select count(*) from broadcast_recipients where guest_id = :id", id=parse(Prefix.GUEST, ids[0])
    )
    assert kept[0][0] == 0


async def test_bad_ones_are_refused_by_field(api: Api) -> None:
    for fields, place in (
        ({"message": OFFER | {"recipient": "+13055551234"}}, "message"),
        ({"message": {"channel": "sms"}}, "message"),
        ({"message": {"channel": "email", "content": "x"}}, "message"),
        ({"to": {}}, "to"),
        ({"to": {"filter": {}, "guests": ["gst_01m7y9ww09fpfsjyxvxv8v45j6"]}}, "to"),
        ({"to": {"recipients": ["x"]}, "message": {"channel": "in_app", "content": "x"}}, "to"),
        ({"pace": 0}, "pace"),
        ({"name": ""}, "name"),
    ):
        body = {"name": "x", "message": OFFER, "to": {"filter": {}}} | fields
        answer = await api.http.post("/v1/broadcasts", json=body)
        assert answer.status_code == 422, (fields, answer.text)
        assert answer.json()["detail"][0]["loc"][1] == place, answer.text
    assert await api.rows("broadcasts") == 0


async def test_it_goes_out_by_itself(stack: Engine) -> None:
    """On the running stack: its workflow begins it, its messages are delivered."""
    made = []
    for number in range(3):
        body = {"first_name": f"Wine{number}", "last_name": "Guest", "phone": f"+1305556{number:04}"}
        made.append((await stack.http.post("/v1/guests", json=body)).json()["id"])
    message = {"channel": "sms", "content": "Wine tasting on Friday at 6."}
    broadcast = {"name": "Wine", "message": message, "to": {"guests": made}, "pace": 50}
    created = (await stack.http.post("/v1/broadcasts", json=broadcast)).json()
    started = await stack.http.post(f"/v1/broadcasts/{created['id']}/start", json={})
    assert started.status_code == 200, started.text
    async with asyncio.timeout(30):
        while True:
            found = (await stack.http.get(f"/v1/broadcasts/{created['id']}")).json()
            if found["state"] == "finished" and found["progress"]["messages"]["delivered"] == 3:
                break
            await asyncio.sleep(0.1)
