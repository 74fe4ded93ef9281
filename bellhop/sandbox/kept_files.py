"""Files that a provider was handed itself, not by an address: kept, so that the guest's phone can show them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
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


SAMPLES = {
    "image/jpeg": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/wAALCAACAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVf/Z",
    "image/png": "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR42mM8wcDEwAAAA/oAzJ1i2jMAAAAASUVORK5CYII=",
    "application/pdf": base64.b64encode(b"%PDF-1.4 a guest's file\n%%EOF\n").decode(),
}
"""What a guest's file holds where nothing is said of that."""


class GuestFile(BaseModel):
    """A file that a guest sends. `content`: in base64; empty: a small file of that type."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(default="image/jpeg", max_length=100)
    name: str = Field(default="", max_length=100)
    content: str = Field(default="", max_length=30_000_000)


def keep_sent(store: Store, message: str, files: Sequence[GuestFile]) -> list[str]:
    """Keep what a guest sends with a message; returns the paths at which providers hand the bytes out."""
    paths = []
    for at, sent in enumerate(files):
        name = quote(sent.name.replace("/", "-") or f"file{at}", safe="")
        usual = SAMPLES.get(sent.type) or base64.b64encode(b"a guest's file").decode()
        keep(store, f"{message}/{at}", name, sent.type, sent.content or usual)
        paths.append(f"/_sandbox/sent/{message}/{at}/{name}")
    return paths


@router.get("/_sandbox/sent/{message}/{number}/{name}")
async def sent_file(request: Request, message: str, number: int, name: str) -> Response:
    """The bytes of a file that a guest sent, for whoever knows the address."""
    state = request.app.state.sandbox
    assert isinstance(state, State)
    found = state.store.kept_one(ROOM, f"{message}/{number}")
    if found is None or found.get("deleted"):
        raise HTTPException(404)
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
    return Response(base64.b64decode(found["content"]), media_type=found["type"], headers=headers)


@router.get("/_sandbox/files/{message}/{number}/{name}")
async def file(request: Request, message: str, number: int, name: str) -> Response:
    """One file. Nothing in it runs here: only pictures are shown, the rest is saved."""
    state = request.app.state.sandbox
    assert isinstance(state, State)
    found = state.store.kept_one(ROOM, f"{message}/{number}")
    if found is None or found.get("deleted"):
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
