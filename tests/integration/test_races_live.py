"""Cancel, reschedule and erasure at the very moment a message falls due, through the real API, worker and sandbox."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from .engine import SMS, Engine, key

MESSAGES = 30
SAYS_WHAT_HAPPENED = {"message_not_pending", "outcome_unknown"}


def number(place: int) -> str:
    """A receiver of each message's own."""
    return f"+130555508{place:02}"


def ahead(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def answered(stack: Engine, method: str, path: str, body: Callable[[], Any] | None = None) -> httpx2.Response:
    """What it answers, asked again as long as it says 503: a busy machine is not what is tested here."""
    async with asyncio.timeout(60):
        while True:
            answer = await stack.http.request(method, path, json=body() if body else None)
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.2)


async def sent(stack: Engine, body: Callable[[], Any]) -> dict[str, Any]:
    """Accepted, asked again as long as it says 503."""
    async with asyncio.timeout(60):
        while True:
            answer = await stack.http.post("/v1/messaging/send", json=body(), headers={"Prefer": "respond-async"})
            if answer.status_code != 503:
                assert answer.status_code == 201, answer.text
                return dict(answer.json())
            await asyncio.sleep(0.2)


Race = Callable[[dict[str, Any]], Awaitable[httpx2.Response]]


async def raced(stack: Engine, race: Race, **fields: Any) -> list[tuple[dict[str, Any], httpx2.Response]]:
    """Send messages due in a moment, and run `race` with each at just about that moment."""
    # Callbacks that a busy machine refused are made up for by asking.
    stack.settings.delivery.follow_at = [3.0, 6.0, 12.0]

    async def one(place: int) -> tuple[dict[str, Any], httpx2.Response]:
        pause = random.uniform(0.15, 0.6)
        message = await sent(stack, lambda: {**SMS, "recipient": number(place), "scheduled_at": ahead(pause), **fields})
        due = datetime.fromisoformat(message["scheduled_at"])
        # From well before to a little after: some win, some lose, some meet the call half way.
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() + random.uniform(-0.1, 0.35)))
        return message, await race(message)

    return await asyncio.gather(*(one(place) for place in range(MESSAGES)))


async def accepted(stack: Engine) -> dict[str, list[datetime]]:
    """When the sandbox accepted what, by receiver."""
    found: dict[str, list[datetime]] = {number(place): [] for place in range(MESSAGES)}
    for row in await stack.accepted(limit="1000"):
        found[row["to"]].append(datetime.fromisoformat(row["accepted_at"]))
    return found


async def test_cancelled_as_it_falls_due(stack: Engine) -> None:
    async def cancel(message: dict[str, Any]) -> httpx2.Response:
        return await answered(stack, "POST", f"/v1/messaging/{message['id']}/cancel")

    results = await raced(stack, cancel)
    for message, answer in results:
        if answer.status_code == 200:
            assert answer.json()["status"] == "cancelled"
            assert await stack.workflow_closed(message["id"]) == "cancelled"
        else:
            assert (answer.status_code, answer.json()["code"] in SAYS_WHAT_HAPPENED) == (409, True), answer.text
            await stack.until(message["id"], "delivered", seconds=30)
    had = await accepted(stack)
    for message, answer in results:
        copies = len(had[message["recipient"]])
        assert copies == (0 if answer.status_code == 200 else 1), (answer.text, copies)
        reported = await stack.events(message["id"])
        assert reported == (
            ["message.cancelled"] if answer.status_code == 200 else ["message.sent", "message.delivered"]
        )


async def test_moved_as_it_falls_due(stack: Engine) -> None:
    """200: it goes out at its new time and not before; 409: it went out at its old one. Once either way."""
    later = 3.0

    async def move(message: dict[str, Any]) -> httpx2.Response:
        return await answered(stack, "PATCH", f"/v1/messaging/{message['id']}", lambda: {"scheduled_at": ahead(later)})

    results = await raced(stack, move)
    for message, answer in results:
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"] in SAYS_WHAT_HAPPENED) == (409, True), answer.text
        await stack.until(message["id"], "delivered", seconds=30)
    had = await accepted(stack)
    for message, answer in results:
        (at,) = had[message["recipient"]]
        due = (answer.json() if answer.status_code == 200 else message)["scheduled_at"]
        assert at >= datetime.fromisoformat(due), "early"


async def test_erased_as_it_falls_due(stack: Engine) -> None:
    """204 each time: what had not gone out by then never does, and of the rest there is one copy."""

    async def erase(message: dict[str, Any]) -> httpx2.Response:
        return await answered(stack, "DELETE", f"/v1/guests/{message['guest_id']}")

    guests = []
    for place in range(MESSAGES):
        made = await stack.http.post(
            "/v1/guests", json={"first_name": "Ann", "last_name": "Doe", "phone": number(place)}
        )
        guests.append(made.json()["id"])
    results = []

    async def one(place: int) -> tuple[dict[str, Any], httpx2.Response, datetime]:
        due = ahead(random.uniform(0.15, 0.6))
        message = await sent(
            stack, lambda: {**SMS, "recipient": number(place), "scheduled_at": due, "guest_id": guests[place]}
        )
        left = (datetime.fromisoformat(due) - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(0.0, left + random.uniform(-0.1, 0.35)))
        answer = await erase(message)
        return message, answer, datetime.now(UTC)

    results = await asyncio.gather(*(one(place) for place in range(MESSAGES)))
    for message, answer, _ in results:
        assert answer.status_code == 204, answer.text
        assert (await stack.http.get(f"/v1/messaging/{message['id']}")).status_code == 404
    # Every call that was under way has been answered, and written down.
    async with asyncio.timeout(30):
        while await stack.rows("select 1 from attempts where state in ('in_flight', 'unknown')"):
            await asyncio.sleep(0.1)
    had = await accepted(stack)
    for message, _, _ in results:
        attempts = await stack.attempts(message["id"])
        assert len(had[message["recipient"]]) == len(attempts) <= 1
        (row,) = await stack.rows(
            "select stage, erased_at, recipient, content, metadata from messages where id = :id", id=key(message["id"])
        )
        assert row["erased_at"] is not None
        assert (row["recipient"], row["content"], row["metadata"]) == (None, None, {})
        assert (row["stage"] == "cancelled") == (not attempts)
        assert all((attempt["body"], attempt["error_text"]) == (None, None) for attempt in attempts)
