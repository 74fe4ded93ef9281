"""Files on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.schemas.fields import Shown, id_pattern
from bellhop.domain.ids import Prefix

EXAMPLE: dict[str, Any] = {
    "id": "ast_01kaj3p6zve5jvqzkqdk1w4yb2",
    "content_type": "image/jpeg",
    "size": 181_204,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "filename": "lobby.jpg",
    "guest_id": None,
    "created_at": "2026-03-15T10:00:00.981132Z",
    "expires_at": "2026-04-14T10:00:00.981132Z",
}

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "example": {"file": "(bytes)"},
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "contentMediaType": "application/octet-stream",
                            "description": "JPEG, PNG, GIF, WebP, PDF, MP4, 3GP, MOV, MP3, M4A, AAC, AMR, OGG, or text "
                            "(plain, CSV, calendar, vCard). What it is, is read from its bytes.",
                        },
                        "guest_id": {
                            "type": "string",
                            "pattern": id_pattern(Prefix.GUEST),
                            "description": "Whose it is: it is erased with this guest.",
                        },
                    },
                },
            }
        },
    }
}
"""How an upload is described; it is read by `api/uploads.py`."""


class Asset(Shown):
    """A file that messages can carry."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.ASSET))]
    content_type: Annotated[str, Field(description="What it is, told from its bytes.")]
    size: Annotated[int, Field(description="Bytes; of a photo without what its camera wrote into it.")]
    sha256: Annotated[str, Field(description="Of the bytes as they are kept, in hexadecimal digits.")]
    filename: str | None
    guest_id: Annotated[str | None, Field(description="Whose it is.")]
    created_at: datetime
    expires_at: Annotated[datetime, Field(description="When it is deleted, unless a message needs it for longer.")]
