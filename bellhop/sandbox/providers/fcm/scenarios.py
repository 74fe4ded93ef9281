"""What happens to a notification at the simulated FCM; its magic tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bellhop.sandbox.magic import Magic, MagicTable
from bellhop.sandbox.scenarios import Step

MOMENTS: dict[str, tuple[str, float]] = {"sent": ("fcm_sent_after", 1.0)}
TONES = {"sent": "good", "read": "best"}
USUAL: tuple[Step, ...] = (Step("sent"),)

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@dataclass(frozen=True, slots=True)
class Error:
    """One answer of FCM's: HTTP status, `error.status`, its words, its details."""

    http: int
    status: str
    message: str
    details: tuple[dict[str, Any], ...] = ()


def _fcm(code: str) -> dict[str, Any]:
    return {"@type": _FCM_ERROR, "errorCode": code}


def violation(field: str, says: str) -> dict[str, Any]:
    """What is wrong with a field."""
    return {"@type": _BAD_REQUEST, "fieldViolations": [{"field": field, "description": says}]}


BAD_TOKEN = "The registration token is not a valid FCM registration token"

ERRORS: dict[int, Error] = {
    # Numbers of our own: FCM's errors have none.
    1: Error(404, "NOT_FOUND", "Requested entity was not found.", (_fcm("UNREGISTERED"),)),
    2: Error(403, "PERMISSION_DENIED", "SenderId mismatch", (_fcm("SENDER_ID_MISMATCH"),)),
    3: Error(400, "INVALID_ARGUMENT", BAD_TOKEN, (violation("message.token", BAD_TOKEN), _fcm("INVALID_ARGUMENT"))),
    4: Error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", (_fcm("QUOTA_EXCEEDED"),)),
    5: Error(401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service", (_fcm("THIRD_PARTY_AUTH_ERROR"),)),
    6: Error(
        400,
        "INVALID_ARGUMENT",
        "Invalid value at 'message.android.ttl'",
        (violation("message.android.ttl", "Invalid"), _fcm("INVALID_ARGUMENT")),
    ),
    7: Error(
        429,
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'Send requests'",
        ({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"},),
    ),
}

MAGIC = MagicTable(
    "devices",
    (
        Magic("sandbox:unregistered", "404 UNREGISTERED: the app is gone", refused=1),
        Magic("sandbox:mismatch", "403 SENDER_ID_MISMATCH: a token of another project", refused=2),
        Magic("sandbox:invalid", "400 INVALID_ARGUMENT: no token", refused=3),
        Magic("sandbox:quota", "429 QUOTA_EXCEEDED", refused=4),
        Magic("sandbox:apns-auth", "401 THIRD_PARTY_AUTH_ERROR: the project's APNs key", refused=5),
        Magic("sandbox:our-fault", "400 on a field of ours: the token is good", refused=6),
        Magic("sandbox:ratelimited", "429 without FcmError (RATE_LIMIT_EXCEEDED)", refused=7),
    ),
)
