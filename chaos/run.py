"""The run: the storm as planned, everything put back in order, waiting until all is settled, the accounts compared."""

from __future__ import annotations

import asyncio
import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import aiohttp
from temporalio.client import Client

from bellhop.dev.console import Console, Step
from bellhop.dev.stack import EmbeddedStack
from chaos import provider_log, record
from chaos.accounts import Accounts
from chaos.apps import InboxApp
from chaos.checker import Verdict, check_accounts
from chaos.clients import Clients
from chaos.customers import NAMES, RELIABLE, Customers
from chaos.faults import KINDS, Fault, Track
from chaos.injector import Injector
from chaos.plan import Plan
from chaos.platform import Platform
from chaos.preparations import prepare

PATIENCE = 150.0
"""Seconds without any progress after the last fault: what is not settled then counts as it stands. SendGrid is asked
six times a minute, and an e-mail whose outcome is unknown three times: progress is seen every second minute then."""
LONGEST = 480.0
"""Seconds after the last fault, whatever the progress."""
LEAST_GAP = 2.0
"""Seconds between two faults of a track, however late they come."""
LONGEST_RISE = 20.0
"""Seconds, at most, that the next fault waits for what the last one brought down: how soon that is depends on the
machine. One in four faults is hard, and nobody waits."""
LATEST = 10.0
"""Seconds after its time from which a fault counts as late; and before the last one, for which there is a lull."""


@dataclass
class Outcome:
    """What a run came to."""

    plan: Plan
    accounts: Accounts
    verdict: Verdict
    played: Counter[str]
    storm: float
    """Seconds from the first message to the end of the last fault."""
    restored: float
    """time.time() at which every fault was over and every part up."""
    restoring: float
    """Seconds that took after the last fault."""
    settled: float
    """Seconds from there until the last thing changed."""
    tries: int
    unanswered: int
    posts: int
    skipped: Counter[str] = field(default_factory=Counter)
    load: float = 0.0
    """The machine's load average at the end."""
    timelines: dict[str, list[str]] = field(default_factory=dict)


class BufferingConsole(Console):
    """A console that keeps the supervisor's news (what was killed and starts again) for the log while it storms."""

    def __init__(self, out: TextIO | None = None) -> None:
        super().__init__(out)
        self.kept: list[str] = []
        self.storming = False

    def say(self, text: str) -> None:
        if self.storming and text.startswith(("! ", "  It keeps ending")):
            self.kept.append(f"{time.time():.3f} {text}")
        else:
            super().say(text)


async def chaos(stack: EmbeddedStack, plan: Plan, console: BufferingConsole) -> Outcome:
    """Play a plan on a started stack and compare the accounts."""
    log = _Log(stack.paths.logs / "chaos.log")
    async with (
        aiohttp.ClientSession() as http,
        Customers() as customers,
        Clients(stack, plan, customers.files) as clients,
        asyncio.TaskGroup() as group,
    ):
        await _subscribe(stack, customers, http)
        clients.prepared = await prepare(stack, plan, http)
        apps = [InboxApp(stack, http, guest) for guest in clients.prepared.apps]
        platform = Platform(http, stack.api_url, clients.prepared.ways)
        following = [group.create_task(app.run()) for app in apps]
        following.append(group.create_task(platform.run()))
        injector = Injector(stack, clients, customers, http, log)
        console.storming = True
        try:
            storm, last = await _storm(plan, clients, injector, console, log)
            with console.step("everything is put back in order"):
                await injector.restore()
            for app in apps:
                app.calm = True
            restored = time.time()
            with console.step("settling") as step:
                found, verdict = await _settle(stack, clients, customers, (apps, platform), http, step)
                found.forged, verdict = injector.forged, check_accounts(_with(found, injector.forged))
        finally:
            injector.resume()
            for task in following:
                task.cancel()
            console.storming = False
            log.lines(console.kept)
        settled = max((row.changed for row in found.rows), default=restored) - restored
        timelines = await _timelines(stack, found, verdict, http, restored)
        return Outcome(
            plan, found, verdict, injector.played, storm, restored, restored - last, max(0.0, settled),
            clients.tries + clients.others.tries, clients.unanswered + clients.others.unanswered, customers.posts,
            injector.skipped, os.getloadavg()[0], timelines,
        )  # fmt: skip


def _with(accounts: Accounts, forged: list[Any]) -> Accounts:
    accounts.forged = forged
    return accounts


