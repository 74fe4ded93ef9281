"""What will happen to a message once accepted, in a provider's words, and how its callbacks can be disturbed.

A callback effect changes when and how often the sender is told, never what happens to the message itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bellhop.sandbox.store import PlannedStep

Renew = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes of a callback's payload that of the same callback sent anew, not retried."""


@dataclass(frozen=True, slots=True)
class Step:
    """One word of the provider, with its error code or extra event fields; `late` stretches its usual moment."""

    word: str
    code: int | None = None
    fields: tuple[tuple[str, Any], ...] = ()
    late: float = 1.0


@dataclass(frozen=True, slots=True)
class CallbackEffect:
    """How callbacks are disturbed: `delay` in seconds, `times` how often each callback comes altogether."""

    kind: str
    delay: float = 10.0
    times: int = 3


def _drop(callbacks: list[PlannedStep], effect: CallbackEffect, renew: Renew) -> list[PlannedStep]:
    return []


def _repeat(callbacks: list[PlannedStep], effect: CallbackEffect, renew: Renew) -> list[PlannedStep]:
    """Every other repetition is a retry, the rest are sent anew."""
    repeated: list[PlannedStep] = []
    spacing = min(0.05, 5.0 / effect.times)
    for step in callbacks:
        for turn in range(effect.times):
            payload = renew(step.payload) if turn % 2 == 0 and turn else dict(step.payload)
            repeated.append(replace(step, due=step.due + spacing * turn, payload=payload))
    return repeated


def _delay(callbacks: list[PlannedStep], effect: CallbackEffect, renew: Renew) -> list[PlannedStep]:
    return [replace(step, due=step.due + effect.delay) for step in callbacks]


def _reorder(callbacks: list[PlannedStep], effect: CallbackEffect, renew: Renew) -> list[PlannedStep]:
    """Last things first. Nothing is told before it happened: the first callback waits for the last step."""
    last = max((step.due for step in callbacks), default=0.0)
    return [replace(step, due=last + 0.15 * turn) for turn, step in enumerate(reversed(callbacks))]


CALLBACK_KINDS: dict[str, Callable[[list[PlannedStep], CallbackEffect, Renew], list[PlannedStep]]] = {
    "callback_drop": _drop,
    "callback_repeat": _repeat,
    "callback_delay": _delay,
    "callback_reorder": _reorder,
}


def disturbed(steps: list[PlannedStep], effect: CallbackEffect | None, renew: Renew) -> list[PlannedStep]:
    """The steps with their callbacks disturbed; what happens to the message stays as it was."""
    if effect is None:
        return steps
    silent = [replace(step, told=0) for step in steps if step.applies]
    callbacks = [replace(step, applies=0) for step in steps if step.told]
    return sorted(silent + CALLBACK_KINDS[effect.kind](callbacks, effect, renew), key=lambda step: step.due)
