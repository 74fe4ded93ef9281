"""Pictures: uploaded before they are sent, and handed out again."""

from __future__ import annotations

import base64
import binascii
import io

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, CurrentScope, for_both_sides, require_scope
from api.dialects.booking.accommodations import hotel_of
from api.dialects.booking.errors import unfit_type
from api.dialects.booking.messages import answered
from api.dialects.booking.router import UPLOAD, router
from api.dialects.booking.schemas import LONGEST_BASE64, OfAttachment, Upload
from api.problems import Invalid
from bellhop.domain.channels import MOST_ATTACHED
from bellhop.domain.formats import booking
from bellhop.engine import attachments

_SAYS = {"image/jpg": "image/jpeg"}
"""What some clients call them."""
_MAGIC = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


@router.post(UPLOAD)
@require_scope("messaging:write")
@for_both_sides
async def upload(
    request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: Upload
) -> Response:
    """Keep a picture for a message that is to be sent."""
    await hotel_of(engine, scope, body.accommodation)
    kind = _SAYS.get(body.file_type.lower(), body.file_type.lower())
    if kind not in booking.TYPES:
        raise unfit_type()
    if body.file_size > MOST_ATTACHED or len(body.file_content) > LONGEST_BASE64:
        raise Invalid(["body", "file_size"], f"expected at most {MOST_ATTACHED:,} bytes", "file_size")
    data = await run_in_threadpool(_decoded, body.file_content)
    if len(data) != body.file_size:
        raise Invalid(["body", "file_size"], f"expected {len(data)}, which file_content has", "file_size")
    if not data.startswith(_MAGIC[kind]):
        raise unfit_type(f"file_content is no {kind}.")
    kept = await attachments.upload(
        engine, scope, caller.side, body.conversation, io.BytesIO(data), body.file_name, kind
    )
    return answered(request, data={"attachment": str(kept)})


@router.post("/attachments/metadata")
@require_scope("messaging:read")
@for_both_sides
async def metadata(
    request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: OfAttachment
) -> Response:
    """What is known of a picture."""
    await hotel_of(engine, scope, body.accommodation)
    found = await attachments.get(engine, scope, caller.side, body.conversation, body.attachment)
    return answered(request, data={"metadata": booking.attachment(found)})


@router.post("/attachments/download")
@require_scope("messaging:read")
@for_both_sides
async def download(
    request: Request, engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, body: OfAttachment
) -> Response:
    """A picture itself."""
    await hotel_of(engine, scope, body.accommodation)
    data = await attachments.read(engine, scope, caller.side, body.conversation, body.attachment)
    content = base64.b64encode(data).decode()
    said = {"conversation": str(body.conversation), "attachment": str(body.attachment), "file_content": content}
    return answered(request, data=said)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(["body", "file_content"], "expected base64", "base64") from None
