"""Where the bytes of files lie: as a port, and which of its implementations the settings name.

Everything here blocks: it is called in a thread.
"""

from __future__ import annotations

from typing import BinaryIO, Protocol

from bellhop.media.directory import Directory
from bellhop.media.settings import MediaSettings


class Storage(Protocol):
    """A place for files, each under a key of lower-case letters, digits and dashes. Raises OSError, whatever the place
    is: FileNotFoundError where it surely has no such file."""

    def put(self, key: str, file: BinaryIO) -> None:
        """Keep the rest of `file`: when this returns it is there whole, and before that not at all."""

    def open(self, key: str) -> BinaryIO:
        """The bytes. Raises FileNotFoundError."""

    def remove(self, key: str) -> None:
        """Whatever is under the key, or nothing."""


def storage_of(settings: MediaSettings) -> Storage:
    """A bucket, where one is named; else a directory."""
    if settings.s3_bucket is None:
        return Directory(settings.dir)
    # Imported here: the extra `s3`, which only who uses a bucket needs.
    from bellhop.media.bucket import Bucket

    return Bucket(settings)
