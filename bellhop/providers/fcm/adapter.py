"""Firebase Cloud Messaging, HTTP v1. No SDK: Google's sends again by itself after a 500 or a 503.

Calls are authenticated by a JWT that the service account signs for FCM's scope, without a token endpoint in between
(google.aip.dev/auth/4111).
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt

from bellhop.domain import app_receipts
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import (
    Account,
    Outgoing,
    SendKind,
    SendResult,
)
from bellhop.domain.devices import DeviceKind, DeviceVerdict
from bellhop.domain.failures import FailureCode
from bellhop.providers.fcm.codes import (
    FCM_ERRORS,
    OURS,
    SAID_OF_A_TOKEN,
    SHORTEST_PAUSE,
    STATUSES,
    TOKEN_FIELDS,
    Verdict,
)
from bellhop.providers.lease_http import Answer, Call, Http, failure
from bellhop.providers.one_way import OneWay
from bellhop.providers.reading import by_status, clean, from_json, retry_after, words

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TOKEN_LIFE = 3_600
"""Seconds, the most there can be."""
RENEWED = 600
"""Seconds before its end at which a token is made anew."""
LONGEST_LIFE = 2_419_200
"""Seconds that FCM keeps a message for a device that is away, unless told less."""
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_INSTALLATION = re.compile(r"[c-f][A-Za-z0-9_-]{21}")
"""A Firebase installation id, which replaces registration tokens in newer apps; its first four bits are 0111."""


class Fcm(OneWay):
    """See `delivery_ports.Provider`. FCM says that it took a message, and nothing more."""

    name = "fcm"
    channels = frozenset({Channel.PUSH})
    device_kinds = frozenset({DeviceKind.FCM_TOKEN, DeviceKind.FCM_FID})
    horizon = timedelta(0)

    def __init__(self, http: Http | None = None) -> None:
        self._http = http or Http(keep=30.0)
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Send the notification. A lost answer stays unknown: FCM cannot be asked."""
        try:
            bearer = self._bearer(account.credentials)
            body = json.dumps(payload(outgoing), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return SendResult(SendKind.REFUSED, code=FailureCode.CONTENT_REFUSED, text="UnicodeEncodeError")
        except (KeyError, ValueError, jwt.PyJWTError) as error:
            return SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION, text=type(error).__name__)
        url = f"{account.base_url}/v1/projects/{account.identity}/messages:send"
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json; charset=UTF-8"}
        with Call(timeout=outgoing.timeout, deadline=outgoing.deadline) as call:
            try:
                return read_answer(self._http.request("POST", url, headers, body))
            except Exception as error:  # noqa: BLE001  never raises: see the port
                return failure(call, error)

    def _bearer(self, credentials: Mapping[str, str]) -> str:
        """A signed token that is good for a while. Raises KeyError, ValueError or PyJWTError without a usable key."""
        key = credentials["client_email"], credentials["private_key_id"]
        now = time.time()
        with self._lock:
            token, until = self._tokens.get(key, ("", 0.0))
            if until - RENEWED > now:
                return token
            claims = {"iss": key[0], "sub": key[0], "scope": SCOPE, "iat": int(now), "exp": int(now) + TOKEN_LIFE}
            token = jwt.encode(claims, credentials["private_key"], algorithm="RS256", headers={"kid": key[1]})
            self._tokens[key] = token, now + TOKEN_LIFE
            return token


def payload(outgoing: Outgoing) -> dict[str, Any]:
    """The request's body. The message's id is tag and collapse id: should it come a second time, it replaces itself."""
    message_id = str(outgoing.message_id)
    target = "fid" if _INSTALLATION.fullmatch(outgoing.to) else "token"
    notification = {"body": outgoing.content.text}
    title = outgoing.content.options.title or outgoing.sender_name
    if title:
        notification["title"] = title
    apns_payload: dict[str, Any] = {}
    if pictures := outgoing.content.media:
        # On iOS the app's own extension fetches it, which this wakes.
        notification["image"] = pictures[0].url
        apns_payload = {"payload": {"aps": {"mutable-content": 1}}}
    android: dict[str, Any] = {"priority": "high", "notification": {"tag": message_id}}
    apns = {"apns-collapse-id": message_id}
    if outgoing.valid_for is not None and outgoing.valid_for < LONGEST_LIFE:
        android["ttl"] = f"{max(1, int(outgoing.valid_for))}s"
        apns["apns-expiration"] = str(int(time.time() + max(1.0, outgoing.valid_for)))
    token = {app_receipts.FIELD: outgoing.receipt_token} if outgoing.receipt_token else {}
    return {
        "message": {
            target: outgoing.to,
            "notification": notification,
            "data": {**(outgoing.content.options.data or {}), "message_id": message_id, **token},
            "android": android,
            "apns": {"headers": apns, **apns_payload},
        }
    }


def read_answer(answer: Answer) -> SendResult:
    """What the answer to a send means."""
    try:
        body = from_json(answer.body)
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    name = body.get("name")
    if 200 <= answer.status < 300:
        if isinstance(name, str) and "/messages/" in name:
            return SendResult(SendKind.ACCEPTED, clean(name)[:512])
        # A 2xx that is not FCM's: a proxy's page. Whether FCM has the message, it does not say.
        return SendResult(SendKind.UNKNOWN, code=FailureCode.OUTCOME_UNKNOWN, text="no message name")
    error = body["error"] if isinstance(body.get("error"), dict) else {}
    code = _fcm_code(error)
    verdict = _verdict(answer.status, error, code)
    wait = retry_after(answer) if verdict.kind is SendKind.RETRY else None
    if verdict.kind is SendKind.RETRY and error and wait is None:
        wait = SHORTEST_PAUSE
    return SendResult(
        verdict.kind,
        code=verdict.failure,
        provider_code=code or words(error.get("status")) or str(answer.status),
        text=words(error.get("message")),
        retry_after=wait,
        device=DeviceVerdict.GONE if verdict.dead else None,
    )


def _verdict(status: int, error: Mapping[str, Any], code: str | None) -> Verdict:
    """By FcmError, else by the violated field, else by `error.status`, else by the HTTP status."""
    if not error:
        return Verdict(*by_status(status))
    if code and (status, code) in FCM_ERRORS:
        return FCM_ERRORS[status, code]
    if status == 400:
        fields = [one.get("field") for one in _details(error, _BAD_REQUEST, "fieldViolations")]
        said = str(error.get("message") or "").lower()
        of_token = any(field in TOKEN_FIELDS for field in fields) if fields else SAID_OF_A_TOKEN in said
        return FCM_ERRORS[404, "UNREGISTERED"] if of_token else OURS
    if code is None and (verdict := STATUSES.get((status, str(error.get("status"))))):
        return verdict
    return Verdict(*by_status(status))


def _fcm_code(error: Mapping[str, Any]) -> str | None:
    for detail in _list(error.get("details")):
        if isinstance(detail, dict) and detail.get("@type") == _FCM_ERROR and isinstance(detail.get("errorCode"), str):
            return clean(str(detail["errorCode"]))[:64]
    return None


def _details(error: Mapping[str, Any], kind: str, name: str) -> list[dict[str, Any]]:
    return [
        one
        for detail in _list(error.get("details"))
        if isinstance(detail, dict) and detail.get("@type") == kind
        for one in _list(detail.get(name))
        if isinstance(one, dict)
    ]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
