"""The API's description: complete, and true of the real application over a real database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api import openapi
from api.app import create_app
from api.dialects.bird import BIRD
from api.dialects.booking import BOOKING
from api.dialects.dialect import Dialect
from api.dialects.sendblue import SENDBLUE
from api.problems import OF_ENGINE, Problem
from api.server import options
from bellhop.domain.events import EventType
from bellhop.domain.ids import Prefix, parse
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store.access import keys
from bellhop.store.connections import make_engine

SCHEMA: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS = [
    (path, method, operation) for path, methods in SCHEMA["paths"].items() for method, operation in methods.items()
]
"""Every call of the API."""


NAMES = (
    "sendMessage",
    "listMessages",
    "getMessage",
    "getMessageTimeline",
    "getMessageLinks",
    "cancelMessage",
    "resendMessage",
    "sendBatch",
    "createBroadcast",
    "listBroadcasts",
    "getBroadcast",
    "listBroadcastRecipients",
    "previewBroadcast",
    "startBroadcast",
    "pauseBroadcast",
    "resumeBroadcast",
    "cancelBroadcast",
    "moveMessage",
    "rescheduleMessage",
    "createTemplate",
    "listTemplates",
    "uploadAsset",
    "getAsset",
    "deleteAsset",
    "getTemplate",
    "previewTemplate",
    "archiveTemplate",
    "refreshTemplate",
    "createSender",
    "getSender",
    "updateSender",
    "deleteSender",
    "streamConversations",
    "listConversations",
    "getConversation",
    "listConversationMessages",
    "getInboundMessage",
    "getInboundTimeline",
    "updateConversation",
    "readConversation",
    "replyToConversation",
    "addNote",
    "listNotes",
    "listIntents",
    "getIntent",
    "updateIntent",
    "getLedger",
    "createGuest",
    "listGuests",
    "getGuest",
    "updateGuest",
    "deleteGuest",
    "putStay",
    "listStays",
    "getStay",
    "updateStay",
    "createGuestSession",
    "renewGuestSession",
    "revokeGuestSession",
    "revokeGuestSessions",
    "streamInbox",
    "listInbox",
    "sendFromInbox",
    "sendFileFromInbox",
    "reportDelivered",
    "reportRead",
    "reportMessages",
    "registerDevice",
    "listDevices",
    "deleteDevice",
    "setConsent",
    "listConsents",
    "exportGuest",
    "listGuestConsents",
    "setGuestConsent",
    "createApiKey",
    "listApiKeys",
    "revokeApiKey",
    "listProperties",
    "getProperty",
    "updateProperty",
    "pauseProperty",
    "resumeProperty",
    "listAccounts",
    "holdAccount",
    "mendAccount",
    "listSenders",
    "setSenderStandby",
    "createWebhook",
    "listWebhooks",
    "getWebhook",
    "updateWebhook",
    "deleteWebhook",
    "rotateWebhookSecret",
    "listUpcomingOfGuest",
    "listUpcomingOfStay",
    "listWebhookDeliveries",
    "replayWebhookDelivery",
    "replayWebhook",
    "getHealth",
    "getReadiness",
)
"""What generated clients call them."""


def test_it_is_3_1_with_everything_named() -> None:
    assert SCHEMA["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert sorted(ids) == sorted(NAMES)
    assert set(SCHEMA["webhooks"]) == {word.value for word in EventType}
    assert not [path for path in SCHEMA["paths"] if "receipts" in path]


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[each[2]["operationId"] for each in OPERATIONS]
)
def test_every_call_shows_an_example_and_its_errors(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    good = next(answers[status] for status in ("200", "201", "202", "204") if status in answers)
    if "204" not in answers:
        (shown,) = good["content"].values()
        assert _example(shown)
    if "requestBody" in operation:
        (body,) = operation["requestBody"]["content"].values()
        assert _example(body)
    if path.startswith("/v1/"):
        assert {"401", "403", "422", "429", "503"} <= set(answers)
        assert operation["security"]
        for status, answer in answers.items():
            if status >= "400":
                assert answer["content"]["application/json"]["example"]["status_code"] == int(status)


def _example(content: dict[str, Any]) -> Any:
    if "example" in content:
        return content["example"]
    schema = content["schema"]
    found = SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    if "examples" in found:
        return found["examples"]
    # A page shows the example of what it lists.
    return _example({"schema": found["properties"]["data"]["items"]})


def test_no_error_is_answered_that_is_not_documented() -> None:
    def tree(kind: type[Problem]) -> Iterator[type[Problem]]:
        yield kind
        for child in kind.__subclasses__():
            yield from tree(child)

    documented = {int(status) for _, _, operation in OPERATIONS for status in operation["responses"]}
    answered = {kind.status_code for kind in tree(Problem)} | {status for status, _ in OF_ENGINE.values()}
    # Answered of a connection, before it is known what is asked for: in the description of the whole.
    of_connections = {408, 414, 431}
    assert answered - {500} - of_connections <= documented
    assert all(str(status) in openapi.DESCRIPTION for status in of_connections)


@pytest.fixture
def served(settings: Settings) -> Iterator[tuple[str, str]]:
    """(address, key) of the application under uvicorn."""

    async def seed() -> str:
        engine = make_engine(settings.postgres, "tests")
        async with engine.begin() as tx:
            scope = (await ensure_property(tx, "Grand Sunset Resort", "grand-sunset"))["test"]
            await ensure_accounts(tx, scope, settings)
            _, raw = await keys.create(tx, scope, "schemathesis", ["*"], rate_limit=1_000_000)
        await engine.dispose()
        return raw

    raw = asyncio.run(seed())
    bellhop = settings.bellhop.model_copy(update={"accept_wait": 0.0})
    app = create_app(settings.model_copy(update={"bellhop": bellhop}))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", **options(settings.api)))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", raw
    server.should_exit = True
    thread.join()


# A stream is read until the time for an answer is over, ten seconds otherwise, a dozen times.
CONFIGURED = """
[[operations]]
include-operation-id = ["streamConversations", "streamInbox"]
request-timeout = 4
"""

# What a schema cannot say and the API checks: which numbers, languages, time zones, hosts and guests there are.
LEFT_OUT = "positive_data_acceptance"


@pytest.mark.parametrize(
    ("which", "left_out"),
    [
        (
            ["--exclude-operation-id", "revokeApiKey", "--exclude-operation-id", "sendBatch", "--max-examples", "2"],
            LEFT_OUT,
        ),
        # On its own: it finds the key that the run itself uses.
        (["--include-operation-id", "revokeApiKey", "--max-examples", "3", "--phases", "coverage,fuzzing"], LEFT_OUT),
        # What is wrong with one message is that message's outcome, and the request is taken.
        (["--include-operation-id", "sendBatch", "--max-examples", "5"], f"{LEFT_OUT},negative_data_rejection"),
    ],
    ids=["everything", "revoking", "batch"],
)
def test_schemathesis_finds_nothing(served: tuple[str, str], which: list[str], left_out: str, tmp_path: Path) -> None:
    """Generated requests, good and bad, against the real thing: no answer that the description does not allow."""
    url, key = served
    # Not fetched from there: to make it takes a second, on a busy machine more than the reader waits for.
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    given = ("--url", url, "-H", f"Authorization: Bearer {key}")
    _schemathesis(tmp_path, "schema.json", *given, *which, left_out=left_out)


def _described(dialect: Dialect, *more: str) -> dict[str, Any]:
    """A dialect's routes as FastAPI would describe them, with the statuses that its errors may have."""
    shown = []
    for route in dialect.router.routes:
        assert isinstance(route, APIRoute)
        described = copy(route)
        described.include_in_schema = True
        shown.append(described)
    schema = get_openapi(title=dialect.name, version="1", routes=shown)
    for operations in schema["paths"].values():
        for operation in operations.values():
            answer = {"description": "In the vendor's form.", "content": {"application/json": {"schema": {}}}}
            operation["responses"] = dict.fromkeys(
                ("200", "400", "401", "403", "404", "405", "413", "429", *more), answer
            )
    return schema


