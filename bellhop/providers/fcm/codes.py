"""FCM's words: what its errors mean, by HTTP status, `error.status`, and the details by their type.

Sources: firebase.google.com/docs/cloud-messaging/error-codes, and answers seen in the wild: a bad token is reported by
FcmError and BadRequest together, in any order, so the violated field decides; a 429 often bears no FcmError at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means. `dead`: the device's token is of no use any more."""

    kind: SendKind
    failure: FailureCode
    dead: bool = False


_ACCOUNT = Verdict(SendKind.ACCOUNT, FailureCode.CONFIGURATION)
_DEAD = Verdict(SendKind.REFUSED, FailureCode.ADDRESS_INVALID, dead=True)
_BUSY = Verdict(SendKind.RETRY, FailureCode.LIMIT_REACHED)
_UNKNOWN = Verdict(SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN)
OURS = Verdict(SendKind.REFUSED, FailureCode.CONTENT_REFUSED)
"""A request that FCM cannot read, or a payload that is too large: nothing is wrong with the token."""

FCM_ERRORS: dict[tuple[int, str], Verdict] = {
    (404, "UNREGISTERED"): _DEAD,  # the app was removed, or the token has gone
    (403, "SENDER_ID_MISMATCH"): _DEAD,  # a token of another project
    (401, "THIRD_PARTY_AUTH_ERROR"): _ACCOUNT,  # the project's APNs key or web push key
    (401, "APNS_AUTH_ERROR"): _ACCOUNT,
    (429, "QUOTA_EXCEEDED"): _BUSY,
    # May have been sent: FCM says of both that duplicates are possible.
    (500, "INTERNAL"): _UNKNOWN,
    (503, "UNAVAILABLE"): _UNKNOWN,
}
"""By HTTP status and `FcmError.errorCode`."""

STATUSES: dict[tuple[int, str], Verdict] = {
    (401, "UNAUTHENTICATED"): _ACCOUNT,
    (403, "PERMISSION_DENIED"): _ACCOUNT,  # the API is not enabled, or the service account may not send
    (404, "NOT_FOUND"): _ACCOUNT,  # no such project
    (429, "RESOURCE_EXHAUSTED"): _BUSY,
}
"""By HTTP status and `error.status`, where no FcmError says more."""

TOKEN_FIELDS = frozenset({"message.token", "message.fid"})
SAID_OF_A_TOKEN = "not a valid fcm registration token"  # noqa: S105  words, no token
"""In the words of a 400 that names no field (the documented example)."""

SHORTEST_PAUSE = 60.0
"""Seconds after a 429 that names none (firebase.google.com/docs/cloud-messaging/scale-fcm)."""
