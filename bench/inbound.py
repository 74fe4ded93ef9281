"""`python -m bench.inbound`: many messages of guests, said again and out of order, to two API processes at once. Each
has to be stored once and reported once.

Starts a database and two API processes of its own and posts Twilio's signed callbacks to them, as Twilio would: some
again at once, some later, in any order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg
from twilio.request_validator import RequestValidator

from bellhop.dev import session
from bellhop.dev.console import Console
from bellhop.dev.free_ports import Ports
from bellhop.dev.prepare import prepare
from bellhop.dev.stack import EmbeddedStack
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.providers.twilio.accounts import FROM_NUMBER
from bench import crowd

DIRECTORY = Path(".bellhop") / "bench-inbound"
REPEATED, MOST_REPEATS = 0.5, 3
"""How many of the messages are said again, and how often at most."""
PATIENCE = 30.0
COUNTS = """
    select (select count(*) from messages where direction = 'inbound'),
      (select count(distinct content) from messages where direction = 'inbound'),
      (select count(*) from events where type = 'message.received'),
      (select count(distinct subject_id) from events where type = 'message.received'),
      (select count(*) from deliveries d join events e on e.id = d.event_id where e.type = 'message.received'),
      (select count(*) from receipts where word = 'inbound' and message_id is not null),
      (select count(*) from (select 1 from messages where direction = 'inbound'
        group by sender having count(distinct conversation_id) > 1) split)
"""


@dataclass(frozen=True)
class Counts:
    """What the record says afterwards. `split`: guests whose messages are in several conversations."""

    stored: int
    different: int
    events: int
    reported: int
    deliveries: int
    receipts: int
    split: int

    def wrong(self, count: int, endpoints: int) -> list[str]:
        """What is not as it has to be after so many messages."""
        wanted = Counts(count, count, count, count, count * endpoints, count, 0)
        pairs = ((name, getattr(self, name), getattr(wanted, name)) for name in vars(wanted))
        return [f"{name}: {found}, not {meant}" for name, found, meant in pairs if found != meant]


@dataclass(frozen=True)
class Server:
    """An API process. `public_url`: what it says its address is, which callbacks are signed for."""

    http: httpx2.AsyncClient
    public_url: str


def callbacks(count: int, chance: random.Random, recipient: str) -> list[dict[str, str]]:
    """Twilio's callbacks of so many messages of a tenth as many guests, each at least once, in any order."""
    forms: list[dict[str, str]] = []
    for number in range(count):
        form = {
            "MessageSid": f"SM{number:032x}",
            "From": f"+1305556{number % max(1, count // 10):04}",
            "To": recipient,
            "Body": f"Message {number}",
            "NumMedia": "0",
        }
        forms += [form] * (chance.randint(2, 1 + MOST_REPEATS) if chance.random() < REPEATED else 1)
    chance.shuffle(forms)
    return forms


async def post(
    servers: Sequence[Server], forms: Sequence[Mapping[str, str]], identity: str, token: str, at_a_time: int
) -> None:
    """Post each callback to one server or the other, until it is answered 2xx."""
    path, validator = f"/v1/receipts/twilio/{identity}/inbound", RequestValidator(token)

    async def one(number: int) -> None:
        until = time.monotonic() + PATIENCE
        for again in range(1_000):
            server = servers[(number + again) % len(servers)]
            signature = validator.compute_signature(server.public_url + path, dict(forms[number]))
            try:
                answer = await server.http.post(
                    path, data=dict(forms[number]), headers={"X-Twilio-Signature": signature}
                )
                if answer.is_success:
                    return
                said = f"answered {answer.status_code}: {answer.text[:200]}"
            except httpx2.HTTPError as problem:
                said = type(problem).__name__
            if time.monotonic() > until:
                raise RuntimeError(f"message {forms[number]['MessageSid']} was {said}")
            await asyncio.sleep(0.1)

    await crowd.saturate(len(forms), at_a_time, one)


async def measure(stack: EmbeddedStack, count: int, seed: int, console: Console) -> int:
    """Post them, compare the record with what was said, print the figures. 1: something is wrong."""
    assert stack.prepared is not None
    port = _free_port()
    environment = stack.env()
    account = default_accounts(secret_of(environment["BELLHOP_SECRET_KEY"]))["twilio"].env
    forms = callbacks(count, random.Random(seed), FROM_NUMBER)
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "api", "--host", "127.0.0.1", "--port", str(port), "--graceful", "2"),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        headers = {"Authorization": f"Bearer {stack.prepared.api_key}"}
        async with (
            httpx2.AsyncClient(base_url=stack.api_url, trust_env=False, timeout=60) as one,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as other,
            await psycopg.AsyncConnection.connect(stack.postgres_dsn, autocommit=True) as database,
        ):
            await _up(other)
            hook = {"url": f"{stack.sandbox_url}/nothing", "events": "message.received"}
            (await one.post("/v1/webhooks", json=hook, headers=headers)).raise_for_status()
            servers = [Server(one, stack.api_url), Server(other, stack.api_url)]
            began = time.perf_counter()
            with console.step(f"{len(forms)} callbacks of {count} messages, to two processes"):
                await post(servers, forms, account["TWILIO_ACCOUNT_SID"], account["TWILIO_AUTH_TOKEN"], 32)
            took = time.perf_counter() - began
            row = await (await database.execute(COUNTS)).fetchone()
        assert row is not None
        counts = Counts(*row)
    finally:
        second.terminate()
        await second.wait()
    wrong = counts.wrong(count, 1)
    figures = {"messages": count, "callbacks": len(forms), "a_second": round(len(forms) / took), **vars(counts)}
    console.say(json.dumps({**figures, "wrong": wrong}, indent=2))
    return 1 if wrong else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _up(http: httpx2.AsyncClient) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            (await http.get("/healthz")).raise_for_status()
            return
        except httpx2.HTTPError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


def main() -> int:
    """Exit code 0 when each message was stored once and reported once."""
    options = argparse.ArgumentParser(prog="python -m bench.inbound", description=__doc__)
    options.add_argument("--messages", type=int, default=10_000, help="of guests (default %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of their order and repeats (default %(default)s)")
    options.add_argument("--dir", type=Path, default=DIRECTORY, help="where its state goes (default %(default)s)")
    chosen = options.parse_args()
    shutil.rmtree(chosen.dir, ignore_errors=True)
    # Temporal is away: nothing that is tried here needs it.
    env = {**os.environ, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    console, parts = Console(), ("postgres", "sandbox", "api")
    stack = EmbeddedStack(chosen.dir, ports=Ports.any_free(), parts=parts, prepare=prepare, console=console, env=env)
    return session.run(stack, console, lambda stack: asyncio.run(measure(stack, chosen.messages, chosen.seed, console)))


if __name__ == "__main__":
    sys.exit(main())
