"""Make the weights and thresholds of the built-in intent detector: `python -m bench.intents.train`.

Logistic regression, one column per type and language, by plain gradient descent in a fixed order, in pure Python: the
same sentences give the same weights. Takes about a minute. Weights come from all four parts of `data/` but the test
set; the threshold of each type and language from the last two parts, each scored by a model made of the other three,
which has not seen it.
"""

from __future__ import annotations

import json
import math
import random
import sys
import zlib
from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool
from typing import Any

from bellhop.intents.built_in import TYPES, Scored, scored
from bellhop.intents.model import BUCKETS, FACTS, WEIGHTS, ZERO, buckets, chance, made
from bellhop.intents.rules import LANGUAGES
from bellhop.intents.text import fold
from bench.intents.sentences import PARTS, Labelled, digest, read

ROUNDS = 10
STEP = 4.0
DECAY = 0.75
"""The step of a round is so many times that of the round before."""
SHRINK = 2e-4
"""How much of a weight is lost in a round for each sentence that could have moved it: rare n-grams stay small."""
LEAST_ERROR = 0.02
"""Errors below move nothing."""
FLOOR = 0.5
"""The lowest threshold."""
CEILING = 0.999
"""The highest one."""
PRECISION = 0.955
"""What a threshold is chosen for: a little more than is asked for, since others write otherwise."""
ONE_WRONG = 0.5
"""So many wrong findings are counted on top of the others: few findings are no evidence."""
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


Findings = list[tuple[float, bool]]
"""Findings: how sure each was, and whether it was right."""


def unseen() -> list[tuple[Labelled, list[Scored]]]:
    """Every message of the last two parts with what a model made of the other three finds in it. The first two say
    little: rules were first written from them."""
    found = []
    for part in PARTS[2:]:
        weights, biases = learn([one for other in PARTS if other != part for one in read(other)])
        data, scales = packed(weights)
        using = made({**_facts(scales, biases), "thresholds": {}}, data)
        found += [(one, scored(one.text, using)) for one in read(part)]
    return found


def thresholds(messages: Sequence[tuple[Labelled, list[Scored]]]) -> dict[str, dict[str, float]]:
    """For each language and type a confidence from which on enough of the findings are right: that of the type in all
    languages, or higher where the findings of the language, or of the type in the language, ask for it."""
    found = [
        (each.language, each.type, each.confidence, each.type in one.types)
        for one, finds in messages
        for each in finds
        if each.confidence >= FLOOR
    ]
    of_type = {
        kind: _threshold([(sure, right) for _, of, sure, right in found if of is kind], ONE_WRONG) for kind in TYPES
    }
    found = [one for one in found if one[2] >= of_type[one[1]]]
    of_language = {
        name: _threshold([(sure, right) for of, _, sure, right in found if of == name], ONE_WRONG) for name in LANGUAGES
    }
    return {
        name: {
            kind.value: max(
                of_type[kind],
                of_language[name],
                # One wrong finding by itself is chance.
                _threshold([(sure, right) for of, each, sure, right in found if (of, each) == (name, kind)], -1.0),
            )
            for kind in TYPES
        }
        for name in LANGUAGES
    }


def _threshold(found: Findings, more_wrong: float) -> float:
    """The lowest confidence from which on, with so many more wrong ones, enough of the findings are right."""
    if not found:
        return FLOOR
    right, wrong, lowest = 0, more_wrong, CEILING
    order = sorted(found, reverse=True)
    for (confidence, correct), below in zip(order, [*(one for one, _ in order[1:]), 0.0], strict=True):
        right, wrong = right + correct, wrong + (not correct)
        if confidence > below and right >= PRECISION * (right + max(0.0, wrong)):
            lowest = confidence if below else FLOOR
    return math.floor(min(lowest, CEILING) * 10_000) / 10_000


def _facts(scales: Sequence[float], biases: Sequence[float]) -> dict[str, Any]:
    return {
        "columns": list(COLUMNS),
        "scales": [float(f"{scale:.6g}") for scale in scales],
        "biases": [float(f"{bias:.6g}") for bias in biases],
        "data": digest(*PARTS),
    }


def main() -> None:
    """Learn, and write the two files."""
    limits = thresholds(unseen())
    weights, biases = learn([one for part in PARTS for one in read(part)])
    data, scales = packed(weights)
    WEIGHTS.write_bytes(data)
    facts = {**_facts(scales, biases), "thresholds": limits}
    FACTS.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{len(data):,} bytes of weights", file=sys.stderr)


if __name__ == "__main__":
    main()
