"""What a vendor's description names, field by field: where it is in our model, or what happens to it, and which test
shows that. `python -m api.dialects.page` makes docs/dialects.md of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Field(NamedTuple):
    """One field. `place`: where it comes from or goes to; of one that is not supported, what happens to it. `test`: the
    name of a test."""

    name: str
    place: str
    test: str


@dataclass(frozen=True, slots=True)
class Described:
    """One object or call of the vendor's: `name` as its description has it."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """All of a vendor's description. `intro`: what is so of the whole, in Markdown."""

    title: str
    intro: str
    objects: tuple[Described, ...]
