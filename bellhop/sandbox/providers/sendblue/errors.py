"""How Sendblue answers a wrong call."""

from __future__ import annotations

import json

from starlette.responses import Response

_CODE_OF_STATUS = {400: 4000, 401: 401, 404: 404, 429: 4001, 500: 5000, 503: 5000}


def reply(status: int, code: int | None, message: str, key: str | None = None) -> Response:
    """`{"status": "ERROR", …}`."""
    content = {"status": "ERROR", "message": message, "error_code": code, "error_message": message}
    return Response(json.dumps(content | ({"error_key": key} if key else {})), status, media_type="application/json")


class Refused(Exception):
    """The call is wrong: the HTTP status, Sendblue's code, its words, and its key where it has one."""

    def __init__(self, status: int, code: int | None, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.reply = reply(status, code, message, key)


def of_fault(status: int, code: int | None, message: str | None) -> Response:
    """The error a fault asks for; what it leaves out follows from the HTTP status."""
    return reply(status, code or _CODE_OF_STATUS.get(status, 5000), message or "Error")
