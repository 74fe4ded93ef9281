"""The built-in detector: rule tables beside a linear model, silent below a threshold for each type and language.

It is offline, keeps nothing, and looks at a bounded number of clauses of a bounded length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bellhop.domain.intents import DetectedIntent, Detection, DetectorName, IntentType
from bellhop.intents import rules
from bellhop.intents.model import Model, buckets, chance, model
from bellhop.intents.rules import LANGUAGES
from bellhop.intents.text import Clause, clauses

RULE = 4.0
"""Log-odds that a rule's finding adds to the model's opinion."""
RIVAL = 0.6
"""How much of the distance to the surest type of a clause is taken off the others: most clauses ask for one thing."""
LONG_ENOUGH = 24
"""Letters from which on a clause's language is its own and not the message's."""
MOST_NEAR = 2
NEAR = 2.0
"""Log-odds: short texts may be Spanish or Portuguese; both their guards and rules count then."""
TYPES = tuple(IntentType)


@dataclass(frozen=True, slots=True)
class Scored:
    """A type in a clause, before any threshold."""

    type: IntentType
    language: str
    confidence: float
    evidence: str = field(repr=False)


def scored(text: str, using: Model) -> list[Scored]:
    """Every type of a message by its best clause, with its confidence."""
    parts = clauses(text)
    read = [(clause, using.scores(buckets(clause.folded))) for clause in parts]
    main = _languages([scores for _, scores in read], [len(clause.folded) for clause in parts])
    best: dict[IntentType, Scored] = {}
    for clause, scores in read:
        for one in _of_clause(clause, scores, main):
            if one.type not in best or best[one.type].confidence < one.confidence:
                best[one.type] = one
    return list(best.values())


def _of_clause(clause: Clause, scores: Sequence[float], main: Sequence[str]) -> list[Scored]:
    near = _languages([scores], [1]) if len(clause.folded) >= LONG_ENOUGH else main
    own, languages = near[0], dict.fromkeys((*near, main[0]))
    quiet = frozenset[IntentType]().union(*(rules.silenced(clause, language) for language in languages))
    by_rule: dict[IntentType, str] = {}
    for language in languages:
        by_rule = {**rules.matches(clause, language), **by_rule}
    odds = {
        kind: score + RULE * (kind in by_rule) for kind, score in zip(TYPES, scores, strict=False) if kind not in quiet
    }
    surest = max(odds.values(), default=0.0)
    found = []
    for kind, score in odds.items():
        confidence = chance(score - RIVAL * (surest - score))
        found.append(Scored(kind, own, confidence, by_rule.get(kind) or clause.all_words))
    return found


def _languages(scores: Sequence[Sequence[float]], weights: Sequence[int]) -> list[str]:
    """The likeliest language, and those that are hardly less likely."""
    if not scores:
        return [LANGUAGES[0]]
    first = len(TYPES)
    totals = [
        sum(row[first + at] * weight for row, weight in zip(scores, weights, strict=True)) / sum(weights)
        for at in range(len(LANGUAGES))
    ]
    order = sorted(range(len(LANGUAGES)), key=totals.__getitem__, reverse=True)
    return [LANGUAGES[at] for at in order[:MOST_NEAR] if totals[at] >= totals[order[0]] - NEAR]


def above(found: Sequence[Scored], thresholds: Mapping[str, Mapping[str, float]]) -> list[DetectedIntent]:
    """Those that are sure enough, the surest first."""
    sure = [one for one in found if one.confidence >= thresholds[one.language][one.type.value] and one.evidence]
    sure.sort(key=lambda one: (-one.confidence, one.type))
    return [DetectedIntent(one.type, round(one.confidence, 3), one.evidence) for one in sure]


def detect(text: str) -> list[DetectedIntent]:
    """The intents of a message. The work is bounded, whatever the text."""
    return above(scored(text, model()), model().thresholds)


class BuiltInDetector:
    """The port around `detect`."""

    async def detect(self, text: str) -> Detection:
        return Detection(DetectorName.BUILT_IN, detect(text))
