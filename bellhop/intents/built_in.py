"""The built-in detector: rule tables beside a linear model, silent below a threshold for each type and language.

It is offline, keeps nothing, and looks at a bounded number of clauses of a bounded length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bellhop.domain.intents import DetectedIntent, Detection, DetectorName, IntentType
from bellhop.intents import rules
from bellhop.intents.model import Model, buckets, chance, model
from bellhop.intents.rules import LANGUAGES
from bellhop.intents.sureness import Signs, log_odds
from bellhop.intents.text import Clause, clauses

RULE = 3.0
"""Log-odds that a rule adds to the model's opinion where the types of a clause are compared."""
RIVAL = 0.6
"""How much of the distance to a likelier type of the clause is taken off there."""
UNLIKELY = -4.0
"""Log-odds below which a type that no rule finds is not looked at further."""
LONG_ENOUGH = 24
"""Letters from which on a clause's language is its own and not the message's."""
MOST_NEAR = 2
NEAR = 2.0
"""Log-odds: short texts may be Spanish or Portuguese; both their guards and rules count then."""
TYPES = tuple(IntentType)


@dataclass(frozen=True, slots=True)
class Scored:
    """A type in the clause that speaks for it most, before any threshold."""

    signs: Signs
    strength: float
    evidence: str = field(repr=False)


def scored(text: str, using: Model) -> list[Scored]:
    """The types that a message may ask for, each by its strongest clause."""
    parts = clauses(text)
    read = [(clause, using.scores(buckets(clause.folded))) for clause in parts]
    main = _languages([scores for _, scores in read], [len(clause.folded) for clause in parts])
    best: dict[IntentType, Scored] = {}
    for clause, scores in read:
        for one in _of_clause(clause, scores, main):
            kind = one.signs.type
            if kind not in best or best[kind].strength < one.strength:
                best[kind] = one
    return list(best.values())


def _of_clause(clause: Clause, scores: Sequence[float], main: Sequence[str]) -> Iterator[Scored]:
    near = _languages([scores], [1]) if len(clause.folded) >= LONG_ENOUGH else main
    own, languages = near[0], dict.fromkeys((*near, main[0]))
    quiet = frozenset[IntentType]().union(*(rules.silenced(clause, language) for language in languages))
    by_rule: dict[IntentType, str] = {}
    for language in languages:
        by_rule = {**rules.matches(clause, language), **by_rule}
    found = {kind: words for kind, words in by_rule.items() if kind not in quiet}
    odds = {
        kind: score + RULE * (kind in found) for kind, score in zip(TYPES, scores, strict=False) if kind not in quiet
    }
    likeliest, second = [*sorted(odds.values(), reverse=True), UNLIKELY, UNLIKELY][:2]
    for at, kind in enumerate(TYPES):
        ruled = kind in found
        if kind in quiet or not (ruled or scores[at] > UNLIKELY):
            continue
        behind = (likeliest if odds[kind] < likeliest else second) - odds[kind]
        signs = Signs(
            type=kind,
            language=own,
            score=scores[at],
            rule=ruled,
            behind=behind,
            other_rule=len(found) > ruled,
            guarded=bool(quiet),
            asks=clause.asks,
            letters=len(clause.folded),
        )
        yield Scored(signs, odds[kind] - RIVAL * max(0.0, behind), found.get(kind) or clause.all_words)


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


def detect(text: str) -> list[DetectedIntent]:
    """The intents of a message, the surest first. The work is bounded, whatever the text."""
    using = model()
    found = [(chance(log_odds(one.signs, using.sureness)), one) for one in scored(text, using)]
    sure = [
        DetectedIntent(one.signs.type, round(confidence, 3), one.evidence)
        for confidence, one in found
        if confidence >= using.thresholds[one.signs.language][one.signs.type.value] and one.evidence
    ]
    return sorted(sure, key=lambda one: (-one.confidence, one.type))


class BuiltInDetector:
    """The port around `detect`."""

    async def detect(self, text: str) -> Detection:
        return Detection(DetectorName.BUILT_IN, detect(text))
