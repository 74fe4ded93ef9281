"""What guests want, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.fields import GuestId, Paging, Shown, Strict, id_pattern
from bellhop.domain.ids import Prefix
from bellhop.domain.intents import IntentType

TypeWord = Literal[
    "early_check_in",
    "late_check_out",
    "booking_change",
    "cancellation",
    "arrival_time",
    "directions",
    "parking",
    "wifi_access",
    "housekeeping",
    "amenity_request",
    "maintenance",
    "complaint",
    "dining",
    "payment",
    "lost_item",
    "opt_out",
    "human",
]
StatusWord = Literal["open", "done", "wrong"]
EXAMPLE: dict[str, Any] = {
    "id": "int_01kaj3p6zve5jvqzkqdk1w4yb2",
    "property_id": "pty_01kaj3nm2xf7k8c9d0e1f2g3h4",
    "guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "conversation_id": "cvs_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "message_id": "imsg_01kaj3p0m5e6s7t8v9w0x1y2z3",
    "type": "late_check_out",
    "detected_type": "late_check_out",
    "confidence": 0.997,
    "evidence": "late checkout",
    "detector": "built_in",
    "status": "open",
    "created_at": "2026-03-15T10:00:00.000000Z",
    "updated_at": "2026-03-15T10:00:00.000000Z",
}


class Intent(Shown):
    """Something that a guest wants, as it was found in what they wrote."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.INTENT))]
    property_id: str
    guest_id: Annotated[str | None, Field(description="Who wrote it; null: nobody that the property knows.")]
    conversation_id: str | None
    message_id: Annotated[str, Field(description="The guest's message.")]
    type: Annotated[TypeWord, Field(description="What they want; as corrected, if it was.")]
    detected_type: Annotated[TypeWord, Field(description="What the detector took it for.")]
    confidence: Annotated[float, Field(ge=0, le=1, description="How sure the detector was.")]
    evidence: Annotated[str, Field(description="The words of the message that it rests on.")]
    detector: Annotated[Literal["built_in", "anthropic", "openai"], Field(description="Which one found it.")]
    status: StatusWord
    created_at: datetime
    updated_at: datetime


class ListIntents(Paging):
    """Which intents."""

    type: Annotated[IntentType | None, Field(description="Only those of this type.")] = None
    status: Annotated[StatusWord | None, Field(description="Only those with this status.")] = None
    guest_id: Annotated[GuestId | None, Field(description="Only those of this guest.")] = None
    message_id: Annotated[
        str | None, Field(pattern=id_pattern(Prefix.INBOUND), description="Only those of this message.")
    ] = None


class ChangeIntent(Strict):
    """Fields to change; those left out stay."""

    model_config = {"json_schema_extra": {"examples": [{"status": "done"}, {"type": "early_check_in"}]}}

    status: Annotated[
        StatusWord, Field(description="`done`: somebody has seen to it; `wrong`: the guest did not want that.")
    ] = "open"
    type: Annotated[TypeWord, Field(description="What the guest wants instead; `detected_type` stays.")] = "human"
