"""Files that a provider was handed itself, not by an address: kept, so that the guest's phone can show them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from bellhop.sandbox.state import State
from bellhop.sandbox.store import Store

ROOM = "files"

router = APIRouter(include_in_schema=False)


def keep(store: Store, key: str, name: str, kind: str | None, content: str) -> dict[str, Any]:
    """Keep one file, given in base64, as `<message>/<number>`; returns what a message's `detail` says of it."""
    kind = kind or "application/octet-stream"
    store.keep(ROOM, key, {"type": kind, "content": content})
    try:
        data = base64.b64decode(content)
    except ValueError:
        data = b""
    return {"name": name, "type": kind, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@router.get("/_sandbox/files/{message}/{number}/{name}")
async def file(request: Request, message: str, number: int, name: str) -> Response:
    """One file. Nothing in it runs here: only pictures are shown, the rest is saved."""
    state = request.app.state.sandbox
    assert isinstance(state, State)
    found = state.store.kept_one(ROOM, f"{message}/{number}")
    if found is None:
        raise HTTPException(404)
    picture = found["type"].startswith("image/") and "svg" not in found["type"]
    shown = "inline" if picture else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    kind = found["type"] if picture else "application/octet-stream"
    return Response(base64.b64decode(found["content"]), media_type=kind, headers=headers)
