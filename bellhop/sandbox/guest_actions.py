"""What a guest does on their phone beside answering a provider's message: they read one, want no more mails of its
kind, or write in the property's app."""

from __future__ import annotations

import time
from typing import Annotated, Any

import aiohttp
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox import guests
from bellhop.sandbox.app_inbox import AppAway, AppInbox
from bellhop.sandbox.providers import ProviderName
from bellhop.sandbox.simulator import Simulator
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message

router = APIRouter(prefix="/_sandbox", tags=["sandbox"])

Id = Annotated[str, Field(max_length=200)]


class MessageRequest(BaseModel):
    """Which message: the provider's id of it."""

    model_config = ConfigDict(extra="forbid")

    provider: ProviderName
    id: Id


class AppMessageRequest(BaseModel):
    """Which message in a guest's app. `guest`: the id of one who was named with an `app`."""

    model_config = ConfigDict(extra="forbid")

    guest: Annotated[str, Field(max_length=100)]
    id: Annotated[str, Field(pattern=r"^\w{1,64}$")]


class AppTextRequest(BaseModel):
    """What a guest writes in their app. `guest`: the id of one who was named with an `app`."""

    model_config = ConfigDict(extra="forbid")

    guest: Annotated[str, Field(max_length=100)]
    body: Annotated[str, Field(min_length=1, max_length=10_000)]


def _app(request: Request, guest: str) -> AppInbox:
    state = request.app.state.sandbox
    assert isinstance(state, State)
    app = guests.find(state, guest).app
    if app is None:
        raise HTTPException(404, f"no app is known of the guest {guest}")
    return AppInbox(state, app)


def _found(request: Request, asked: MessageRequest) -> tuple[State, Simulator, Message]:
    state = request.app.state.sandbox
    assert isinstance(state, State)
    message = state.store.message(asked.provider, asked.id)
    if message is None:
        raise HTTPException(404, f"{asked.provider} has accepted no message {asked.id}")
    return state, state.simulators[asked.provider], message


@router.post("/read")
async def read(request: Request, body: MessageRequest | AppMessageRequest) -> dict[str, Any]:
    """The guest reads a message: its sender hears of it as the channel has it (WhatsApp's receipt, a mail's open event,
    the report of an app)."""
    if isinstance(body, AppMessageRequest):
        app = _app(request, body.guest)
        try:
            return {"status": await app.read(body.id)}
        except AppAway as away:
            raise HTTPException(502, str(away)) from None
    state, simulator, message = _found(request, body)
    if not simulator.readable(message):
        raise HTTPException(409, f"nobody would hear it of {simulator.label} while the message is {message.status}")
    step = simulator.read_step(message, time.time())
    state.callback_sender.cancel(message.seq, simulator.read_word)
    state.store.plan([step])
    state.callback_sender.schedule([step])
    return {"status": simulator.read_word}


@router.post("/write")
async def write(request: Request, body: AppTextRequest) -> dict[str, Any]:
    """The guest writes to the property in its app, and is told the id that the property's API gave it."""
    app = _app(request, body.guest)
    try:
        return {"status": 201, "id": await app.write(body.body)}
    except AppAway as away:
        raise HTTPException(502, str(away)) from None


@router.post("/unsubscribe")
async def unsubscribe(request: Request, body: MessageRequest) -> dict[str, Any]:
    """The guest wants no more mails of this kind: posts what a mail program does on one click (RFC 8058), and tells
    what was answered."""
    state, simulator, message = _found(request, body)
    url = simulator.unsubscribe_url(message)
    if url is None:
        raise HTTPException(409, "this message names no address for that")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body_sent = b"List-Unsubscribe=One-Click"
    answer = await state.callback_sender.post(url, body_sent, headers, aiohttp.ClientTimeout(total=10))
    return {"status": int(answer.shown) if answer.shown.isdecimal() else None, "detail": answer.shown}