def test_schemathesis_finds_nothing_in_sendblues_api(served: tuple[str, str], tmp_path: Path) -> None:
    url, key = served
    (tmp_path / "schema.json").write_text(json.dumps(_described(SENDBLUE)), encoding="utf-8")
    pair = ("-H", f"sb-api-key-id: key_{key.split('_')[2]}", "-H", f"sb-api-secret-key: {key}")
    _schemathesis(tmp_path, "schema.json", "--url", url, *pair, "--max-examples", "6")


def test_schemathesis_finds_nothing_in_bookings_api(served: tuple[str, str], tmp_path: Path) -> None:
    url, key = served
    (tmp_path / "schema.json").write_text(json.dumps(_described(BOOKING, "415")), encoding="utf-8")
    given = ("-H", f"Authorization: Bearer {key}", "-H", "X-Affiliate-Id: 1")
    # An id of nothing is passed over there, and numbers are texts: what is against the schema may be fine. And there is
    # no 405: another method is answered 404.
    left_out = f"{LEFT_OUT},negative_data_rejection,unsupported_method"
    _schemathesis(tmp_path, "schema.json", "--url", url, *given, "--max-examples", "4", left_out=left_out)


def test_schemathesis_finds_nothing_in_birds_api(served: tuple[str, str], tmp_path: Path) -> None:
    """Within a channel that there is: with another one everything is 404."""
    url, key = served
    native = {"Authorization": f"Bearer {key}"}
    (sender,) = [
        one for one in httpx2.get(f"{url}/v1/senders", headers=native).json()["data"] if one["channel"] == "sms"
    ]
    (hotel,) = httpx2.get(f"{url}/v1/properties", headers=native).json()["data"]
    named = {"workspace_id": parse(Prefix.PROPERTY, hotel["id"]), "channel_id": parse(Prefix.SENDER, sender["id"])}
    schema = _described(BIRD, "201", "202", "204", "409", "422")
    schema["paths"] = {
        path.format_map({one: f"{{{one}}}" for one in ("message_id", "subscription_id")} | named): {
            method: operation | {"parameters": [one for one in operation["parameters"] if one["name"] not in named]}
            for method, operation in operations.items()
        }
        for path, operations in schema["paths"].items()
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    _schemathesis(tmp_path, "schema.json", "--url", url, "-H", f"Authorization: AccessKey {key}", "--max-examples", "2")


def _schemathesis(tmp_path: Path, *arguments: str, left_out: str = LEFT_OUT) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURED, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", *arguments),
            *("--exclude-checks", left_out, "--generation-deterministic", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,  # for a busy machine
        check=False,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
