"""Clients of other people take the sandbox for the provider: Google's own for FCM, one of another language for APNs
over TLS, and Sendblue's with every answer held against its schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
import httpx2
import pytest
from firebase_admin import credentials, exceptions, messaging
from sendblue_api import APIStatusError, SendblueAPI

from bellhop.providers.apns import PACKAGE as APNS
from bellhop.sandbox import authority
from bellhop.sandbox.magic import hexadecimal
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.testing import running
from tests.sandbox_accounts import SANDBOX_SECRET, sandbox_sendblue

HTTP = httpx2.Client()
HERE = Path(__file__).with_name("clients")
SHOWN = ("Your stay", "Your suite is ready.")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running() as url:
        yield url


def accepted(sandbox: str, **where: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = HTTP.get(f"{sandbox}/_sandbox/messages", params=where).json()["data"]
    return found


# --- FCM: firebase-admin ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def firebase(sandbox: str) -> Iterator[firebase_admin.App]:
    """An app with the service account of the sandbox: its file names the endpoint of tokens, and a constant FCM's."""
    file = json.loads(default_accounts(SANDBOX_SECRET)["fcm"].env["FCM_SERVICE_ACCOUNT"])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(messaging._MessagingService, "FCM_URL", f"{sandbox}/v1/projects/{{0}}/messages:send")
        app = firebase_admin.initialize_app(credentials.Certificate(file | {"token_uri": f"{sandbox}/token"}))
        yield app
        firebase_admin.delete_app(app)


def to(token: str, **more: Any) -> messaging.Message:
    return messaging.Message(token=token, notification=messaging.Notification(*SHOWN, **more), data={"room": "204"})


pytestmark = pytest.mark.filterwarnings("ignore:Message.token is deprecated")  # our own adapter sends to both


def test_googles_own_client_sends(sandbox: str, firebase: firebase_admin.App) -> None:
    name = messaging.send(to("a-device", image="https://hotel.example/pool.jpg"), app=firebase)
    (made,) = accepted(sandbox, provider="fcm", to="a-device")
    assert name == made["id"] and name.startswith(f"projects/{firebase.project_id}/messages/")
    assert (made["subject"], made["content"]) == SHOWN
    by_id = messaging.Message(fid="an-installation", notification=messaging.Notification(*SHOWN))
    assert messaging.send(by_id, app=firebase) == accepted(sandbox, provider="fcm", to="an-installation")[0]["id"]
    tokens = [row for row in HTTP.get(f"{sandbox}/_sandbox/requests").json()["data"] if row["path"] == "/token"]
    assert [row["status"] for row in tokens] == [200]


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("unregistered", messaging.UnregisteredError),
        ("mismatch", messaging.SenderIdMismatchError),
        ("quota", messaging.QuotaExceededError),
        ("ratelimited", exceptions.ResourceExhaustedError),
        ("apns-auth", messaging.ThirdPartyAuthError),
        ("invalid", exceptions.InvalidArgumentError),
        ("our-fault", exceptions.InvalidArgumentError),
    ],
)
def test_errors_are_the_exceptions_of_googles_own_client(
    firebase: firebase_admin.App, word: str, error: type[exceptions.FirebaseError]
) -> None:
    with pytest.raises(error) as raised:
        messaging.send(to(f"sandbox:{word}"), app=firebase)
    assert type(raised.value) is error


def test_a_project_that_is_not_the_keys_is_refused(sandbox: str, firebase: firebase_admin.App) -> None:
    other = firebase_admin.initialize_app(firebase.credential, {"projectId": "somebody-elses"}, "other")
    with pytest.raises(exceptions.PermissionDeniedError):
        messaging.send(to("a-device"), app=other)
    firebase_admin.delete_app(other)


# --- APNs: @parse/node-apn, of JavaScript ----------------------------------------------------------------------------


