"""Labelled messages: a text file per language, with a heading of types (or `none`) above the messages that have them.
A line break within a message is written `\\n`.

`first` to `fourth`, written one after another, make rules and weights; `thresholds`, by somebody else, what these are
worth and the thresholds; `test`, by somebody else again, the figures of docs/intents.md. No message of one is in
another. Whoever changes rules, training or thresholds reads neither `thresholds` nor `test`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import LANGUAGES

DATA = Path(__file__).parent / "data"
PARTS = ("first", "second", "third", "fourth")
THRESHOLDS = "thresholds"
TEST = "test"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message and what it asks for."""

    language: str
    text: str
    types: frozenset[IntentType]


def read(part: str) -> list[Labelled]:
    """Every message of a part, in the order of the files."""
    found: list[Labelled] = []
    for language in LANGUAGES:
        types: frozenset[IntentType] = frozenset()
        for line in (DATA / part / f"{language}.txt").read_text(encoding="utf-8").splitlines():
            if line.startswith("# "):
                names = [name.strip() for name in line[2:].split(",")]
                types = frozenset() if names == ["none"] else frozenset(IntentType(name) for name in names)
            elif line.strip():
                found.append(Labelled(language, line.strip().replace("\\n", "\n"), types))
    return found


def digest(*parts: str) -> str:
    """SHA-256 of these parts' files."""
    summed = hashlib.sha256()
    for part in parts:
        for language in LANGUAGES:
            summed.update((DATA / part / f"{language}.txt").read_bytes())
    return summed.hexdigest()
