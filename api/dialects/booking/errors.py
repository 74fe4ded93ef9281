"""Booking.com's form of every error: `{"request_id", "errors": [{"id", "message"}]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from api.dependencies import reply
from api.problems import Problem

MISSING, INVALID, TYPE, SIZE = "missing_parameter", "invalid_parameter", "unsupported_media_type", "file_too_large"
_OF_STATUS: dict[int, tuple[int, str]] = {
    401: (401, "unauthorized"),
    403: (403, "forbidden"),
    404: (404, "not_found"),
    405: (404, "not_found"),
    415: (415, TYPE),
    429: (429, "too_many_requests"),
    500: (500, "internal_error"),
    503: (500, "unavailable"),
}
"""Status of a problem → Booking.com's status and word. Every other one is something in the request: 400."""
_OF_CODE: dict[str, tuple[int, str]] = {
    "outside_window": (403, "outside_window"),
    "body_too_large": (400, SIZE),
}
"""The same of situations that have a word of their own."""
_OWN = frozenset({"conversation_mismatch", "unknown_attachment"})
"""Kinds of wrong fields that are words of their own."""


def unfit_type(sentence: str = "Attachments are pictures: image/png or image/jpeg.") -> Problem:
    """A file that is none of those it takes; the native API has no such error."""
    return Problem(sentence, status_code=415, code=TYPE)


def answer(problem: Problem, request_id: str) -> Response:
    """An error in Booking.com's form, under its status."""
    status, word = _OF_CODE.get(problem.code) or _OF_STATUS.get(problem.status_code, (400, INVALID))
    if isinstance(problem.detail, str):
        errors = [{"id": word, "message": problem.detail}]
    else:
        errors = [_field(one, word) for one in problem.detail]
    return reply({"request_id": request_id, "errors": errors}, status, problem.headers)


def _field(one: Mapping[str, Any], word: str) -> dict[str, str]:
    name, kind = ".".join(str(part) for part in one["loc"][1:]), one["type"]
    if kind in ("missing", MISSING):
        word = MISSING
    elif kind in _OWN:
        word = kind
    return {"id": word, "message": f"{name}: {one['msg']}" if name else str(one["msg"])}
