"""What an operator does by command with what is kept of a guest."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any
from uuid import UUID

from bellhop.domain.ids import Prefix, parse
from bellhop.engine import export, guests
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.ops.administration import Refused, scope_of


async def export_to(engine: Engine, slug: str, environment: str, guest_id: str, path: Path) -> dict[str, Any]:
    """Write the document of a guest into a new file that only its owner can read. Raises Refused."""
    scope = await scope_of(engine, slug, environment)
    try:
        pieces = await export.document(engine, scope, _key(guest_id))
    except NotFound:
        raise _no_guest(guest_id) from None
    try:
        opened = await asyncio.to_thread(os.open, path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise Refused(f"{path} cannot be made: {problem.strerror}.") from None
    size = 0
    with os.fdopen(opened, "wb") as file:
        async for piece in pieces:
            size += await asyncio.to_thread(file.write, piece)
    return {"guest_id": guest_id, "file": str(path), "bytes": size}


async def erase(engine: Engine, slug: str, environment: str, guest_id: str) -> dict[str, Any]:
    """Erase a guest. Raises Refused."""
    scope = await scope_of(engine, slug, environment)
    try:
        await guests.erase(engine, scope, _key(guest_id))
    except NotFound:
        raise _no_guest(guest_id) from None
    return {"guest_id": guest_id, "erased": True}


def _key(guest_id: str) -> UUID:
    key = parse(Prefix.GUEST, guest_id)
    if key is None:
        raise _no_guest(guest_id)
    return key


def _no_guest(guest_id: str) -> Refused:
    return Refused(f"There is no guest '{guest_id}' in that environment of the property.")