class _Log:
    """What was played when, for whoever reads the parts' logs afterwards."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.latest = ""

    def __call__(self, text: str) -> None:
        self.latest = text
        self.lines([f"{time.time():.3f} {text}"])

    def lines(self, lines: list[str]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


async def _subscribe(stack: EmbeddedStack, customers: Customers, http: aiohttp.ClientSession) -> None:
    assert stack.prepared is not None
    headers = {"Authorization": f"Bearer {stack.prepared.api_key}"}
    for name, events in NAMES.items():
        body = {"url": customers.url(name), "events": events}
        async with http.post(f"{stack.api_url}/v1/webhooks", json=body, headers=headers) as answer:
            answer.raise_for_status()
            customers.secrets[name] = (await answer.json())["secret"]


# --- the storm --------------------------------------------------------------------------------------------------------


async def _storm(
    plan: Plan, clients: Clients, injector: Injector, console: Console, log: Callable[[str], None]
) -> tuple[float, float]:
    """Load and faults at once. Returns how long it took, and when the last fault ended (time.time())."""
    clients.began = time.time() + 0.5
    began = clients.began
    with console.step(f"a storm of {plan.seconds:.0f} s") as step:
        async with asyncio.TaskGroup() as group:
            group.create_task(clients.play())
            watch = asyncio.create_task(_watch(step, clients, injector, began))
            for track in Track:
                faults = [fault for fault in plan.faults if KINDS[fault.kind].track is track]
                group.create_task(_track(faults, injector, began))
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        step.label += f": {clients.accepted} messages accepted, {injector.played.total()} faults"
        step.detail = ""
    return time.time() - began, time.time()


async def _track(faults: list[Fault], injector: Injector, began: float) -> None:
    """One after the other. On a machine too slow for the plan those that come late are left out, unless they are the
    first of their kind, or the last of all: before that one there is a lull."""
    free = 0.0
    for fault in faults:
        # Late ones do not pile up: each falls on something that has begun to get up again.
        await asyncio.sleep(max(began + fault.at, free) - time.time())
        late = time.time() - began - fault.at > LATEST
        over = time.time() - began > faults[-1].at - LATEST
        if late and fault is not faults[-1] and (over or injector.played[fault.kind]):
            injector.skipped[fault.kind] += 1
        else:
            await injector.play(fault)
            if not fault.hard:
                await injector.wait_up(fault, LONGEST_RISE)
            free = time.time() + LEAST_GAP


async def _watch(step: Step, clients: Clients, injector: Injector, began: float) -> None:
    while True:
        await asyncio.sleep(0.5)
        step.note(
            f"{clients.accepted} accepted, {injector.played.total()} faults; {getattr(injector.say, 'latest', '')}"
        )


# --- afterwards -------------------------------------------------------------------------------------------------------


async def _settle(
    stack: EmbeddedStack,
    clients: Clients,
    customers: Customers,
    guests: tuple[list[InboxApp], Platform],
    http: aiohttp.ClientSession,
    step: Step,
) -> tuple[Accounts, Verdict]:
    """Wait until the accounts agree and nothing is under way. Without progress they are taken as they are."""
    best, over, end = math.inf, 0.0, time.monotonic() + LONGEST
    while True:
        left = {**await record.unsettled(stack.postgres_dsn, RELIABLE), "clients": clients.waiting()}
        left["reports of apps"] = sum(app.pending() for app in guests[0])
        left["on disk"] = len(list(stack.paths.spool.glob("*.entry")))
        step.note(", ".join(f"{count} {what}" for what, count in left.items() if count))
        if sum(left.values()) < best:
            best, over = sum(left.values()), min(end, time.monotonic() + PATIENCE)
        late = time.monotonic() >= over
        # A message that is `sent` may wait for a receipt that never comes: the checker knows.
        if late or not any(count for what, count in left.items() if what != "sent"):
            found = await _read(stack, clients, customers, guests, http)
            verdict = check_accounts(found)
            if late or not (verdict.findings or any(copy.busy for copy in found.copies)):
                step.label, step.detail = "settled" if not verdict.findings else "not settled", ""
                return found, verdict
        await asyncio.sleep(0.3)


async def _read(
    stack: EmbeddedStack,
    clients: Clients,
    customers: Customers,
    guests: tuple[list[InboxApp], Platform],
    http: aiohttp.ClientSession,
) -> Accounts:
    apps, platform = guests
    copies = await provider_log.read(http, stack.sandbox_url)
    inboxes = [await app.account() for app in apps]
    copies += [copy for _, found in inboxes for copy in found]
    copies += platform.account()
    listed = await clients.others.listed()
    rows = await record.read(stack.postgres_dsn, RELIABLE)
    exchanges = list(clients.exchanges.values())
    running = await _running(stack.temporal_address)
    texts = await record.texts(stack.postgres_dsn)
    return Accounts(
        exchanges, rows, copies, list(customers.received), RELIABLE, running=running,
        written=list(clients.written.values()), texts=tuple(token for token, _ in texts),
        conversations={token: conversation for token, conversation in texts if token},
        apps=[app for app, _ in inboxes], listed=listed,
        rejected=len(list((stack.paths.spool / "rejected").glob("*.entry"))),
    )  # fmt: skip


async def _running(address: str) -> frozenset[str]:
    client = await Client.connect(address)
    query = "WorkflowType = 'Message' AND ExecutionStatus = 'Running'"
    return frozenset([one.id async for one in client.list_workflows(query, page_size=1000)])


async def _timelines(
    stack: EmbeddedStack, accounts: Accounts, verdict: Verdict, http: aiohttp.ClientSession, restored: float
) -> dict[str, list[str]]:
    """Of the messages that somebody will want to look into: those with findings, and the slowest."""
    assert stack.prepared is not None
    bad = {finding.token for finding in verdict.findings}
    wanted = {
        message_id for exchange in accounts.exchanges if exchange.request.token in bad for message_id in exchange.ids
    }
    late = sorted((row for row in accounts.rows if row.changed > restored), key=lambda row: -row.changed)
    wanted |= {row.id for row in late[:5]}
    headers = {"Authorization": f"Bearer {stack.prepared.api_key}"}
    found: dict[str, list[str]] = {}
    for message in sorted(wanted)[:40]:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with http.get(f"{stack.api_url}/v1/messaging/{message}/timeline", headers=headers) as answer:
                entries = (await answer.json()).get("data", [])
                found[message] = [_entry(entry) for entry in entries]
    return found


def _entry(entry: dict[str, Any]) -> str:
    plain = {
        name: value for name, value in entry.items() if name not in ("at", "what", "event_id", "provider") and value
    }
    return f"{entry['at'][11:23]} {entry['what']} {json.dumps(plain) if plain else ''}".rstrip()
