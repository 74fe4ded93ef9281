"""Histories of real runs, replayed: a change of the workflow that those under way could not follow fails here.

`workflows/` may change the commands it gives only behind `workflow.patched`; then the old histories stay, and new ones
are added beside them. To make them anew, from the whole engine with its sandbox:

    BELLHOP_RECORD_HISTORIES=silent,given_up make test TESTS=tests/workflows/test_message_histories.py JOBS=0

Those that are there are not made again: they are what a running installation may hold.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from bellhop.domain.answers import Next, Refusal
from bellhop.domain.ids import Prefix, message_workflow
from bellhop.domain.policy import Reason
from bellhop.domain.statuses import Status
from bellhop.sandbox.testing import running
from bellhop.settings import Settings
from bellhop.temporal.search_attributes import ALL
from tests.integration.engine import EMAIL, SMS, Engine, key, running_engine
from workflows.message import MessageWorkflow

HISTORIES = Path(__file__).parent / "histories"
RECORDING = [name for name in os.environ.get("BELLHOP_RECORD_HISTORIES", "").split(",") if name]

SCENARIOS = (
    "sms",
    "scheduled",
    "cancelled",
    "rescheduled",
    "retried",
    "settled",
    "settled_by_receipt",
    "email",
    "failed",
    # From here on with the question that is asked when a provider is silent: the mails above had another timer.
    "followed_mail",
    "silent",
    "silent_for_good",
    "given_up",
    "sent_again",
    "outcome_by_receipt_after_failure",
    # Cancelled in Temporal: before its time, while a call was open, and when a provider had it.
    "withdrawn",
    "withdrawn_once_settled",
    "withdrawn_too_late",
    # Since Temporal's list says what stays for long.
    "listed_waiting",
    "listed_parked",
)
MOST_EVENTS = {"sms": 12, "scheduled": 12, "email": 16, "cancelled": 9, "withdrawn": 9}


def saved(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"message-{name}", (HISTORIES / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("runner", [SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()], ids=["sandboxed", "plain"])
@pytest.mark.parametrize("name", SCENARIOS)
async def test_it_replays(name: str, runner: WorkflowRunner) -> None:
    await Replayer(workflows=[MessageWorkflow], workflow_runner=runner).replay_workflow(saved(name))


@pytest.mark.parametrize("name", MOST_EVENTS)
def test_what_it_costs(name: str) -> None:
    assert len(saved(name).events) <= MOST_EVENTS[name]


def test_they_are_all_there() -> None:
    assert {path.stem for path in HISTORIES.glob("*.json")} == set(SCENARIOS)


# --- I6: no personal data ---

WORDS = (
    {status.value for status in Status}
    | {step.value for step in Next}
    | {"sms through twilio", "email through sendgrid", "may it go out? send it", "is it sent?"}
    | {"sms", "email", "twilio", "sendgrid", "status", "next", "after", "through", "twilio-test", "sendgrid-test"}
    # The marker of a local activity, as the SDK writes it.
    | {
        "seq",
        "attempt",
        "activity_id",
        "activity_type",
        "complete_time",
        "backoff",
        "original_schedule_time",
        "deliver",
    }
    | {"listed", "waiting", *Reason}
    | {"settle", "seconds", "nanos", "activation_index"}
    | {"withdraw", "cancel it, if it still waits", "answer", "refused", *Refusal}
)
ID = re.compile(rf"({'|'.join(Prefix)})_[0-9a-z]{{26}}|[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")
DETAILS = re.compile(r"(queued|sent|delivered|read|failed|cancelled)(: [a-z ;]+)?")
TIME = re.compile(r"\d{1,2}|\d{4}-\d\d-\d\dT[0-9:.]+Z")


def payloads(node: Any) -> Iterator[dict[str, Any]]:
    """Every payload of a history, wherever it stands."""
    if isinstance(node, dict):
        if "data" in node and "metadata" in node and set(node) <= {"data", "metadata", "externalPayloads"}:
            yield node
        for value in node.values():
            yield from payloads(value)
    elif isinstance(node, list):
        for value in node:
            yield from payloads(value)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


@pytest.mark.parametrize("name", SCENARIOS)
def test_i6_a_history_holds_ids_enums_and_times(name: str) -> None:
    text = (HISTORIES / f"{name}.json").read_text(encoding="utf-8")
    history = json.loads(text)
    found = list(payloads(history))
    assert len(found) > 5
    for payload in found:
        decoded = base64.b64decode(payload["data"]).decode()
        text += decoded
        for leaf in leaves(json.loads(decoded)):
            fits = (
                not isinstance(leaf, str) or leaf in WORDS or any(form.fullmatch(leaf) for form in (ID, DETAILS, TIME))
            )
            assert fits, f"{leaf!r} in {name}"
    for given in (*SMS.values(), *EMAIL.values(), "13055551234", "jordan", "Jordan", "suite"):
        assert given in WORDS or given not in text
    assert not re.search(r"\d@", text), "whose machine it was made on"
    started = history["events"][0]["workflowExecutionStartedEventAttributes"]
    assert set(started["searchAttributes"]["indexedFields"]) <= {key.name for key in ALL}
    assert "memo" not in started or not started["memo"].get("fields")


# --- making them ---


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def sms(stack: Engine) -> str:
    return str((await stack.send(SMS))["id"])


async def scheduled(stack: Engine) -> str:
    return str((await stack.send({**SMS, "scheduled_at": soon(1)}))["id"])


async def cancelled(stack: Engine) -> str:
    sent = await stack.send({**SMS, "scheduled_at": soon(3600)})
    await stack.http.post(f"/v1/messaging/{sent['id']}/cancel")
    return str(sent["id"])


async def rescheduled(stack: Engine) -> str:
    sent = await stack.send({**SMS, "scheduled_at": soon(2)})
    path = f"/v1/messaging/{sent['id']}"
    # Asked, it says "not before"; then it is moved, to later and to earlier.
    await stack.http.patch(path, json={"scheduled_at": soon(3600)})
    await asyncio.sleep(0.5)
    await stack.http.patch(path, json={"scheduled_at": soon(600)})
    await asyncio.sleep(0.5)
    await stack.http.patch(path, json={"scheduled_at": None})
    return str(sent["id"])


async def retried(stack: Engine) -> str:
    await stack.fault("rate_limit", count=2, retry_after=0.2)
    return await sms(stack)


async def settled(stack: Engine) -> str:
    await stack.fault("callback_drop")
    await stack.fault("accept_then_reset")
    return await sms(stack)


async def settled_by_receipt(stack: Engine) -> str:
    await stack.fault("accept_then_reset", provider="sendgrid")
    return await email(stack)


async def email(stack: Engine) -> str:
    return str((await stack.send(EMAIL))["id"])


async def failed(stack: Engine) -> str:
    return str((await stack.send({**SMS, "recipient": "+13055552211"}))["id"])


async def followed_mail(stack: Engine) -> str:
    return await email(stack)


async def silent(stack: Engine) -> str:
    await stack.fault("callback_drop", count=1)
    return await sms(stack)


async def silent_for_good(stack: Engine) -> str:
    return str((await stack.send({**SMS, "recipient": "+13055559032"}))["id"])


async def given_up(stack: Engine) -> str:
    await stack.fault("reset", provider="sendgrid")
    return await email(stack)


async def sent_again(stack: Engine) -> str:
    await stack.rows('update scopes set settings = \'{"outcome_unknown": {"email": "resend"}}\' returning id')
    return await given_up(stack)


async def outcome_by_receipt_after_failure(stack: Engine) -> str:
    await stack.fault("callback_delay", provider="sendgrid", delay=4, count=1)
    await stack.fault("accept_then_reset", provider="sendgrid")
    message = await email(stack)
    await stack.until(message, "failed")
    return message


async def withdraw(stack: Engine, message: str) -> str:
    await stack.client.get_workflow_handle(message_workflow(key(message))).cancel()
    return message


async def withdrawn(stack: Engine) -> str:
    message = str((await stack.send({**SMS, "scheduled_at": soon(3600)}))["id"])
    await asyncio.sleep(1)
    return await withdraw(stack, message)


async def withdrawn_once_settled(stack: Engine) -> str:
    stack.settings.delivery.settle_pauses = [2.0, 0.3, 0.3]
    await stack.fault("reset")
    message = await sms(stack)
    await asyncio.sleep(1)
    return await withdraw(stack, message)


async def withdrawn_too_late(stack: Engine) -> str:
    message = await silent_for_good(stack)
    await stack.until(message, "sent")
    await withdraw(stack, message)
    return message


async def listed_waiting(stack: Engine) -> str:
    return await scheduled(stack)


async def listed_parked(stack: Engine) -> str:
    await stack.rows("update scopes set paused_at = now() returning id")
    message = await sms(stack)
    await asyncio.sleep(1)
    await stack.rows("update scopes set paused_at = null returning id")
    await stack.sweep()
    return message


MAILS = ("email", "settled_by_receipt", "followed_mail", "sent_again")
OPEN = ("settled", "silent_for_good", "withdrawn_too_late")
"""Histories of messages that are still followed."""
MAKE: dict[str, Callable[[Engine], Awaitable[str]]] = {
    scenario.__name__: scenario
    for scenario in (
        sms,
        scheduled,
        cancelled,
        rescheduled,
        retried,
        settled,
        settled_by_receipt,
        email,
        failed,
        followed_mail,
        silent,
        silent_for_good,
        given_up,
        sent_again,
        outcome_by_receipt_after_failure,
        withdrawn,
        withdrawn_once_settled,
        withdrawn_too_late,
        listed_waiting,
        listed_parked,
    )
}


@pytest.fixture
async def stack(settings: Settings, engine: AsyncEngine, temporal: Client) -> AsyncIterator[Engine]:
    # So that there is something to see within seconds.
    settings.delivery.follow_at = [1.5, 3.0, 4.5]
    with running() as sandbox_url:
        async with running_engine(settings, engine, temporal, sandbox_url) as made:
            yield made


def plain(history: WorkflowHistory) -> str:
    """As JSON, without the name of the machine it was made on (`process@machine`, also in names of task queues)."""
    return re.sub(r"\b\d+@[\w.-]+", "worker", json.dumps(history.to_json_dict(), indent=1)) + "\n"


if RECORDING:
    # Only when asked: see the top of this file.
    @pytest.mark.parametrize("name", RECORDING)
    async def test_record(stack: Engine, name: str) -> None:
        message = await MAKE[name](stack)
        if name in OPEN:
            await stack.until(message, "sent")
            await asyncio.sleep(3.5)
        else:
            await stack.until(message, "read" if name in MAILS else "delivered", "failed", "cancelled")
            await stack.workflow_closed(message, seconds=30)
        (HISTORIES / f"{name}.json").write_text(plain(await stack.history(message)), encoding="utf-8")
