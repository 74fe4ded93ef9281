"""Sendblue's form of every error: `{"status": "ERROR", "message", "error_code", "error_message"}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from api.dependencies import reply
from api.problems import Problem
from bellhop.domain.formats.sendblue import INTERNAL, RATE

VALIDATION = 4000
_INVALID = (400, VALIDATION)
_OF_STATUS: dict[int, tuple[int, int]] = {
    401: (401, 401),
    403: (403, 403),
    404: (404, 404),
    405: (405, VALIDATION),
    408: (408, VALIDATION),
    413: (413, VALIDATION),
    429: (429, RATE),
    500: (500, INTERNAL),
    503: (503, INTERNAL),
}
"""Status of a problem → Sendblue's status and number. Every other one is something in the request: 400. Not 409 and
422: its clients repeat the first, and know no second."""
_NAMES = {
    "from": "from_number",
    "recipient": "number",
    "address": "number",
    "channel": "from_number",
    "callback_url": "status_callback",
    "media": "media_url",
    "media.0.url": "media_url",
}
"""A field as the engine calls it → as Sendblue does."""


def answer(problem: Problem, request_id: str) -> Response:
    """An error in Sendblue's form, under its status. The request's id is in the header `X-Request-Id`."""
    status, number = _OF_STATUS.get(problem.status_code, _INVALID)
    return error(status, number, _sentence(problem), problem.headers)


def error(
    status: int, number: int, sentence: str, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """The same of what a route refuses. `more`: what is said beside it."""
    body: dict[str, Any] = {"status": "ERROR", "message": sentence, "error_code": number, "error_message": sentence}
    return reply(body | more, status, headers)


def _sentence(problem: Problem) -> str:
    if isinstance(problem.detail, str):
        return problem.detail
    return "; ".join(f"{_name(one['loc'][1:])}: {one['msg']}" for one in problem.detail)


def _name(loc: Any) -> str:
    name = ".".join(str(part) for part in loc)
    return _NAMES.get(name, name)
