"""The door's errors: one tree, whose docstrings are the messages, and the one form they are answered in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import getdoc
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.schemas.validation_messages import expected
from bellhop.domain.statuses import Status
from bellhop.store.database import DatabaseTimeout

Detail = str | Sequence[Mapping[str, Any]]


class Problem(Exception):
    """The request could not be answered."""

    status_code = 500
    code = "internal_error"

    def __init__(self, detail: Detail | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(type(self).__name__)
        self.detail: Detail = detail or " ".join((getdoc(type(self)) or "").split())
        self.headers = dict(headers or {})


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


class Conflict(Problem):
    """The request does not fit what is there now."""

    status_code = 409
    code = "conflict"


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used in the last 48 hours with another request body. Use a new key."""

    code = "idempotency_key_reused"


class IdempotencyGone(Conflict):
    """What this Idempotency-Key made has been erased since. Use a new key."""

    code = "idempotency_subject_gone"


class NotPending(Conflict):
    """Only a message that still waits can be cancelled or moved."""

    code = "message_not_pending"

    def __init__(self, status: Status) -> None:
        # `queued` and yet not waiting: a provider is being called with it, or may have it.
        state = "on its way to a provider" if status is Status.QUEUED else status.value
        super().__init__(f"It is already {state}; only a message that still waits can be cancelled or moved.")


class OutcomeUnknown(Conflict):
    """The provider has not said whether it took this message. That is being found out: look at it again in a minute;
    it can be cancelled or moved if the provider does not have it."""

    code = "outcome_unknown"


class GuestTaken(Conflict):
    """Another guest of this property has that e-mail address or external id."""

    code = "guest_conflict"


class EndpointInactive(Conflict):
    """The webhook endpoint is switched off. Set is_active to true first."""

    code = "endpoint_inactive"


class TooLarge(Problem):
    """The request body is too large."""

    status_code = 413
    code = "body_too_large"


class Invalid(Problem):
    """Some fields are not as they should be."""

    status_code = 422
    code = "invalid"

    def __init__(self, loc: Sequence[str | int], msg: str, kind: str) -> None:
        super().__init__([{"loc": list(loc), "msg": msg, "type": kind}])


class ChannelMissing(Invalid):
    """The property cannot send on this channel."""

    code = "channel_unavailable"


class RateLimited(Problem):
    """This API key has made too many requests this minute."""

    status_code = 429
    code = "rate_limited"


class Busy(Problem):
    """More requests are under way than can be worked on just now. Nothing was done; try again."""

    status_code = 503
    code = "overloaded"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class Unavailable(Problem):
    """Bellhop's database cannot be used just now; try again. With an Idempotency-Key nothing is ever done twice."""

    status_code = 503
    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


_OF_STATUS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not know that method."),
    413: ("body_too_large", "The request body is too large."),
}


def answer(
    request_id: str, status: int, code: str, detail: Detail, headers: Mapping[str, str] | None = None
) -> Response:
    """The one form of every error."""
    body = {"detail": detail, "status_code": status, "request_id": request_id, "code": code}
    return Response(to_json(body), status, dict(headers or {}), media_type="application/json")


def of_problem(request: Request, problem: Exception) -> Response:
    """Handler of our own errors."""
    assert isinstance(problem, Problem)
    return answer(_id(request), problem.status_code, problem.code, problem.detail, problem.headers)


def of_http(request: Request, error: Exception) -> Response:
    """Handler of the framework's errors: unknown paths, methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    code, detail = _OF_STATUS.get(error.status_code, ("bad_request", "The request cannot be answered."))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request) or headers.get("Allow") or "GET, HEAD"
    return answer(_id(request), error.status_code, code, detail, headers)


def _allowed(request: Request) -> str:
    """Every method of the path: the framework names only those of the first route that matched it. "" for a path that
    is not in the description."""
    paths, path = request.app.openapi()["paths"], request.scope["path"]
    fitting = (
        [path]
        if path in paths
        else [template for template in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)]
    )
    methods = {method.upper() for template in fitting for method in paths[template]}
    return ", ".join(sorted(methods))


def of_validation(request: Request, error: Exception) -> Response:
    """Handler of fields that are not as they should be. What was sent is not repeated: it may be a guest's data."""
    assert isinstance(error, RequestValidationError)
    detail = [{"loc": list(each["loc"]), "msg": expected(each), "type": str(each["type"])} for each in error.errors()]
    return answer(_id(request), 422, Invalid.code, detail)


def unavailable(error: BaseException) -> bool:
    """True when a database error is about the database rather than about what was asked of it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, ProgrammingError):
        # 42P01 and 42703: a table or column is missing, since migrations have not run yet.
        return getattr(error.orig, "sqlstate", None) in ("42P01", "42703")
    if isinstance(error, InternalError):
        # 25006: this server is a standby, or has just become one.
        return getattr(error.orig, "sqlstate", None) == "25006"
    # A full disk (53100), no connection left (53300, or of our own), locks and statements that took too long, and
    # whatever else is about the server.
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout, DatabaseTimeout))


HANDLERS: dict[Any, Any] = {
    Problem: of_problem,
    HTTPException: of_http,
    RequestValidationError: of_validation,
}


def _id(request: Request) -> str:
    return str(request.scope["bellhop.request_id"])
