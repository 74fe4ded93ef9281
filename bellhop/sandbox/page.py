"""The page at `/`: each message as its recipient sees it, newest first, with what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bellhop.sandbox.state import State

_FOLDER = Path(__file__).parent / "templates"
TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_NEWEST = 100

# Scripts of an e-mail never run (its frame is sandboxed); its pictures may load, as they would for its reader.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src * data:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")


TEMPLATES.filters["clock"] = _clock


def rendered(template: str, context: dict[str, Any]) -> HTMLResponse:
    """A page that shows guests' messages and lets nothing of them out."""
    return HTMLResponse(
        TEMPLATES.get_template(template).render(context),
        headers={
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
        },
    )


def javascript(name: str) -> Response:
    """A page's script."""
    return Response((_FOLDER / name).read_text(), media_type="text/javascript")


@router.get("/")
async def messages(request: Request) -> HTMLResponse:
    """The whole page; its script asks for it again and changes only what has changed."""
    state = request.app.state.sandbox
    assert isinstance(state, State)
    found, total = state.store.messages((), limit=_NEWEST, newest_first=True)
    found = [message for message in found if message.provider in state.simulators]
    steps = state.store.steps_of([message.seq for message in found])
    context: dict[str, Any] = {
        "messages": found,
        "steps": steps,
        "total": total,
        "newest": _NEWEST,
        "faults": state.faults.in_force(),
        "simulators": state.simulators,
    }
    return rendered("page.html", context)


@router.get("/_sandbox/page.js")
async def script() -> Response:
    """The page's script."""
    return javascript("page.js")
