"""Firebase Cloud Messaging: requests, tokens, and what each of its errors means; against the simulator, too."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Account, CallbackRequest, CannotList, LookupKind, LookupRequest, SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.media import Media
from bellhop.domain.options import Options
from bellhop.providers.fcm import PACKAGE
from bellhop.providers.fcm.adapter import Fcm
from bellhop.providers.fcm.codes import FCM_ERRORS, STATUSES
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.providers.fcm import keys, scenarios
from bellhop.sandbox.testing import running
from tests.contract.conformance import (
    ACCOUNT,
    ATTEMPT,
    MESSAGE,
    REFUSED,
    RETRY,
    UNKNOWN,
    Scene,
    Server,
    answer,
    check,
)
from tests.contract.providers.fcm import CASE, NAME, TOKEN, error, fcm, violated
from tests.sandbox_accounts import SANDBOX_SECRET

INVALID = "INVALID_ARGUMENT"
GONE = (REFUSED, FailureCode.ADDRESS_INVALID)
OURS = (REFUSED, FailureCode.CONTENT_REFUSED)
NOBODY = (ACCOUNT, FailureCode.CONFIGURATION)
BUSY = (RETRY, FailureCode.LIMIT_REACHED)
MAYBE = (UNKNOWN, FailureCode.OUTCOME_UNKNOWN)
ERROR_INFO = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}

SCENES = (
    # A bad token comes with both details, in any order; the violated field decides.
    Scene("bad token", answer(400, error(400, INVALID, violated("message.token"), fcm(INVALID))), *GONE),
    Scene("bad token, other order", answer(400, error(400, INVALID, fcm(INVALID), violated("message.token"))), *GONE),
    Scene("bad installation", answer(400, error(400, INVALID, violated("message.fid"))), *GONE),
    Scene("bad token, in words", answer(400, error(400, INVALID, fcm(INVALID),
          message="The registration token is not a valid FCM registration token")), *GONE),
    Scene("no recipient", answer(400, error(400, INVALID, fcm(INVALID), violated("message"))), *OURS),
    Scene("bad field", answer(400, error(400, INVALID, violated("message.android.ttl"))), *OURS),
    Scene("too big", answer(400, error(400, INVALID, message="Android message is too big")), *OURS),
    Scene("gone", answer(404, error(404, "NOT_FOUND", fcm("UNREGISTERED"))), *GONE, None, "UNREGISTERED"),
    Scene("no such project", answer(404, error(404, "NOT_FOUND")), *NOBODY, None, "NOT_FOUND"),
    Scene("a proxy's 404", answer(404, "nginx"), *NOBODY, None, "404"),
    Scene("another project's", answer(403, error(403, "PERMISSION_DENIED", fcm("SENDER_ID_MISMATCH"))), *GONE),
    Scene("not enabled", answer(403, error(403, "PERMISSION_DENIED")), *NOBODY),
    Scene("APNs key", answer(401, error(401, "UNAUTHENTICATED", fcm("THIRD_PARTY_AUTH_ERROR"))), *NOBODY),
    Scene("our bearer", answer(401, error(401, "UNAUTHENTICATED")), *NOBODY),
    Scene("quota", answer(429, error(429, "RESOURCE_EXHAUSTED", ERROR_INFO)), *BUSY, 60.0, "RESOURCE_EXHAUSTED"),
    Scene("details that are none", answer(400, '{"error": {"details": [1, {"fieldViolations": 7}]}}'), *OURS),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_an_answer_to_a_send(scene: Scene) -> None:
    check(CASE, scene)


@pytest.mark.parametrize("row", FCM_ERRORS)
def test_every_error_of_fcms_is_read(row: tuple[int, str]) -> None:
    verdict = FCM_ERRORS[row]
    wait = 60.0 if verdict.kind is RETRY else None
    check(CASE, Scene(row[1], answer(row[0], error(row[0], "X", fcm(row[1]))), verdict.kind, verdict.failure, wait))


@pytest.mark.parametrize("row", STATUSES)
def test_every_status_is_read_where_no_error_of_fcms_says_more(row: tuple[int, str]) -> None:
    verdict = STATUSES[row]
    wait = 60.0 if verdict.kind is RETRY else None
    check(CASE, Scene(row[1], answer(row[0], error(*row)), verdict.kind, verdict.failure, wait))


def sent(**other: Any) -> tuple[str, dict[str, Any]]:
    with Server(answer(200, json.dumps({"name": NAME}))) as server:
        CASE.send(server.url, **other)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    return head.decode(), json.loads(body)


def test_what_is_sent() -> None:
    head, body = sent(content=Content(text="Grüße 🏨", options=Options(title="Grand Sunset", data={"room": "9"})))
    assert head.startswith("POST /v1/projects/grand-sunset/messages:send HTTP/1.1")
    assert body == {
        "message": {
            "token": TOKEN,
            "notification": {"title": "Grand Sunset", "body": "Grüße 🏨"},
            "data": {"room": "9", "message_id": str(MESSAGE)},
            "android": {"priority": "high", "notification": {"tag": str(MESSAGE)}},
            "apns": {"headers": {"apns-collapse-id": str(MESSAGE)}},
        }
    }


def test_a_picture_is_shown_by_the_system_or_by_the_apps_extension() -> None:
    picture = Media(url="https://x.example/m/t/p.jpg", content_type="image/jpeg", filename="p.jpg", size=7)
    _, body = sent(content=Content(text="The pool is open.", media=(picture,)))
    assert body["message"]["notification"] == {"body": "The pool is open.", "image": picture.url}
    assert body["message"]["apns"]["payload"] == {"aps": {"mutable-content": 1}}


def test_an_installation_is_addressed_as_one() -> None:
    _, body = sent(to="e3f2a1b0c9d8E7F6-5_4zY")
    assert body["message"]["fid"] == "e3f2a1b0c9d8E7F6-5_4zY" and "token" not in body["message"]


def test_the_bearer_is_signed_for_fcm_and_used_again() -> None:
    adapter = Fcm()
    with Server(answer(200, json.dumps({"name": NAME}))) as server:
        for _ in range(2):
            adapter.send(CASE.account(server.url), CASE.outgoing())
    bearers = {line for request in server.requests for line in request.decode().splitlines() if "Bearer" in line}
    (line,) = bearers
    token = line.partition("Bearer ")[2]
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "kid": CASE.credentials["private_key_id"], "typ": "JWT"}
    public = keys.private_key("a secret of the tests", "a case").public_key()
    claims = jwt.decode(token, public, algorithms=["RS256"], options={"verify_aud": False})
    assert claims["iss"] == claims["sub"] == CASE.credentials["client_email"]
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert claims["exp"] - claims["iat"] == 3600 and abs(claims["iat"] - time.time()) < 30


@pytest.mark.parametrize("credentials", [{}, {**CASE.credentials, "private_key": "no key"}])
def test_without_a_usable_key_the_account_is_held(credentials: dict[str, str]) -> None:
    result = Fcm().send(replace(CASE.account("http://127.0.0.1:1"), credentials=credentials), CASE.outgoing())
    assert (result.kind, result.code) == NOBODY


def test_half_a_surrogate_pair_is_refused_not_tried_for_ever() -> None:
    result = CASE.send("http://127.0.0.1:1", content=Content(text="\ud83d"))
    assert (result.kind, result.code) == OURS


def test_it_cannot_be_asked() -> None:
    account, now = CASE.account("http://127.0.0.1:1"), datetime.now(UTC)
    lookup_request = LookupRequest(ATTEMPT, TOKEN, CASE.sender, "text", now, frozenset(), Channel.PUSH)
    assert Fcm().look_up(account, lookup_request, 1.0).kind is LookupKind.CANNOT_KNOW
    assert Fcm().report(account, NAME, ATTEMPT, 1.0).kind is LookupKind.CANNOT_KNOW
    with pytest.raises(CannotList):
        Fcm().listing(account, now, now, 1.0)
    assert not Fcm().verify(account, CallbackRequest("https://x", "status", {}, {}, b""))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"project_id": 7}', "not JSON"])
def test_a_key_file_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="FCM_SERVICE_ACCOUNT") as caught:
        PACKAGE.seeds(PACKAGE.settings.of({"FCM_SERVICE_ACCOUNT": text}))
    assert not text or text not in str(caught.value) or text in "{}[]"


# --- against the simulator --------------------------------------------------------------------------------------------

EXPECTED = {
    "sandbox:unregistered": GONE, "sandbox:mismatch": GONE, "sandbox:invalid": GONE, "sandbox:quota": BUSY,
    "sandbox:ratelimited": BUSY, "sandbox:apns-auth": NOBODY, "sandbox:our-fault": OURS,
}  # fmt: skip


def test_the_simulator_takes_what_is_signed_and_nothing_else() -> None:
    (seed,) = PACKAGE.seeds(PACKAGE.settings.of(default_accounts(SANDBOX_SECRET)["fcm"].env))
    with running() as url:
        account = Account(UUID(int=7), "fcm", seed.identity, url, seed.credentials)
        taken = Fcm().send(account, CASE.outgoing())
        assert taken.kind is SendKind.ACCEPTED and str(taken.provider_id).startswith(f"projects/{seed.identity}/")
        forged = {**seed.credentials, "private_key": CASE.credentials["private_key"]}
        assert Fcm().send(replace(account, credentials=forged), CASE.outgoing()).kind is ACCOUNT
        assert Fcm().send(replace(account, identity="another"), CASE.outgoing()).kind is ACCOUNT
        assert {row.address for row in scenarios.MAGIC.own} == set(EXPECTED)
        for token, expected in EXPECTED.items():
            result = Fcm().send(account, CASE.outgoing(to=token))
            assert (result.kind, result.code) == expected, token
