"""FCM's HTTP v1: the token endpoint and `messages:send`, with its own errors.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults
from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.providers.fcm import accounts, scenarios
from bellhop.sandbox.providers.fcm.accounts import FcmAccount
from bellhop.sandbox.providers.fcm.scenarios import ERRORS, Error, violation
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.fcm.simulator import Fcm

SCOPES = frozenset(
    {"https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"}
)
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LARGEST = 4_096
"""Bytes of a notification's payload."""
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
             429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}  # fmt: skip
_OWN = {429: "QUOTA_EXCEEDED", 500: "INTERNAL", 503: "UNAVAILABLE"}
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


def mount(app: FastAPI, fcm: Fcm) -> None:
    """Routes without FastAPI's validation: what is wrong with a call is for FCM's own errors to say."""
    calls, recorded = _Calls(fcm), fcm.state.recorded
    app.add_route(accounts.TOKEN_PATH, recorded("fcm", calls.token), methods=["POST"])
    app.add_route("/v1/projects/{project}/messages:send", recorded("fcm", calls.send), methods=["POST"])


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")


def error(found: Error) -> Response:
    """`{"error": …}`."""
    content = {"code": found.http, "message": found.message, "status": found.status, "details": list(found.details)}
    return _json({"error": content}, found.http)


def _fault_error(asked: FaultRequest, status: int) -> Response:
    details = ({"@type": _FCM_ERROR, "errorCode": _OWN[status]},) if status in _OWN else ()
    return error(Error(status, _STATUSES.get(status, "UNKNOWN"), asked.message or "Error", details))


def _wrong(field: str, says: str) -> Error:
    return Error(
        400, "INVALID_ARGUMENT", says, (violation(field, says), {"@type": _FCM_ERROR, "errorCode": "INVALID_ARGUMENT"})
    )


class _Calls:
    def __init__(self, fcm: Fcm) -> None:
        self._fcm = fcm
        self._state = fcm.state
        self._tokens: dict[str, tuple[str, float]] = {}
        """Bearers handed out here: the project and when they end."""

    async def token(self, request: Request) -> Response:
        """Exchange a signed assertion for a bearer."""
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        if form.get("grant_type") != [GRANT]:
            return _json({"error": "unsupported_grant_type"}, 400)
        account = self._signed_by(form.get("assertion", [""])[0])
        if account is None:
            return _json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        bearer = "ya29." + secrets.token_urlsafe(48)
        self._tokens[bearer] = account.id, time.time() + 3_599
        return _json({"access_token": bearer, "expires_in": 3_599, "token_type": "Bearer"})

    def _signed_by(self, assertion: str) -> FcmAccount | None:
        """The project whose service account signed this for our scope, not longer ago than an hour."""
        try:
            kid = jwt.get_unverified_header(assertion).get("kid")
            account = next((one for one in self._fcm.accounts if one.key_id == kid), None)
            if account is None:
                return None
            claims = jwt.decode(
                assertion,
                self._fcm.key_of(account).public_key(),
                algorithms=["RS256"],
                options={"verify_aud": False, "require": ["iss", "iat", "exp"]},
            )
        except jwt.PyJWTError:
            return None
        scopes = set(str(claims.get("scope", "")).split())
        good = claims["iss"] == accounts.email(account.id) and claims["exp"] - claims["iat"] <= 3_600
        return account if good and scopes & SCOPES else None

    def _bearer(self, request: Request) -> str | None:
        """The project that a call is authenticated for: by a bearer of ours, or by a token it signed itself."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            return None
        project, until = self._tokens.get(given, ("", 0.0))
        if project:
            return project if until > time.time() else None
        account = self._signed_by(given)
        return account.id if account else None

    async def send(self, request: Request) -> Response:
        project = request.path_params["project"]
        known = self._bearer(request)
        if known is None:
            return error(Error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."))
        if known != project:
            return error(Error(403, "PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied"))
        try:
            body = json.loads(await request.body())
        except ValueError:
            return error(_wrong("", "Invalid JSON payload received."))
        message = body.get("message") if isinstance(body, dict) else None
        target = _target(message)

        def accept() -> Response:
            return self._accept(project, message, target)

        asked = self._state.call_fault("fcm", [target] if target else [])
        return await faults.through(asked, request, accept, _fault_error)

    def _accept(self, project: str, message: Any, target: str | None) -> Response:
        wrong = _checked(message, target)
        if wrong is not None:
            return error(wrong)
        assert target is not None
        row = self._fcm.magic.lookup(target)
        if row and row.refused:
            return error(ERRORS[row.refused])
        shown = message.get("notification") or {}
        made = Message(
            provider="fcm",
            id=f"projects/{project}/messages/0:{int(time.time() * 1e6)}%{secrets.token_hex(8)}",
            account=project,
            recipient=target,
            sender=project,
            subject=shown.get("title"),
            content=str(shown.get("body", "")),
            status="accepted",
            accepted_at=now(),
            detail={"message": message},
        )
        steps = self._fcm.planned(made, scenarios.USUAL, made.accepted_at, lambda *_: {})
        self._state.accept([(made, steps)])
        return _json({"name": made.id})


def _target(message: Any) -> str | None:
    """The device a message is for; None: there is none, or more than one."""
    given = [message.get(name) for name in ("token", "fid")] if isinstance(message, dict) else []
    found = [one for one in given if isinstance(one, str) and one]
    return found[0] if len(found) == 1 else None


def _checked(message: Any, target: str | None) -> Error | None:
    """What is wrong with a message; None: nothing."""
    if not isinstance(message, dict) or target is None:
        return _wrong("message", "Recipient of the message is not set.")
    data = message.get("data") or {}
    for name, value in data.items():
        if not isinstance(value, str):
            return _wrong(f"message.data[{name}]", "Invalid value, expected a string")
        if name in ("from", "message_type") or name.startswith(("google.", "gcm.")):
            return _wrong(f"message.data[{name}]", "Invalid data payload key")
    if len(json.dumps({"n": message.get("notification"), "d": data}, ensure_ascii=False).encode()) > LARGEST:
        return Error(400, "INVALID_ARGUMENT", "Android message is too big")
    return None
