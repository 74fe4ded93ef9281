"""Apple's Push Notification service, over HTTP/2 with tokens. No SDK: those there are send again by themselves."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
from bellhop.domain.devices import DeviceEnvironment, DeviceKind, DeviceVerdict
from bellhop.domain.failures import FailureCode
from bellhop.providers.apns.codes import REASONS, Verdict
from bellhop.providers.apns.settings import DEVELOPMENT, PRODUCTION
from bellhop.providers.lease_http import Answer, Call, failure
from bellhop.providers.lease_http2 import Http2, NotProcessed
from bellhop.providers.one_way import OneWay
from bellhop.providers.reading import by_status, clean, from_json, retry_after, uuid_of

TOKEN_LIFE = 2_400
"""Seconds: Apple wants a token renewed after 20 to 60 minutes, counted over everybody who uses the key. So all
processes make theirs of the same moment."""
PICTURE = "media_url"
"""Where a notification's data says where its picture is."""
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}){1,512}")


class Apns(OneWay):
    """See `delivery_ports.Provider`. APNs says that it took a notification, and nothing more."""

    name = "apns"
    channels = frozenset({Channel.PUSH})
    device_kinds = frozenset({DeviceKind.APNS})
    horizon = timedelta(0)

    def __init__(self, http: Http2 | None = None) -> None:
        self._http = http or Http2(keep=60.0)
        self._tokens: dict[tuple[str, str], tuple[int, str]] = {}
        self._lock = threading.Lock()

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Send the notification. A lost answer stays unknown: APNs cannot be asked."""
        if not _HEXADECIMAL.fullmatch(outgoing.to):
            # It would be a part of the path.
            return SendResult(SendKind.REFUSED, code=FailureCode.ADDRESS_INVALID, text="no device token of Apple's")
        try:
            bearer = self._bearer(account.identity, account.credentials)
            body = json.dumps(payload(outgoing), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return SendResult(SendKind.REFUSED, code=FailureCode.CONTENT_REFUSED, text="UnicodeEncodeError")
        except (KeyError, ValueError, TypeError, jwt.PyJWTError) as error:
            return SendResult(SendKind.ACCOUNT, code=FailureCode.CONFIGURATION, text=type(error).__name__)
        place, ca = _place(account, outgoing)
        url = f"{place}/3/device/{outgoing.to}"
        with Call(timeout=outgoing.timeout, deadline=outgoing.deadline) as call:
            try:
                answer = self._http.request("POST", url, account.identity, headers(outgoing, bearer), body, ca)
            except NotProcessed as refused:
                return _not_processed(refused)
            except Exception as error:  # noqa: BLE001  never raises: see the port
                return failure(call, error)
        return read_answer(answer)

    def _bearer(self, key_id: str, credentials: Mapping[str, str]) -> str:
        """A signed token of this span of 40 minutes. Raises KeyError, ValueError or PyJWTError without a usable key."""
        now = int(time.time())
        issued, key = now - now % TOKEN_LIFE, (credentials["team_id"], key_id)
        with self._lock:
            known, token = self._tokens.get(key, (0, ""))
            if known != issued:
                claims = {"iss": key[0], "iat": issued}
                token = jwt.encode(claims, credentials["private_key"], algorithm="ES256", headers={"kid": key_id})
                self._tokens[key] = issued, token
            return token


def _place(account: Account, outgoing: Outgoing) -> tuple[str, str | None]:
    """Which of Apple's two services, or an address of one's own, which is both; and the authority that alone is trusted
    there (None: the system's). A stand-in that has an authority is reached by TLS, as Apple is: the same port takes
    both."""
    address = account.base_url.rstrip("/")
    if address in (PRODUCTION, DEVELOPMENT):
        development = outgoing.device is not None and outgoing.device.environment is DeviceEnvironment.SANDBOX
        return DEVELOPMENT if development else address, None
    ca = account.credentials.get("ca")
    return re.sub(r"^http:", "https:", address) if ca else address, ca


def headers(outgoing: Outgoing, bearer: str) -> dict[str, str]:
    """Those of a request. The message's id is the collapse id: should it come a second time, it replaces itself."""
    made = {
        "authorization": f"bearer {bearer}",
        "apns-id": str(outgoing.attempt_id),
        "apns-topic": (outgoing.device and outgoing.device.bundle_id) or outgoing.sender,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-collapse-id": str(outgoing.message_id),
    }
    if outgoing.valid_for is not None:
        made["apns-expiration"] = str(int(time.time() + max(1.0, outgoing.valid_for)))
    return made


def payload(outgoing: Outgoing) -> dict[str, Any]:
    """The request's body. `mutable-content` wakes the app's own extension, which may report that it was shown, and
    which fetches the picture."""
    content = outgoing.content
    alert = {"body": content.text}
    title = content.options.title or content.subject or outgoing.sender_name
    if title:
        alert["title"] = title
    own = {**(content.options.data or {}), "message_id": str(outgoing.message_id)}
    if outgoing.receipt_token:
        own[app_receipts.FIELD] = outgoing.receipt_token
    if pictures := content.media:
        own[PICTURE] = pictures[0].url
    return {**own, "aps": {"alert": alert, "sound": "default", "mutable-content": 1}}


def read_answer(answer: Answer) -> SendResult:
    """What the answer to a request means."""
    provider_id = uuid_of(answer.headers.get("apns-id"))
    if answer.status == 200:
        if provider_id is not None and not answer.body.strip():
            return SendResult(SendKind.ACCEPTED, str(provider_id))
        return SendResult(SendKind.UNKNOWN, code=FailureCode.OUTCOME_UNKNOWN, text="no answer of APNs'")
    reason, since = _said(answer.body)
    verdict = REASONS.get((answer.status, reason or "")) or Verdict(*by_status(answer.status))
    wait = (retry_after(answer) or verdict.pause) if verdict.kind is SendKind.RETRY else None
    return SendResult(
        verdict.kind,
        code=verdict.failure,
        provider_code=reason or str(answer.status),
        retry_after=wait,
        device=verdict.device,
        device_since=since if verdict.device is DeviceVerdict.GONE else None,
    )


def _not_processed(refused: NotProcessed) -> SendResult:
    """The connection was closed before APNs looked at the request: it may go again, unless what it said is of the
    account."""
    reason, _ = _said(refused.said)
    verdict = next((one for (_, word), one in REASONS.items() if word == reason and one.kind is SendKind.ACCOUNT), None)
    if verdict is not None:
        return SendResult(verdict.kind, code=verdict.failure, provider_code=reason)
    return SendResult(
        SendKind.RETRY, code=FailureCode.PROVIDER_ERROR, provider_code=reason, text=type(refused).__name__
    )


def _said(body: bytes) -> tuple[str | None, datetime | None]:
    """The reason, and since when the token is dead, of `{"reason": …, "timestamp": milliseconds}`."""
    try:
        found = from_json(body)
    except ValueError:
        return None, None
    if not isinstance(found, dict):
        return None, None
    reason, stamp = found.get("reason"), found.get("timestamp")
    since: datetime | None = None
    if isinstance(stamp, int) and not isinstance(stamp, bool):
        try:
            since = datetime.fromtimestamp(stamp / 1000, UTC)
        except (OverflowError, OSError, ValueError):
            since = None
    return (clean(reason)[:64] if isinstance(reason, str) and reason else None), since
