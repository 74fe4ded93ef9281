"""How long the built-in detector takes for a message on one core: `python -m bench.intents.speed`."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence

from bellhop.domain.intents import LONGEST_READ
from bellhop.intents.built_in import detect
from bench.intents.sentences import TEST, read

ROUNDS = 5


def hostile() -> dict[str, str]:
    """Texts as long as any that is read, each unpleasant in its own way."""
    order = random.Random(7)
    letters = "".join(chr(order.randrange(0x61, 0x2FFF)) for _ in range(LONGEST_READ))
    words = " ".join(order.choice(["late", "check", "out", "keep", "the room", "until", "no", "towels", "n'"])
                     for _ in range(LONGEST_READ))  # fmt: skip
    return {
        "any letters": letters,
        "words of rules": words[:LONGEST_READ],
        "many sentences": ("a? " * LONGEST_READ)[:LONGEST_READ],
        "one letter": "a" * LONGEST_READ,
        "marks": "e\u0301\u0323" * (LONGEST_READ // 3),
        "ligatures": "\ufdfa" * LONGEST_READ,
    }


def milliseconds(text: str) -> float:
    """Of processor time, the least of a few."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        detect(text)
        least = min(least, time.thread_time() - began)
    return 1e3 * least


def main() -> None:
    """Print what messages cost."""
    usual: Sequence[float] = [milliseconds(one.text) for one in read(TEST)]
    print(f"{len(usual)} messages of guests: median {statistics.median(usual):.2f} ms, most {max(usual):.2f} ms")
    for name, text in hostile().items():
        print(f"{LONGEST_READ:,} characters, {name}: {milliseconds(text):.1f} ms")


if __name__ == "__main__":
    main()
