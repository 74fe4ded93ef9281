"""Files in a bucket of an S3-compatible service, which any number of machines reach (the extra `s3`)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, BinaryIO, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from bellhop.media.settings import MediaSettings

CHUNK = 256 * 1024
TIMEOUT = "10s"
"""Of one request."""
TRIES = 2
"""Further ones, of what the service did not answer; every request may be repeated."""
PATIENCE = timedelta(seconds=12)


class Bucket:
    """See `storage.Storage`. An upload that ends half-way leaves no file."""

    def __init__(self, settings: MediaSettings) -> None:
        given: dict[str, Any] = {}
        if settings.s3_endpoint is not None:
            # Other services than Amazon's have the bucket in the path, whatever they are called.
            given |= {"endpoint": settings.s3_endpoint, "virtual_hosted_style_request": False}
        if settings.s3_access_key_id and settings.s3_secret_access_key:
            secret = settings.s3_secret_access_key.get_secret_value()
            given |= {"access_key_id": settings.s3_access_key_id, "secret_access_key": secret}
        self._store = S3Store(
            settings.s3_bucket or "",
            prefix=settings.s3_prefix.strip("/") or None,
            region=settings.s3_region,
            client_options={"allow_http": True, "timeout": TIMEOUT},
            retry_config={"max_retries": TRIES, "retry_timeout": PATIENCE},
            **given,
        )

    def put(self, key: str, file: BinaryIO) -> None:
        with _as_oserror():
            obstore.put(self._store, key, file)

    def open(self, key: str) -> BinaryIO:
        with _as_oserror():
            chunks = iter(obstore.get(self._store, key).stream(min_chunk_size=CHUNK))
        return cast(BinaryIO, io.BufferedReader(_Chunks(chunks), CHUNK))

    def remove(self, key: str) -> None:
        try:
            with _as_oserror():
                obstore.delete(self._store, key)
        except FileNotFoundError:
            pass


class _Chunks(io.RawIOBase):
    """What comes piece by piece, as a file that is read once from its beginning."""

    def __init__(self, chunks: Iterator[Any]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            with _as_oserror():
                piece = next(self._chunks, None)
            if piece is None:
                return 0
            self._rest = memoryview(bytes(piece))
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


@contextmanager
def _as_oserror() -> Iterator[None]:
    try:
        yield
    except BaseError as error:
        # Its text names the service's address and the request's, and goes nowhere.
        raise OSError(f"the bucket: {type(error).__name__}") from None
