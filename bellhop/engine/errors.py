"""Why a use case was not done: named situations, whose docstrings are the messages. Nothing has been written then.

Whoever calls says it in a protocol's own words: `api/problems.py` makes each of them an answer of HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import getdoc

from bellhop.domain.statuses import Status


class EngineError(Exception):
    """It was not done."""

    def __init__(self, said: str | None = None) -> None:
        super().__init__(said or " ".join((getdoc(type(self)) or "").split()))


class NotFound(EngineError):
    """There is no such thing here."""


class InvalidField(EngineError):
    """A field of the command is not as it should be; `field` names it as the command does."""

    def __init__(self, field: str, expected: str, kind: str) -> None:
        super().__init__(expected)
        self.field, self.expected, self.kind = field, expected, kind


class ChannelUnavailable(InvalidField):
    """The property has no sender that carries messages on this channel."""

    def __init__(self, channel: str, field: str = "channel") -> None:
        super().__init__(
            field,
            f"expected a channel that this property has a sender for; it has none for {channel}",
            "channel_unavailable",
        )


class TemplateRequired(InvalidField):
    """The guest has not written on this channel lately, and no approved template can carry the message."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(
            field,
            "expected a `template` that WhatsApp has approved: the guest has not written in the last 24 hours, and "
            f"this message cannot go out as one, since {why}",
            "whatsapp_template_required",
        )


class WriterKnown(EngineError):
    """The guest wrote it in a session of their own: there is no doubt who did, and it stays with them."""


class UnknownGuest(InvalidField):
    """The guest a command names does not exist in this scope."""

    def __init__(self, field: str, expected: str = "expected the id of a guest of this property") -> None:
        super().__init__(field, expected, "unknown_guest")


class NoDevice(InvalidField):
    """The guest has no device that takes notifications."""

    def __init__(self, field: str = "recipient") -> None:
        super().__init__(
            field,
            "expected a guest with a device that a sender of this property reaches, or the token of one; "
            "devices are registered at /v1/guests/{id}/devices",
            "no_device",
        )


class NoChannel(InvalidField):
    """No channel of the property's order reaches the guest with this message."""

    def __init__(self, why: Sequence[str]) -> None:
        super().__init__(
            "channel", f"expected a guest whom the message can reach on some channel. {' '.join(why)}", "no_channel"
        )


class BadSpan(InvalidField):
    """The span asked for is none."""


class ForbiddenUrl(InvalidField):
    """Nothing is posted to this address."""

    def __init__(self, expected: str) -> None:
        super().__init__("url", expected, "url")


class IdempotencyMismatch(EngineError):
    """This Idempotency-Key was used in the last 48 hours with another request body. Use a new key."""


class IdempotencySubjectGone(EngineError):
    """What this Idempotency-Key made has been erased since. Use a new key."""


class OutsideWindow(EngineError):
    """What was written about a stay can be looked at for a year after its check-out or cancellation: that is over."""


class NotPending(EngineError):
    """Only a message that still waits can be cancelled or moved."""

    def __init__(self, status: Status) -> None:
        # `queued` and yet not waiting: a provider is being called with it, or may have it.
        state = "on its way to a provider" if status is Status.QUEUED else status.value
        super().__init__(f"It is already {state}; only a message that still waits can be cancelled or moved.")


class OutcomeUnknown(EngineError):
    """The provider has not said whether it took this message. That is being found out: look at it again in a minute;
    it can be cancelled or moved if the provider does not have it."""


class BroadcastOver(EngineError):
    """The broadcast does not stand so that this can be done."""

    def __init__(self, state: str) -> None:
        super().__init__(f"It is {state}: that cannot be done with it any more, or not yet.")


class NotFailed(EngineError):
    """Only a failed message can be sent again."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"It is {status.value}; only a failed message can be sent again.")


class ResentAlready(EngineError):
    """This message was sent again already."""

    def __init__(self, message: str) -> None:
        super().__init__(f"It was sent again already, as {message}. Should that fail, it can be sent again.")


class GuestConflict(EngineError):
    """Another guest of this property has that e-mail address or external id."""

    def __init__(self, field: str) -> None:
        what = "external id" if field == "external_id" else "e-mail address"
        super().__init__(f"Another guest of this property has that {what}.")
        self.field = field


class EndpointInactive(EngineError):
    """The webhook endpoint is switched off. Set is_active to true first."""


class TooManyEndpoints(EngineError):
    """The scope has as many webhook endpoints as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A property has at most {most} webhook endpoints in each environment. Delete one first.")


class QuotaReached(EngineError):
    """The scope keeps as many bytes of files as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A property keeps at most {most:,} bytes of files in each environment. Delete some first.")


class TooManySessions(EngineError):
    """The guest has as many sessions as a guest may have."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A guest has at most {most} sessions that are not over. Revoke some, or let them expire.")


class SenderExists(EngineError):
    """The property has that sender on this channel already."""


class SenderInUse(EngineError):
    """The sender cannot be removed now."""


class TooManySenders(EngineError):
    """The scope has as many senders on a channel as it may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A property has at most {most} senders on a channel in each environment. Remove one first.")


class ProviderAway(EngineError):
    """The provider did not answer, or not in a way that says anything. Try again."""


class OtherEnvironment(EngineError):
    """A key mints keys of its own environment only."""

    def __init__(self, environment: str) -> None:
        super().__init__(f"A {environment} key mints {environment} keys only.")


class WrongSignature(EngineError):
    """This callback does not bear a signature of the account it names."""


class AccountUnreadable(EngineError):
    """The account's credentials cannot be decrypted just now, so nobody can say whether this callback is its own."""


class UnverifiedWhileAway(EngineError):
    """The database is away, and what is remembered of this account did not sign this callback: whose it is, only the
    database can tell. Try again."""


class UnreadableCallback(EngineError):
    """This is not what the provider sends."""


def stored(error: EngineError) -> dict[str, str]:
    """An error as it can be kept: its kind and what it says."""
    kept = {"kind": type(error).__name__, "said": str(error)}
    return kept | ({"field": error.field, "type": error.kind} if isinstance(error, InvalidField) else {})


def of_stored(kept: Mapping[str, str]) -> EngineError:
    """The same error again."""
    kind = _kinds(EngineError).get(kept["kind"], EngineError)
    error = kind.__new__(kind)
    error.args = (kept["said"],)
    if isinstance(error, InvalidField):
        error.field, error.expected, error.kind = kept["field"], kept["said"], kept["type"]
    return error


def _kinds(of: type[EngineError]) -> dict[str, type[EngineError]]:
    found = {of.__name__: of}
    for kind in of.__subclasses__():
        found |= _kinds(kind)
    return found
