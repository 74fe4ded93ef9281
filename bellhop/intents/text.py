"""A message as rules and model read it: folded letter by letter, cut into clauses. The work is bounded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bellhop.domain.intents import LONGEST_EVIDENCE, LONGEST_READ

MOST_CLAUSES = 24
LONGEST_CLAUSE = 400
"""Letters: what is longer is cut there, full stop or none."""
_QUESTION = frozenset("?？")
_END = re.compile(r"[!?;\n\r。！？；…]|\.(?=\s|\Z)")


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence or so. `folded`: one space at either end, and one for whatever is neither letter nor digit."""

    folded: str = field(repr=False)
    places: Sequence[int] = field(repr=False)
    """Where in the message each letter of `folded` comes from."""
    source: str = field(repr=False)
    """The message."""
    asks: bool
    """Whether it ends as a question."""

    def words(self, first: int, last: int, *, whole: bool = True) -> str:
        """The message's own words from one place of `folded` to another, widened to whole words."""
        folded, first, last = self.folded, max(first, 1), min(last, len(self.folded) - 2)
        while whole and first > 1 and folded[first - 1] != " ":
            first -= 1
        while whole and last < len(folded) - 2 and folded[last + 1] != " ":
            last += 1
        return self.source[self.places[first] : self.places[last] + 1].strip()[:LONGEST_EVIDENCE]

    @property
    def all_words(self) -> str:
        """All of its words."""
        return self.words(0, len(self.folded), whole=False)


@lru_cache(maxsize=4_096)
def _letter(letter: str) -> str:
    """Without case, accents, width; digits are one digit, and what is no letter is a space."""
    if letter in "'’‘`´":
        return "'"
    folded = "".join(
        part for part in unicodedata.normalize("NFKD", letter.casefold()) if not "\u0300" <= part <= "\u036f"
    )
    # Of a ligature of many letters the first few.
    return "".join("0" if part.isdigit() else part if part.isalnum() or part in "ー\u3099\u309a" else " "
                   for part in folded[:4])  # fmt: skip


def fold(text: str) -> str:
    """A phrase as it stands in a folded clause, without the spaces around it."""
    return " ".join("".join(map(_letter, text)).split())


def clauses(text: str) -> list[Clause]:
    """The clauses of the first LONGEST_READ characters."""
    text = text[:LONGEST_READ]
    made: list[Clause] = []
    begin = 0
    while begin < len(text) and len(made) < MOST_CLAUSES:
        # The last ones are as long as they may be, so that nothing is left over.
        scarce = len(made) >= MOST_CLAUSES - LONGEST_READ // LONGEST_CLAUSE
        end = begin + LONGEST_CLAUSE if scarce else _end(text, begin)
        clause = _clause(text, begin, min(end, len(text)))
        if clause is not None:
            made.append(clause)
        begin = end
    return made


def _end(text: str, begin: int) -> int:
    last = min(len(text), begin + LONGEST_CLAUSE)
    found = _END.search(text, begin, last)
    return found.end() if found else last


def _clause(text: str, begin: int, end: int) -> Clause | None:
    letters, places = [" "], [begin]
    for place in range(begin, end):
        if len(letters) >= LONGEST_CLAUSE:
            # A ligature is several letters.
            break
        for letter in _letter(text[place]):
            if letter != " " or letters[-1] != " ":
                letters.append(letter)
                places.append(place)
    if letters[-1] != " ":
        letters.append(" ")
        places.append(end - 1)
    asks = not _QUESTION.isdisjoint(text[end - 1 : end + 1])
    return Clause("".join(letters), places, text, asks) if len(letters) > 2 else None
