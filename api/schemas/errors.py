"""Error bodies as documented, and which of them an operation can answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.fields import Shown


class Error(Shown):
    """Why a request was not answered as asked."""

    detail: Annotated[str, Field(description="A sentence for people.")]
    status_code: Annotated[int, Field(description="The HTTP status code.")]
    request_id: Annotated[str, Field(description="Names this request in Bellhop's logs; also in X-Request-Id.")]
    code: Annotated[str, Field(description="A word that programs can rely on.")]


class Place(Shown):
    """One field that is not as it should be."""

    loc: Annotated[list[str | int], Field(description='Where, e.g. ["body", "recipient"].')]
    msg: Annotated[str, Field(description="What was expected.")]
    type: Annotated[str, Field(description="A word for the kind of fault.")]


class InvalidRequest(Shown):
    """Fields that are not as they should be."""

    detail: list[Place]
    status_code: int
    request_id: str
    code: str


_ID = "req_01kaj3p6zve5jvqzkqdk1w4yb2"

_SAMPLES: dict[int, tuple[str, str, str]] = {
    400: ("The request cannot be read.", "bad_request", "The body is not UTF-8: send JSON."),
    401: ("No valid API key.", "unauthenticated", "A valid API key is needed."),
    403: ("The API key lacks the scope.", "missing_scope", "This API key lacks the scope messaging:write."),
    404: ("Missing, or another property's.", "not_found", "There is no such thing here."),
    409: ("It does not fit what is there now.", "conflict", "The request does not fit what is there now."),
    413: ("The body is too large.", "body_too_large", "The request body is larger than 1048576 bytes."),
    429: ("Too many requests; Retry-After says when to come back.", "rate_limited",
          "This API key may make 1000 requests a minute. Try again in 17 s."),
    503: ("The database cannot be reached; Retry-After says when to try again.",
          "database_unavailable",
          "Bellhop's database cannot be used just now; try again. With an Idempotency-Key nothing is ever done twice."),
}  # fmt: skip


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documented errors of an operation that needs a key: those of every such call, and `statuses`."""
    return only(401, 403, 422, 429, 503, *statuses)


def only(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These errors, documented."""
    documented: dict[int | str, dict[str, Any]] = {}
    for status in sorted(set(statuses)):
        if status == 422:
            example: dict[str, Any] = {
                "detail": [{"loc": ["body", "content"], "msg": "expected some text", "type": "content"}],
                "status_code": 422, "request_id": _ID, "code": "invalid",
            }  # fmt: skip
            description, model = "Some fields are not as they should be.", InvalidRequest
        else:
            description, code, detail = _SAMPLES[status]
            example = {"detail": detail, "status_code": status, "request_id": _ID, "code": code}
            model = Error  # type: ignore[assignment]
        documented[status] = {
            "model": model,
            "description": description,
            "content": {"application/json": {"example": example}},
        }
    return documented
