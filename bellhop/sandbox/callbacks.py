"""Callbacks posted when asked, at once: for an id nobody knows, by a forger, or all of a message's once more."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.account_registry import event_settings
from bellhop.sandbox.callback_sender import TOKEN
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, Step, now

KINDS = {
    "unknown": "signed, for a message and an attempt that do not exist",
    "forged": "for a message that does, with a wrong signature",
    "again": "all callbacks of a message once more, signed anew, the last one first",
}


class CallbackRequest(BaseModel):
    """The body of `POST /_sandbox/callbacks`."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["unknown", "forged", "again"]
    provider: Literal["twilio", "sendgrid"]
    id: str | None = Field(
        default=None, description="the message to start from; the newest with callbacks, if left out"
    )
    word: str | None = Field(
        default=None, description="what it says, e.g. `delivered`, `failed`; as it was, if left out"
    )


class NothingToTell(Exception):
    """There is no message whose callbacks could be taken as a model."""


@dataclass(frozen=True, slots=True)
class Told:
    """One callback as posted: what it said, of which message, and what was answered (or why nothing was)."""

    id: str
    word: str
    answer: str


async def post(state: State, asked: CallbackRequest) -> list[Told]:
    """Post them, one after the other. Raises NothingToTell."""
    message, steps = _model(state, asked)
    chosen = list(reversed(steps)) if asked.kind == "again" else steps[-1:]
    return [await _TELL[asked.provider](state, asked, message, step) for step in chosen]


def _model(state: State, asked: CallbackRequest) -> tuple[Message, list[Step]]:
    where = (("provider =", asked.provider), ("direction =", "outbound"), ("id =", asked.id))
    found, _ = state.store.messages(where, limit=20, newest_first=True)
    steps = state.store.steps_of([message.seq for message in found])
    for message in found:
        told = [step for step in steps[message.seq] if step.applies]
        if told and (asked.provider == "sendgrid" or message.callback_url):
            return message, told
    raise NothingToTell


async def _twilio(state: State, asked: CallbackRequest, message: Message, step: Step) -> Told:
    word = asked.word or step.word
    fields = {name: value for name, value in step.payload.items() if name != TOKEN}
    fields |= {"MessageStatus": word, "SmsStatus": word}
    url, token = str(message.callback_url), str(uuid4())
    if asked.kind == "unknown":
        sid = "SM" + secrets.token_hex(16)
        fields |= {"MessageSid": sid, "SmsSid": sid}
        url = _elsewhere(url)
    _, answer, _ = await state.post.twilio_call(message.account, url, fields, token, forged=asked.kind == "forged")
    return Told(fields["MessageSid"], word, answer)


def _elsewhere(url: str) -> str:
    """The address with every id in its query replaced by one that nobody knows."""
    parts = urlsplit(url)
    query = [(name, str(uuid4()) if len(value) == 36 else value) for name, value in parse_qsl(parts.query)]
    return urlunsplit(parts._replace(query=urlencode(query)))


async def _sendgrid(state: State, asked: CallbackRequest, message: Message, step: Step) -> Told:
    account = state.books.sendgrid[message.account]
    url = event_settings(account, state.settings.sendgrid_event_url)["url"]
    event: dict[str, Any] = dict(step.payload)
    event["event"] = asked.word or step.word
    if asked.kind != "again":
        event["sg_event_id"] = secrets.token_urlsafe(32)
    if asked.kind == "unknown":
        event |= dict.fromkeys(message.custom_args, str(uuid4()))
        event["sg_message_id"] = f"{secrets.token_urlsafe(16)}.filterdrecv-sandbox-1-{int(now()):X}-0.0"
    answer = "no webhook"
    if url:
        _, answer, _ = await state.post.sendgrid_call(account, url, [event], forged=asked.kind == "forged")
    return Told(event["sg_message_id"].partition(".")[0], event["event"], answer)


_TELL = {"twilio": _twilio, "sendgrid": _sendgrid}
