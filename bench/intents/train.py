"""Make the weights and thresholds of the built-in intent detector: `python -m bench.intents.train`.

Logistic regression in a fixed order, in pure Python: the same sentences give the same numbers. Takes about a minute.

1. A model is learnt from the four parts that rules were written from.
2. It scores the messages of `thresholds`, which neither it nor the rules were made from. From these scores is learnt
   what the model's opinion and the rules count for (`bellhop/intents/sureness.py`); each fifth gets its confidences
   from what the other four taught, and from those confidences come the thresholds.
3. The model that is kept is learnt from all five parts: it knows more, and what was learnt in 2 stays as it is.
"""

from __future__ import annotations

import json
import math
import random
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from operator import itemgetter
from typing import Any

from bellhop.domain.intents import IntentType
from bellhop.intents.built_in import TYPES, scored
from bellhop.intents.model import BUCKETS, FACTS, WEIGHTS, ZERO, buckets, chance, made
from bellhop.intents.rules import LANGUAGES
from bellhop.intents.sureness import Signs, log_odds
from bellhop.intents.text import fold
from bench.intents.sentences import PARTS, THRESHOLDS, Labelled, digest, read

ROUNDS = 10
STEP = 4.0
DECAY = 0.75
"""The step of a round is so many times that of the round before."""
SHRINK = 2e-4
"""How much of a weight is lost in a round for each sentence that could have moved it: rare n-grams stay small."""
LEAST_ERROR = 0.02
"""Errors below move nothing."""
FOLDS = 5
NEWTON = 8
"""Steps."""
FREE = 0.01
"""How strongly a weight that all findings share is drawn to 0."""
BOUND = 2.0
"""How strongly one of a single type or language is."""
LOWEST = 0.25
"""The lowest threshold."""
CEILING = 0.999
"""The highest one."""
PRECISION = 0.955
"""What a threshold is chosen for: a little more than is asked for, since others write otherwise."""
FEW = 2.0
"""Findings, that of another type or language being less than one, below which they are no evidence."""
SAME_TYPE, SAME_LANGUAGE, NEITHER = 0.5, 0.3, 0.2
"""What a finding counts for in the threshold of another language or type: few of one are no evidence."""
COLUMNS = (*(kind.value for kind in TYPES), *LANGUAGES)

Weights = list[list[float]]


Sample = tuple[Sequence[int], Sequence[float]]


def learn(sentences: Sequence[Labelled]) -> tuple[Weights, list[float]]:
    """Weights by column and bucket, and biases. Columns know nothing of each other: each core learns some."""
    samples = [(sorted(buckets(f" {fold(one.text)} ")), _targets(one)) for one in sentences]
    with Pool() as cores:
        learnt = cores.map(partial(_column, samples), range(len(COLUMNS)), chunksize=1)
    return [row for row, _ in learnt], [bias for _, bias in learnt]


def _column(samples: Sequence[Sample], column: int) -> tuple[list[float], float]:
    order = random.Random(11)
    row, bias, step = [0.0] * BUCKETS, (-3.0 if column < len(TYPES) else 0.0), STEP
    of = [(found, targets[column], 1 / math.sqrt(len(found))) for found, targets in samples]
    for _ in range(ROUNDS):
        order.shuffle(of)
        keep = 1 - step * SHRINK
        for found, target, norm in of:
            error = chance(bias + norm * sum(map(row.__getitem__, found))) - target
            if abs(error) < LEAST_ERROR:
                continue
            move = step * error * norm
            for bucket in found:
                row[bucket] = row[bucket] * keep - move
            bias -= 0.02 * step * error
        step *= DECAY
    return row, bias


def _targets(one: Labelled) -> list[float]:
    return [float(kind in one.types) for kind in TYPES] + [float(one.language == language) for language in LANGUAGES]


