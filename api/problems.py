"""Why a request is not answered as asked: one tree, whose docstrings are the messages, and what each situation that the
engine names is in HTTP. `errors.py` turns them into answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import getdoc
from typing import Any

from bellhop.engine import errors as engine

LONGEST_NAME = 100

Detail = str | Sequence[Mapping[str, Any]]


def short(part: str | int) -> str | int:
    """A part of a field's place. Names may be the caller's own: as much of them as helps to find it, and can be said in
    UTF-8."""
    if isinstance(part, int):
        return part
    kept = part if len(part) <= LONGEST_NAME else part[:LONGEST_NAME] + "…"
    return kept if kept.isascii() else kept.encode("utf-8", "replace").decode()


class Problem(Exception):
    """The request could not be answered."""

    status_code = 500
    code = "internal_error"

    def __init__(
        self,
        detail: Detail | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        status_code: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(type(self).__name__)
        self.detail: Detail = detail or " ".join((getdoc(type(self)) or "").split())
        self.headers = dict(headers or {})
        self.status_code = status_code or self.status_code
        self.code = code or self.code

    @property
    def sentence(self) -> str:
        """`detail` in one sentence, for formats that have no list of fields."""
        if isinstance(self.detail, str):
            return self.detail
        return "; ".join(f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in self.detail)


class Broken(Problem):
    """Something broke here. It has been logged."""


class BadRequest(Problem):
    """The request cannot be read."""

    status_code = 400
    code = "bad_request"


class Unauthenticated(Problem):
    """A valid API key is needed: Authorization: Bearer sk_live_… or sk_test_…, or the header X-API-Key."""

    status_code = 401
    code = "unauthenticated"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="bellhop"'})


class SessionOver(Problem):
    """The token of a guest's session is needed (Authorization: Bearer gs_live_… or gs_test_…), and this one opens none:
    it never did, has expired, or was revoked. The property's back end mints another."""

    status_code = 401
    code = "session_over"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer realm="bellhop inbox"'})


class OriginNotAllowed(Problem):
    """Pages of this origin do not read the property's inboxes: it is not among `in_app.allowed_origins` of the
    property's settings."""

    status_code = 403
    code = "origin_not_allowed"


class Forbidden(Problem):
    """This API key may not do that."""

    status_code = 403
    code = "forbidden"


class MissingScope(Forbidden):
    """This API key lacks a scope."""

    code = "missing_scope"

    def __init__(self, right: str) -> None:
        super().__init__(f"This API key lacks the scope {right}.")


class NotFound(Problem):
    """There is no such thing here."""

    status_code = 404
    code = "not_found"


class TooLarge(Problem):
    """The request body is too large."""

    status_code = 413
    code = "body_too_large"


class UrlTooLong(Problem):
    """The URL is too long."""

    status_code = 414
    code = "url_too_long"


class HeadTooLarge(Problem):
    """The request has too many headers, or too large ones."""

    status_code = 431
    code = "head_too_large"


class TooLate(Problem):
    """The request took too long to arrive."""

    status_code = 408
    code = "request_timeout"


class Invalid(Problem):
    """Some fields are not as they should be."""

    status_code = 422
    code = "invalid"

    def __init__(self, loc: Sequence[str | int], msg: str, kind: str) -> None:
        super().__init__([{"loc": [short(part) for part in loc], "msg": msg, "type": kind}])


class RateLimited(Problem):
    """This API key has made too many requests this minute."""

    status_code = 429
    code = "rate_limited"


class Busy(Problem):
    """More requests are under way than can be worked on just now. Nothing was done; try again."""

    status_code = 503
    code = "overloaded"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


class Unavailable(Problem):
    """Bellhop's database cannot be used just now; try again. With an Idempotency-Key nothing is ever done twice."""

    status_code = 503
    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


OF_ENGINE: dict[type[engine.EngineError], tuple[int, str]] = {
    engine.NotFound: (404, "not_found"),
    engine.IdempotencyMismatch: (409, "idempotency_key_reused"),
    engine.IdempotencySubjectGone: (409, "idempotency_subject_gone"),
    engine.NotPending: (409, "message_not_pending"),
    engine.OutcomeUnknown: (409, "outcome_unknown"),
    engine.NotFailed: (409, "message_not_failed"),
    engine.BroadcastOver: (409, "broadcast_state"),
    engine.ResentAlready: (409, "message_resent"),
    engine.GuestConflict: (409, "guest_conflict"),
    engine.EndpointInactive: (409, "endpoint_inactive"),
    engine.TooManyEndpoints: (409, "too_many_endpoints"),
    engine.QuotaReached: (409, "asset_quota"),
    engine.TooManySessions: (409, "too_many_sessions"),
    engine.WriterKnown: (409, "writer_known"),
    engine.SenderExists: (409, "sender_exists"),
    engine.SenderInUse: (409, "sender_in_use"),
    engine.TooManySenders: (409, "too_many_senders"),
    engine.OtherEnvironment: (403, "forbidden"),
    engine.OutsideWindow: (403, "outside_window"),
    engine.WrongSignature: (403, "wrong_signature"),
    engine.AccountUnreadable: (503, "account_unreadable"),
    engine.UnverifiedWhileAway: (503, "database_unavailable"),
    engine.UnreadableCallback: (400, "bad_request"),
    engine.ProviderAway: (503, "provider_unavailable"),
    engine.InvalidField: (422, "invalid"),
    engine.UnknownGuest: (422, "invalid"),
    engine.NoDevice: (422, "invalid"),
    engine.NoChannel: (422, "no_channel"),
    engine.BadSpan: (422, "invalid"),
    engine.ForbiddenUrl: (422, "invalid"),
    engine.ChannelUnavailable: (422, "channel_unavailable"),
    engine.TemplateRequired: (422, "whatsapp_template_required"),
}
"""Situation → status and code. A test walks the engine's tree."""


def _place(field: str) -> list[str | int]:
    """Where a field is: `fallback.0.channel` is that of the list's first."""
    return [int(part) if part.isdecimal() and len(part) < 4 else part for part in field.split(".")]


def problem_of(error: engine.EngineError, place: str) -> Problem:
    """What it is in HTTP. `place`: where the request's fields are, `body` or `query`."""
    status_code, code = OF_ENGINE[type(error)]
    detail: Detail = str(error)
    if isinstance(error, engine.InvalidField):
        detail = [{"loc": [place, *_place(error.field)], "msg": error.expected, "type": error.kind}]
    return Problem(detail, status_code=status_code, code=code)
