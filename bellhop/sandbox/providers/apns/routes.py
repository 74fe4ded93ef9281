"""APNs' one call, `POST /3/device/{token}`, over HTTP/2 alone, with Apple's own reasons.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
"""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

import jwt
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults
from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.providers.apns import scenarios
from bellhop.sandbox.providers.apns.scenarios import REASONS
from bellhop.sandbox.socket_faults import CONNECTION
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.apns.simulator import Apns

LARGEST = 4_096
"""Bytes of a notification."""
OLDEST = 3_600
"""Seconds that a token is good for."""
AHEAD = 60
"""Seconds that a token's time may be ahead of ours."""
PUSH_TYPES = frozenset(
    {"alert", "background", "location", "voip", "complication", "fileprovider", "mdm", "liveactivity", "pushtotalk"}
)
_OWN = {401: (403, "InvalidProviderToken"), 429: (429, "TooManyRequests"), 500: (500, "InternalServerError"),
        503: (503, "ServiceUnavailable")}  # fmt: skip
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def mount(app: FastAPI, apns: Apns) -> None:
    """Routes without FastAPI's validation: what is wrong with a call is for Apple's own reasons to say."""
    calls, recorded = _Calls(apns), apns.state.recorded
    app.add_route("/3/device/{token}", recorded("apns", calls.send), methods=["POST"])


def refused(status: int, reason: str, apns_id: str | None = None) -> Response:
    """`{"reason": …}`, of a token that is gone with the time since when."""
    content: dict[str, Any] = {"reason": reason}
    if status == 410:
        content["timestamp"] = int(time.time() * 1000)
    return Response(json.dumps(content), status, _id(apns_id), media_type="application/json")


def _id(apns_id: str | None) -> dict[str, str]:
    return {"apns-id": (apns_id or str(uuid.uuid4())).lower()}


def _fault_error(asked: FaultRequest, status: int) -> Response:
    own, reason = _OWN.get(status, (status, asked.message or "Unknown"))
    return refused(own, reason)


class _Calls:
    def __init__(self, apns: Apns) -> None:
        self._apns = apns
        self._state = apns.state

    async def send(self, request: Request) -> Response:
        if request.scope["http_version"] != "2":
            return Response("This is HTTP/2 only.", 505)
        token = request.path_params["token"]
        wrong = self._unauthenticated(request) or _wrong_headers(request) or _wrong_token(token)
        if wrong is not None:
            return refused(*wrong, request.headers.get("apns-id"))
        body = await request.body()

        def accept() -> Response:
            return self._accept(request, token.lower(), body)

        return await faults.through(self._state.call_fault("apns", [token.lower()]), request, accept, _fault_error)

    def _unauthenticated(self, request: Request) -> tuple[int, str] | None:
        """What is wrong with a call's token; None: nothing."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            return 403, "MissingProviderToken"
        try:
            key_id = jwt.get_unverified_header(given).get("kid")
            account = self._apns.accounts.get(str(key_id))
            if account is None:
                return 403, "InvalidProviderToken"
            claims = jwt.decode(
                given,
                self._apns.key_of(account).public_key(),
                algorithms=["ES256"],
                options={"verify_iat": False, "require": ["iss", "iat"]},
            )
        except jwt.PyJWTError:
            return 403, "InvalidProviderToken"
        issued = claims["iat"]
        if claims["iss"] != self._apns.team_id or not isinstance(issued, int) or issued > time.time() + AHEAD:
            return 403, "InvalidProviderToken"
        if issued < time.time() - OLDEST:
            return 403, "ExpiredProviderToken"
        if request.scope[CONNECTION].setdefault("key", key_id) != key_id:
            return 403, "UnrelatedKeyIdInToken"
        return None

    def _accept(self, request: Request, token: str, body: bytes) -> Response:
        asked_id = request.headers.get("apns-id")
        if not body:
            return refused(400, "PayloadEmpty", asked_id)
        if len(body) > LARGEST:
            return refused(413, "PayloadTooLarge", asked_id)
        try:
            payload = json.loads(body)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            return refused(400, "PayloadEmpty", asked_id)
        row = self._apns.magic.lookup(token)
        if row and row.refused:
            return refused(*REASONS[row.refused], asked_id)
        aps = payload.get("aps")
        alert = aps.get("alert") if isinstance(aps, dict) else None
        shown = alert if isinstance(alert, dict) else {"body": alert or ""}
        answer = _id(asked_id)
        made = Message(
            provider="apns",
            # Apple's id is no key: the same one may come twice.
            id=str(uuid.uuid4()),
            account=str(request.scope[CONNECTION]["key"]),
            recipient=token,
            sender=request.headers["apns-topic"],
            subject=shown.get("title"),
            content=str(shown.get("body", "")),
            status="accepted",
            accepted_at=now(),
            detail={"payload": payload, "collapse_id": request.headers.get("apns-collapse-id"), **answer},
        )
        steps = self._apns.planned(made, scenarios.USUAL, made.accepted_at, lambda *_: {})
        self._state.accept([(made, steps)])
        return Response(b"", 200, {**answer, "apns-unique-id": str(uuid.uuid4())})


def _wrong_headers(request: Request) -> tuple[int, str] | None:
    """What is wrong with a call's headers; None: nothing."""
    given = request.headers
    checks = (
        (_UUID.fullmatch(given.get("apns-id", str(uuid.uuid4()))) is not None, "BadMessageId"),
        (given.get("apns-topic"), "MissingTopic"),
        (given.get("apns-push-type", "alert") in PUSH_TYPES, "InvalidPushType"),
        (given.get("apns-priority", "10") in ("10", "5", "1"), "BadPriority"),
        (given.get("apns-expiration", "0").isdigit(), "BadExpirationDate"),
        (len(given.get("apns-collapse-id", "").encode()) <= 64, "BadCollapseId"),
    )
    return next(((400, reason) for good, reason in checks if not good), None)


def _wrong_token(token: str) -> tuple[int, str] | None:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", token):
        return None
    return 400, "BadDeviceToken"