def packed(weights: Weights) -> tuple[bytes, list[float]]:
    """A byte for each weight, bucket by bucket, and what one unit of a column stands for."""
    scales = [max(map(abs, row)) / (ZERO - 1) for row in weights]
    rows = zip(*weights, strict=True)
    raw = bytes(ZERO + round(value / scale) for values in rows for value, scale in zip(values, scales, strict=True))
    return zlib.compress(raw, 9), scales


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that a message may ask for, and whether it does."""

    signs: Signs
    right: bool
    fold: int


def unseen(weights: Weights, biases: Sequence[float]) -> list[Candidate]:
    """Every type that the messages of `thresholds` may ask for, in the eyes of a model that has not seen them."""
    data, scales = packed(weights)
    using = made({**_facts(scales, biases), "thresholds": {}, "sureness": {}}, data)
    return [
        Candidate(each.signs, each.signs.type in one.types, at // FOLDS % FOLDS)
        for at, one in enumerate(read(THRESHOLDS))
        for each in scored(one.text, using)
    ]


def sureness(found: Sequence[Candidate]) -> dict[str, float]:
    """What each sign counts for: the likeliest weights that are not far from 0, by Newton's method."""
    samples = [(list(one.signs.numbers()), one.right) for one in found]
    names = list(dict.fromkeys(name for numbers, _ in samples for name, _ in numbers))
    at = {name: place for place, name in enumerate(names)}
    own = {*COLUMNS, *(f"{sign} {column}" for sign in ("rule", "asks") for column in COLUMNS)}
    bound = [BOUND if name in own else FREE for name in names]
    weights = [0.0] * len(names)
    rows = [([(at[name], value) for name, value in numbers], right) for numbers, right in samples]
    for _ in range(NEWTON):
        slope = [-strength * weight for strength, weight in zip(bound, weights, strict=True)]
        curve = [[strength * (row == column) for column in range(len(names))] for row, strength in enumerate(bound)]
        for numbers, right in rows:
            sure = chance(sum(weights[place] * value for place, value in numbers))
            for place, value in numbers:
                slope[place] += (right - sure) * value
                part, line = sure * (1 - sure) * value, curve[place]
                for other, times in numbers:
                    line[other] += part * times
        weights = [weight + move for weight, move in zip(weights, _solved(curve, slope), strict=True)]
    return {name: float(f"{weight:.4g}") for name, weight in zip(names, weights, strict=True)}


def _solved(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Gauss's elimination, of a matrix that is positive definite."""
    size = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for pivot in range(size):
        of = lines[pivot]
        for line in lines[pivot + 1 :]:
            if times := line[pivot] / of[pivot]:
                line[pivot:] = [a - times * b for a, b in zip(line[pivot:], of[pivot:], strict=True)]
    solved = [0.0] * size
    for row in reversed(range(size)):
        rest = sum(lines[row][column] * solved[column] for column in range(row + 1, size))
        solved[row] = (lines[row][size] - rest) / lines[row][row]
    return solved


def confidences(found: Sequence[Candidate]) -> list[tuple[float, Candidate]]:
    """Each with its confidence by what the other folds teach, the surest first."""
    sure = []
    for fold_ in range(FOLDS):
        weights = sureness([one for one in found if one.fold != fold_])
        sure += [(chance(log_odds(one.signs, weights)), one) for one in found if one.fold == fold_]
    return sorted(sure, key=itemgetter(0), reverse=True)


def thresholds(sure: Sequence[tuple[float, Candidate]]) -> dict[str, dict[str, float]]:
    """For each language and type the lowest confidence from which on enough of the findings are right."""
    return {language: {kind.value: _threshold(sure, language, kind) for kind in TYPES} for language in LANGUAGES}


def _threshold(sure: Sequence[tuple[float, Candidate]], language: str, kind: IntentType) -> float:
    right = given = 0.0
    lowest = CEILING
    for confidence, one in sure:
        if confidence < LOWEST:
            break
        same = one.signs.type is kind, one.signs.language == language
        weight = 1.0 if all(same) else SAME_TYPE if same[0] else SAME_LANGUAGE if same[1] else NEITHER
        given += weight
        right += weight * one.right
        if given >= FEW and right >= PRECISION * given:
            lowest = min(CEILING, confidence)
    return math.floor(lowest * 10_000) / 10_000


def _facts(scales: Sequence[float], biases: Sequence[float]) -> dict[str, Any]:
    return {
        "columns": list(COLUMNS),
        "scales": [float(f"{scale:.6g}") for scale in scales],
        "biases": [float(f"{bias:.6g}") for bias in biases],
        "data": digest(*PARTS, THRESHOLDS),
    }


def main() -> None:
    """Learn, and write the two files."""
    parts = [one for part in PARTS for one in read(part)]
    found = unseen(*learn(parts))
    weights, biases = learn([*parts, *read(THRESHOLDS)])
    data, scales = packed(weights)
    facts = {**_facts(scales, biases), "sureness": sureness(found), "thresholds": thresholds(confidences(found))}
    WEIGHTS.write_bytes(data)
    FACTS.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{len(data):,} bytes of weights", file=sys.stderr)


if __name__ == "__main__":
    main()
