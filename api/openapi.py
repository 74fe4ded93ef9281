"""The API's description: OpenAPI 3.1 with security, the webhooks it sends, and what every answer carries."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import BaseRoute

from api.route_paths import base_of
from api.schemas.fields import Shown, Strict
from api.schemas.webhooks import Event
from bellhop.domain.events import EventType

DESCRIPTION = """
Durable guest messaging for hotels and property platforms. A message that is accepted (201) is not lost: it goes out
once, on time, and `GET /v1/messaging/{id}/timeline` always says what became of it.

* **Keys** — `Authorization: Bearer sk_live_…` or `sk_test_…`. One key opens one property in one environment; `sk_test_`
  keys reach the sandbox only.
* **Errors** — one form: `detail`, `status_code`, `request_id`, `code`.
* **Lists** — the newest first. Go on with `cursor`, the `next_cursor` of the page before, until it is null; `total` is
  exact up to 10,000 (`total_exact`), and `offset` goes as far.
* **Retries** — send an `Idempotency-Key`, and repeating a request sends nothing twice.
* **Rate** — 1,000 requests a minute and key unless agreed otherwise; 429 says in `Retry-After` when to come back.
* **Limits** — a request whose head, body or reader is too slow is answered 408 or cut off, an address of more than
  8 KiB 414, a head that is too large 431; of every such answer the form is that of all errors.
* **Times** — RFC 3339; answers are in UTC at one width, so that text order is time order.
"""

TAGS = [
    {"name": "Messaging", "description": "Messages to guests."},
    {"name": "Broadcasts", "description": "One message to many guests."},
    {"name": "Conversations", "description": "What guests and the property write to each other."},
    {"name": "Stays", "description": "When which guests are at the property."},
    {"name": "Templates", "description": "Texts that messages name."},
    {"name": "Assets", "description": "Files that messages carry."},
    {"name": "Guests", "description": "Who they go to."},
    {"name": "Inbox", "description": "Sessions of guests' apps, and what these read in them: the channel `in_app`."},
    {"name": "Consents", "description": "What their addresses allow."},
    {"name": "Intents", "description": "What they want, as it was found in what they wrote."},
    {"name": "Webhooks", "description": "Where events are posted, and what was delivered."},
    # Generators make a file of each tag: what is posted must not share the one of the calls.
    {"name": "Events", "description": "What is posted to your endpoints."},
    {"name": "Properties", "description": "The property the key belongs to."},
    {"name": "Accounts", "description": "The provider accounts that messages go through."},
    {"name": "API keys", "description": "Minted, listed, revoked."},
    {"name": "Health", "description": "For load balancers and operators."},
]

CONTACT = {"name": "Whoever runs this installation"}
LICENCE = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}


def about(public_url: str) -> dict[str, Any]:
    """What FastAPI is told of whose API this is, and where: for programs that are made from the description, and for
    the page it is read on."""
    here = {"url": base_of(public_url) or "/", "description": "Wherever this description was read"}
    # `localhost` is whatever machine reads it.
    public = urlsplit(public_url).hostname != "localhost"
    servers = [*([{"url": public_url, "description": "This installation"}] if public else []), here]
    return {"servers": servers, "license_info": LICENCE, "contact": CONTACT}


_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer sk_live_… or sk_test_…"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "guestSession": {
        "type": "http",
        "scheme": "bearer",
        "description": "Authorization: Bearer gs_live_… or gs_test_…, the token of a guest's session",
    },
}
_REQUEST_ID = {"description": "Names this request in Bellhop's logs.", "schema": {"type": "string"}}
_RETRY_AFTER = {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}}


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` give the whole description, made once."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema or "securitySchemes" not in app.openapi_schema.get("components", {}):
            if not app.webhooks.routes:
                for word in EventType:
                    _webhook(app, word)
            with warnings.catch_warnings():
                # As FastAPI does where it builds a model at once: see `Shown`.
                warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
                described = plain()
            app.openapi_schema = _finish(described, app.routes)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _webhook(app: FastAPI, word: EventType) -> None:
    async def receive(body: Event) -> None: ...

    receive.__doc__ = word.__doc__
    app.webhooks.post(
        word.value,
        operation_id=f"on{''.join(part.title() for part in word.value.replace('_', '.').split('.'))}",
        summary=word.value,
        description="Signed with EscapeLife-Signature and the Standard Webhooks headers. Answer 2xx within 15 seconds.",
        tags=["Events"],
    )(receive)


def _finish(schema: dict[str, Any], routes: list[BaseRoute]) -> dict[str, Any]:
    schema["components"]["securitySchemes"] = _SECURITY_SCHEMES
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            operation["security"] = _security(path)
            for status, answer in operation["responses"].items():
                headers = answer.setdefault("headers", {})
                headers["X-Request-Id"] = _REQUEST_ID
                if status in ("429", "503") and path.startswith("/v1/"):
                    headers["Retry-After"] = _RETRY_AFTER
    for operations in schema.get("webhooks", {}).values():
        for operation in operations.values():
            operation["security"] = []
            operation["responses"] = {
                "2XX": {"description": "Taken. Anything else is tried again for about three days."}
            }
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    for model in _models(Strict, Shown):
        extra: Any = model.model_config.get("json_schema_extra") or {}
        if "examples" in extra and (described := schema["components"]["schemas"].get(model.__name__)):
            # FastAPI leaves every null out, those of examples too.
            described["examples"] = extra["examples"]
    return schema


def _security(path: str) -> list[dict[str, list[str]]]:
    if path.startswith("/v1/inbox/"):
        return [{"guestSession": []}]
    return [{"bearer": []}, {"apiKey": []}] if path.startswith("/v1/") else []


def _models(*kinds: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for kind in kinds:
        yield kind
        yield from _models(*kind.__subclasses__())
