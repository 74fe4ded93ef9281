"""Make the weights and thresholds of the built-in intent detector: `python -m bench.intents.train`.

Logistic regression, one column per type and language, by plain gradient descent in a fixed order, in pure Python: the
same sentences give the same weights. Takes about half a minute. Weights come from `data/train`; the threshold of each
type and language from `data/validation`: above what is found wrongly there.
"""

from __future__ import annotations

import json
import math
import random
import sys
import zlib
from collections.abc import Sequence
from typing import Any

from bellhop.domain.intents import IntentType
from bellhop.intents.built_in import RULE, TYPES, scored
from bellhop.intents.model import BUCKETS, FACTS, WEIGHTS, ZERO, Model, buckets, chance, made
from bellhop.intents.rules import LANGUAGES
from bellhop.intents.text import fold
from bench.intents.sentences import Labelled, digest, read

ROUNDS = 30
STEP = 4.0
DECAY = 0.9
"""The step of a round is so many times that of the round before."""
SHRINK = 2e-4
"""How much of a weight is lost in a round for each sentence that could have moved it: rare n-grams stay small."""
LEAST_ERROR = 0.02
"""Errors below move nothing."""
FLOOR = 0.602
"""A little more than a rule is worth by itself: where the model sees nothing of a type, a rule is not believed."""
MARGIN = 0.03
"""How far above the surest wrong finding a threshold is."""
PRECISION = 0.95
SUREST = 0.97
"""No threshold is higher: a rule that the model agrees with is believed."""
COLUMNS = (*(kind.value for kind in TYPES), *LANGUAGES)

Weights = list[list[float]]


def learn(sentences: Sequence[Labelled]) -> tuple[Weights, list[float]]:
    """Weights by column and bucket, and biases."""
    order = random.Random(11)
    samples = [(sorted(buckets(f" {fold(one.text)} ")), _targets(one)) for one in sentences]
    weights = [[0.0] * BUCKETS for _ in COLUMNS]
    biases = [-3.0] * len(TYPES) + [0.0] * len(LANGUAGES)
    step = STEP
    for _ in range(ROUNDS):
        order.shuffle(samples)
        for found, targets in samples:
            norm = 1 / math.sqrt(len(found))
            for column, row in enumerate(weights):
                error = chance(biases[column] + norm * sum(map(row.__getitem__, found))) - targets[column]
                if abs(error) < LEAST_ERROR:
                    continue
                move, keep = step * error * norm, 1 - step * SHRINK
                for bucket in found:
                    row[bucket] = row[bucket] * keep - move
                biases[column] -= 0.02 * step * error
        step *= DECAY
    return weights, biases


def _targets(one: Labelled) -> list[float]:
    return [float(kind in one.types) for kind in TYPES] + [float(one.language == language) for language in LANGUAGES]


def packed(weights: Weights) -> tuple[bytes, list[float]]:
    """A byte for each weight, bucket by bucket, and what one unit of a column stands for."""
    scales = [max(map(abs, row)) / (ZERO - 1) for row in weights]
    rows = zip(*weights, strict=True)
    raw = bytes(ZERO + round(value / scale) for values in rows for value, scale in zip(values, scales, strict=True))
    return zlib.compress(raw, 9), scales


Findings = list[tuple[float, bool]]
"""Findings: how sure each was, and whether it was right."""


def thresholds(held_out: Sequence[Labelled], using: Model) -> dict[str, dict[str, float]]:
    """For each language and type a confidence from which on enough of the findings in messages that are held out are
    right."""
    found: dict[tuple[str, IntentType], Findings] = {}
    for one in held_out:
        for each in scored(one.text, using):
            found.setdefault((each.language, each.type), []).append((each.confidence, each.type in one.types))
    return {
        language: {kind.value: _threshold(found.get((language, kind), [])) for kind in TYPES} for language in LANGUAGES
    }


def _threshold(found: Findings) -> float:
    """A confidence from which on enough of the findings are right, at least FLOOR, and MARGIN above the first of those
    that make them too few."""
    right, wrong = 0, 0
    too_low: float | None = None
    for confidence, correct in sorted(found, reverse=True):
        if confidence < FLOOR:
            break
        right, wrong = right + correct, wrong + (not correct)
        if right >= PRECISION * (right + wrong):
            too_low = None
        elif too_low is None:
            too_low = confidence
    return FLOOR if too_low is None else math.ceil(min(SUREST, too_low + MARGIN) * 1000) / 1000


def _facts(scales: Sequence[float], biases: Sequence[float]) -> dict[str, Any]:
    return {
        "columns": list(COLUMNS),
        "scales": [float(f"{scale:.6g}") for scale in scales],
        "biases": [float(f"{bias:.6g}") for bias in biases],
        "data": digest("train", "validation"),
    }


def main() -> None:
    """Learn, and write the two files."""
    sentences = read("train")
    weights, biases = learn(sentences)
    data, scales = packed(weights)
    facts = _facts(scales, biases)
    limits = thresholds(read("validation"), made({**facts, "thresholds": {}}, data))
    WEIGHTS.write_bytes(data)
    FACTS.write_text(json.dumps({**facts, "thresholds": limits}, indent=1) + "\n", encoding="utf-8")
    raised = sum(limit > FLOOR for row in limits.values() for limit in row.values())
    print(f"{len(data):,} bytes of weights; {raised} thresholds above {FLOOR}, {RULE} is a rule's", file=sys.stderr)


if __name__ == "__main__":
    main()
