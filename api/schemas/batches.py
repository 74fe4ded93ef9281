"""Batches of messages on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from api.schemas.errors import Error, InvalidRequest
from api.schemas.fields import Shown, Strict
from api.schemas.messages import EXAMPLE, AcceptedMessage, SendRequest
from bellhop.engine.batches import MOST


class _ReadLater:
    """Described as what it annotates, and taken as it comes: whoever reads it says what is wrong with each."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        self._described = handler(source)
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(self._described)


class BatchRequest(Strict):
    """Messages to guests, each as `POST /v1/messaging/send` takes it."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "messages": [
                        {"channel": "sms", "recipient": "+13055551234", "content": "Breakfast is from 7 to 11."},
                        {
                            "channel": "email",
                            "recipient": "jordan@example.com",
                            "subject": "Breakfast",
                            "content": "Breakfast is from 7 to 11.",
                        },
                    ]
                }
            ]
        }
    }

    messages: Annotated[
        list[Annotated[SendRequest, _ReadLater()]],
        Field(
            min_length=1,
            max_length=MOST,
            description="One that is not as it should be is refused alone: see `error` of its outcome.",
        ),
    ]


class Outcome(Shown):
    """What became of one message of a batch: `message` or `error`."""

    index: Annotated[int, Field(description="Its place in `messages`, from 0.")]
    message: Annotated[AcceptedMessage | None, Field(description="As it was accepted; null: it was refused.")]
    error: Annotated[
        Error | InvalidRequest | None,
        Field(description="The body that a single send of it would have been refused with; null: it is accepted."),
    ]


class BatchOutcome(Shown):
    """What became of each message of a batch."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "accepted": 1,
                    "refused": 1,
                    "data": [
                        {"index": 0, "message": EXAMPLE, "error": None},
                        {
                            "index": 1,
                            "message": None,
                            "error": {
                                "detail": [
                                    {
                                        "loc": ["body", "subject"],
                                        "msg": "expected a subject: an e-mail needs one",
                                        "type": "subject_required",
                                    }
                                ],
                                "status_code": 422,
                                "request_id": "req_01kaj3p6zve5jvqzkqdk1w4yb2",
                                "code": "invalid",
                            },
                        },
                    ],
                }
            ]
        }
    }

    accepted: Annotated[int, Field(description="How many will be sent.")]
    refused: Annotated[int, Field(description="How many will not: see their `error`.")]
    data: Annotated[list[Outcome], Field(description="One for each message, in the order of `messages`.")]