def node_apn(sandbox: str, tokens: list[str], **other: str) -> list[dict[str, Any]]:
    """What the client prints of each token."""
    (seed,) = APNS.seeds(APNS.settings.of(default_accounts(SANDBOX_SECRET)["apns"].env))
    given = {
        "key": seed.credentials["private_key"],
        "keyId": seed.identity,
        "teamId": seed.credentials["team_id"],
        "topic": seed.address,
        "address": "localhost",
        "port": urlsplit(sandbox).port,
        "ca": authority.certificate(SANDBOX_SECRET),
        "tokens": tokens,
        **other,
    }
    command = ["run", "--cached-only", "--allow-net=localhost,127.0.0.1", "--allow-env", "--allow-read", "--allow-sys"]
    said = subprocess.run(
        [str(Path(sys.executable).with_name("deno")), *command, "node_apn.mjs", json.dumps(given)],
        cwd=HERE,
        env={**os.environ, "DENO_DIR": str(Path(sys.prefix) / "deno"), "DENO_NO_UPDATE_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_a_client_of_another_language_sends_by_tls_and_reads_apples_reasons(sandbox: str) -> None:
    tokens = ["00fc13adff785122b4ad28809a342098", *(hexadecimal(f"sandbox:{word}") for word in ("expired", "mismatch"))]
    said = node_apn(sandbox, tokens)
    assert [(one["device"], one["status"], one.get("reason")) for one in said] == [
        (tokens[0], 200, None),
        (tokens[1], 410, "ExpiredToken"),
        (tokens[2], 400, "DeviceTokenNotForTopic"),
    ]
    (made,) = accepted(sandbox, provider="apns")
    assert (made["to"], made["subject"], made["content"]) == (tokens[0], *SHOWN)


def test_a_client_of_another_language_is_refused_for_what_apple_refuses(sandbox: str) -> None:
    before = len(accepted(sandbox, provider="apns"))
    (wrong,) = node_apn(sandbox, ["00fc"], teamId="OTHERTEAM1")
    assert (wrong["status"], wrong["reason"]) == (403, "InvalidProviderToken")
    (unknown,) = node_apn(sandbox, ["00fc"], ca=authority.certificate("o" * 32))
    assert "status" not in unknown and unknown["error"], "it trusts another authority"
    assert len(accepted(sandbox, provider="apns")) == before


# --- Sendblue: its own client, strict --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sendblue(sandbox: str) -> Iterator[SendblueAPI]:
    with SendblueAPI(
        api_key=sandbox_sendblue.KEY_ID,
        api_secret=sandbox_sendblue.SECRET_KEY,
        base_url=sandbox,
        max_retries=0,
        _strict_response_validation=True,
    ) as client:
        yield client


NUMBERS = ["+13055551234", "+13055557676", "+13055554001", "+13055559033"]


def test_sendblues_own_client_accepts_every_answer_by_its_schema(sandbox: str, sendblue: SendblueAPI) -> None:
    line = sandbox_sendblue.FROM_NUMBER
    for number in NUMBERS:
        sent = sendblue.messages.send(number=number, from_number=line, content="Your suite is ready.")
        assert sent.status == "QUEUED" and sent.message_handle
        assert sendblue.messages.get_status(handle=sent.message_handle).message_handle == sent.message_handle
        assert sendblue.messages.retrieve(sent.message_handle).data
    styled = sendblue.messages.send(number=NUMBERS[0], from_number=line, content="Hi", send_style="confetti")
    assert styled.send_style == "confetti"
    HTTP.post(f"{sandbox}/_sandbox/inbound", json={"provider": "sendblue", "from": NUMBERS[0], "body": "Thanks"})
    page = sendblue.messages.list(limit=100)
    assert page.pagination and page.pagination.total == len(NUMBERS) + 2
    assert {one.is_outbound for one in page.data or ()} == {True, False}
    assert sendblue.lookups.lookup_number(number=NUMBERS[1]).service == "SMS"
    with pytest.raises(APIStatusError) as raised:
        sendblue.messages.send(number="+13055552610", from_number=line, content="Hi")
    assert raised.value.status_code == 400
