"""What a guest wants is found in what they write, apart from the message: once, told once, correctable, erased."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

from activities.intents import IntentActivities
from bellhop.domain.ids import Prefix, intents_workflow, parse
from bellhop.domain.intents import Detection, DetectorAway, IntentType
from bellhop.intents.built_in import BuiltInDetector
from bellhop.ops.seed import ensure_property
from bellhop.sandbox.testing import Receiver
from bellhop.store.access import keys
from bellhop.store.conversations.intent_record import IntentRecord

from .engine import GUEST, Engine

BOTH = "Hi, Jo here! Could we get a late checkout? And two more towels please."


async def writes(stack: Engine, body: str) -> UUID:
    """A guest's text, as a row's key."""
    said = await stack.sandbox.post("/_sandbox/inbound", json={"from": GUEST, "body": body})
    assert said.json()["status"] < 300, said.text
    (row,) = await stack.rows("select id from messages where content = :body order by id desc limit 1", body=body)
    return UUID(str(row["id"]))


async def listed(stack: Engine, count: int, **query: str) -> list[dict[str, Any]]:
    """Intents as the API lists them, once there are so many."""
    async with asyncio.timeout(20):
        while len(found := (await stack.http.get("/v1/intents", params=query)).json()["data"]) < count:
            await asyncio.sleep(0.05)
    assert len(found) == count
    return list(found)


async def guest(stack: Engine) -> str:
    made = await stack.http.post("/v1/guests", json={"first_name": "Jo", "last_name": "M", "phone": GUEST})
    return str(made.json()["id"])


class Away:
    """A detector that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    async def detect(self, text: str) -> Detection:
        self.asked += 1
        raise DetectorAway


async def test_what_a_guest_wants_is_listed_told_corrected_and_erased(stack: Engine) -> None:
    known = await guest(stack)
    with Receiver().open() as customer:
        await stack.http.post("/v1/webhooks", json={"url": f"{customer.url}/h", "events": "guest.intent.created"})
        await writes(stack, BOTH)
        found = {one["type"]: one for one in await listed(stack, 2)}
        await asyncio.to_thread(customer.wait, lambda all_: len(all_) >= 2, 20)
        events = [json.loads(one.body) for one in customer.received]
    assert set(found) == {"late_check_out", "housekeeping"}
    late = found["late_check_out"]
    assert (late["guest_id"], late["evidence"], late["status"], late["detector"]) == (
        known, "late checkout", "open", "built_in",
    )  # fmt: skip
    assert late["message_id"].startswith("imsg_") and late["conversation_id"].startswith("cvs_")
    assert {event["type"] for event in events} == {"guest.intent.created"}
    assert sorted((event["data"] for event in events), key=lambda one: one["id"]) == sorted(
        found.values(), key=lambda one: one["id"]
    )
    assert (await stack.http.get(f"/v1/intents/{late['id']}")).json() == late

    for query, count in (
        ({"type": "housekeeping"}, 1), ({"status": "done"}, 0), ({"guest_id": known}, 2), ({"limit": "1"}, 1),
        ({"message_id": late["message_id"]}, 2), ({"message_id": "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3"}, 0),
    ):  # fmt: skip
        await listed(stack, count, **query)
    done = await stack.http.patch(f"/v1/intents/{late['id']}", json={"status": "done", "type": "early_check_in"})
    assert (done.json()["status"], done.json()["type"]) == ("done", "early_check_in")
    assert done.json()["detected_type"] == "late_check_out"
    wrong = await stack.http.patch(f"/v1/intents/{late['id']}", json={"type": "a ship"})
    assert wrong.status_code == 422

    # Another environment's key sees none of it.
    async with stack.database.begin() as tx:
        scopes = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
        _, raw = await keys.create(tx, scopes["live"], "live", ["*"])
    live = {"Authorization": f"Bearer {raw}"}
    assert (await stack.http.get("/v1/intents", headers=live)).json()["total"] == 0
    for method in ("GET", "PATCH"):
        other = await stack.http.request(method, f"/v1/intents/{late['id']}", headers=live,
                                         json={"status": "wrong"} if method == "PATCH" else None)  # fmt: skip
        assert other.status_code == 404

    assert (await stack.http.delete(f"/v1/guests/{known}")).status_code == 204
    assert await stack.rows("select * from intents") == []
    message = parse(Prefix.INBOUND, late["message_id"])
    assert message is not None
    left = await stack.rows("select workflow_id from history_erasures")
    assert intents_workflow(message) in {row["workflow_id"] for row in left}


async def test_a_start_that_was_lost_is_found_and_a_repeat_writes_nothing(stack: Engine) -> None:
    await guest(stack)
    first = await writes(stack, BOTH)
    await listed(stack, 2)
    assert await stack.rows("select * from messages where wake_due_at is not null and direction = 'inbound'") == []
    again = IntentActivities(IntentRecord(stack.database, lambda _: None), BuiltInDetector(), BuiltInDetector(), 5)
    assert await again.detect(str(first)) == 0, "it was looked at"
    # As if a process had died before it told Temporal, and Temporal had lost what it had.
    lost = "update messages set wake_due_at = now() - interval '1 hour' where id = :id returning id"
    await stack.rows("delete from intents returning id")
    await stack.rows(lost, id=first)
    await stack.sweep()
    await listed(stack, 2)
    assert len(await stack.rows("select * from events where type = 'guest.intent.created'")) == 4
    history = await stack.client.get_workflow_handle(intents_workflow(first)).fetch_history()
    text = history.to_json()
    for word in ("checkout", "towels", "Jo here", GUEST):
        assert word not in text, "nothing of the guest's is in Temporal"


async def test_nothing_is_looked_for_where_it_is_switched_off_and_a_detector_that_is_away_is_replaced(
    idle_stack: Engine,
) -> None:
    known = await guest(idle_stack)
    away = Away()
    detecting = IntentActivities(
        IntentRecord(idle_stack.database, idle_stack.dispatcher.wake_endpoints), away, BuiltInDetector(), 5
    )
    pending = "select id from messages where direction = 'inbound' and wake_due_at is not null"
    message = await writes(idle_stack, BOTH)
    assert len(await idle_stack.rows(pending)) == 1
    assert await detecting.detect(str(message)) == 2
    assert (await detecting.detect(str(message)), away.asked) == (0, 1)
    kinds = await idle_stack.rows("select type from intents order by type")
    assert [row["type"] for row in kinds] == [IntentType.HOUSEKEEPING, IntentType.LATE_CHECK_OUT]

    (own,) = (await idle_stack.http.get("/v1/properties")).json()["data"]
    place = f"/v1/properties/{own['id']}"
    assert (await idle_stack.http.patch(place, json={"settings": {"detect_intents": "no"}})).status_code == 422
    off = await idle_stack.http.patch(place, json={"settings": {"detect_intents": False}})
    assert off.status_code == 200
    await writes(idle_stack, "Is there parking?")
    assert await idle_stack.rows(pending) == []
    await idle_stack.http.patch(place, json={"settings": {}})

    erased = await writes(idle_stack, "Where can I park?")
    assert (await idle_stack.http.delete(f"/v1/guests/{known}")).status_code == 204
    assert await idle_stack.rows(pending) == []
    assert await detecting.detect(str(erased)) == 0
    assert await idle_stack.rows("select * from intents") == []
