"""Files in a directory on a disk that the API and the workers share. Nobody else reads it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


class Directory:
    """See `storage.Storage`. `path` is made when it is first written to, for its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, key: str, file: BinaryIO) -> None:
        place = self._place(key)
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        part = place.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        part.rename(place)

    def open(self, key: str) -> BinaryIO:
        return self._place(key).open("rb")

    def remove(self, key: str) -> None:
        place = self._place(key)
        for path in (place, place.with_suffix(".part")):
            with suppress(FileNotFoundError):
                path.unlink()

    def _place(self, key: str) -> Path:
        # By its last letters: the first ones of a UUIDv7 are the time.
        return self._path / key[-2:] / key
