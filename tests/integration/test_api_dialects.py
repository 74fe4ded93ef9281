"""A dialect made up for the occasion: its own key, its own errors, the same engine and rows as the native API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from api.app import create_app
from api.dependencies import AuthenticatedRoute, CurrentEngine, CurrentScope, reply, require_scope
from api.dialects import DIALECTS
from api.dialects.dialect import Dialect
from api.middleware import BODY_LIMIT
from api.problems import Problem
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix, render
from bellhop.engine import messages
from bellhop.engine.messages import SendMessage
from bellhop.settings import Settings

from .conftest_api import Api, open_api

router = APIRouter(prefix="/toy", route_class=AuthenticatedRoute, include_in_schema=False)


class ToySend(BaseModel):
    """Its request."""

    model_config = ConfigDict(extra="forbid")

    to: str
    words: str


@router.post("/send")
@require_scope("messaging:write")
async def toy_send(engine: CurrentEngine, scope: CurrentScope, body: ToySend) -> Response:
    """Send an SMS; 200, and the plain UUID."""
    sent = await messages.send(engine, scope, SendMessage(Channel.SMS, body.to, body.words))
    return reply({"id": str(sent.subject_id)})


@router.post("/break")
@require_scope("messaging:write")
async def toy_break() -> Response:
    """A fault of ours."""
    raise RuntimeError


def read_key(request: Request) -> str | None:
    """`X-Toy-Secret`, and nothing else."""
    return request.headers.get("x-toy-secret")


def answer(problem: Problem, request_id: str) -> Response:
    """Its form of an error."""
    body = {"error": {"word": problem.code.upper(), "says": problem.sentence, "trace": request_id}}
    return reply(body, problem.status_code, problem.headers)


TOY = Dialect("toy", router, read_key, answer)


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine, dialects=(TOY,)) as api:
        # The native header would open the native API: here it says nothing.
        api.http.headers["X-Toy-Secret"] = api.key
        yield api


SENT = {"to": "+13055551234", "words": "Your suite is ready."}


def wrong(answer: Any, status: int, word: str) -> dict[str, str]:
    """The error of an answer, which has this status and word, in the dialect's form."""
    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    error: dict[str, str] = answer.json()["error"]
    assert error["word"] == word
    assert error["trace"] == answer.headers["x-request-id"]
    return error


async def test_what_it_sends_is_a_message_like_any_other(api: Api) -> None:
    answer = await api.http.post("/toy/send", json=SENT)
    assert answer.status_code == 200, answer.text
    assert "ratelimit" in answer.headers
    native = await api.http.get(f"/v1/messaging/{render(Prefix.MESSAGE, UUID(answer.json()['id']))}")
    assert native.status_code == 200
    assert (native.json()["recipient"], native.json()["content"]) == (SENT["to"], SENT["words"])
    timeline = await api.http.get(f"/v1/messaging/{native.json()['id']}/timeline")
    assert timeline.json()["data"][0]["what"] == "message.queued"


async def test_the_key_is_read_its_own_way(api: Api) -> None:
    del api.http.headers["X-Toy-Secret"]
    error = wrong(await api.http.post("/toy/send", json=SENT), 401, "UNAUTHENTICATED")
    assert "API key" in error["says"]
    assert await api.rows("messages") == 0
    assert (await api.send()).status_code == 201, "the native API reads the key as ever"


async def test_a_key_is_held_to_its_scopes(api: Api) -> None:
    reader = (await api.mint("messaging:read"))["Authorization"].removeprefix("Bearer ")
    refused = await api.http.post("/toy/send", json=SENT, headers={"X-Toy-Secret": reader})
    wrong(refused, 403, "MISSING_SCOPE")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "/toy/send", {"to": "+13055551234"}, 422, "INVALID"),
        ("POST", "/toy/send", {**SENT, "words": "a\0b"}, 422, "INVALID"),
        ("GET", "/toy/send", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/toy/nothing", None, 404, "NOT_FOUND"),
        ("GET", "/toy", None, 404, "NOT_FOUND"),
        ("POST", "/toy/break", None, 500, "INTERNAL_ERROR"),
        ("POST", "/toy/send", {"words": "x" * BODY_LIMIT}, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_every_error_below_its_path_is_in_its_form(
    api: Api, method: str, path: str, body: Any, status: int, word: str
) -> None:
    content = None if body is None else json.dumps(body)
    headers = {"Content-Type": "application/json"}
    error = wrong(await api.http.request(method, path, content=content, headers=headers), status, word)
    assert error["says"]


async def test_what_the_engine_refuses_is_in_its_form(api: Api) -> None:
    await api.sql("delete from senders")
    error = wrong(await api.http.post("/toy/send", json=SENT), 422, "CHANNEL_UNAVAILABLE")
    assert error["says"].startswith("channel: expected a channel")


async def test_an_overload_is_in_its_form(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.admission.Admission.enter", _refuse)
    refused = await api.http.post("/toy/send", json=SENT)
    wrong(refused, 503, "OVERLOADED")
    assert refused.headers["retry-after"] == "2"


async def _refuse(_: object) -> None:
    from api.admission import Overloaded

    raise Overloaded


async def test_a_database_that_is_away_is_in_its_form(settings: Settings, engine: AsyncEngine) -> None:
    nowhere = settings.postgres.model_copy(update={"dsn": SecretStr("postgresql://nobody@127.0.0.1:1/none")})
    async with open_api(settings, engine, dialects=(TOY,)) as api:
        app = create_app(settings.model_copy(update={"postgres": nowhere}), (TOY,))
        async with app.router.lifespan_context(app):
            api.http._transport.app = app  # type: ignore[attr-defined]
            refused = await api.http.post("/toy/send", json=SENT, headers={"X-Toy-Secret": api.key})
            wrong(refused, 503, "DATABASE_UNAVAILABLE")


async def test_other_paths_keep_the_native_form(api: Api) -> None:
    for path in ("/toys", "/v1/toy", "/v1/messaging/omsg_none"):
        answer = await api.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_path_belongs_to_one_dialect_or_to_the_native_api() -> None:
    for prefix in ("", "/", "toy", "/v1", "/v1/toy", "/toy/"):
        with pytest.raises((ValueError, AssertionError)):
            Dialect("toy", APIRouter(prefix=prefix), read_key, answer)
    for one in DIALECTS:
        assert not [other.name for other in DIALECTS if other is not one and other.speaks(one.prefix)]
