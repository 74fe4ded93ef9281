"""The magic recipients: both tables walked row by row, and the ordinary recipients beside them."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import phonenumbers
import pytest

from bellhop.sandbox import faults
from bellhop.sandbox.magic import FAULTS, Magic, MagicTable
from bellhop.sandbox.providers import simulators
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import ReceivedCall, Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

TWILIO, SENDGRID = simulators()["twilio"].magic, simulators()["sendgrid"].magic
QUICK = Settings(
    twilio_sent_after=0.2,
    twilio_delivered_after=0.5,
    sendgrid_processed_after=0.2,
    sendgrid_delivered_after=0.5,
    sendgrid_open_after=0.8,
    sendgrid_batch_window=0.01,
)
SMS, MAIL = ["sent", "delivered"], ["processed", "delivered", "open"]

# What a fault's sender is answered (None: nothing), and whether the message was accepted. The slow ones are answered
# as usual in the end.
ENDS: dict[str, tuple[int | None, bool]] = {
    "rate_limit": (429, False),
    "unavailable": (503, False),
    "hang": (None, False),
    "reset": (None, False),
    "accept_then_error": (500, True),
    "accept_then_hang": (None, True),
    "accept_then_reset": (None, True),
}
# What callback faults make of two words, in the order they come. Late ones (`LATE` seconds) are not counted.
REPORTED = {"callback_drop": 0, "callback_repeat": 3, "callback_delay": 0, "callback_reorder": 1}
LATE = 10
SLOW = 2.9  # seconds, but for the clocks


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver) -> Iterator[str]:
    with running(settings=QUICK.model_copy(update={"sendgrid_event_url": f"{receiver.url}/events"})) as url:
        yield url


@pytest.fixture
async def http(sandbox: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=sandbox, timeout=30) as http:
        yield http


def lookup(to: str) -> Magic | None:
    return (SENDGRID if "@" in to else TWILIO).lookup(to)


def _patience(to: str) -> float:
    """Seconds to wait for an answer: few only where none will ever come."""
    row = lookup(to)
    return 3.0 if row and (row.fault or "").endswith("hang") else 30.0


async def _text(http: httpx2.AsyncClient, to: str, callback: str) -> int | None:
    try:
        answer = await http.post(
            f"/2010-04-01/Accounts/{sandbox_twilio.ACCOUNT_SID}/Messages.json",
            data={"To": to, "From": sandbox_twilio.FROM_NUMBER, "Body": "Hi", "StatusCallback": callback},
            auth=(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN),
            timeout=_patience(to),
        )
    except httpx2.TransportError:
        return None
    return answer.json()["code"] if answer.status_code == 400 else answer.status_code


async def _write(http: httpx2.AsyncClient, to: str) -> int | None:
    body = {
        "personalizations": [{"to": [{"email": to}]}],
        "from": {"email": sandbox_sendgrid.FROM_EMAIL},
        "subject": "Hi",
        "content": [{"type": "text/html", "value": "Hi"}],
    }
    try:
        answer = await http.post(
            "/v3/mail/send",
            json=body,
            headers={"Authorization": f"Bearer {sandbox_sendgrid.API_KEY}"},
            timeout=_patience(to),
        )
    except httpx2.TransportError:
        return None
    return answer.status_code


async def _timed(call: Awaitable[int | None]) -> tuple[int | None, float]:
    """The answer, and when it came."""
    return await call, time.time()


def _expected(row: Magic | None, usual: list[str]) -> list[str]:
    """The words told of one message."""
    if row is None:
        return usual
    if row.refused or (row.fault in ENDS and not ENDS[row.fault][1]):
        return []
    words = usual if row.steps is None else [step.word for step in row.steps]
    return sorted(words * REPORTED.get(row.fault or "", 1))


async def _listed(http: httpx2.AsyncClient, to: str) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = (await http.get("/_sandbox/messages", params={"to": to})).json()["data"]
    return data


def _reported(received: list[ReceivedCall], began: float) -> dict[str, list[str]]:
    """Words by recipient, in the order they came; without those that were to be late and were."""
    reported: dict[str, list[str]] = {}
    for one in received:
        if one.path == "/events":
            words = [(event["email"], event["event"]) for event in json.loads(one.body)]
        else:
            fields = parse_qs(one.body.decode())
            words = [(fields["To"][0], fields["MessageStatus"][0])]
        for to, word in words:
            row = lookup(to)
            if not (row and row.fault == "callback_delay" and one.at - began >= LATE):
                reported.setdefault(to, []).append(word)
    return reported


async def test_every_row_does_what_it_says(http: httpx2.AsyncClient, receiver: Receiver) -> None:
    """All rows at once: each is a message of its own, and the slow ones wait side by side."""
    numbers: dict[str, Magic | None] = {row.address: row for row in TWILIO.rows} | {"+13055551234": None}
    boxes: dict[str, Magic | None] = {f"{row.address}+1@sandbox.example": row for row in SENDGRID.rows}
    boxes |= {"jordan@example.com": None, "Bouncer@example.com": None}
    began = time.time()
    calls = [*(_text(http, to, f"{receiver.url}/status#rc=0") for to in numbers), *(_write(http, to) for to in boxes)]
    answers = dict(zip([*numbers, *boxes], await asyncio.gather(*map(_timed, calls)), strict=True))
    expected = {to: _expected(row, SMS) for to, row in numbers.items()}
    expected |= {to: _expected(row, MAIL) for to, row in boxes.items()}
    total = sum(map(len, expected.values()))
    received = await asyncio.to_thread(
        receiver.wait, lambda received: sum(map(len, _reported(received, began).values())) >= total
    )
    reported = _reported(received, began)
    for to, row in (numbers | boxes).items():
        usual = 202 if "@" in to else 201
        answered, accepted = ENDS.get(row.fault or "", (usual, True)) if row else (usual, True)
        if row and row.refused:
            answered, accepted = row.refused, False
        assert answers[to][0] == answered, to
        listed = await _listed(http, to)
        assert len(listed) == accepted, to
        if row and row.fault in ("slow", "accept_then_slow"):
            at = datetime.fromisoformat(listed[0]["accepted_at"]).timestamp()
            assert (at - began if row.fault == "slow" else answers[to][1] - at) >= SLOW, to
        assert sorted(reported.get(to, [])) == sorted(expected[to]), to
    in_order = {
        "+13055559024": ["delivered", "sent"],
        "reorderevents+1@sandbox.example": ["open", "delivered", "processed"],
        "+13055559034": ["sent", "undelivered", "delivered"],
        "jordan@example.com": MAIL,
    }
    for to, words in in_order.items():
        # As they were posted: on a busy machine two posts so close to one another may overtake each other.
        (message,) = await _listed(http, to)
        assert [step["word"] for step in message["steps"] if step["callback"]] == words, to


async def test_failures_carry_their_codes(http: httpx2.AsyncClient) -> None:
    for row in TWILIO.rows:
        codes = [step.code for step in row.steps or () if step.code and row.address != "+13055559034"]
        if codes:
            message = (await _listed(http, row.address))[0]
            assert (message["error_code"], message["status"]) == (codes[0], row.steps[-1].word if row.steps else "")
            assert row.address[-4:] == f"{codes[0]}"[0] + f"{codes[0]}"[2:]


@pytest.mark.parametrize("row", TWILIO.rows, ids=lambda row: row.address)
def test_numbers_are_valid(row: Magic) -> None:
    assert phonenumbers.is_valid_number(phonenumbers.parse(row.address))


@pytest.mark.parametrize("name", simulators())
def test_the_tables_name_faults_that_exist_and_addresses_once(name: str) -> None:
    simulator = simulators()[name]
    assert {row.fault for row in simulator.magic.rows} - {None} <= faults.KINDS.keys()
    own = [row.address for row in simulator.magic.own]
    assert len(set(own)) == len(own)
    assert {step.word for row in simulator.magic.rows for step in row.steps or ()} <= simulator.moments.keys()


def test_addresses_are_read_as_people_write_them() -> None:
    assert SENDGRID.lookup("BOUNCE+room-7@hotel.example") is SENDGRID.lookup("bounce@x.example")
    assert TWILIO.lookup("whatsapp:+13055553003") is TWILIO.lookup("+13055553003")
    assert SENDGRID.lookup("jordan@example.com") is TWILIO.lookup("+13055551234") is None


def _listed_in(guide: str, kind: str, rows: tuple[Magic, ...]) -> None:
    text = (Path(__file__).parents[2] / "docs" / guide).read_text()
    for row in rows:
        name = f"`{MagicTable.shown(kind, row.address)}`"
        assert re.search(rf"^\| {re.escape(name)} \| {re.escape(row.says)} \|$", text, re.MULTILINE), row


@pytest.mark.parametrize("name", simulators())
def test_a_simulators_page_lists_every_row_of_its_own(name: str) -> None:
    table = simulators()[name].magic
    _listed_in(f"sandbox/{name}.md", table.kind, table.own)


def test_the_guide_lists_every_row_for_all_and_every_fault() -> None:
    for kind, rows in FAULTS.items():
        _listed_in("sandbox.md", kind, rows)
    guide = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
    for kind, says in faults.KINDS.items():
        assert f"| `{kind}` | {says} |" in guide
