"""A linear model on hashed character n-grams: one row of weights per bucket, a column per type and per language.

The weights are made by `python -m bench.intents.train` from the messages in `bench/intents/data/` and committed;
here they are only read and added up. A row is one whole number with three bytes per column, so that adding two rows is
one addition; a weight is a byte, 128 stands for 0. Three bytes have room for the sum of 65,793 rows: a clause has
fewer n-grams.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

BITS = 14
BUCKETS = 1 << BITS
GRAMS = (2, 3, 4, 5)
"""Lengths of n-grams, spaces between words included."""
WIDE = 3
ZERO = 128
HERE = Path(__file__).parent
WEIGHTS = HERE / "weights.bin"
FACTS = HERE / "weights.json"

_MULTIPLIER = 1_000_003
_SPREAD = 2_654_435_761
_HASH = 30
"""Bits of a hash: numbers of so many are quick in Python."""
_MASK = (1 << _HASH) - 1


def buckets(folded: str) -> set[int]:
    """The buckets of a clause's n-grams."""
    codes = [ord(letter) * _SPREAD & _MASK for letter in folded]
    found: set[int] = set()
    hashes = codes
    for length in range(2, GRAMS[-1] + 1):
        hashes = [
            (before * _MULTIPLIER + code) & _MASK for before, code in zip(hashes, codes[length - 1 :], strict=False)
        ]
        found.update([one >> (_HASH - BITS) for one in hashes])
    return found


@dataclass(frozen=True, slots=True)
class Model:
    """Weights to score with."""

    columns: Sequence[str]
    scales: Sequence[float] = field(repr=False)
    biases: Sequence[float] = field(repr=False)
    thresholds: Mapping[str, Mapping[str, float]] = field(repr=False)
    """Language → type → the confidence below which it stays silent."""
    sureness: Mapping[str, float] = field(repr=False)
    """What each of the signs of a type counts for (`bellhop/intents/sureness.py`)."""
    data: str
    """SHA-256 of the sentences it was made from."""
    _rows: Sequence[int] = field(repr=False)

    def scores(self, found: Iterable[int]) -> list[float]:
        """The log-odds of each column for a clause with these buckets."""
        found = list(found)
        count = len(found)
        summed = sum(map(self._rows.__getitem__, found)).to_bytes(WIDE * len(self.columns), "little")
        norm = 1 / math.sqrt(count or 1)
        return [
            bias + scale * norm * (int.from_bytes(summed[at : at + WIDE], "little") - ZERO * count)
            for at, scale, bias in zip(range(0, len(summed), WIDE), self.scales, self.biases, strict=True)
        ]


def chance(log_odds: float) -> float:
    """A probability, between 0 and 1."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


def made(facts: Mapping[str, object], packed: bytes) -> Model:
    """A model of what is kept in its two files."""
    given: dict[str, object] = dict(facts)
    raw = zlib.decompress(packed)
    width = len(raw) // BUCKETS
    wide = bytearray(WIDE * len(raw))
    wide[::WIDE] = raw
    step = WIDE * width
    rows = [int.from_bytes(wide[at : at + step], "little") for at in range(0, len(wide), step)]
    return Model(**given, _rows=rows)  # type: ignore[arg-type]


@cache
def model() -> Model:
    """The committed one."""
    return made(json.loads(FACTS.read_text(encoding="utf-8")), WEIGHTS.read_bytes())
