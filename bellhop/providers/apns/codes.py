"""APNs' words: what each reason of a refusal means, by HTTP status and `reason`.

Source: developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns; the second
spelling of BadEnvironmentKeyIdInToken is what servers send (APNSwift, pull request 229).
"""

from __future__ import annotations

from dataclasses import dataclass

from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.devices import DeviceVerdict
from bellhop.domain.failures import FailureCode


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal means, for the message and for the device. `pause`: seconds until it may be tried again."""

    kind: SendKind
    failure: FailureCode
    device: DeviceVerdict | None = None
    pause: float | None = None


_OURS = Verdict(SendKind.REFUSED, FailureCode.CONTENT_REFUSED)
_ACCOUNT = Verdict(SendKind.ACCOUNT, FailureCode.CONFIGURATION)
_MISFIT = Verdict(SendKind.REFUSED, FailureCode.ADDRESS_INVALID, DeviceVerdict.MISFIT)
_GONE = Verdict(SendKind.REFUSED, FailureCode.ADDRESS_INVALID, DeviceVerdict.GONE)
_AGAIN = Verdict(SendKind.RETRY, FailureCode.PROVIDER_ERROR)
_UNKNOWN = Verdict(SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN)
TOKEN_PAUSE = 1_200.0
"""Seconds: a token may not be renewed more often (TooManyProviderTokenUpdates)."""

REASONS: dict[tuple[int, str], Verdict] = {
    (400, "BadCollapseId"): _OURS,
    (400, "BadExpirationDate"): _OURS,
    (400, "BadMessageId"): _OURS,
    (400, "BadPriority"): _OURS,
    (400, "BadTopic"): _OURS,
    (400, "DuplicateHeaders"): _OURS,
    (400, "InvalidPushType"): _OURS,
    (400, "MissingDeviceToken"): _OURS,
    (400, "MissingTopic"): _OURS,
    (400, "PayloadEmpty"): _OURS,
    (400, "TopicDisallowed"): _ACCOUNT,  # the key may not send for this app
    # Most often a token of the other environment: it may be good there, so the device stays.
    (400, "BadDeviceToken"): _MISFIT,
    (400, "DeviceTokenNotForTopic"): _MISFIT,
    (400, "IdleTimeout"): _AGAIN,  # of the connection
    (403, "BadCertificate"): _ACCOUNT,
    (403, "BadCertificateEnvironment"): _ACCOUNT,
    (403, "BadEnvironmentKeyIdInToken"): _ACCOUNT,  # the key is for the other environment alone
    (403, "BadEnvironmentKeyInToken"): _ACCOUNT,
    (403, "Forbidden"): _ACCOUNT,
    (403, "InvalidProviderToken"): _ACCOUNT,
    (403, "MissingProviderToken"): _ACCOUNT,
    (403, "UnrelatedKeyIdInToken"): _ACCOUNT,  # another key was used on this connection: ours carry one each
    # Only where the clocks differ: the token is renewed by the clock, whatever is answered.
    (403, "ExpiredProviderToken"): Verdict(SendKind.RETRY, FailureCode.CONFIGURATION, pause=TOKEN_PAUSE),
    (404, "BadPath"): _OURS,
    (405, "MethodNotAllowed"): _OURS,
    (410, "ExpiredToken"): _GONE,
    (410, "Unregistered"): _GONE,
    (413, "PayloadTooLarge"): _OURS,
    (429, "TooManyRequests"): Verdict(SendKind.RETRY, FailureCode.LIMIT_REACHED),  # to this device
    (429, "TooManyProviderTokenUpdates"): Verdict(SendKind.RETRY, FailureCode.LIMIT_REACHED, pause=TOKEN_PAUSE),
    (500, "InternalServerError"): _UNKNOWN,
    (503, "ServiceUnavailable"): _UNKNOWN,
    (503, "Shutdown"): _AGAIN,  # the server closes; another takes it
}
