"""Bird's form of every error: `{"code", "message", "details"}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from api.dependencies import reply
from api.problems import Problem
from bellhop.domain.formats.bird import named

BAD, INVALID = (400, "BadRequest"), (422, "InvalidFormat")
_OF_STATUS: dict[int, tuple[int, str]] = {
    401: (401, "Unauthorized"),
    403: (403, "Forbidden"),
    404: (404, "NotFound"),
    405: (405, "MethodNotAllowed"),
    408: (408, "RequestTimeout"),
    409: (409, "Conflict"),
    413: (413, "PayloadTooLarge"),
    422: INVALID,
    429: (429, "TooManyRequests"),
    500: (500, "InternalError"),
    503: (503, "ServiceUnavailable"),
}
"""Status of a problem → Bird's status and word. Every other one is something in the request: 400."""
_UNKNOWN = frozenset({"extra_forbidden", "unknown_name"})
"""Kinds of wrong fields that make a request one that is not understood."""


def answer(problem: Problem, request_id: str) -> Response:
    """An error in Bird's form, under its status. The request's id is in the header `X-Request-Id`."""
    status, word = _OF_STATUS.get(problem.status_code, BAD)
    detail = problem.detail
    if isinstance(detail, str):
        return reply({"code": word, "message": detail, "details": {}}, status, problem.headers)
    if any(one["type"] in _UNKNOWN for one in detail):
        status, word = BAD
    said = "; ".join(f"{name_of(one['loc'][1:])}: {one['msg']}" for one in detail)
    return reply({"code": word, "message": said, "details": _by_field(detail)}, status, problem.headers)


def name_of(loc: Sequence[str | int]) -> str:
    """A field's name there."""
    return named(".".join(str(part) for part in loc))


def _by_field(detail: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in detail:
        found.setdefault(name_of(one["loc"][1:]), []).append(str(one["msg"]))
    return found
