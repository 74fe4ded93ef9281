"""What the doctor says of the place where files lie: whether one can be kept there, read and removed."""

from __future__ import annotations

import asyncio
import io
from uuid import uuid4

from bellhop.media.settings import MediaSettings
from bellhop.media.storage import storage_of
from bellhop.ops.doctor_check import Check, CheckContext, Facts, Severity

CONTENT = b"bellhop doctor"


async def _unusable(context: CheckContext) -> list[Facts]:
    return await asyncio.to_thread(_tried, context.settings.media)


def _tried(settings: MediaSettings) -> list[Facts]:
    """A small file is kept, read and removed again: of a bucket, only that says what its credentials allow."""
    if settings.s3_bucket is None and not settings.dir.is_dir():
        # Made with the first file; and the API's machine may be another one.
        return []
    key, step = uuid4().hex, "be kept"
    try:
        storage = storage_of(settings)
        storage.put(key, io.BytesIO(CONTENT))
        step = "be read"
        with storage.open(key) as file:
            file.read()
        step = "be deleted"
        storage.remove(key)
    except OSError as error:
        where = f"the bucket {settings.s3_bucket}" if settings.s3_bucket else f"{settings.dir.resolve()}"
        return [{"where": where, "step": step, "error": error.strerror or str(error)}]
    return []


MEDIA_CHECKS: tuple[Check, ...] = (
    Check(
        "media_unusable", Severity.WRONG, "Files cannot {step} in {where} ({error}).",
        "Messages with files fail until they can. Check MEDIA_DIR or the MEDIA_S3_… settings: the bucket's name, "
        "region and endpoint, and that its key may put, get and delete objects.",
        _unusable,
    ),
)  # fmt: skip
