"""What Bellhop leans on is away for a while (Temporal, Postgres, a provider): nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import httpx2
import psutil

from bellhop.store.database import TIMEOUT
from tests.chaos.stack import LEASE, LiveStack


async def test_without_temporal_messages_are_accepted_and_sent_later(stack: LiveStack) -> None:
    """Temporal hangs rather than refuses: the worse way. What it was never told, recovery tells it; what was under
    way goes on."""
    await stack.fault("accept_then_slow", to="+13055558202", delay=2)
    await stack.fault("rate_limit", to="+13055558203", retry_after=0.5)
    under_way = [
        await stack.send(ahead=2),
        await stack.send("email"),
        await stack.send(to="+13055558203"),
        await stack.send(to="+13055558202"),
    ]
    await stack.calls_under_way(1)
    async with stack.paused("temporal"):
        sent = [await stack.send(channel) for channel in ("sms", "email")]
        # As most callers do it: wait for the provider.
        answer = await stack.api.post(
            "/v1/messaging/send", json={"channel": "sms", "recipient": "+13055551234", "content": "Waits in vain"}
        )
        assert answer.status_code == 201
        assert answer.json()["status"] == "queued"
        assert answer.elapsed.total_seconds() < 5
        ready = await stack.api.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["postgres"] is True
        assert ready.json()["temporal"] is False
        assert not [one for one in sent if await stack.copies(one)]
        # Beyond every RPC's own time-out: nothing that is still under way can deliver the news.
        await asyncio.sleep(6)
    for one in sent:
        assert one.status == "queued"
        assert one.took < 5
    for one in [*under_way, *sent]:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        await stack.once(one)


async def test_without_postgres_the_api_says_so_and_nothing_half_done_stays(stack: LiveStack) -> None:
    answers: list[httpx2.Response] = []

    async def knock(until: float) -> None:
        while time.monotonic() < until:
            answers.append(await stack.api.get("/v1/messaging", params={"limit": 1}))
            await asyncio.sleep(0.01)

    knocking = asyncio.create_task(knock(time.monotonic() + 4))
    await asyncio.sleep(0.1)
    victims = stack.kill("postgres")
    sent = await asyncio.gather(*(stack.send(channel) for channel in ("sms", "email", "sms")))
    await stack.back(victims)
    await knocking
    # However long PostgreSQL took: whoever calls once it is back is served.
    await knock(time.monotonic() + 0.5)
    closed = [answer for answer in answers if answer.status_code != 200]
    assert closed, "the kill made no difference"
    for answer in closed:
        assert answer.status_code == 503
        said = answer.json()
        assert said["code"] == "database_unavailable"
        assert "try again" in said["detail"]
        assert said["request_id"].startswith("req_")
        assert int(answer.headers["Retry-After"]) >= 1
    assert answers[-1].status_code == 200, "it recovers by itself"
    for one in sent:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        await stack.once(one)


async def test_providers_that_refuse_connections_cost_no_message(stack: LiveStack) -> None:
    await stack.fault("refuse", seconds=8)
    sent = [await stack.send(channel) for channel in ("sms", "email", "sms", "email")]
    for one in sent:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        await stack.once(one)
    assert "attempt.not_sent" in " ".join(await stack.timeline(sent[0])), "the outage came too late to matter"


async def test_providers_that_answer_429_or_503_cost_no_message(stack: LiveStack) -> None:
    """Both twice in a row, each for messages of its own; 503 as the providers themselves put it."""
    numbers = {"rate_limit": "+13055558001", "unavailable": "+13055558002"}
    for kind, number in numbers.items():
        await stack.fault(kind, count=2, to=number)
        await stack.fault(kind, count=2, to=f"guest-{kind}@example.org")
    sent = [await stack.send(to=number) for number in numbers.values()]
    sent += [await stack.send("email", to=f"guest-{kind}@example.org") for kind in numbers]
    for one in sent:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        await stack.once(one)
        assert " ".join(await stack.timeline(one)).count("attempt.started") > 2


async def test_an_account_at_fault_holds_its_messages_until_it_is_mended(stack: LiveStack) -> None:
    await stack.fault("auth", provider="twilio", count=10_000)
    texts = [await stack.send() for _ in range(4)]
    mail = await stack.send("email")
    assert (await stack.until(mail, "read"))["status"] == "read", "another account has nothing to do with it"
    async with asyncio.timeout(30):
        while not any(["attempt.not_sent" in " ".join(await stack.timeline(one)) for one in texts]):
            await asyncio.sleep(0.1)
    assert {(await stack.get(one))["status"] for one in texts} == {"queued"}, "held, and none failed"
    await stack.sandbox.delete("/_sandbox/faults")  # mended
    for one in texts:
        assert (await stack.until(one))["status"] == "delivered"
        await stack.once(one)


# --- frozen for longer than a lease, then going on as if nothing had been --------------------------------------------


async def test_a_frozen_api_answers_when_it_goes_on(stack: LiveStack) -> None:
    """Callers and providers wait or give up; what they repeat afterwards is done once."""
    await stack.fault("accept_then_slow", to="+13055558201", delay=1)
    before = [await stack.send(to="+13055558201"), await stack.send("email"), await stack.send(ahead=2)]
    async with stack.paused("api"):
        impatient = asyncio.create_task(stack.send())
        await asyncio.sleep(LEASE + 1)
    for one in [*before, await impatient]:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        await stack.once(one)


async def test_a_frozen_postgres_is_a_503_within_seconds_and_costs_nothing(stack: LiveStack) -> None:
    """All its processes stand still: connections are taken and nobody answers, no time limit of its own counts.

    Seen to fail when the API leaves its patience to the database: its readiness hangs for as long as that stands still.
    """
    await stack.fault("accept_then_slow", to="+13055558204", delay=2)
    sent = [await stack.send(ahead=2), await stack.send("email"), await stack.send(to="+13055558204")]
    await stack.calls_under_way(1)
    async with frozen(stack.embedded.process("postgres").pid):
        began = time.monotonic()
        hasty = asyncio.create_task(stack.send(patience=90))
        ready = await stack.api.get("/readyz")
        assert (ready.status_code, ready.json()["postgres"]) == (503, False)
        assert time.monotonic() - began < 8
        assert (await stack.api.get("/healthz")).status_code == 200
        began = time.monotonic()
        answer = await stack.api.get("/v1/messaging")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert time.monotonic() - began < TIMEOUT + 8
    for one in [*sent, await hasty]:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        await stack.once(one)


async def test_temporal_killed_while_messages_sleep_and_are_in_flight(stack: LiveStack) -> None:
    await stack.fault("accept_then_slow", to="+13055558205", delay=2)
    await stack.fault("hang", to="+13055558206")
    await stack.fault("rate_limit", to="+13055558207", retry_after=1)
    sent = [
        *[await stack.send(ahead=seconds) for seconds in (1, 2, 4)],
        await stack.send("email"),
        *[await stack.send(to=f"+1305555820{number}") for number in (7, 6, 5)],
    ]
    await stack.calls_under_way(2)
    victims = stack.kill("temporal")
    sent.append(await stack.send())
    await stack.back(victims)
    for one in sent:
        assert (await stack.until(one))["status"] in ("delivered", "read")
        assert datetime.fromisoformat((await stack.once(one))["accepted_at"]) >= one.due


@asynccontextmanager
async def frozen(pid: int) -> AsyncIterator[None]:
    """SIGSTOP a process and all it has started (PostgreSQL's children are sessions of their own), then SIGCONT."""
    parent = psutil.Process(pid)
    parent.suspend()
    family = [parent, *parent.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()
