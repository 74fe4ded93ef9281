"""What a dialect is: another vendor's API, spoken over the same engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.problems import Problem


class Field(NamedTuple):
    """One field of a vendor's description. `place`: where it comes from or goes to; of one that is not supported, what
    happens to it. `test`: the name of a test."""

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


@dataclass(frozen=True, slots=True)
class Dialect:
    """Another vendor's API: everything below its path is read and answered in its form."""

    name: str
    """One word: what logs and settings call it."""
    router: APIRouter
    """Its routes, below a prefix of its own, of the class AuthenticatedRoute."""
    read_key: Callable[[Request], str | None]
    """The API key a request bears, where this vendor's clients put it; None when it bears none."""
    answer: Callable[[Problem, str], Response]
    """An error in the vendor's form; the text is the request's id. Keeps the problem's headers."""
    description: Description | None = None
    """Each field of the vendor's description, for docs/dialects.md."""
    larger: Mapping[str, int] = field(default_factory=dict)
    """Bytes of a body at such a path, where that is more than usual."""

    def __post_init__(self) -> None:
        if not self.prefix.strip("/") or self.prefix.split("/")[1] == "v1":
            raise ValueError(f"{self.name}: a dialect needs a path of its own, and /v1 is the native API's")

    @property
    def prefix(self) -> str:
        """The path all of it is below."""
        return self.router.prefix

    def speaks(self, path: str) -> bool:
        """Whether a path is this dialect's."""
        return path.startswith(self.prefix) and path[len(self.prefix) :][:1] in ("", "/")


def dialect_of(path: str, dialects: Sequence[Dialect]) -> Dialect | None:
    """The dialect a path belongs to; None: the native API."""
    for dialect in dialects:
        if dialect.speaks(path):
            return dialect
    return None
