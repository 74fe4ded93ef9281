"""The tables of rules, read once: phrases that say what a guest wants, and guards that say that they do not.

A rule is a text such as `keep|stay in & room & until|longer`: one phrase of each group has to stand in the clause, in
whatever order. A phrase matches from the beginning of a word on (`cancel` also matches `cancelled`); one that ends with
a full stop matches whole words. Japanese has no words: there a phrase matches wherever it stands. A group that begins
with an exclamation mark says what must not stand there, and `@ask` stands for the language's list of that name. Looking
for a phrase is a plain search: no pattern that could take long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

from bellhop.domain.intents import IntentType
from bellhop.intents.text import Clause, fold

LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ja")

_ALL = frozenset(IntentType)
_TROUBLE = frozenset(
    {
        IntentType.MAINTENANCE,
        IntentType.COMPLAINT,
        IntentType.WIFI_ACCESS,
        IntentType.LOST_ITEM,
        IntentType.HOUSEKEEPING,
    }
)
GUARDS: Mapping[str, frozenset[IntentType]] = {
    # "We don't need a taxi". What is broken or missing is often said with a "no", and so is "no more messages".
    "negation": (_ALL - _TROUBLE | {IntentType.HOUSEKEEPING})
    - {IntentType.OPT_OUT, IntentType.HUMAN, IntentType.ARRIVAL_TIME},
    # "We had late check-out then". What is lost, broken or bad is always in the past.
    "past": _ALL - _TROUBLE,
    "thanks": _ALL,
    # "It works again", "no complaints", "found them".
    "settled": _ALL - {IntentType.ARRIVAL_TIME},
    # "Can I leave my car here after check-out": the car, not the room.
    "vehicle": frozenset({IntentType.LATE_CHECK_OUT}),
}
"""Which types a guard silences in its clause."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language's table."""

    rules: Mapping[IntentType, Sequence[str]]
    guards: Mapping[str, str]
    lists: Mapping[str, str] = field(default_factory=dict)
    """Phrases that many rules name, such as those of asking for something."""
    words_apart: bool = True
    """Whether there are spaces between words."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Phrases one of which has to stand there. `beginnings`: the first letters of each, so that most groups are seen
    at once to be absent."""

    phrases: Sequence[str]
    beginnings: frozenset[str]


BEGINNING = 3
"""Letters."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    words_apart: bool
    rules: Sequence[tuple[IntentType, Sequence[_Group], Sequence[str]]] = field(repr=False)
    """A type, the groups of which each has to stand there, and what must not."""
    beginnings: frozenset[str] = field(repr=False)
    """Those of all groups."""
    guards: Sequence[tuple[frozenset[IntentType], Sequence[str]]] = field(repr=False)


def _phrase(text: str, *, words_apart: bool) -> str:
    text = text.strip()
    folded = fold(text)
    assert folded, f"no phrase: {text!r}"
    if not words_apart:
        return folded
    return f" {folded} " if text.endswith(".") else f" {folded}"


def _rule(text: str, table: Language) -> tuple[list[_Group], list[str]]:
    for name, phrases in table.lists.items():
        text = text.replace(f"@{name}", phrases)
    wanted: list[_Group] = []
    unwanted: list[str] = []
    for group in map(str.strip, text.split("&")):
        each = [_phrase(one, words_apart=table.words_apart) for one in group.removeprefix("!").split("|")]
        if group.startswith("!"):
            unwanted += each
        else:
            wanted.append(_Group(each, frozenset(phrase[:BEGINNING] for phrase in each)))
    return wanted, unwanted


@cache
def _compiled(language: str) -> _Compiled:
    table: Language = import_module(f"bellhop.intents.languages.{language}").TABLE
    apart = table.words_apart
    rules = [(kind, *_rule(text, table)) for kind, texts in table.rules.items() for text in texts]
    guards = [
        (GUARDS[name], [_phrase(one, words_apart=apart) for one in phrases.split("|")])
        for name, phrases in table.guards.items()
    ]
    beginnings = frozenset[str]().union(*(group.beginnings for _, groups, _ in rules for group in groups))
    return _Compiled(apart, rules, beginnings, guards)


def silenced(clause: Clause, language: str) -> frozenset[IntentType]:
    """What this clause does not ask for, whatever its words."""
    quiet: frozenset[IntentType] = frozenset()
    for types, phrases in _compiled(language).guards:
        if not types <= quiet and any(phrase in clause.folded for phrase in phrases):
            quiet |= types
    return quiet


def matches(clause: Clause, language: str) -> dict[IntentType, str]:
    """The types that a rule finds, each with the words it found them by."""
    found: dict[IntentType, str] = {}
    table, folded = _compiled(language), clause.folded
    there = table.beginnings & _beginnings(folded, words_apart=table.words_apart)
    for kind, groups, unwanted in table.rules:
        if kind in found or any(map(there.isdisjoint, [group.beginnings for group in groups])):
            continue
        if (span := _span(folded, groups)) is None:
            continue
        if not any(phrase in folded for phrase in unwanted):
            found[kind] = clause.words(*span, whole=table.words_apart)
    return found


def _beginnings(folded: str, *, words_apart: bool) -> set[str]:
    """The first letters of every phrase that could stand there."""
    if words_apart:
        words = {f" {word} "[:BEGINNING] for word in folded.split()}
        return {word[:length] for word in words for length in range(2, BEGINNING + 1)}
    return {folded[at : at + length] for length in range(1, BEGINNING + 1) for at in range(len(folded))}


def _span(folded: str, groups: Sequence[_Group]) -> tuple[int, int] | None:
    first, last = len(folded), 0
    for group in groups:
        for phrase in group.phrases:
            at = folded.find(phrase)
            if at >= 0:
                # Without the space that its word begins with.
                first, last = min(first, at + 1 if phrase[0] == " " else at), max(last, at + len(phrase.rstrip()) - 1)
                break
        else:
            return None
    return first, last
