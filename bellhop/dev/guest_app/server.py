"""The guest's app as a property would serve it: a page, and a back end that has the API key and mints sessions.

`GET /app/` is the page, `POST /app/session` gives it a token, `POST /app/send` has the front desk write to the guest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import BaseModel, Field

from bellhop.dev.paths import project_dir

JORDAN = {"first_name": "Jordan", "last_name": "Mitchell", "email": "jordan.mitchell@example.com"}
HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src * data:; connect-src *; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
FILES = {
    "": HERE / "page.html",
    "app.js": HERE / "app.js",
    "app.css": HERE / "app.css",
    "bellhop-inbox.js": project_dir() / "clients" / "javascript" / "bellhop-inbox.js",
}


class Note(BaseModel):
    """What the front desk writes."""

    text: str = Field(min_length=1, max_length=1_000)
    title: str | None = Field(default=None, min_length=1, max_length=100)


def router(dev_json: Path) -> APIRouter:
    """`dev_json`: where the stack writes its address and key once it is up."""
    routes = APIRouter(prefix="/app")

    def running() -> Any:
        try:
            return json.loads(dev_json.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise HTTPException(503, "The stack is still starting.") from None

    async def call(method: str, path: str, body: Any = None) -> Any:
        stack = running()
        headers = {"Authorization": f"Bearer {stack['api_key']}"}
        async with httpx2.AsyncClient(base_url=stack["api_url"], headers=headers, trust_env=False) as api:
            answer = await api.request(method, path, json=body)
        if answer.status_code >= 400:
            raise HTTPException(502, f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
        return {**answer.json(), "api_url": stack["api_url"]}

    async def let_in(origin: str) -> None:
        """The property says from where its guests' inboxes are read, as an operator would do once."""
        (hotel,) = (await call("GET", "/v1/properties"))["data"]
        allowed = hotel["settings"].get("in_app", {}).get("allowed_origins", [])
        if origin not in allowed:
            settings = {**hotel["settings"], "in_app": {"allowed_origins": [*allowed, origin][-20:]}}
            await call("PATCH", f"/v1/properties/{hotel['id']}", {"settings": settings})

    @routes.get("")
    async def without_slash() -> Response:
        return RedirectResponse("/app/")

    @routes.get("/{name:path}")
    async def file(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404)
        kind = "text/javascript" if name.endswith(".js") else None
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(FILES[name], media_type=kind, headers=headers)

    @routes.post("/session")
    async def session(request: Request) -> dict[str, Any]:
        await let_in(f"{request.url.scheme}://{request.url.netloc}")
        guest = await call("POST", "/v1/guests", JORDAN)
        made = await call("POST", f"/v1/guests/{guest['id']}/sessions", {})
        return {"url": made["api_url"], "guest": guest["id"], "token": made["token"]}

    @routes.post("/send")
    async def send(note: Note) -> dict[str, Any]:
        guest = await call("POST", "/v1/guests", JORDAN)
        body = {"channel": "in_app", "recipient": guest["id"], "content": note.text}
        if note.title:
            body["options"] = {"title": note.title}
        return {"id": (await call("POST", "/v1/messaging/send", body))["id"]}

    return routes
