"""Problems made answers: the native form of every error, that of a dialect below its own path, and the handlers of
what the framework raises."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api.admission import Overloaded
from api.problems import Busy, Invalid, Problem, problem_of, short
from api.request_bodies import CallerGone
from api.route_paths import path_of
from api.schemas.validation_messages import expected
from bellhop.engine.errors import EngineError

MOST_ERRORS = 50
"""How many errors an answer shows: it does not grow with what was wrong."""

GONE = 499
"""Logged of a caller who went away before the whole request had come."""

_OF_STATUS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This path does not know that method."),
    413: ("body_too_large", "The request body is too large."),
}


def native(problem: Problem, request_id: str) -> Response:
    """The native API's form of every error."""
    body = {
        "detail": problem.detail,
        "status_code": problem.status_code,
        "request_id": request_id,
        "code": problem.code,
    }
    return Response(to_json(body), problem.status_code, problem.headers, media_type="application/json")


def answer(scope: Scope, problem: Problem) -> Response:
    """The answer to a request: in its dialect's form, if its path is a dialect's. `scope`: that of ASGI."""
    dialect = scope["bellhop.dialect"]
    in_form = native if dialect is None else dialect.answer
    response: Response = in_form(problem, scope["bellhop.request_id"])
    return response


def of_problem(request: Request, problem: Exception) -> Response:
    """Handler of our own errors."""
    assert isinstance(problem, Problem)
    return answer(request.scope, problem)


def of_engine(request: Request, error: Exception) -> Response:
    """Handler of what the engine did not do."""
    assert isinstance(error, EngineError)
    return answer(request.scope, problem_of(error, "query" if request.method == "GET" else "body"))


def of_overload(request: Request, error: Exception) -> Response:
    """Handler of no slot in time."""
    return answer(request.scope, Busy())


def of_caller_gone(request: Request, error: Exception) -> Response:
    """Handler of callers who went away: nobody reads it, the log has its status."""
    return Response(status_code=GONE)


def of_http(request: Request, error: Exception) -> Response:
    """Handler of the framework's errors: unknown paths, methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    code, detail = _OF_STATUS.get(error.status_code, ("bad_request", "The request cannot be answered."))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request) or headers.get("Allow") or "GET, HEAD"
    return answer(request.scope, Problem(detail, headers=headers, status_code=error.status_code, code=code))


def _allowed(request: Request) -> str:
    """Every method of the path: the framework names only those of the first route that matched it. "" for a path that
    is not in the description."""
    path, dialect = path_of(request.scope), request.scope["bellhop.dialect"]
    if dialect is not None:
        routes = [route for route in dialect.router.routes if isinstance(route, APIRoute)]
        known = {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}
        return ", ".join(sorted(known | ({"HEAD"} if "GET" in known else set())))
    paths = request.app.openapi()["paths"]
    fitting = (
        [path]
        if path in paths
        else [template for template in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)]
    )
    methods = {method.upper() for template in fitting for method in paths[template]}
    methods |= {"HEAD"} if "GET" in methods else set()
    return ", ".join(sorted(methods))


def of_validation(request: Request, error: Exception) -> Response:
    """Handler of fields that are not as they should be. What was sent is not repeated: it may be a guest's data."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    return answer(request.scope, invalid(found))


def invalid(found: Sequence[Mapping[str, Any]]) -> Problem:
    """The problem that pydantic's errors are. Their places begin with `body` or the like."""
    detail: list[dict[str, Any]] = [
        {"loc": [short(part) for part in each["loc"]], "msg": expected(each), "type": str(each["type"])}
        for each in found[: MOST_ERRORS if len(found) <= MOST_ERRORS else MOST_ERRORS - 1]
    ]
    if len(found) > MOST_ERRORS:
        more = f"and {len(found) - len(detail)} more errors like these"
        detail.append({"loc": [str(found[0]["loc"][0])], "msg": more, "type": "more_errors"})
    return Problem(detail, status_code=Invalid.status_code, code=Invalid.code)


HANDLERS: dict[Any, Any] = {
    Problem: of_problem,
    EngineError: of_engine,
    Overloaded: of_overload,
    CallerGone: of_caller_gone,
    HTTPException: of_http,
    RequestValidationError: of_validation,
}
