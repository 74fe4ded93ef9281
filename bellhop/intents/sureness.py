"""How sure it is that a clause asks for a type: what the model and the rules say of it, each with a weight.

The weights are made by `python -m bench.intents.train` from messages that neither rules nor the model were made from.
So a confidence is the share of findings like this one that were right there, and a rule counts for as much as it did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bellhop.domain.intents import IntentType

MOST_BEHIND = 6.0
MOST_AHEAD = 4.0
USUAL_LETTERS = 40
MOST_LETTERS = 80


@dataclass(frozen=True, slots=True)
class Signs:
    """What there is to go by for one type in one clause."""

    type: IntentType
    language: str
    score: float
    """The model's log-odds."""
    rule: bool
    """Whether a rule finds it."""
    behind: float
    """Log-odds by which another type is likelier here; below 0 where none is."""
    other_rule: bool
    """Whether a rule finds another type."""
    guarded: bool
    """Whether a guard silences another type."""
    asks: bool
    """Whether the clause is a question."""
    letters: int

    def numbers(self) -> Iterator[tuple[str, float]]:
        """By the names of the weights, those that are not 0."""
        yield "always", 1.0
        yield "score", self.score
        yield "behind", max(-MOST_AHEAD, min(MOST_BEHIND, self.behind))
        yield "letters", math.log(min(self.letters, MOST_LETTERS) / USUAL_LETTERS)
        yield self.type.value, 1.0
        yield self.language, 1.0
        if self.rule:
            yield from (("rule", 1.0), (f"rule {self.type.value}", 1.0), (f"rule {self.language}", 1.0))
        if self.asks:
            yield from (("asks", 1.0), (f"asks {self.type.value}", 1.0))
        if self.other_rule:
            yield "other rule", 1.0
        if self.guarded:
            yield "guarded", 1.0


def log_odds(signs: Signs, weights: Mapping[str, float]) -> float:
    """That the clause asks for the type."""
    return sum(weights.get(name, 0.0) * value for name, value in signs.numbers())
