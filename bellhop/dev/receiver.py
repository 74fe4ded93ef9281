"""Stands for the customer's server: keeps every webhook it is sent, and fails when told to.

`POST /hooks/{name}` keeps headers and raw body; `GET /hooks/{name}` lists them; `PUT /hooks/{name}/behaviour` makes the
next calls slow or fail. It verifies nothing: whoever reads the list does. At `/app/` it serves the guests' app.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from bellhop.dev.guest_app import server as guest_app
from bellhop.sandbox.host_check import HostCheck


class Behaviour(BaseModel):
    """What the next `count` calls get (-1: all from now on)."""

    status: int = Field(default=200, ge=200, le=599)
    count: int = Field(default=-1, ge=-1)
    delay: float = Field(default=0.0, ge=0, le=120, description="seconds before answering")


class Hooks:
    """What was received, by name; also in a file, one JSON object a line, so that a restart forgets nothing."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.received: dict[str, list[dict[str, Any]]] = {}
        self.behaviour: dict[str, Behaviour] = {}
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                try:
                    record = json.loads(line)
                    self.received.setdefault(record.pop("name"), []).append(record)
                except (ValueError, KeyError):
                    continue  # the last line of a killed receiver

    def next_behaviour(self, name: str) -> Behaviour:
        behaviour = self.behaviour.get(name, Behaviour())
        if behaviour.count == 0:
            return Behaviour()
        if behaviour.count > 0:
            self.behaviour[name] = behaviour.model_copy(update={"count": behaviour.count - 1})
        return behaviour

    def keep(self, name: str, headers: dict[str, str], body: str, status: int) -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        record = {"received_at": now, "headers": headers, "body": body, "status": status}
        self.received.setdefault(name, []).append(record)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, **record}) + "\n")

    def forget(self, name: str) -> None:
        self.received.pop(name, None)
        if self._file is not None:
            lines = [json.dumps({"name": n, **record}) + "\n" for n, all_ in self.received.items() for record in all_]
            self._file.write_text("".join(lines), encoding="utf-8")


def create_app(file: Path | None = None, dev_json: Path | None = None) -> FastAPI:
    app = FastAPI(title="Bellhop's webhook receiver", docs_url=None, redoc_url=None)
    hooks = Hooks(file)

    if dev_json is not None:
        app.include_router(guest_app.router(dev_json))

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/hooks/{name}")
    async def receive(name: str, request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        behaviour = hooks.next_behaviour(name)
        if behaviour.delay:
            await asyncio.sleep(behaviour.delay)
        hooks.keep(name, dict(request.headers), body, behaviour.status)
        return Response(status_code=behaviour.status)

    @app.get("/hooks/{name}")
    async def listing(name: str) -> list[dict[str, Any]]:
        return hooks.received.get(name, [])

    @app.delete("/hooks/{name}", status_code=204)
    async def forget(name: str) -> None:
        hooks.forget(name)

    @app.put("/hooks/{name}/behaviour")
    async def behave(name: str, behaviour: Behaviour) -> Behaviour:
        hooks.behaviour[name] = behaviour
        return behaviour

    return app


def main() -> None:
    options = argparse.ArgumentParser(description="Keeps the webhooks it is sent.")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8901)
    options.add_argument("--file", type=Path, default=None, help="where to keep them (JSON lines)")
    options.add_argument("--dev-json", type=Path, default=None, help="the stack's dev.json: serve its guests' app")
    chosen = options.parse_args()
    uvicorn.run(
        HostCheck(create_app(chosen.file, chosen.dev_json), [chosen.host], "--host"),
        host=chosen.host,
        port=chosen.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
