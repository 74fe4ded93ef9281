"""Files that callers upload: multipart, streamed to the disk, bounded in size, number and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.problems import BadRequest, Busy, Invalid, TooLarge
from bellhop.media.settings import MediaSettings

SHARE = 4
"""One key's uploads are at most this fraction of those that a process takes at a time."""
LONGEST_FIELD = 4_096
MOST_FIELDS = 4
OF_ASSETS = frozenset({"guest_id"})
"""The fields beside the file, where others are not named."""
WITH_MESSAGE = frozenset({"key", "content"})
"""Those beside a file that a guest's app sends."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent: on the disk until the request is answered."""

    file: BinaryIO = field(repr=False)
    filename: str | None = field(repr=False)
    content_type: str | None
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What came beside it, by name."""


Fields = TypeVar("Fields", bound=BaseModel)


def checked(kind: type[Fields], upload: Upload) -> Fields:
    """The fields beside a file, as this shape says they are. Raises RequestValidationError."""
    try:
        return kind.model_validate(dict(upload.fields))
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in wrong]) from None


class Uploads:
    """Those of one process."""

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._under_way = 0
        self._of: Counter[str] = Counter()

    @asynccontextmanager
    async def received(self, request: Request, key: str, fields: frozenset[str] = OF_ASSETS) -> AsyncIterator[Upload]:
        """The file of a request, with those of these fields that are there. Raises Busy, Invalid, BadRequest, TooLarge
        and what its body raises."""
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise Invalid(["header", "content-type"], "expected multipart/form-data", "content_type")
        with self._place(key):
            # Larger ones than a MiB are written to a file that has no name.
            parser = MultiPartParser(
                request.headers,
                request.stream(),
                max_files=1,
                max_fields=MOST_FIELDS,
                max_part_size=LONGEST_FIELD,
            )
            try:
                form = await parser.parse()
            except (MultiPartException, KeyError, ValueError):
                raise BadRequest("The body is not multipart/form-data with one file.") from None
            try:
                yield self._read(form, fields)
            finally:
                await form.close()

    def _read(self, form: FormData, fields: frozenset[str]) -> Upload:
        unknown = next((name for name in form if name != "file" and name not in fields), None)
        if unknown is not None:
            raise Invalid(["body", unknown], "expected no such field", "extra_forbidden")
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid(["body", "file"], "expected a file", "file")
        given = {name: form[name] for name in fields if name in form}
        wrong = next((name for name, value in given.items() if not isinstance(value, str) or "\0" in value), None)
        if wrong is not None:
            raise Invalid(["body", wrong], "expected text", wrong)
        if (file.size or 0) > self._settings.max_bytes:
            raise TooLarge(f"The file is larger than {self._settings.max_bytes} bytes.")
        return Upload(file.file, file.filename, file.content_type, {name: str(value) for name, value in given.items()})

    @contextmanager
    def _place(self, key: str) -> Iterator[None]:
        most = self._settings.uploads_at_once
        if self._under_way >= most or self._of[key] >= max(1, most // SHARE):
            raise Busy("Too many files are being uploaded just now. Nothing was done; try again.")
        self._under_way += 1
        self._of[key] += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]
