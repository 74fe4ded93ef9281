"""Callbacks posted when asked, at once: for an id nobody knows, by a forger, or all of a message's once more."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox.providers import ProviderName
from bellhop.sandbox.simulator import CallbackKind, PostedCallback
from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message, PlannedStep


class CallbackRequest(BaseModel):
    """The body of `POST /_sandbox/callbacks`. `unknown`: signed, for a message and an attempt that do not exist;
    `forged`: for a message that does, with a wrong signature; `again`: all callbacks of a message once more, signed
    anew, the last one first."""

    model_config = ConfigDict(extra="forbid")

    kind: CallbackKind
    provider: ProviderName
    id: str | None = Field(
        default=None, description="the message to start from; the newest with callbacks, if left out"
    )
    word: str | None = Field(
        default=None, description="what it says, e.g. `delivered`, `failed`; as it was, if left out"
    )


class NoCallbackYet(Exception):
    """There is no message whose callbacks could be taken as a model."""


async def post(state: State, asked: CallbackRequest) -> list[PostedCallback]:
    """Post them, one after the other. Raises NoCallbackYet."""
    message, steps = _model(state, asked)
    chosen = list(reversed(steps)) if asked.kind == "again" else steps[-1:]
    simulator = state.simulators[asked.provider]
    return [await simulator.post_now(asked.kind, asked.word, message, step) for step in chosen]


def _model(state: State, asked: CallbackRequest) -> tuple[Message, list[PlannedStep]]:
    where = (("provider =", asked.provider), ("direction =", "outbound"), ("id =", asked.id))
    found, _ = state.store.messages(where, limit=20, newest_first=True)
    steps = state.store.steps_of([message.seq for message in found])
    for message in found:
        done = [step for step in steps[message.seq] if step.applies]
        if done and state.simulators[asked.provider].calls_back(message):
            return message, done
    raise NoCallbackYet
